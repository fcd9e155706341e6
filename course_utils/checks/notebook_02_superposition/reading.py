"""Exercise 2.7: read a picture of WᵀW."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.answer import Answer, as_list, as_tensor
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe

ADVICE = {
    "not_represented": "A feature without an arrow has an empty row: its diagonal cell is 0 too.",
    "opposite_pairs": "Look in each row for a cell near −1: it names the two features of a pair.",
    "alone": "A feature that is alone has a diagonal cell, and every other cell in its row is 0.",
    "dimensions": "Count lines at right angles to each other: one for each opposite pair, and one "
    "for a feature that is alone.",
}


def picture() -> tuple[Tensor, Tensor]:
    """The W (3, 6) and b (6,) whose picture exercise 2.7 shows."""
    W = torch.zeros(3, 6)
    W[0, 0], W[0, 3] = 1.0, -1.0
    W[1, 1], W[1, 5] = 1.0, -0.9
    W[2, 2] = 1.0
    b = torch.zeros(6)
    b[4] = 0.15  # the mean of a feature with p = 0.3: all that can be said of a lost one
    return W, b


def reading_from_matrix() -> dict[str, Any]:
    """What the picture of exercise 2.7 shows."""
    return {
        "not_represented": [4],
        "opposite_pairs": [(0, 3), (1, 5)],
        "alone": [2],
        "dimensions": 3,
    }


@exercise(
    "2.7",
    fallback=reading_from_matrix,
    diagnoses=(
        "counts-from-one",
        "pairs-with-itself",
        "white-is-opposite",
        "missed-zero-column",
        "dimensions-are-features",
    ),
)
def read_the_picture(answer: Answer) -> str:
    reading, right = answer(), reading_from_matrix()
    if not isinstance(reading, dict) or set(reading) != set(right):
        raise Mistake(
            "wrong-type",
            f"Return a dictionary with the keys {', '.join(right)}; got {describe(reading)}.",
        )
    zero = set(_features(reading["not_represented"], "not_represented"))
    alone = set(_features(reading["alone"], "alone"))
    pairs = {
        tuple(sorted(_features(pair, "opposite_pairs")))
        for pair in as_list(reading["opposite_pairs"], "a list of pairs in `opposite_pairs`")
    }
    dimensions = float(as_tensor(reading["dimensions"], shape=(), meaning="`dimensions`"))
    if zero == {5} and alone == {3} and pairs == {(1, 4), (2, 6)}:
        raise Mistake(
            "counts-from-one",
            "You read the picture rightly and counted from 1. The labels x0 to x5 count from 0.",
        )
    if any(len(set(pair)) < 2 for pair in pairs):
        raise Mistake(
            "pairs-with-itself",
            "A pair in your list holds only one feature. Write each pair as (i, j), and look at "
            "the cells off the diagonal: cell (i, i) is feature i's own squared length.",
        )
    if 4 not in zero:
        raise Mistake(
            "missed-zero-column",
            "One feature's row and column are empty, its diagonal cell too. A feature of length 0 "
            "has no direction: it is not represented. Which one?",
        )
    W, _ = picture()
    white = (W.T @ W == 0).nonzero().tolist()
    orthogonal = [pair for pair in pairs if list(pair) in white]
    if orthogonal:
        raise Mistake(
            "white-is-opposite",
            f"For the pair {orthogonal[0]} the cell is 0: those arrows are at right angles (or "
            "one of them has no length). Opposite arrows have a cell near −1.",
        )
    if dimensions in (5, 6):
        raise Mistake(
            "dimensions-are-features",
            f"{dimensions:g} counts features. Each opposite pair lies on one line, and a line is "
            "one dimension.",
        )
    for key, got in (("not_represented", zero), ("opposite_pairs", pairs), ("alone", alone)):
        if got != set(right[key]):
            raise Mistake(
                None,
                f"Your `{key}` is {sorted(got)}, which is not what the picture shows. "
                + ADVICE[key],
            )
    if dimensions != right["dimensions"]:
        raise Mistake(None, f"Your `dimensions` is {dimensions:g}. {ADVICE['dimensions']}")
    return "A cell off the diagonal is interference; five features can live in three dimensions."


def _features(value: Any, key: str) -> list[int]:
    """Feature numbers, from one number or from a list of them."""
    values = as_list(value, f"a list in `{key}`") if not isinstance(value, Real) else [value]
    values = [v.item() if isinstance(v, Tensor) and v.numel() == 1 else v for v in values]
    if not all(_is_whole(v) for v in values):
        raise Mistake(
            "wrong-type",
            f"`{key}` should hold feature numbers such as 0 or 5; got {describe(value)}.",
        )
    return [int(v) for v in values]


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isinstance(value, Integral) or value % 1 == 0  # 3.0 is a feature number too

"""Exercise 5.5: TopK."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# z, k. In the first, no two mistakes give the same, but for a k that is written in.
LARGEST = (
    ([[0.9, -2.0, 1.8, 0.6], [-1.1, -1.4, 1.0, -2.4], [2.3, 2.6, 3.2, 0.8]], 2),
    ([[0.4, 2.2, -3.0, 1.3, 0.8], [1.9, 0.6, -0.7, 1.5, 2.4]], 3),
    ([[3.1, 2.4, 1.8], [1.9, -0.2, 1.0], [-1.7, 0.4, 1.6], [-1.4, -1.1, -2.5]], 1),
)


@exercise(
    "5.5",
    fallback=sae.top_k,
    diagnoses=(
        "by-size",
        "values-only",
        "places-only",
        "down-the-columns",
        "whole-matrix",
        "forgets-relu",
        "keeps-smallest",
        "mask-of-ones",
        "no-top-k",
        "places-lost",
        "other-k",
    ),
)
def top_k(answer: Answer) -> str:
    for z, k in LARGEST:
        _judge_largest(answer, torch.tensor(z), k)
    return "Here k sets the L0, with no penalty, so nothing makes the active latents smaller."


def _kept(z: Tensor, k: int, dim: int = 1, ranked: Tensor | None = None) -> Tensor:
    """z where it is among the k largest along a dimension, or where `ranked` is; elsewhere 0."""
    ranked = z if ranked is None else ranked
    k = min(k, z.shape[dim])
    least = ranked.sort(dim, descending=True).values.narrow(dim, k - 1, 1)
    return torch.where(ranked >= least, z, 0.0)


def _judge_largest(answer: Answer, z: Tensor, k: int) -> None:
    value = answer(z, k)
    tried, z = f"z = {shown(z)}, k = {k}", z.double()
    _judge_parts(value, z, k)
    got = as_tensor(value, shape=tuple(z.shape), meaning="as z")
    top, want = _kept(z, k), _kept(z, k).relu()
    by_size, smallest = _kept(z, k, ranked=z.abs()), _kept(z, k, ranked=-z)
    columns = _kept(z, k, dim=0)
    flat = z.flatten()[None]
    whole = [_kept(flat, count).view_as(z) for count in (k, k * len(z))]
    first = torch.zeros_like(z)
    first[:, :k] = z.sort(1, descending=True).values[:, :k]
    foreseen: dict[str, tuple[list[Tensor], str]] = {
        "by-size": (
            [by_size, by_size.relu(), by_size.abs()],
            "You rank by size, so a large negative number takes the place of a positive one. Rank "
            "the numbers themselves, without `abs`.",
        ),
        "down-the-columns": (
            [columns, columns.relu()],
            "You keep k numbers in each column. A sample is a row: rank over dim 1.",
        ),
        "whole-matrix": (
            [part for kept in whole for part in (kept, kept.relu())],
            "You rank all numbers of the batch together, so one sample can take the places of "
            "another. Keep k in each row: rank over dim 1.",
        ),
        "forgets-relu": (
            [top],
            "Some of the k largest numbers are negative, and you keep them. A code is never "
            "negative: apply `torch.relu` too.",
        ),
        "keeps-smallest": (
            [smallest, smallest.relu()],
            "You keep the k smallest. `torch.sort` begins with the smallest, unless it is told "
            "`descending=True`; `torch.topk` takes the largest.",
        ),
        "mask-of-ones": (
            [(top != 0).double(), (want > 0).double()],
            "You return a mask, 1 where a number is kept. Return the numbers themselves: multiply "
            "the mask by z.",
        ),
        "no-top-k": (
            [z.relu(), z],
            "You keep every number, or every one above 0, and so more than k in a row. Rank each "
            "row, and set to 0 what is not among its k largest.",
        ),
        "places-lost": (
            [first, first.relu()],
            "You keep the right numbers, but in the first k columns. Each belongs to a latent: put "
            "it back where it was, with `scatter` and the places from `torch.topk`.",
        ),
    }
    for slug, (values, message) in foreseen.items():
        if any(same(got, value) and not same(value, want) for value in values):
            raise Mistake(slug, message)
    for other in range(z.shape[1]):
        value = _kept(z, other).relu() if other else torch.zeros_like(z)
        if same(got, value) and not same(value, want):
            raise Mistake(
                "other-k",
                f"Here k is {k}, and you keep {other} in each row. Take the number from `k`. In a "
                "comparison with the k-th largest, that one itself is kept too: `>=`.",
            )
    expect(
        got,
        want,
        tried=tried,
        why=f"the {k} largest of each row stay where they are, if they are above 0",
    )


def _judge_parts(value: Any, z: Tensor, k: int) -> None:
    """Raise if what came back is only what `torch.topk` gives: k values a row, or their places."""
    values, places = z.topk(k, dim=1)
    whole = isinstance(value, (tuple, list)) and len(value) == 2
    part = value[0] if whole else value
    if type(part) is Tensor and part.dtype == torch.int64 and part.layout == torch.strided:
        part = part.double()
    try:
        got = as_tensor(part, shape=(len(z), k)).sort(1).values
    except Mistake:
        return
    if any(same(got, right.sort(1).values) for right in (values, values.relu())):
        raise Mistake(
            "values-only",
            f"You return the {k} largest numbers of each row, without their places. Put them back "
            "where they were, in a tensor of zeros as large as z: `zeros.scatter(1, places, "
            "values)`.",
        )
    if same(got, places.double().sort(1).values):
        raise Mistake(
            "places-only",
            f"You return the places of the {k} largest numbers. Return the numbers, each in its "
            "place, in a tensor as large as z with 0 elsewhere.",
        )

"""Exercises 2.1 and 2.9: features that are mostly absent, and pairs that exclude each other.

There are enough samples for chance to stay five standard deviations inside every margin, and
few enough for an answer written with loops.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils import features
from course_utils.checks import inputs
from course_utils.checks.answer import Answer
from course_utils.checks.compare import close, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

BATCH, FEW = 4_000, 500


@exercise(
    "2.1",
    fallback=features.sample_features,
    diagnoses=(
        "sparsity-for-probability",
        "always-present",
        "one-coin-for-all",
        "one-coin-per-sample",
        "one-coin-per-feature",
        "values-squeezed",
        "all-ones",
        "outside-0-1",
        "ignores-generator",
    ),
)
def sample_features(answer: Answer) -> str:
    n, p = 6, 0.2

    def draw(batch: int, p: float, seed: int) -> Tensor:
        of_what = "batch_size, n_features"
        generator = inputs.generator(seed)
        return answer.tensor(batch, n, p, shape=(batch, n), meaning=of_what, generator=generator)

    tried = f"{BATCH:,} samples with feature_probability = {p}"
    x = draw(BATCH, p, seed=0)
    present = x != 0
    if x.min() < 0 or x.max() > 1:
        raise Mistake(
            "outside-0-1",
            f"A feature that is present has a value between 0 and 1. Yours run from {x.min():.2f} "
            f"to {x.max():.2f}: `torch.rand` draws what you need, `torch.randn` does not.",
        )
    by_sample = torch.equal(present.any(1), present.all(1))
    if by_sample or torch.equal(present.any(0), present.all(0)):
        _tosses_enough_coins([draw(8, p, seed) != 0 for seed in range(40)])
    share = present.double().mean()
    if close(share, 1 - p, 0.02):
        raise Mistake(
            "sparsity-for-probability",
            f"With feature_probability = {p} a share of {share:.2f} of your values is not 0. That "
            f"is the sparsity S = 1 − p = {1 - p:g}. The feature probability p says how often a "
            "feature is present.",
        )
    if not close(share, p, 0.02):
        raise unforeseen(
            tried=tried,
            want=f"a share of {p} of all values that is not 0",
            why="each feature is present with that probability",
            got=f"a share of {share:.3f}",
        )
    values = x[present]
    if torch.all(values == 1):
        raise Mistake(
            "all-ones",
            "Every feature that is present has the value 1. How strongly it is present also "
            "varies: multiply the mask by values drawn evenly between 0 and 1.",
        )
    if values.max() <= p + 1e-6 or values.min() >= 1 - p - 1e-6:
        raise Mistake(
            "values-squeezed",
            f"Your values that are not 0 run only from {values.min():.2f} to {values.max():.2f}. "
            "That happens when one draw decides both whether a feature is present and how strong "
            "it is. Draw twice.",
        )
    _drawn_evenly(values, tried)
    _uncorrelated(present, torch.ones(n, n) - torch.eye(n), tried)
    for q in (1.0, 0.6):
        share = (draw(FEW, q, seed=1) != 0).double().mean()
        if not close(share, q, 0.06):
            raise unforeseen(
                tried=f"{FEW} samples with feature_probability = {q}",
                want=f"a share of {q} of all values that is not 0",
                why="each feature is present with the probability that was asked for",
                got=f"a share of {share:.3f}",
            )
    _follows_generator(lambda seed: draw(9, p, seed))
    return "The probability p says how often a feature is present; the sparsity is S = 1 − p."


def _tosses_enough_coins(masks: list[Tensor]) -> None:
    """`masks` tell what is present in many small batches, drawn with too few coins it seems."""
    advice = "toss one coin for each sample and each feature, so the mask has the shape of x."
    if all(mask.all() for mask in masks):
        raise Mistake(
            "always-present",
            "Every feature is present in every sample. With probability 1 − p it should be "
            "absent, that is exactly 0: " + advice,
        )
    if not any(mask.any() for mask in masks):
        return  # nothing is ever present: no coin to speak of
    if all(mask.all() or not mask.any() for mask in masks):
        raise Mistake(
            "one-coin-for-all",
            "Either all features are present in all samples of a batch, or none is. Features "
            "are independent: " + advice,
        )
    if all(torch.equal(mask.any(1), mask.all(1)) for mask in masks):
        raise Mistake(
            "one-coin-per-sample",
            "In each sample either every feature is present or none is. Features are "
            "independent: " + advice,
        )
    if all(torch.equal(mask.any(0), mask.all(0)) for mask in masks):
        raise Mistake(
            "one-coin-per-feature",
            "The same features are present in every sample. Samples are independent: " + advice,
        )


def _drawn_evenly(values: Tensor, tried: str) -> None:
    if not (close(values.mean(), 0.5, 0.025) and close(values.var(), 1 / 12, 0.01)):
        raise unforeseen(
            tried=tried,
            want="values with mean 0.5 and variance 0.083 where a feature is present",
            why="they are drawn evenly between 0 and 1, apart from the draw that decides whether "
            "a feature is present",
            got=f"values with mean {values.mean():.3f} and variance {values.var():.3f}",
        )


def _uncorrelated(present: Tensor, pairs: Tensor, tried: str) -> None:
    """Which features are present is uncorrelated, where `pairs` is 1 for a pair of them."""
    together = (torch.corrcoef(present.double().T) * pairs).triu()
    if not together.abs().max() < 0.1:
        i, j = divmod(int(together.abs().argmax()), len(pairs))
        raise unforeseen(
            tried=tried,
            want=f"no correlation between feature {i} and feature {j} being present",
            why="each is drawn independently of the other, in each sample",
            got=f"a correlation of {together[i, j]:.2f}",
        )


def _follows_generator(draw: Callable[[int], Tensor]) -> None:
    first, again, other = draw(0), draw(0), draw(1)
    if not torch.equal(first, again) or torch.equal(first, other):
        raise Mistake(
            "ignores-generator",
            "Called twice with generators in the same state, your function should draw the same "
            "numbers, and other numbers with another state. Pass `generator=generator` to every "
            "draw.",
        )


@exercise(
    "2.9",
    fallback=features.sample_anticorrelated_pairs,
    diagnoses=(
        "independent",
        "on-together",
        "half-probability",
        "always-one-on",
        "second-gets-the-rest",
        "both-fall-silent",
        "one-coin-for-all-pairs",
        "partners-not-neighbours",
        "ignores-generator",
    ),
)
def sample_anticorrelated_pairs(answer: Answer) -> str:
    pairs, p = 3, 0.3
    n = 2 * pairs

    def draw(batch: int, p: float, seed: int) -> Tensor:
        meaning, generator = "batch_size, 2 * n_pairs", inputs.generator(seed)
        return answer.tensor(
            batch, pairs, p, shape=(batch, n), meaning=meaning, generator=generator
        )

    tried = f"{BATCH:,} samples of {pairs} pairs with feature_probability = {p}"
    x = draw(BATCH, p, seed=0)
    present = (x != 0).double()
    _exclude_each_other(present, p, tried)
    _each_with_probability(present, p, tried)
    one_of_pair = present[:, 0::2] + present[:, 1::2]
    if torch.equal(one_of_pair.amax(1), one_of_pair.amin(1)):
        raise Mistake(
            "one-coin-for-all-pairs",
            "Either all pairs have a feature present or none has. Pairs are independent of each "
            "other: draw for each sample and each pair.",
        )
    same_pair = torch.block_diag(*[torch.ones(2, 2)] * pairs)
    _uncorrelated(present, 1 - same_pair, tried)
    _drawn_evenly(x[x != 0], tried)
    for q in (0.5, 0.1):
        sides = (draw(FEW, q, seed=1) != 0).double().mean(0)
        if (sides - q).abs().max() > 0.12:
            raise unforeseen(
                tried=f"{FEW} samples of {pairs} pairs with feature_probability = {q}",
                want=f"each feature present in a share of {q} of the samples",
                why="p is the probability of each feature",
                got=f"shares of {shown(sides)}",
            )
    _follows_generator(lambda seed: draw(9, p, seed))
    return "Features that exclude each other never meet, so sharing a line costs them nothing."


def _exclude_each_other(present: Tensor, p: float, tried: str) -> None:
    n = present.shape[1]
    both = (present.T @ present) / len(present)
    neighbours = both[range(0, n, 2), range(1, n, 2)]
    halves = both[range(n // 2), range(n // 2, n)]
    if neighbours.max() == 0:
        return
    if halves.max() == 0:
        raise Mistake(
            "partners-not-neighbours",
            "Your pairs are features k and n_pairs + k. The exercise wants neighbours: 0 with "
            "1, 2 with 3, and so on.",
        )
    if close(neighbours.mean(), float(present.mean()), 0.02):
        raise Mistake(
            "on-together",
            "The two features of a pair are always present together. Those are companions; "
            "these two should never be present together.",
        )
    if close(neighbours.mean(), p * p, 0.02):
        raise Mistake(
            "independent",
            f"Both features of a pair are present in a share of {neighbours.mean():.3f} of the "
            "samples, about p²: they are independent. At most one may be present.",
        )
    raise unforeseen(
        tried=tried,
        want="no sample with both features of a pair present",
        why="they exclude each other",
        got=f"both present in a share of {neighbours.mean():.3f} of the samples",
    )


def _each_with_probability(present: Tensor, p: float, tried: str) -> None:
    share, sides = present.mean(), present.mean(0)
    first, second = sides[0::2].mean(), sides[1::2].mean()
    if close(share, 0.5, 0.02):
        raise Mistake(
            "always-one-on",
            "In every sample exactly one feature of each pair is present. Often none should be: "
            f"each is present with probability p = {p}, so none is with probability 1 − 2p.",
        )
    if (sides - p / 2).abs().max() < 0.05:
        raise Mistake(
            "half-probability",
            f"Each feature is present in a share of {share:.3f} of the samples, half of p = {p}. "
            "You give p to the pair; it belongs to each feature, so the pair needs 2p.",
        )
    if close(first, p, 0.02) and close(second, p * (1 - p), 0.02):
        raise Mistake(
            "second-gets-the-rest",
            f"The first of a pair is present in a share of {first:.2f} of the samples, the second "
            f"only in {second:.2f}, about p (1 − p): its coin counts only when the first is "
            "absent. One draw for the pair can give both the same chance.",
        )
    if close(first, p * (1 - p), 0.02) and close(second, p * (1 - p), 0.02):
        raise Mistake(
            "both-fall-silent",
            f"Each feature is present in a share of {share:.2f} of the samples, about p (1 − p). "
            "That happens when both are drawn, and both dropped where they meet. Let one draw "
            "for the pair decide.",
        )
    if (sides - p).abs().max() > 0.05 or not close(share, p, 0.02):
        raise unforeseen(
            tried=tried,
            want=f"each feature present in a share of {p} of the samples",
            why="p is the probability of each feature",
            got=f"shares of {shown(sides)}",
        )

"""Exercise 5.6: how many of the true features a dictionary has found."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer
from course_utils.checks.compare import same
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_05_dictionary_learning.naming import (
    dividing_by_zero,
    expect_named,
)
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


@exercise(
    "5.6",
    fallback=sae.recovered,
    diagnoses=(
        "share-of-latents",
        "not-normalised",
        "normalises-columns",
        "mean-cosine",
        "ignores-sign",
        "number-not-share",
        "percent",
        "counts-pairs",
        "every-latent",
        "not-found",
        "ignores-threshold",
        "dead-latent",
    ),
)
def recovered(answer: Answer) -> str:
    # 3 of 8 features are found, one by two latents, and no cosine is near a threshold.
    W = torch.tensor([[0.4, -1.1, -0.8], [0.7, 0.0, 0.5], [-0.9, -0.9, -0.9], [-0.9, 0.9, 0.4],
                      [-1.1, -1.0, -0.2]])  # fmt: skip
    features = torch.tensor([[-0.2, -0.2, 0.4], [-3.0, 2.0, 1.0], [-6.0, -4.0, -6.0],
                             [1.0, 1.0, 2.0], [0.0, 2.0, 2.0], [-2.0, -1.0, -1.0],
                             [0.2, -0.4, 0.0], [-1.0, 3.0, 3.0]])  # fmt: skip
    few = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 1.0]])
    many = torch.tensor([[2.0, 0.1], [0.1, -1.0], [1.0, 1.2], [0.5, 0.4], [-1.0, -1.0],
                         [1.0, -0.3]])  # fmt: skip
    _judge(answer, W, features, None)
    _judge(answer, many, few, None)
    _judge(answer, W, features, 0.5)
    _judge(answer, many, few, 0.7)
    _judge_dead(answer, many, few)
    return "Found means that some latent points the way of the feature, whatever the error says."


def _cosines(W: Tensor, features: Tensor) -> Tensor:
    """(features, latents), written out."""
    W, features = W.double(), features.double()
    return (features / features.norm(dim=1, keepdim=True)) @ (W / W.norm(dim=1, keepdim=True)).T


def _judge(answer: Answer, W: Tensor, features: Tensor, threshold: float | None) -> None:
    """threshold: None leaves it out, as the exercise's default is 0.9."""
    t = 0.9 if threshold is None else threshold
    given = (W, features) if threshold is None else (W, features, threshold)
    got = answer.tensor(*given, shape=(), meaning="a share from 0 to 1")
    c, n = _cosines(W, features), len(features)
    best = c.amax(1)
    found = int((best > t).sum())
    want, pairs = found / n, int((c > t).sum())
    w, f = W.double(), features.double()
    unit_w, unit_f = w / w.norm(dim=1, keepdim=True), f / f.norm(dim=1, keepdim=True)
    columns = (f / f.norm(dim=0)) @ (w / w.norm(dim=0)).T

    def share(table: Tensor) -> float:
        return float((table.amax(1) > t).double().mean())

    foreseen = {
        "ignores-threshold": (
            [float((best > 0.9).double().mean())] if t != 0.9 else [],
            f"With the threshold {t:g} you still count cosines above 0.9. Use the argument "
            "`threshold`.",
        ),
        "share-of-latents": (
            [float((c.amax(0) > t).double().mean())],
            "That is the share of latents that are near some feature. Asked for is the share of "
            "features that have a latent near them: the largest cosine in each feature's row, and "
            "the mean over features.",
        ),
        "not-normalised": (
            [share(f @ w.T), share(unit_f @ w.T), share(f @ unit_w.T)],
            "You compare products that grow with the length of a row. Both features and latents "
            "may have any norm: divide the rows of both by their norms, and you have cosines.",
        ),
        "normalises-columns": (
            [share(columns)],
            "You divide columns by their norms. A direction is a row here: "
            "`norm(dim=1, keepdim=True)`.",
        ),
        "mean-cosine": (
            [float(best.mean()), float(c.mean())],
            "You return a mean cosine. Say for each feature whether its best cosine is above the "
            "threshold, and take the mean of that.",
        ),
        "ignores-sign": (
            [share(c.abs())],
            "You count latents that point the opposite way. Activations are never negative, so "
            "such a latent cannot stand for the feature: leave the sign.",
        ),
        "number-not-share": (
            [float(found)],
            f"That is the number of features found. Divide it by the number of features, {n}.",
        ),
        "percent": ([100 * want], "You return percent. Return a share from 0 to 1."),
        "counts-pairs": (
            [pairs / n, pairs / c.numel(), float(pairs)],
            "You count pairs of a feature and a latent. Two latents for one feature have found one "
            "feature: take the largest cosine of each feature first.",
        ),
        "every-latent": (
            [0.0] if same(got, 0.0) and _asks_all(answer) else [],
            "You ask all latents to be near a feature. One is enough: take the largest cosine of "
            "each feature, not the smallest or the mean.",
        ),
        "not-found": (
            [1 - want],
            "That is the share of features that were not found. Found are those whose best cosine "
            "is above the threshold.",
        ),
    }
    expect_named(
        got,
        want,
        tried=f"W_dec = {shown(W)}, features = {shown(features)}, threshold = {t:g}",
        why=f"the features' best cosines are {shown(best)}, and {found} of these {n} are above "
        f"{t:g}",
        foreseen=foreseen,
    )


def _asks_all(answer: Answer) -> bool:
    """Whether a feature counts only if all latents are near it. 0 alone can have many reasons."""
    W = torch.tensor([[1.0, 0.0], [1.0, 0.2]])
    features = torch.tensor([[1.0, 0.1], [0.0, 1.0], [1.0, -0.4]])  # near both, none, and one
    try:
        return same(answer.tensor(W, features, 0.9, shape=()), 1 / 3)
    except Mistake:
        return False


def _judge_dead(answer: Answer, W: Tensor, features: Tensor) -> None:
    """A latent of zeros, after the same without it was right."""
    advice = (
        "A latent whose row of W_dec is 0 points nowhere and matches nothing. Divided by its norm "
        "it is NaN, and so is the largest cosine of every feature. Divide by "
        "`norm.clamp_min(1e-12)`, or use `torch.nn.functional.normalize`."
    )
    t, best = 0.9, _cosines(W, features).amax(1)
    want = float((best > t).double().mean())
    with_dead = torch.cat([W[:2], torch.zeros_like(W[:1]), W[2:]])
    got = dividing_by_zero(
        lambda: answer.tensor(with_dead, features, t, shape=(), meaning="a share from 0 to 1"),
        "dead-latent",
        advice,
    )
    if not same(got, want):
        raise Mistake(
            "dead-latent",
            f"{advice} Without it you have found {want:.4g}, with it {float(got):.4g}.",
        )

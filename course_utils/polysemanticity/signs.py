"""One sign in two classes of texts: how alike it is, layer by layer, between two nulls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from course_utils.polysemanticity.differences import random_weights, weights
from course_utils.polysemanticity.directions import (
    bootstrap_interval,
    cosine,
    interval,
    shuffled_classes,
    unbiased_cosine,
)


@dataclass(frozen=True)
class Sign:
    """What a sign adds in one class, in all layers, and directions of random tokens there."""

    rows: Float[Tensor, "layers n_texts n_units"]
    random: Float[Tensor, "layers n_random n_units"]


@dataclass(frozen=True)
class SignComparison:
    """All of a layer each. `value` and its interval are of `unbiased_cosine`.

    Between `null_low` and `null_high` lie 95 in 100 pairs of directions of random tokens of the
    same texts: nothing in common. At `one_low` or more lie 97.5 in 100 values if both classes had
    the same meaning: their texts were put in one heap and dealt out anew.
    """

    value: Float[Tensor, " layers"]
    plain: Float[Tensor, " layers"]  # the cosine of the means, which noise makes smaller
    low: Float[Tensor, " layers"]
    high: Float[Tensor, " layers"]
    null_low: Float[Tensor, " layers"]
    null_high: Float[Tensor, " layers"]
    one_low: Float[Tensor, " layers"]


def sign_of(
    layers: Iterable[Float[Tensor, "n_tokens n_units"]],
    text: Int[Tensor, " n_tokens"],
    is_sign: Bool[Tensor, " n_tokens"],
    *,
    n_random: int = 100,
    generator: Generator | None = None,
) -> Sign:
    """From the activations of every token of the texts of one class.

    Each layer is used once, so they may come one after the other, each when the one before it is
    let go. The random tokens are the same in all of them.

    Raises:
        ValueError: as for `differences` and `random_directions`.
    """
    real = weights(text, is_sign).float()
    random = random_weights(text, is_sign, n=n_random, generator=generator).float()
    found = [(real @ values, random @ values) for values in layers]
    return Sign(*(torch.stack(parts) for parts in zip(*found)))


def compare_signs(
    first: Sign,
    second: Sign,
    *,
    n_bootstrap: int = 1000,
    n_shuffles: int = 200,
    generator: Generator | None = None,
) -> SignComparison:
    """How alike a sign is in two classes.

    Raises:
        ValueError: there are fewer than 2 texts in one of them.
    """
    low, high = bootstrap_interval(first.rows, second.rows, n=n_bootstrap, generator=generator)
    n = min(first.random.shape[1], second.random.shape[1])
    null = F.cosine_similarity(first.random[:, :n], second.random[:, :n], dim=-1)
    null_low, null_high = interval(null)
    one = shuffled_classes(first.rows, second.rows, n=n_shuffles, generator=generator)
    return SignComparison(
        value=unbiased_cosine(first.rows, second.rows),
        plain=cosine(first.rows, second.rows),
        low=low,
        high=high,
        null_low=null_low,
        null_high=null_high,
        one_low=one.quantile(0.025, dim=-1),
    )

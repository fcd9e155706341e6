"""What a toy model is asked to do (ToyConfig), and how it is trained (Recipe).

The mathematics is in `model`.
"""

import math
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor


@dataclass(frozen=True)
class ToyConfig:
    """Which toy problem: sizes, sparsity, importance and nonlinearity.

    Args:
        n_features: n, at least 1.
        d_hidden: m, at least 1.
        feature_probability: p in [0, 1]. A tuple trains one *instance* of the model for each p.
        importance: I_i >= 0, one a feature, not all zero; None means 1 for all.
        nonlinearity: "relu", or "linear" for x_hat = W^T W x + b.

    Raises:
        ValueError: a value is out of range; the sentence says which and what to use.
    """

    n_features: int = 5
    d_hidden: int = 2
    feature_probability: float | tuple[float, ...] = 0.05
    importance: tuple[float, ...] | None = None
    nonlinearity: str = "relu"

    def __post_init__(self) -> None:
        for name in ("n_features", "d_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; use at least 1.")
        p = self.feature_probability
        probabilities = p if isinstance(p, tuple) else (p,)
        if not probabilities or not all(_is_number(q) and 0 <= q <= 1 for q in probabilities):
            raise ValueError(
                f"feature_probability is {p}; use a number between 0 and 1, or a tuple of them."
            )
        if self.importance is not None:
            if len(self.importance) != self.n_features:
                raise ValueError(
                    f"importance has {len(self.importance)} values for {self.n_features} features; "
                    "give one for each feature."
                )
            good = all(_is_number(i) and 0 <= i < math.inf for i in self.importance)
            if not good or not any(self.importance):
                raise ValueError(
                    f"importance is {self.importance}; use finite values of 0 or more, not all 0."
                )
        check_nonlinearity(self.nonlinearity)

    @property
    def probabilities(self) -> Tensor:
        """p as a tensor of shape (*instances,): no dimension for a float, one for a tuple."""
        return torch.tensor(self.feature_probability)

    @property
    def importances(self) -> Tensor:
        """Importance as a tensor of shape (n_features,)."""
        return torch.tensor(self.importance or (1.0,) * self.n_features)


def importance_decay(n_features: int, decay: float) -> tuple[float, ...]:
    """Importances 1, decay, decay^2, ...: feature i has importance decay^i.

    decay = 1 makes all features equally important; decay = 0 leaves only the first.

    Raises:
        ValueError: n_features is below 1, or decay is negative.
    """
    if n_features < 1:
        raise ValueError(f"n_features is {n_features}; use at least 1.")
    if not 0 <= decay < math.inf:
        raise ValueError(f"decay is {decay}; use a number of 0 or more (below 1 to decay).")
    return tuple(float(decay) ** i for i in range(n_features))


@dataclass(frozen=True)
class Recipe:
    """How to train: AdamW, its learning rate from the first step to the last, and the batch.

    schedule "cosine" lets the learning rate fall to 0 along half a cosine; "constant" keeps it.
    weight_decay 0 makes AdamW plain Adam.

    Raises:
        ValueError: a value is out of range.
    """

    steps: int = 400
    learning_rate: float = 5e-2
    batch_size: int = 256
    schedule: str = "cosine"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; use at least 1.")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is {self.learning_rate}; use a number above 0.")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay is {self.weight_decay}; use a number of 0 or more.")
        if self.schedule not in ("cosine", "constant"):
            raise ValueError(f'schedule is {self.schedule!r}; use "cosine" or "constant".')

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of step 0, 1, ..., steps - 1."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))


FAST_RECIPE = Recipe()
PUBLISHED_RECIPE = Recipe(10_000, 1e-3, 1024, "constant", 0.01)


def check_nonlinearity(name: str) -> None:
    """Raise ValueError unless the name is "relu" or "linear"."""
    if name not in ("relu", "linear"):
        raise ValueError(f'nonlinearity is {name!r}; use "relu" or "linear".')


def _is_number(value: object) -> bool:
    return isinstance(value, Real)

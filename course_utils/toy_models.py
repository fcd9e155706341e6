"""Toy models of superposition: n features squeezed through m < n dimensions and out again.

    x_hat = ReLU(W^T W x + b)          W: (m, n), b: (n,)

Column i of W is the direction in which the model stores feature i. Training makes x_hat like x,
the more important features first:

    loss = mean over samples of  sum_i I_i (x_i - x_hat_i)^2

Read `reconstruct`, `importance_weighted_loss` and `train_plain` first: they are the definition,
and PyTorch differentiates them. `gradients` is the same derivative worked out by hand. `train`
follows it without autograd and in place; it is several times as fast and gives the same models.

Source: Elhage et al., "Toy Models of Superposition" (2022).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.features import features_from_uniform

Sampler = Callable[[int, Generator], Tensor]  # (batch_size, generator) -> (batch, n_features)


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
    nonlinearity: Literal["relu", "linear"] = "relu"

    def __post_init__(self) -> None:
        for name in ("n_features", "d_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; use at least 1.")
        p = self.feature_probability
        probabilities = p if isinstance(p, tuple) else (p,)
        if not probabilities or not all(0 <= q <= 1 for q in probabilities):
            raise ValueError(
                f"feature_probability is {p}; use a probability between 0 and 1, or a tuple of them."
            )
        if self.importance is not None:
            if len(self.importance) != self.n_features:
                raise ValueError(
                    f"importance has {len(self.importance)} values for {self.n_features} features; "
                    "give one for each feature."
                )
            if not all(0 <= i < math.inf for i in self.importance) or not any(self.importance):
                raise ValueError(
                    f"importance is {self.importance}; use finite values of 0 or more, not all 0."
                )
        if self.nonlinearity not in ("relu", "linear"):
            raise ValueError(f'nonlinearity is {self.nonlinearity!r}; use "relu" or "linear".')

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
    schedule: Literal["cosine", "constant"] = "cosine"
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


@dataclass(frozen=True)
class ToyModel:
    """Trained weights with the problem they solve. model(x) reconstructs; model[i] is instance i."""

    W: Float[Tensor, "*instances d_hidden n_features"]
    b: Float[Tensor, "*instances n_features"]
    config: ToyConfig

    def __call__(
        self, x: Float[Tensor, "*#instances batch n_features"]
    ) -> Float[Tensor, "*#instances batch n_features"]:
        return reconstruct(x, self.W, self.b, self.config.nonlinearity)

    def __len__(self) -> int:
        if self.W.ndim == 2:
            raise TypeError("this is a single model; only a tuple of probabilities has instances.")
        return len(self.W)

    def __getitem__(self, i: int) -> "ToyModel":
        len(self)  # a single model says so
        p = self.config.feature_probability[i]
        return ToyModel(self.W[i], self.b[i], replace(self.config, feature_probability=p))


def reconstruct(
    x: Float[Tensor, "*#instances batch n_features"],
    W: Float[Tensor, "*#instances d_hidden n_features"],
    b: Float[Tensor, "*#instances n_features"],
    nonlinearity: Literal["relu", "linear"] = "relu",
) -> Float[Tensor, "*#instances batch n_features"]:
    """x_hat = ReLU(W^T W x + b), for a batch of x in rows; "linear" leaves the ReLU out.

    Source: Toy Models of Superposition, section "Demonstrating Superposition".
    """
    hidden = x @ W.mT  # (batch, d_hidden): W x, each sample squeezed
    z = hidden @ W + b[..., None, :]  # (batch, n_features): W^T (W x) + b
    return z.relu() if nonlinearity == "relu" else z


def importance_weighted_loss(
    x: Float[Tensor, "*#instances batch n_features"],
    x_hat: Float[Tensor, "*#instances batch n_features"],
    importance: Float[Tensor, " n_features"],
) -> Float[Tensor, "*instances"]:
    """Mean over the batch of sum_i I_i (x_i - x_hat_i)^2; leading dimensions are kept.

    Degenerate case: a feature of importance 0 costs nothing, whatever happens to it.

    Source: Toy Models of Superposition, section "Demonstrating Superposition" (the paper's code
    also divides by the number of features).
    """
    return (importance * (x - x_hat) ** 2).sum(-1).mean(-1)


def gradients(
    x: Float[Tensor, "*#instances batch n_features"],
    W: Float[Tensor, "*#instances d_hidden n_features"],
    b: Float[Tensor, "*#instances n_features"],
    importance: Float[Tensor, " n_features"],
    nonlinearity: Literal["relu", "linear"] = "relu",
) -> tuple[
    Float[Tensor, "*instances d_hidden n_features"], Float[Tensor, "*instances n_features"]
]:
    """(dW, db): the derivative of the loss by hand, without autograd.

    With G = W^T W and z = G x + b, every sample contributes

        dz_i = 2 I_i (x_hat_i - x_i) [z_i > 0]       (linear: without the bracket)
        dG   = dz x^T,    db = dz,    dW = W (dG + dG^T)

    and the batch is averaged. At z_i = 0 exactly the derivative of ReLU is taken as 0, as
    PyTorch does.
    """
    z = x @ (W.mT @ W) + b[..., None, :]
    dz = 2 / x.shape[-2] * importance * (z - x)  # where z > 0, x_hat = z
    if nonlinearity == "relu":
        dz = dz * (z > 0)
    dG = dz.mT @ x
    return W @ (dG + dG.mT), dz.sum(-2)


def train_plain(
    config: ToyConfig,
    recipe: Recipe = FAST_RECIPE,
    *,
    seed: int,
    sampler: Sampler | None = None,
) -> ToyModel:
    """Train by autograd, step by step: slow to run, quick to read. This defines `train`.

    The instances are independent: the sum of their losses has each one's own gradient.
    """
    generator = Generator().manual_seed(seed)
    W, b = (t.requires_grad_() for t in _initial(config, generator))
    optimizer = torch.optim.AdamW(
        [W, b], lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    for step, x in enumerate(_batches(config, recipe, generator, sampler)):
        x_hat = reconstruct(x, W, b, config.nonlinearity)
        loss = importance_weighted_loss(x, x_hat, config.importances).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = recipe.learning_rate_at(step)
        optimizer.step()
    return ToyModel(W.detach(), b.detach(), config)


def train(
    config: ToyConfig,
    recipe: Recipe = FAST_RECIPE,
    *,
    seed: int,
    n_restarts: int = 1,
    sampler: Sampler | None = None,
) -> ToyModel:
    """Train fast: the same steps on the same data as `train_plain`, by hand-written gradients."""
    if n_restarts < 1:
        raise ValueError(f"n_restarts is {n_restarts}; use at least 1.")
    with torch.inference_mode():
        generator = Generator().manual_seed(seed)
        W, b = _initial(config, generator, n_restarts)
        importance = config.importances
        mW, vW, mb, vb = (torch.zeros_like(t) for t in (W, W, b, b))
        for step, x in enumerate(_batches(config, recipe, generator, sampler)):
            dW, db = gradients(x, W, b, importance, config.nonlinearity)
            lr = recipe.learning_rate_at(step)
            c1, c2 = 1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)
            for t, g, m, v in ((W, dW, mW, vW), (b, db, mb, vb)):
                t.mul_(1 - lr * recipe.weight_decay)
                m.lerp_(g, 0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                t.addcdiv_(m, v.sqrt().add_(1e-8 * c2**0.5), value=-lr * c2**0.5 / c1)
        x = next(_batches(config, replace(recipe, batch_size=8192), generator, sampler))
        losses = importance_weighted_loss(
            x, reconstruct(x, W, b, config.nonlinearity), importance
        )
        best = losses.argmin(0)
        if best.ndim == 0:
            W, b = W[best], b[best]
        else:
            i = torch.arange(len(best))
            W, b = W[best, i], b[best, i]
    return ToyModel(W.clone(), b.clone(), config)


def expected_loss(
    model: ToyModel,
    *,
    n_samples: int = 100_000,
    seed: int,
    sampler: Sampler | None = None,
) -> Float[Tensor, "*instances"]:
    """The loss on fresh samples, one number an instance."""
    if n_samples < 1:
        raise ValueError(f"n_samples is {n_samples}; use at least 1.")
    generator = Generator().manual_seed(seed)
    x = next(_batches(model.config, Recipe(batch_size=n_samples), generator, sampler))
    return importance_weighted_loss(x, model(x), model.config.importances)


def _initial(
    config: ToyConfig, generator: Generator, n_restarts: int | None = None
) -> tuple[Tensor, Tensor]:
    """Small random W, normal with Xavier's standard deviation, and b = 0."""
    lead = () if n_restarts is None else (n_restarts,)
    lead += tuple(config.probabilities.shape)
    m, n = config.d_hidden, config.n_features
    W = torch.randn(*lead, m, n, generator=generator) * math.sqrt(2 / (m + n))
    return W, torch.zeros(*lead, n)


def _batches(
    config: ToyConfig, recipe: Recipe, generator: Generator, sampler: Sampler | None
) -> Iterator[Tensor]:
    for _ in range(recipe.steps):
        if sampler is not None:
            yield sampler(recipe.batch_size, generator)
        else:
            u = torch.rand(recipe.batch_size, config.n_features, generator=generator)
            yield features_from_uniform(u, config.probabilities)

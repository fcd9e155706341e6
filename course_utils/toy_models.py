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
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.features import features_from_uniform
from course_utils.toy_config import (
    FAST_RECIPE,
    PUBLISHED_RECIPE,
    Recipe,
    ToyConfig,
    importance_decay,
)

__all__ = [
    "FAST_RECIPE",
    "PUBLISHED_RECIPE",
    "Recipe",
    "ToyConfig",
    "ToyModel",
    "expected_loss",
    "gradients",
    "importance_decay",
    "importance_weighted_loss",
    "reconstruct",
    "train",
    "train_plain",
]

Sampler = Callable[[int, Generator], Tensor]  # (batch_size, generator) -> (batch, n_features)


BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's
SELECTION_SAMPLES = 8192  # fresh samples on which the best restart is chosen
CHUNK_SIZE = 2**18  # numbers of training data drawn at once


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
) -> tuple[Float[Tensor, "*instances d_hidden n_features"], Float[Tensor, "*instances n_features"]]:
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
    optimizer = torch.optim.AdamW([W, b], lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    with one_thread():
        for step, x in enumerate(_samples(config, recipe, generator, sampler)):
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
    """Train fast: the same steps on the same data as `train_plain`, by hand-written gradients.

    What makes it fast, with the same arithmetic: no autograd; every buffer is allocated once;
    all instances and restarts advance together; and the bias is the weight of one more feature
    that is always 1, so that W and b are one array and each product serves both:

        P = [[W], [b]]    L = [[W, 0], [0, 1]]    A = [P^T L; (0, 1)] = [[G, b], [0, 1]]
        z = A [x; 1]      D = dz [x; 1]^T         dP = [[dW], [db]] = L (D + D^T), last column off

    n_restarts > 1 trains that many models for each instance, from different initial weights on
    the same data, and returns the best of them: training is luck, and several polygons may be
    local minima.

    Raises:
        ValueError: n_restarts is below 1.
    """
    if n_restarts < 1:
        raise ValueError(f"n_restarts is {n_restarts}; use at least 1.")
    generator = Generator().manual_seed(seed)
    W, b = _initial(config, generator, n_restarts)
    with one_thread(), torch.inference_mode():
        W, b = _descend(W, b, config, recipe, _batches(config, recipe, generator, sampler))
    models = ToyModel(W.clone(), b.clone(), config)
    if n_restarts == 1:
        return ToyModel(W[0].clone(), b[0].clone(), config)
    losses = expected_loss(models, n_samples=SELECTION_SAMPLES, seed=seed + 1, sampler=sampler)
    best = losses.argmin(0, keepdim=True)
    W = models.W.take_along_dim(best[..., None, None], 0)[0]
    return ToyModel(W, models.b.take_along_dim(best[..., None], 0)[0], config)


def _descend(
    W: Tensor, b: Tensor, config: ToyConfig, recipe: Recipe, batches: Iterator[Tensor]
) -> tuple[Tensor, Tensor]:
    """AdamW from W, b: (n_restarts, *instances, ...) over the batches. The names are `train`'s."""
    shape = W.shape[:-2]
    m, n = W.shape[-2:]
    R, I, B = shape[0], math.prod(shape[1:]), recipe.batch_size
    # Instances first, restarts second: the restarts of an instance share its data.
    P = torch.cat([W, b.unsqueeze(-2)], -2).view(R, I, m + 1, n).transpose(0, 1).contiguous()
    P = P.view(I * R, m + 1, n)
    L = torch.zeros(I * R, m + 1, n + 1)
    L[:, m, n] = 1
    L_W, P_W = L[:, :m, :n], P[:, :m]
    A = torch.zeros(I * R, n + 1, n + 1)
    A[:, n, n] = 1
    A_P, A_all = A[:, :n], A.view(I, R * (n + 1), n + 1)
    z, on, dz = (torch.empty(I, R, n + 1, B) for _ in range(3))
    z_all, dz_all = z.view(I, -1, B), dz.view(I, -1, B)
    D, D_sym = (torch.empty(I * R, n + 1, n + 1) for _ in range(2))
    D_all, D_T, D_left = D.view(I, -1, n + 1), D.mT, D_sym[:, :, :n]
    scale = torch.cat([2 / B * config.importances, torch.zeros(1)])[:, None]
    moments, targets = torch.zeros(2, *P.shape), torch.zeros(2, *P.shape)
    mean, variance, dP, dP_squared = *moments, *targets
    rates = torch.tensor([1 - BETA_1, 1 - BETA_2]).view(2, 1, 1, 1)
    denominator = torch.empty_like(P)
    PT, relu = P.mT, config.nonlinearity == "relu"
    # Adam's corrections for its moments' start at 0, moved to the step size and to epsilon.
    corrections = [math.sqrt(1 - BETA_2**t) for t in range(1, recipe.steps + 1)]
    epsilons = (EPSILON * torch.tensor(corrections)).unbind()
    for step, x in enumerate(batches):
        L_W.copy_(P_W)
        torch.bmm(PT, L, out=A_P)
        torch.bmm(A_all, x, out=z_all)
        if relu:
            z.clamp_min_(0)
            torch.sign(z, out=on)
            torch.addcmul(z, on, x.unsqueeze(1), value=-1, out=dz)  # x_hat - x where z > 0
        else:
            torch.sub(z, x.unsqueeze(1), out=dz)
        torch.bmm(dz_all, x.mT, out=D_all)
        D.mul_(scale)
        torch.add(D, D_T, out=D_sym)
        torch.bmm(L, D_left, out=dP)
        torch.mul(dP, dP, out=dP_squared)
        moments.lerp_(targets, rates)
        torch.sqrt(variance, out=denominator).add_(epsilons[step])
        lr = recipe.learning_rate_at(step)
        if recipe.weight_decay:
            P.mul_(1 - lr * recipe.weight_decay)
        size = lr * corrections[step] / (1 - BETA_1 ** (step + 1))
        P.addcdiv_(mean, denominator, value=-size)
    P = P.view(I, R, m + 1, n).transpose(0, 1)
    return P[:, :, :m].reshape(W.shape), P[:, :, m].reshape(b.shape)


def expected_loss(
    model: ToyModel,
    *,
    n_samples: int = 100_000,
    seed: int,
    sampler: Sampler | None = None,
) -> Float[Tensor, "*instances"]:
    """The loss on fresh samples, one number an instance; every instance sees the same draws.

    Raises:
        ValueError: n_samples is below 1.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples is {n_samples}; use at least 1.")
    generator = Generator().manual_seed(seed)
    importance = model.config.importances
    recipe = Recipe(steps=-(-n_samples // 10_000), batch_size=min(n_samples, 10_000))
    total, left = 0, n_samples
    for x in _samples(model.config, recipe, generator, sampler):
        x = x[..., :left, :]
        total = total + importance_weighted_loss(x, model(x), importance) * x.shape[-2]
        left -= x.shape[-2]
    return total / n_samples


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, and restore the number afterwards.

    These models are so small that threads mostly wait for each other; on a machine where a
    browser wants a core too, that waiting makes training many times slower.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


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
    """Yield recipe.steps batches, each (n_instances, n_features + 1, batch) with a last row of 1.

    Several steps are drawn in one call. All instances see the same uniform numbers, each through
    its own p, so that sparsities are compared on the same luck.
    """
    p = config.probabilities.view(-1, 1, 1)
    n, B = config.n_features, recipe.batch_size
    if sampler is not None and len(p) > 1:
        raise ValueError("a sampler fixes the data: give one feature_probability, not several.")
    chunk = min(recipe.steps, max(1, CHUNK_SIZE // (len(p) * n * B)))
    x = torch.ones(chunk, len(p), n + 1, B)
    for start in range(0, recipe.steps, chunk):
        k = min(chunk, recipe.steps - start)
        if sampler is None:
            u = torch.rand(k, 1, n, B, generator=generator)
            features_from_uniform(u, p, out=x[:k, :, :n])
        else:
            x[:k, 0, :n] = sampler(k * B, generator).view(k, B, n).mT
        yield from x[:k].unbind()


def _samples(
    config: ToyConfig, recipe: Recipe, generator: Generator, sampler: Sampler | None
) -> Iterator[Tensor]:
    """The same batches as (*instances, batch, n_features)."""
    shape = (*config.probabilities.shape, recipe.batch_size, config.n_features)
    for x in _batches(config, recipe, generator, sampler):
        yield x[:, :-1].mT.reshape(shape)

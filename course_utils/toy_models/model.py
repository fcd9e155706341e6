"""The toy model, its loss and its training by autograd: the definition of everything here.

    x_hat = ReLU(W^T W x + b)          W: (m, n), b: (n,)

Column i of W is the direction in which the model stores feature i. Training makes x_hat like x,
the more important features first:

    loss = mean over samples of  sum_i I_i (x_i - x_hat_i)^2

Source: Elhage et al., "Toy Models of Superposition" (2022), "Demonstrating Superposition".
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.features import features_from_uniform
from course_utils.toy_models.config import FAST_RECIPE, Recipe, ToyConfig, check_nonlinearity

Sampler = Callable[[int, Generator], Tensor]  # (batch_size, generator) -> (batch, n_features)

CHUNK_SIZE = 2**18  # numbers of training data drawn at once


@dataclass(frozen=True)
class ToyModel:
    """Trained weights and the problem they solve: model(x) reconstructs, model[i] is instance i.

    Only a model of several probabilities has instances; len() and [] of another raise TypeError.
    """

    W: Float[Tensor, "*instances d_hidden n_features"]
    b: Float[Tensor, "*instances n_features"]
    config: ToyConfig

    def __call__(
        self, x: Float[Tensor, "*#instances batch n_features"]
    ) -> Float[Tensor, "*#instances batch n_features"]:
        return reconstruct(x, self.W, self.b, self.config.nonlinearity)

    def __len__(self) -> int:
        if self.W.ndim == 2:
            raise TypeError("a single model has no instances; a tuple of probabilities makes them.")
        return len(self.W)

    def __getitem__(self, i: int) -> "ToyModel":
        len(self)  # a single model says so
        p = self.config.feature_probability[i]
        return ToyModel(self.W[i], self.b[i], replace(self.config, feature_probability=p))


def reconstruct(
    x: Float[Tensor, "*#instances batch n_features"],
    W: Float[Tensor, "*#instances d_hidden n_features"],
    b: Float[Tensor, "*#instances n_features"],
    nonlinearity: str = "relu",
) -> Float[Tensor, "*#instances batch n_features"]:
    """x_hat = ReLU(W^T W x + b), for samples x in rows; "linear" leaves the ReLU out.

    Raises:
        ValueError: the nonlinearity is neither.
    """
    check_nonlinearity(nonlinearity)
    hidden = x @ W.mT  # (batch, d_hidden): W x, every sample squeezed
    z = hidden @ W + b.unsqueeze(-2)  # (batch, n_features): W^T (W x) + b
    return z.relu() if nonlinearity == "relu" else z


def importance_weighted_loss(
    x: Float[Tensor, "*#instances batch n_features"],
    x_hat: Float[Tensor, "*#instances batch n_features"],
    importance: Float[Tensor, " n_features"],
) -> Float[Tensor, "*#instances"]:
    """Mean over the batch of sum_i I_i (x_i - x_hat_i)^2; leading dimensions are kept.

    A feature of importance 0 costs nothing. (The paper's code divides by n_features as well.)
    """
    return (importance * (x - x_hat) ** 2).sum(-1).mean(-1)


def gradients(
    x: Float[Tensor, "*#instances batch n_features"],
    W: Float[Tensor, "*#instances d_hidden n_features"],
    b: Float[Tensor, "*#instances n_features"],
    importance: Float[Tensor, " n_features"],
    nonlinearity: str = "relu",
) -> tuple[
    Float[Tensor, "*#instances d_hidden n_features"], Float[Tensor, "*#instances n_features"]
]:
    """(dW, db): the derivative of the loss by hand, without autograd.

    With G = W^T W and z = G x + b, each sample contributes

        dz_i = 2 I_i (x_hat_i - x_i) [z_i > 0]       (linear: without the bracket)
        dG = dz x^T,    db = dz,    dW = W (dG + dG^T)

    and the batch is averaged. At z_i = 0 the slope of ReLU is taken as 0, as PyTorch does.

    Raises:
        ValueError: the nonlinearity is neither "relu" nor "linear".
    """
    check_nonlinearity(nonlinearity)
    z = x @ (W.mT @ W) + b.unsqueeze(-2)
    dz = 2 / x.shape[-2] * importance * (z - x)  # x_hat is z wherever the ReLU lets it through
    if nonlinearity == "relu":
        dz = dz * (z > 0)
    dG = dz.mT @ x
    return W @ (dG + dG.mT), dz.sum(-2)


def training_step(
    W: Float[Tensor, "*instances d_hidden n_features"],
    b: Float[Tensor, "*instances n_features"],
    x: Float[Tensor, "*#instances batch n_features"],
    importance: Float[Tensor, " n_features"],
    optimizer: torch.optim.Optimizer,
    nonlinearity: str = "relu",
) -> float:
    """Move W and b, which the optimizer knows, one step against the gradient of the loss.

    Returns the loss before the step, summed over instances; each gets its own gradient, for they
    share no weights.
    """
    optimizer.zero_grad()
    x_hat = reconstruct(x, W, b, nonlinearity)
    loss = importance_weighted_loss(x, x_hat, importance).sum()
    loss.backward()
    optimizer.step()
    return loss.item()


def train_plain(
    config: ToyConfig, recipe: Recipe = FAST_RECIPE, *, seed: int, sampler: Sampler | None = None
) -> ToyModel:
    """Train by autograd: slow to run, quick to read. This is what `train` computes.

    Args and Raises: as for `train`.
    """
    generator = Generator().manual_seed(seed)
    W, b = (weights.requires_grad_() for weights in initial_weights(config, generator))
    optimizer = torch.optim.AdamW([W, b], weight_decay=recipe.weight_decay)
    with one_thread():
        for step, x in enumerate(batches(config, recipe, generator, sampler)):
            optimizer.param_groups[0]["lr"] = recipe.learning_rate_at(step)
            training_step(W, b, x, config.importances, optimizer, config.nonlinearity)
    return ToyModel(W.detach(), b.detach(), config)


def linear_floor(
    importance: Float[Tensor, " n_features"], feature_probability: float, d_hidden: int
) -> float:
    """The lowest loss of a linear model, x_hat = W^T W x + b, on independent sparse features.

        (p/3 - p^2/4) * (the sum of all importances but the d_hidden largest)

    The d_hidden most important features are kept and cost nothing. Of any other one, the bias
    says the mean, and its variance is lost. No matrix of rank d_hidden does better (Eckart and
    Young, 1936). Degenerate case: 0 when there are no more features than dimensions.
    """
    p = feature_probability
    dropped = importance.sort(descending=True).values[d_hidden:]
    return float(dropped.sum() * (p / 3 - p**2 / 4))


def expected_loss(
    model: ToyModel, *, n_samples: int = 100_000, seed: int, sampler: Sampler | None = None
) -> Float[Tensor, "*instances"]:
    """The loss on fresh samples, one number an instance; all instances see the same draws.

    Raises:
        ValueError: n_samples is below 1, or the sampler does not fit the model.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples is {n_samples}; use at least 1.")
    generator = Generator().manual_seed(seed)
    size = min(n_samples, 8192)  # at a time, to save memory
    total, left = torch.zeros(()), n_samples
    recipe = Recipe(steps=-(-n_samples // size), batch_size=size)
    with one_thread():
        for x in batches(model.config, recipe, generator, sampler):
            x = x[..., :left, :]
            loss = importance_weighted_loss(x, model(x), model.config.importances)
            total, left = total + loss * x.shape[-2], left - size
    return total / n_samples


def best_bias(
    x: Float[Tensor, "batch n_features"],
    W: Float[Tensor, "d_hidden n_features"],
    weight: Float[Tensor, " batch"],
) -> Float[Tensor, " n_features"]:
    """The b that makes ReLU(W^T W x + b) most like x on these weighted samples, for given W.

    Each b_i has its own error, so each is found alone, among -0.60, -0.58, ..., 0.60.
    """
    z, candidates = x @ (W.mT @ W), torch.linspace(-0.6, 0.6, 61)
    errors = torch.stack([weight @ ((z + b).relu_() - x).square_() for b in candidates])
    return candidates[errors.argmin(0)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, and restore the number afterwards.

    These models are so small that threads mostly wait for each other. Where a browser wants a
    core too, that waiting can make training a hundred times slower.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def initial_weights(
    config: ToyConfig, generator: Generator, *n_restarts: int
) -> tuple[Tensor, Tensor]:
    """Random W with Xavier's standard deviation, and b = 0; (*n_restarts, *instances, ...)."""
    shape = *n_restarts, *config.probabilities.shape
    m, n = config.d_hidden, config.n_features
    W = torch.randn(*shape, m, n, generator=generator) * math.sqrt(2 / (m + n))
    return W, torch.zeros(*shape, n)


def batches(
    config: ToyConfig, recipe: Recipe, generator: Generator, sampler: Sampler | None
) -> Iterator[Tensor]:
    """The training data, a batch a step: (*instances, batch, n_features)."""
    for x in stream(config, recipe, generator, sampler):
        x = x[:, :-1].mT
        yield x if config.probabilities.ndim else x[0]


def stream(
    config: ToyConfig, recipe: Recipe, generator: Generator, sampler: Sampler | None
) -> Iterator[Tensor]:
    """The same for the fast path: (n_instances, n_features + 1, batch), the last feature always 1.

    Data for many steps is drawn in one call. All instances get the same uniform numbers, each
    through its own p, so that different sparsities are compared on the same luck. A batch is
    overwritten later: use it before taking the next.
    """
    p = config.probabilities.view(-1, 1, 1)
    n, B = config.n_features, recipe.batch_size
    if sampler is not None and config.probabilities.ndim:
        raise ValueError("a sampler fixes the data: give one feature_probability, not a tuple.")
    steps_a_chunk = min(recipe.steps, max(1, CHUNK_SIZE // (len(p) * n * B)))
    x = torch.ones(steps_a_chunk, len(p), n + 1, B)
    for start in range(0, recipe.steps, steps_a_chunk):
        k = min(steps_a_chunk, recipe.steps - start)
        if sampler is None:
            u = torch.rand(k, 1, n, B, generator=generator)
            features_from_uniform(u, p, out=x[:k, :, :n])
        else:
            rows = sampler(k * B, generator)
            if rows.shape != (k * B, n):
                raise ValueError(
                    f"the sampler returned shape {tuple(rows.shape)}; ({k * B}, {n}) is needed."
                )
            x[:k, 0, :n] = rows.view(k, B, n).mT
        yield from x[:k].unbind()

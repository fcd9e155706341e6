"""The fast path: the training of `model.train_plain`, several times as fast.

So small a model is slow to train because a step is dozens of operations on a few hundred numbers,
and each costs more to call than to calculate. So: no autograd, few operations, no allocation, and
no second thread to wait for. With autograd's arithmetic, to rounding.
"""

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.toy_models.config import FAST_RECIPE, Recipe, ToyConfig
from course_utils.toy_models.model import (
    Sampler,
    ToyModel,
    initial_weights,
    one_thread,
    stream,
)

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's
SELECTION = Recipe(steps=64, batch_size=512)  # fresh data on which the best restart is chosen


def train(
    config: ToyConfig,
    recipe: Recipe = FAST_RECIPE,
    *,
    seed: int,
    n_restarts: int = 1,
    sampler: Sampler | None = None,
) -> ToyModel:
    """Train fast: the steps of `train_plain`, on the same data, with hand-written gradients.

    Args:
        config: the problem; a tuple of probabilities trains one instance for each.
        recipe: steps, learning rate, batch.
        seed: decides initial weights and data; the global random state is neither read nor set.
        n_restarts: trains that many models for each instance, from different weights on the same
            data, and returns the best of each on fresh samples. Training is luck.
        sampler: draws other data, as sampler(batch_size, generator) -> (batch, n_features) with
            independent rows; then feature_probability is a single number, and not used.

    Raises:
        ValueError: n_restarts is below 1, or the sampler does not fit the config.
    """
    if n_restarts < 1:
        raise ValueError(f"n_restarts is {n_restarts}; use at least 1.")
    generator = Generator().manual_seed(seed)
    W, b = initial_weights(config, generator, n_restarts)
    data = stream(config, recipe, generator, sampler)
    with one_thread(), torch.inference_mode():
        W, b = _descend(W, b, config, recipe, data)
        best = torch.zeros(1, *W.shape[1:-2], dtype=torch.long)
        if n_restarts > 1:
            fresh = stream(config, SELECTION, generator, sampler)
            best = _losses(W, b, config, fresh).nan_to_num(math.inf).argmin(0, keepdim=True)
        W = W.take_along_dim(best[..., None, None], 0).squeeze(0)
        b = b.take_along_dim(best[..., None], 0).squeeze(0)
    return ToyModel(W.clone(), b.clone(), config)  # clones, because autograd refuses the others


def descend(
    W: Float[Tensor, "*runs d_hidden n_features"],
    b: Float[Tensor, "*runs n_features"],
    config: ToyConfig,
    recipe: Recipe = FAST_RECIPE,
    *,
    seed: int,
    n_snapshots: int = 50,
    sampler: Sampler | None = None,
) -> tuple[
    Float[Tensor, "n_snapshots *runs d_hidden n_features"],
    Float[Tensor, "n_snapshots *runs n_features"],
]:
    """Train on from given weights, and return what they were on the way.

    The first snapshot is the start and the last one the end, with about equal numbers of steps
    between them. All runs see the same data, and none is chosen: this shows how learning goes.

    Args:
        W, b: where to start; leading dimensions are separate runs of the same problem.
        config: the problem, with a single feature_probability.
        recipe, seed, sampler: as for `train`.
        n_snapshots: at least 2, at most one for each step and one for the start.

    Raises:
        ValueError: the config has several probabilities, W does not fit it, or n_snapshots is out
            of range.
    """
    shape = (config.d_hidden, config.n_features)
    if config.probabilities.ndim or W.shape[-2:] != shape:
        raise ValueError(
            f"W has shape {tuple(W.shape)} and feature_probability is "
            f"{config.feature_probability}; use one probability, and columns of shape {shape}."
        )
    if not 2 <= n_snapshots <= recipe.steps + 1:
        raise ValueError(
            f"n_snapshots is {n_snapshots}; use 2 to {recipe.steps + 1} for {recipe.steps} steps."
        )
    runs = W.shape[:-2]
    wanted = {round(k * recipe.steps / (n_snapshots - 1)) for k in range(n_snapshots)}
    weights, biases = [W.reshape(-1, *shape).clone()], [b.reshape(-1, shape[1]).clone()]

    def watch(step: int, P: Tensor) -> None:
        if step in wanted:
            weights.append(P[:, :-1].clone())
            biases.append(P[:, -1].clone())

    data = stream(config, recipe, Generator().manual_seed(seed), sampler)
    with one_thread(), torch.inference_mode():
        _descend(weights[0], biases[0], config, recipe, data, watch)
    return (
        torch.stack(weights).view(-1, *runs, *shape).clone(),
        torch.stack(biases).view(-1, *runs, shape[1]).clone(),
    )


def _descend(
    W: Tensor,
    b: Tensor,
    config: ToyConfig,
    recipe: Recipe,
    data: Iterator[Tensor],
    watch: Callable[[int, Tensor], None] | None = None,
) -> tuple[Tensor, Tensor]:
    """AdamW on W, b (n_restarts, *instances, ...), one step for each batch of the data.

    `watch(step, [[W], [b]])` is called after each step, numbered from 1.

    The bias is treated as the weight of one more feature, which is always 1. So W and b are one
    array P, and the formulas of `gradients` need one product where there were two:

        P = [[W], [b]]    L = [[W, 0], [0, 1]]    A = [P^T L; 0 1] = [[G, b], [0, 1]]
        z = A [x; 1]      D = dz [x; 1]^T         dP = [[dW], [db]] = L (D + D^T) less a column

    (the constant is reconstructed exactly, so its row of dz is 0). Every buffer is made once,
    here, and every operation below writes into one. Samples are in columns, so that the long
    dimension is the contiguous one.
    """
    (m, n), R, B = W.shape[-2:], len(W), recipe.batch_size
    N = math.prod(W.shape[1:-2])  # instances
    P = torch.cat([W, b.unsqueeze(-2)], -2).view(R, N, m + 1, n).transpose(0, 1)
    P = P.reshape(N * R, m + 1, n).clone()  # restarts of an instance are neighbours: same data
    L, A = torch.zeros(N * R, m + 1, n + 1), torch.zeros(N * R, n + 1, n + 1)
    L[:, m, n] = A[:, n, n] = 1
    D, D_sym = torch.empty_like(A), torch.empty_like(A)
    z, on, dz = (torch.empty(N, R, n + 1, B) for _ in range(3))
    scale = 2 / B * torch.cat([config.importances, torch.zeros(1)]).unsqueeze(1)
    moments, targets = torch.zeros(2, *P.shape), torch.zeros(2, *P.shape)
    (mean, square), (dP, dP_squared) = moments, targets  # Adam's two running averages, and of what
    rates = torch.tensor([1 - BETA_1, 1 - BETA_2]).view(2, 1, 1, 1)
    root = torch.empty_like(P)
    # Both averages start at 0; Adam's corrections for that, moved to epsilon and the step size:
    corrections = [math.sqrt(1 - BETA_2**t) for t in range(1, recipe.steps + 1)]
    epsilons = (EPSILON * torch.tensor(corrections)).unbind()

    P_W, P_T, L_W, A_P, D_T, D_left = P[:, :m], P.mT, L[:, :m, :n], A[:, :n], D.mT, D_sym[..., :n]
    A_all, z_all, dz_all, D_all = (t.view(N, R * (n + 1), -1) for t in (A, z, dz, D))
    for step, x in enumerate(data):
        L_W.copy_(P_W)
        torch.bmm(P_T, L, out=A_P)
        torch.bmm(A_all, x, out=z_all)
        if config.nonlinearity == "relu":
            torch.sign(z.clamp_min_(0), out=on)
            torch.addcmul(z, on, x.unsqueeze(1), value=-1, out=dz)  # x_hat - x where z > 0, else 0
        else:
            torch.sub(z, x.unsqueeze(1), out=dz)
        torch.bmm(dz_all, x.mT, out=D_all)
        torch.add(D.mul_(scale), D_T, out=D_sym)
        torch.bmm(L, D_left, out=dP)

        torch.mul(dP, dP, out=dP_squared)
        moments.lerp_(targets, rates)
        torch.sqrt(square, out=root).add_(epsilons[step])
        learning_rate = recipe.learning_rate_at(step)
        if recipe.weight_decay:
            P.mul_(1 - learning_rate * recipe.weight_decay)
        size = learning_rate * corrections[step] / (1 - BETA_1 ** (step + 1))
        P.addcdiv_(mean, root, value=-size)
        if watch is not None:
            watch(step + 1, P)
    P = P.view(N, R, m + 1, n).transpose(0, 1)
    return P[:, :, :m].reshape(W.shape), P[:, :, m].reshape(b.shape)


def _losses(W: Tensor, b: Tensor, config: ToyConfig, data: Iterator[Tensor]) -> Tensor:
    """The mean loss over the data, one number a restart and instance: W's leading dimensions."""
    n, R = W.shape[-1], len(W)
    A = torch.cat([W.mT @ W, b.unsqueeze(-1)], -1).view(R, -1, n, n + 1).transpose(0, 1)
    A = A.reshape(-1, R * n, n + 1)
    batch_losses = []
    for x in data:
        z = torch.bmm(A, x).view(len(x), R, n, -1)
        error = (z.relu_() if config.nonlinearity == "relu" else z).sub_(x[:, None, :n])
        batch_losses.append(error.square_().mean(-1) @ config.importances)
    return torch.stack(batch_losses).mean(0).T.reshape(W.shape[:-2])

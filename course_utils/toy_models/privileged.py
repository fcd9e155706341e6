"""A toy model whose hidden layer has neurons: the ReLU on h makes its basis a privileged one.

    h = ReLU(W x),   x_hat = ReLU(W^T h + b)          W: (m, n), b: (n,)

Row j of W is neuron j. Without the inner ReLU a rotation of the hidden space changes no output,
and asking what one neuron does has no answer. With it, it has. The loss is that of `model`.

Source: Elhage et al., "Toy Models of Superposition" (2022), "Superposition in a Privileged Basis".
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from course_utils.toy_models.adam import Adam
from course_utils.toy_models.config import Recipe, ToyConfig
from course_utils.toy_models.model import (
    batches,
    importance_weighted_loss,
    initial_weights,
    one_thread,
    stream,
)

QUICK_RECIPE = Recipe(steps=240, learning_rate=6e-2, batch_size=64)  # for a slider
CAREFUL_RECIPE = Recipe(steps=1_500, learning_rate=4e-2, batch_size=256)


@dataclass(frozen=True)
class NeuronModels:
    """Several trained models of one problem, with their losses on the same 32 fresh batches."""

    W: Float[Tensor, "n_restarts d_hidden n_features"]
    b: Float[Tensor, "n_restarts n_features"]
    losses: Float[Tensor, " n_restarts"]
    config: ToyConfig

    @property
    def best(self) -> int:
        """The number of the one with the lowest loss."""
        return int(self.losses.nan_to_num(math.inf).argmin())


def reconstruct_with_neurons(
    x: Float[Tensor, "*#runs batch n_features"],
    W: Float[Tensor, "*#runs d_hidden n_features"],
    b: Float[Tensor, "*#runs n_features"],
) -> Float[Tensor, "*#runs batch n_features"]:
    """x_hat = ReLU(W^T ReLU(W x) + b), for samples x in rows."""
    h = (x @ W.mT).relu()
    return (h @ W + b.unsqueeze(-2)).relu()


def features_per_neuron(
    W: Float[Tensor, "*runs d_hidden n_features"], threshold: float = 0.5
) -> Int[Tensor, "*runs d_hidden"]:
    """How many features each neuron answers to: in row j, those with |W_ji| above the threshold.

    Degenerate case: 0 for a neuron without weights.
    """
    return (W.abs() > threshold).sum(-1)


def polysemantic_share(
    W: Float[Tensor, "*runs d_hidden n_features"], threshold: float = 0.5
) -> Float[Tensor, "*runs"]:
    """Of the neurons that answer to some feature, the share that answers to two or more.

    Degenerate case: 0 when no neuron answers to any.
    """
    counts = features_per_neuron(W, threshold)
    return (counts > 1).sum(-1) / (counts > 0).sum(-1).clamp_min(1)


def train_neurons(
    config: ToyConfig, recipe: Recipe = QUICK_RECIPE, *, seed: int, n_restarts: int = 8
) -> NeuronModels:
    """Train n_restarts models at once, from different weights on the same data, by Adam.

    The gradients are written out. With z = W^T h + b, each sample contributes

        dz_i = 2 I_i (x_hat_i - x_i) [z_i > 0],   db = dz,
        dh = W dz [h > 0],                        dW = h dz^T + dh x^T

    and the batch is averaged. W is used twice, so its gradient has two terms. As in `fast`, b is
    the weight of a hidden number that is always 1, samples are in columns, and every buffer is
    made once.

    Args:
        config: the problem, with a single feature_probability and the nonlinearity "relu".
        recipe: steps, learning rate, batch.
        seed: decides initial weights and data; the global random state is neither read nor set.
        n_restarts: at least 1. All of them come back, and `best` says which has the lowest loss.

    Raises:
        ValueError: the config has several probabilities or no ReLU, or n_restarts is below 1.
    """
    if config.probabilities.ndim or config.nonlinearity != "relu":
        raise ValueError('give one feature_probability, and the nonlinearity "relu".')
    if n_restarts < 1:
        raise ValueError(f"n_restarts is {n_restarts}; use at least 1.")
    generator = Generator().manual_seed(seed)
    with one_thread(), torch.inference_mode():
        W, b = initial_weights(config, generator, n_restarts)
        R, m, n = W.shape
        B = recipe.batch_size
        P = torch.cat([W, b.unsqueeze(1)], 1)
        h, dh, on_h = torch.ones(R, m + 1, B), torch.empty(R, m, B), torch.empty(R, m, B)
        z, dz, on_z = (torch.empty(R, n, B) for _ in range(3))
        scale = 2 / B * config.importances.unsqueeze(1)
        optimizer = Adam(P, recipe)
        dP = optimizer.gradient
        W, W_T, h_neurons, dz_T, dW = P[:, :m], P.mT, h[:, :m], dz.mT, dP[:, :m]
        for x in stream(config, recipe, generator, None):
            x = x[0, :n]
            torch.bmm(W, x.expand(R, n, B), out=h_neurons)
            torch.sign(h_neurons.clamp_min_(0), out=on_h)
            torch.bmm(W_T, h, out=z)
            torch.sign(z.clamp_min_(0), out=on_z)
            torch.addcmul(z, on_z, x, value=-1, out=dz).mul_(scale)  # 0 where the ReLU is at 0
            torch.bmm(W, dz, out=dh).mul_(on_h)
            torch.bmm(h, dz_T, out=dP)
            dW.baddbmm_(dh, x.T.expand(R, B, n))
            optimizer.step()
        W, b = W.clone(), P[:, m].clone()
        fresh = next(batches(config, Recipe(steps=1, batch_size=32 * B), generator, None))
        x_hat = reconstruct_with_neurons(fresh, W, b)
        losses = importance_weighted_loss(fresh, x_hat, config.importances)
    return NeuronModels(W.clone(), b.clone(), losses.clone(), config)

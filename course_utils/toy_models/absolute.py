"""A network that computes while its features are in superposition: absolute values.

    h = ReLU(W_in x),   y = ReLU(W_out h + b)         W_in: (m, n), W_out: (n, m), b: (n,)

Features go from -1 to 1, and y_i should be |x_i|. Two neurons a feature do it exactly, because
|x| = ReLU(x) + ReLU(-x). The question is what happens with fewer neurons than that.

Source: Elhage et al., "Toy Models of Superposition" (2022), "Computation in Superposition".
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.features import sample_signed_features
from course_utils.toy_models.adam import Adam
from course_utils.toy_models.config import Recipe, ToyConfig
from course_utils.toy_models.model import one_thread

ABSOLUTE_RECIPE = Recipe(steps=2_000, learning_rate=4e-2, batch_size=256)


@dataclass(frozen=True)
class AbsoluteNetwork:
    """The weights of one network, and the problem; network(x) computes y."""

    W_in: Float[Tensor, "d_hidden n_features"]
    W_out: Float[Tensor, "n_features d_hidden"]
    b: Float[Tensor, " n_features"]
    config: ToyConfig

    def __call__(self, x: Float[Tensor, "batch n_features"]) -> Float[Tensor, "batch n_features"]:
        return ((x @ self.W_in.T).relu() @ self.W_out.T + self.b).relu()


def exact_absolute_value(
    n_features: int,
) -> tuple[Float[Tensor, "d_hidden n_features"], Float[Tensor, "n_features d_hidden"]]:
    """(W_in, W_out) of 2n neurons that compute |x| exactly, without a bias.

    Neuron i is ReLU(x_i) and neuron n + i is ReLU(-x_i); the output adds the two.

    Raises:
        ValueError: n_features is below 1.
    """
    if n_features < 1:
        raise ValueError(f"n_features is {n_features}; use at least 1.")
    one = torch.eye(n_features)
    return torch.cat([one, -one]), torch.cat([one, one], dim=1)


def train_absolute(
    config: ToyConfig, recipe: Recipe = ABSOLUTE_RECIPE, *, seed: int
) -> AbsoluteNetwork:
    """Train one network on sparse features between -1 and 1, by Adam.

    The loss is the mean over samples of sum_i I_i (y_i - |x_i|)^2. With z = W_out h + b, each
    sample contributes, and the batch averages,

        dz_i = 2 I_i (y_i - |x_i|) slope(z_i),   db = dz,   dW_out = dz h^T,
        dh = W_out^T dz [h > 0],                 dW_in = dh x^T

    A rare feature's output that is at 0 gets no gradient and would stay there for ever. So in the
    first half of training the output's ReLU leaks: below 0 it has a slope, which goes from 1 to 0.
    The trained network has an ordinary ReLU.

    Args:
        config: the problem, with a single feature_probability and the nonlinearity "relu".
        recipe: steps, learning rate, batch.
        seed: decides initial weights and data; the global random state is neither read nor set.

    Raises:
        ValueError: the config has several probabilities or no ReLU.
    """
    if config.probabilities.ndim or config.nonlinearity != "relu":
        raise ValueError('give one feature_probability, and the nonlinearity "relu".')
    generator = Generator().manual_seed(seed)
    n, m, B = config.n_features, config.d_hidden, recipe.batch_size
    sizes, size = (m * n, n * m, n), math.sqrt(2 / (m + n))
    with one_thread(), torch.inference_mode():
        P = torch.zeros(sum(sizes))
        W_in, W_out, b = _split(P, m, n)
        W_in.copy_(torch.randn(m, n, generator=generator) * size)
        W_out.copy_(torch.randn(n, m, generator=generator) * size / 10)
        optimizer = Adam(P, recipe)
        dW_in, dW_out, db = _split(optimizer.gradient, m, n)
        scale = 2 / B * config.importances
        for step in range(recipe.steps):
            x = sample_signed_features(B, n, config.feature_probability, generator=generator)
            h = (x @ W_in.T).clamp_min_(0)
            z = torch.addmm(b, h, W_out.T)
            slope = (z > 0).to(z.dtype).clamp_min_(max(0.0, 1 - 2 * step / recipe.steps))
            dz = z.mul_(slope).sub_(x.abs()).mul_(scale).mul_(slope)
            torch.mm(dz.T, h, out=dW_out)
            torch.sum(dz, 0, out=db)
            torch.mm((dz @ W_out).mul_(h.sign_()).T, x, out=dW_in)
            optimizer.step()
    W_in, W_out, b = (part.clone() for part in _split(P, m, n))
    return AbsoluteNetwork(W_in, W_out, b, config)


def _split(P: Tensor, m: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """W_in, W_out and b as parts of one long array."""
    W_in, W_out, b = P.split([m * n, n * m, n])
    return W_in.view(m, n), W_out.view(n, m), b


def absolute_errors(
    network: AbsoluteNetwork, *, n_samples: int = 40_000, seed: int
) -> Float[Tensor, " n_features"]:
    """The mean of (y_i - |x_i|)^2 for each feature, on fresh samples.

    Raises:
        ValueError: n_samples is below 1.
    """
    generator, p = Generator().manual_seed(seed), network.config.feature_probability
    with one_thread():
        x = sample_signed_features(n_samples, network.config.n_features, p, generator=generator)
        return (network(x) - x.abs()).square().mean(0)


def exact_floor(
    importance: Float[Tensor, " n_features"], feature_probability: float, d_hidden: int
) -> float:
    """The lowest loss when every neuron works for one feature only, and two make |x| exactly.

        (p/3 - p^2/4) * (the sum of all importances but the d_hidden // 2 largest)

    The features that are left out get their mean, p/2, from the bias, and cost their variance.
    Degenerate case: 0 when there are two neurons for each feature.
    """
    p = feature_probability
    dropped = importance.sort(descending=True).values[d_hidden // 2 :]
    return float(dropped.sum() * (p / 3 - p**2 / 4))

"""How good is a dictionary? Two questions with different answers: what it rebuilds, what it found.

`variance_explained` asks how much of the activations comes out again. It needs no truth, and is
what training makes large. `recovered` asks whether the true directions are among the latents, and
can be answered where truth was planted. A dictionary may rebuild nearly all and have found nothing.
`shrunk` is why an L1 penalty rebuilds less than it could: it makes every activation smaller.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def cosines(
    W_dec: Float[Tensor, "d_sae d_in"], features: Float[Tensor, "n_features d_in"]
) -> Float[Tensor, "n_features d_sae"]:
    """The cosine of every feature with every latent's direction, from -1 to 1.

    Rows may have any norm.

    Degenerate case: a row of zeros has the cosine 0 with all.
    """
    return (_directions(features) @ _directions(W_dec).T).clamp(-1, 1)


def best_cosines(
    W_dec: Float[Tensor, "d_sae d_in"], features: Float[Tensor, "n_features d_in"]
) -> Float[Tensor, " n_features"]:
    """For each feature the largest cosine with any latent: 1 if one points exactly there.

    The sign counts: features and codes are 0 or more, so a latent that points the other way
    says something else. By chance it is above 0, and higher with more latents or fewer dimensions:
    compare it with that of random directions.

    Degenerate case: 0 for a feature of zeros.

    Raises:
        ValueError: there is no latent.

    Source: Sharkey et al., "Taking features out of superposition with sparse autoencoders" (2022),
    the mean of which is the "mean max cosine similarity".
    """
    if not len(W_dec):
        raise ValueError("W_dec has no row; at least 1 latent is needed.")
    return cosines(W_dec, features).amax(1)


def recovered(
    W_dec: Float[Tensor, "d_sae d_in"],
    features: Float[Tensor, "n_features d_in"],
    threshold: float = 0.9,
) -> float:
    """The share of the true features that the dictionary has found, from 0 to 1.

        #{i : max_j cos(features_i, W_dec_j) > threshold} / n_features

    Rows may have any norm. Several latents for one feature count once, and latents for nothing do
    not count at all.

    Degenerate case: a row of zeros, in either, matches nothing.

    Raises:
        ValueError: there is no latent or no feature, or threshold is not from 0 to 1.
    """
    if not len(features):
        raise ValueError("features has no row; at least 1 is needed.")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; use a cosine from 0 to 1, such as 0.9.")
    return (best_cosines(W_dec, features) > threshold).double().mean().item()


def variance_explained(x: Float[Tensor, "n d_in"], x_hat: Float[Tensor, "n d_in"]) -> float:
    """How much of the spread of x comes out again.

        1 - sum |x - x_hat|^2 / sum |x - mean(x)|^2,     mean(x): over the samples, which are rows

    1 if nothing is missing, 0 for what always says the mean, below 0 for what is worse than that.
    It is 1 - FVU, with FVU the "fraction of variance unexplained".

    Degenerate case: 0 if x does not vary, as there is nothing to explain.

    Raises:
        ValueError: there is no sample.
    """
    if not len(x):
        raise ValueError("x has no row; at least 1 sample is needed.")
    if bool((x == x[0]).all()):  # a mean is rounded, and would leave a spread of about 0
        return 0.0
    missing = (x - x_hat).square().sum().item()
    return 1 - missing / (x - x.mean(0)).square().sum().item()


def shrunk(a: Float[Tensor, "*shape"], l1: float) -> Float[Tensor, "*shape"]:
    """The f >= 0 that makes (a - f)^2 + l1 f smallest, for each number of a.

        f = max(0, a - l1 / 2)

    That is what an L1 penalty does to the activation of a latent whose direction is right and of
    norm 1, and of which there is a in x: it comes out smaller by l1 / 2, however large it is.

    Raises:
        ValueError: l1 is not a number of 0 or more.

    Source: Wright and Sharkey, "Addressing Feature Suppression in SAEs" (2024).
    """
    if not 0 <= l1 < math.inf:
        raise ValueError(f"l1 is {l1}; use a number of 0 or more.")
    return (a - l1 / 2).clamp_min(0)


def _directions(rows: Tensor) -> Tensor:
    """The rows with norm 1, those of zeros as they are."""
    # Numbers of about 1 first: the squares of very small or large ones are 0 or infinite.
    rows = rows / _nonzero(rows.abs().amax(1, keepdim=True))
    return rows / _nonzero(torch.linalg.vector_norm(rows, dim=1, keepdim=True))


def _nonzero(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 1)

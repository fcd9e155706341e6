"""The parts of a sparse autoencoder as single formulas, which autograd can follow.

`relu`, `topk` and `descent` compute the same within training, faster and in place.

Sources: Bricken et al., "Towards Monosemanticity" (2023); Gao et al., "Scaling and evaluating
sparse autoencoders" (2024).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.sae.descent import remove_parallel


def encode(
    x: Float[Tensor, "batch d_in"],
    W_enc: Float[Tensor, "d_in d_sae"],
    b_enc: Float[Tensor, " d_sae"],
    b_dec: Float[Tensor, " d_in"],
) -> Float[Tensor, "batch d_sae"]:
    """f = ReLU((x - b_dec) W_enc + b_enc): how much of each latent is in each sample."""
    return torch.relu((x - b_dec) @ W_enc + b_enc)


def sae_loss(
    x: Float[Tensor, "batch d_in"],
    x_hat: Float[Tensor, "batch d_in"],
    f: Float[Tensor, "batch d_sae"],
    l1: float,
) -> Float[Tensor, ""]:
    """The mean over samples of |x - x_hat|^2 + l1 * sum_i f_i; 0 or more.

    Args:
        f: the code, nowhere negative; so its sum is its L1 norm.
        l1: what a unit of the code costs, 0 or more.

    Raises:
        ValueError: there is no sample.
    """
    if not len(x):
        raise ValueError("x has no row; at least 1 is needed.")
    return ((x - x_hat) ** 2).sum(1).mean() + l1 * f.sum(1).mean()


def keep_norms(
    gradient: Float[Tensor, "d_sae d_in"], W_dec: Float[Tensor, "d_sae d_in"]
) -> Float[Tensor, "d_sae d_in"]:
    """G_i - (G_i w_i) w_i for each row i: what of the gradient turns a row and leaves its norm.

    Args:
        gradient: of the loss, by W_dec.
        W_dec: rows of norm 1.

    Degenerate case: a row that lies along its w_i becomes 0.

    Source: Bricken et al., "Towards Monosemanticity" (2023), appendix "Advice for Training Sparse
    Autoencoders".
    """
    kept = gradient.clone()
    remove_parallel(kept, W_dec)
    return kept


def top_k(z: Float[Tensor, "batch d_sae"], k: int) -> Float[Tensor, "batch d_sae"]:
    """f = ReLU(TopK(z)): in each row the k largest numbers, those of them that are above 0.

    Degenerate case: of equal numbers any may be taken.

    Raises:
        ValueError: k is below 1 or above d_sae.

    Source: Gao et al., "Scaling and evaluating sparse autoencoders" (2024), section 2.3.
    """
    if not 1 <= k <= z.shape[1]:
        raise ValueError(f"k is {k}; use a number between 1 and d_sae = {z.shape[1]}.")
    values, places = z.topk(k, dim=1)
    return torch.zeros_like(z).scatter(1, places, values.relu())

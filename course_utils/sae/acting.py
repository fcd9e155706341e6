"""Acting on a model through a latent: change how much of one direction there is, and nothing else.

An autoencoder's x_hat is not x, and a model that reads x_hat instead behaves differently, whatever
was changed. So the change is added to x itself.
"""

from jaxtyping import Float
from torch import Tensor


def set_latent(
    x: Float[Tensor, "batch d_in"],
    f: Float[Tensor, "batch d_sae"],
    W_dec: Float[Tensor, "d_sae d_in"],
    latent: int,
    value: float,
) -> Float[Tensor, "batch d_in"]:
    """x as it would be if the code had `value` at one latent.

        x + (value - f_latent) W_dec_latent

    It is the decoded changed code plus x - x_hat, the part that the autoencoder does not explain.

    Args:
        f: the code of x.
        value: in the unit of f; 0 takes the latent out, a multiple of its largest activation
            forces it.

    Raises:
        ValueError: there is no such latent.

    Source: Templeton et al., "Scaling Monosemanticity" (2024), "feature steering".
    """
    if not 0 <= latent < len(W_dec):
        raise ValueError(f"latent is {latent}; use 0 to {len(W_dec) - 1}.")
    return x + (value - f[:, latent])[:, None] * W_dec[latent]

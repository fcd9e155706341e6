"""Matching pursuit: a sparse code for a known dictionary, one row of it after the other.

    r = x,  f = 0;   each step:   i = argmax_j d_j r,   f_i += d_i r,   r -= (d_i r) d_i

The step with the largest product takes the most from |r|^2, which falls by its square. Features
are never negative here, so it is the largest product and not the largest size, and the pursuit
stops when no product is above 0.

Source: Mallat and Zhang, "Matching pursuits with time-frequency dictionaries" (1993), section II,
without its negative coefficients.
"""

from jaxtyping import Float
from torch import Tensor


def matching_pursuit(
    x: Float[Tensor, " d_in"], D: Float[Tensor, "n d_in"], n_steps: int
) -> Float[Tensor, " n"]:
    """The code of one sample: at most n_steps numbers of it are above 0, none is below.

    A row may be chosen again, and then its number grows.

    Args:
        D: the dictionary, rows of norm 1.

    Degenerate case: all 0 if no row has a product above 0 with x, or for n_steps = 0.

    Raises:
        ValueError: n_steps is negative.
    """
    _check(n_steps)
    residual, code = x.clone(), x.new_zeros(len(D))
    for _ in range(n_steps):
        product, best = (D @ residual).max(0)
        if product <= 0:
            break
        code[best] += product
        residual -= product * D[best]
    return code


def pursue(
    x: Float[Tensor, "batch d_in"], D: Float[Tensor, "n d_in"], n_steps: int
) -> Float[Tensor, "batch n"]:
    """`matching_pursuit` for many samples at once.

    A step that takes p d_i from r takes p D d_i from the products D r, which is p times a row of
    D D^T. So no step needs a product of matrices; D D^T is kept, n^2 numbers.

    Raises:
        ValueError: n_steps is negative.
    """
    _check(n_steps)
    code = x.new_zeros(len(x), len(D))
    products, gram = x @ D.T, D @ D.T
    for _ in range(n_steps):
        product, best = products.max(1, keepdim=True)
        # A sample that has stopped goes on with steps of length 0.
        product.clamp_min_(0)
        if not product.any():
            break
        code.scatter_add_(1, best, product)
        products.addcmul_(product, gram[best.squeeze(1)], value=-1)
    return code


def _check(n_steps: int) -> None:
    if n_steps < 0:
        raise ValueError(f"n_steps is {n_steps}; use 0 or more.")

"""Where the data lies and how large it is: the start of b_dec, and the unit of training."""

import torch
from jaxtyping import Float
from torch import Tensor


def geometric_median(
    x: Float[Tensor, "rows d_in"], *, tolerance: float = 1e-5, most_steps: int = 100
) -> Float[Tensor, " d_in"]:
    """The point whose distances to all rows have the smallest sum, by Weiszfeld's iteration.

        m <- sum_i x_i / |x_i - m|  /  sum_i 1 / |x_i - m|

    A few huge rows, as language models have, move a mean a long way and this hardly. It stops when
    a step is shorter than tolerance times the mean distance.

    Degenerate case: of equal rows it is that row.

    Raises:
        ValueError: there is no row.

    Source: Weiszfeld, "Sur le point pour lequel la somme des distances de n points donnés est
    minimum" (1937).
    """
    if not len(x):
        raise ValueError("x has no row; at least 1 is needed.")
    median = x.mean(0)
    for _ in range(most_steps):
        distance = torch.linalg.vector_norm(x - median, dim=1)
        mean = distance.mean()
        # A row at the median itself would get all the weight.
        weight = 1 / distance.clamp_min(1e-6 * mean + torch.finfo(x.dtype).tiny)
        new = (weight / weight.sum()) @ x
        moved = torch.linalg.vector_norm(new - median)
        median = new
        if moved <= tolerance * mean:
            break
    return median


def unit_scale(x: Float[Tensor, "rows d_in"]) -> float:
    """The factor that gives the rows a mean norm of sqrt(d_in): their numbers are then about 1.

    So one learning rate and one penalty fit every layer of every model.

    Degenerate case: 1 when all rows are 0.

    Source: Templeton et al., "Scaling Monosemanticity" (2024), appendix on training.
    """
    norm = torch.linalg.vector_norm(x, dim=1).mean().item()
    return x.shape[1] ** 0.5 / norm if norm else 1.0

"""Some latents at a time, dense: what is made for neurons can then look at latents, too."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def columns(
    values: Float[Tensor, "n k"], indices: Int[Tensor, "n k"], latents: Sequence[int]
) -> Float[Tensor, "n some"]:
    """The code of some latents only, in the order that they are asked for.

    Args:
        values, indices: a sparse code, as `TopKSAE.encode_sparse` gives it.
        latents: their numbers, each once.

    Raises:
        ValueError: a latent is asked for twice, or below 0.
    """
    wanted = torch.as_tensor(latents, dtype=torch.int64)
    if len(wanted.unique()) < len(wanted) or bool((wanted < 0).any()):
        raise ValueError("a latent is asked for twice, or has a number below 0.")
    known = max([-1, *(int(some.max()) for some in (wanted, indices) if some.numel())]) + 1
    place = torch.full((known,), len(wanted))
    place[wanted] = torch.arange(len(wanted))
    found = values.new_zeros(len(values), len(wanted) + 1)
    # What nobody asked for lands in one more column; a latent is only once in a row.
    found.scatter_(1, place[indices], values)
    return found[:, :-1]


def column_blocks(
    values: Float[Tensor, "n k"], indices: Int[Tensor, "n k"], d_sae: int, size: int = 512
) -> Iterator[Float[Tensor, "n _"]]:
    """All latents, `size` at a time, in their order: see `columns`.

    Raises:
        ValueError: size is below 1.
    """
    if size < 1:
        raise ValueError(f"size is {size}; use at least 1.")
    for first in range(0, d_sae, size):
        yield columns(values, indices, range(first, min(first + size, d_sae)))

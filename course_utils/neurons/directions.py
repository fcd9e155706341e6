"""The control for what neurons are about: directions of the same layer that nothing marks out."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor


def random_directions(
    before: Float[Tensor, "rows n_neurons"],
    rates: Float[Tensor, " n_directions"],
    *,
    generator: Generator | None = None,
) -> Float[Tensor, "rows n_directions"]:
    """What random directions would do in the place of neurons, each active as rarely as one.

        relu(before @ u_i - t_i),   u_i random and orthogonal, t_i so that rates[i] are above 0

    `before` is what the neurons' nonlinearity is given. A neuron that is active at few tokens is
    active in few classes for that reason alone, and so is a direction: the rates make them equal.

    Args:
        rates: at what share of the rows a direction is active, from 0 to 1; at most as many as
            there are neurons. The result has them to within one row (ties aside).
        generator: source of randomness; None uses torch's global one.

    Raises:
        ValueError: there are no rows, more rates than neurons, or one is not from 0 to 1.
    """
    rows, n = before.shape
    if not rows or len(rates) > n or bool(((rates < 0) | (rates > 1)).any()):
        raise ValueError(
            f"there are {rows} rows, {len(rates)} rates, {n} neurons; use some rows, and at most "
            "as many rates as neurons, from 0 to 1."
        )
    square = torch.randn(n, n, generator=generator, dtype=before.dtype)
    u, _ = torch.linalg.qr(square)
    found = before @ u[:, : len(rates)]
    silent = ((1 - rates) * rows).round().long()
    for column, k in zip(found.unbind(1), silent.tolist()):
        # The k smallest of them become 0.
        threshold = column.kthvalue(k).values if k else column.min() - 1
        column.sub_(threshold).relu_()
    return found

"""Products with codes of which few numbers are not 0, and how to find those few.

A code of TopK is k values and their k places, out of d_sae. So a product with a (d_sae, d_in)
matrix needs k rows of it and not all d_sae: with 32 of 4,096, a hundredth of the work. PyTorch has
what it takes under the name of `embedding_bag`: a weighted sum of some rows of a table.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag


def top_k(
    scores: Float[Tensor, "batch d_sae"], k: int
) -> tuple[Float[Tensor, "batch k"], Int[Tensor, "batch k"]]:
    """The k largest numbers of each row and their columns, in no order: `torch.topk`, but faster.

    Columns are dealt into d_sae / w groups of w. If fewer than k groups have a larger maximum than
    a number's own group, the number may be among the k largest; if k have, it can't be, for each
    of those maxima is larger. So it is enough to look at the k groups of the largest maxima:
    d_sae / w maxima and k w numbers, least when w is the root of d_sae / k.

    Degenerate case: of equal numbers any may be taken, as `torch.topk` does.

    Raises:
        ValueError: k is below 1 or above d_sae.
    """
    batch, d_sae = scores.shape
    if not 1 <= k <= d_sae:
        raise ValueError(f"k is {k}; use a number between 1 and d_sae = {d_sae}.")
    width = 1
    while (2 * width) ** 2 * k <= d_sae and d_sae % (2 * width) == 0:
        width *= 2
    if width < 4:
        return torch.topk(scores, k, sorted=False)
    groups = scores.view(batch, width, d_sae // width)  # group g: columns g, g + d_sae / w, ...
    best = torch.topk(groups.amax(1), k, sorted=False).indices
    members = groups.gather(2, best.unsqueeze(1).expand(batch, width, k)).view(batch, -1)
    values, places = torch.topk(members, k, sorted=False)
    column = best.gather(1, places % k).add_(
        places.div_(k, rounding_mode="floor"), alpha=d_sae // width
    )
    return values, column


def weighted_rows(
    values: Float[Tensor, "batch k"],
    indices: Int[Tensor, "batch k"],
    table: Float[Tensor, "d_sae d_in"],
) -> Float[Tensor, "batch d_in"]:
    """For each sample the sum of k rows of the table: sum_j values_j table[indices_j].

    The same as code @ table, where code is (batch, d_sae) with these values at these indices.
    """
    return embedding_bag(indices, table, per_sample_weights=values, mode="sum")


def dots(
    x: Float[Tensor, "batch d_in"],
    table: Float[Tensor, "d_sae d_in"],
    indices: Int[Tensor, "batch k"],
) -> Float[Tensor, "batch k"]:
    """For each sample the dot products with k rows of the table: x @ table.T, at these indices."""
    batch, k = indices.shape
    sample = torch.arange(batch).repeat_interleave(k)
    offsets = torch.arange(0, batch * k, k)
    # How `weighted_rows` depends on its values: the gradient that autograd would use.
    found = torch.ops.aten._embedding_bag_per_sample_weights_backward(
        x, table, indices.flatten(), offsets, sample, 0, -1
    )
    return found.view(batch, k)


class Transposed:
    """The same codes the other way round: for each latent, the samples that use it.

    `sums(values, x)` is code.T @ x, (d_sae, d_in), where code is (batch, d_sae) with these values
    at the indices given in the beginning: what the gradient of a weight matrix is made of.
    """

    def __init__(self, indices: Int[Tensor, "batch k"], d_sae: int) -> None:
        flat, k = indices.flatten(), indices.shape[1]
        # Stable: in the order of the samples, so that sums never differ between two runs.
        self.order = torch.sort(flat.int(), stable=True).indices
        self.sample = self.order.div(k, rounding_mode="floor")
        self.offsets = torch.zeros(d_sae + 1, dtype=torch.int64)
        torch.cumsum(torch.bincount(flat, minlength=d_sae), 0, out=self.offsets[1:])

    def sums(
        self, values: Float[Tensor, "batch k"], x: Float[Tensor, "batch d_in"]
    ) -> Float[Tensor, "d_sae d_in"]:
        weights = values.flatten()[self.order]
        return embedding_bag(
            self.sample,
            x,
            self.offsets,
            per_sample_weights=weights,
            mode="sum",
            include_last_offset=True,
        )

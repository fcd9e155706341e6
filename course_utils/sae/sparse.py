"""Products with a code of which few numbers are not 0.

A code that uses 32 of 4,096 latents needs 32 rows of a (d_sae, d_in) matrix, not all: a hundredth
of the work. PyTorch has what it takes under the name of `embedding_bag`: for each of many "bags",
a weighted sum of some rows of a table.
"""

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag


class Places:
    """Where a code (batch, d_sae) may differ from 0; the numbers that are there come separately.

    Place j is latent[j] of some sample. All places of a sample follow one another, and sample s has
    those from offsets[s] to offsets[s + 1]. In the equations, `code` is 0 everywhere else.
    """

    def __init__(
        self, latent: Int[Tensor, " places"], offsets: Int[Tensor, " bounds"], d_sae: int
    ) -> None:
        self.latent, self.offsets, self.d_sae = latent, offsets, d_sae
        counts = offsets.diff()
        self.sample = torch.arange(len(counts)).repeat_interleave(counts, output_size=len(latent))

    @classmethod
    def of_rows(cls, latents: Int[Tensor, "batch k"], d_sae: int) -> "Places":
        """The same number of places for each sample."""
        batch, k = latents.shape
        return cls(latents.flatten(), torch.arange(0, batch * k + 1, k), d_sae)

    def decode(
        self, values: Float[Tensor, " places"], table: Float[Tensor, "d_sae d_in"]
    ) -> Float[Tensor, "batch d_in"]:
        """code @ table: for each sample a weighted sum of rows."""
        return _weighted_sums(self.latent, table, self.offsets, values)

    def dots(
        self, x: Float[Tensor, "batch d_in"], table: Float[Tensor, "d_sae d_in"]
    ) -> Float[Tensor, " places"]:
        """x @ table^T, at the places only."""
        # How `decode` depends on its values: what autograd would call.
        return torch.ops.aten._embedding_bag_per_sample_weights_backward(
            x, table, self.latent, self.offsets[:-1], self.sample, 0, -1
        )

    def sums(
        self, values: Float[Tensor, " places"], x: Float[Tensor, "batch d_in"]
    ) -> Float[Tensor, "d_sae d_in"]:
        """code^T @ x: for each latent a weighted sum of samples, as gradients of weights are."""
        order, sample, offsets = self._by_latent
        return _weighted_sums(sample, x, offsets, values[order])

    def totals(self, values: Float[Tensor, " places"]) -> Float[Tensor, " d_sae"]:
        """The sum of the code over samples."""
        return values.new_zeros(self.d_sae).index_add_(0, self.latent, values)

    @cached_property
    def _by_latent(self) -> tuple[Tensor, Tensor, Tensor]:
        """The places in the order of their latents, and where each latent's begin."""
        # Stable: samples stay in order, so that two runs add up in the same order.
        order = torch.sort(self.latent.int(), stable=True).indices
        offsets = torch.zeros(self.d_sae + 1, dtype=torch.int64)
        torch.cumsum(torch.bincount(self.latent, minlength=self.d_sae), 0, out=offsets[1:])
        return order, self.sample[order], offsets


def _weighted_sums(rows: Tensor, table: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    return embedding_bag(
        rows, table, offsets, per_sample_weights=weights, mode="sum", include_last_offset=True
    )

"""Do two dictionaries agree? For each latent of one, the latent of the other most active with it.

Dense codes of 4,096 latents at 30,000 tokens are 500 MB each. Of their products only those where
both are active are not 0, and that is what is added up here.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

SparseCode = tuple[Float[Tensor, "n _"], Int[Tensor, "n _"]]
PAIRS = 2**20  # of a latent and a latent, that are multiplied at a time
CONSTANT = 1e-12  # of its mean square: a smaller variance is rounding


def code_correlations(
    code_a: SparseCode, code_b: SparseCode, d_sae_a: int, d_sae_b: int
) -> Float[Tensor, " {d_sae_a}"]:
    """For each latent of A its largest Pearson correlation with any latent of B, from -1 to 1.

        max_j (E[a_i b_j] - E[a_i] E[b_j]) / (s(a_i) s(b_j)),    E, s: mean and spread over tokens

    The same as `similarity.best_correlations` of the dense codes, from (values, indices) as
    `TopKSAE.encode_sparse` returns them, of the same n tokens. The two may have different k. It
    takes d_sae_a * d_sae_b numbers of 8 bytes.

    A maximum over many latents is above 0 by chance: compare it with that of shuffled tokens,
    `values[order], indices[order]` for one of the two.

    Degenerate case: a latent that does not vary, such as a dead one, has correlation 0 with all;
    so has one whose standard deviation is below a millionth of its size.

    Raises:
        ValueError: the numbers of tokens differ, there are fewer than 2, or an index is not that of
            a latent.
    """
    n = len(code_a[0])
    if n != len(code_b[0]) or n < 2:
        raise ValueError(
            f"A has {n} tokens and B has {len(code_b[0])}; use the same for both, at least 2."
        )
    mean_a, spread_a = _moments(code_a, d_sae_a, "A")
    mean_b, spread_b = _moments(code_b, d_sae_b, "B")
    # Tens of millions of terms in each of some sums: in single precision they would be lost.
    products = torch.zeros(d_sae_a * d_sae_b, dtype=torch.float64)
    rows = max(1, PAIRS // (code_a[0].shape[1] * code_b[0].shape[1] or 1))
    for a, i, b, j in zip(*(part.split(rows) for part in (*code_a, *code_b))):
        places = (i.long() * d_sae_b)[:, :, None] + j[:, None, :]
        pairs = a.double()[:, :, None] * b.double()[:, None, :]
        products.index_add_(0, places.flatten(), pairs.flatten())
    covariance = products.view(d_sae_a, d_sae_b).div_(n).addr_(mean_a, mean_b, alpha=-1)
    # Divided by infinity, what does not vary has 0.
    return covariance.div_(spread_b).amax(1).div_(spread_a).clamp_(-1, 1)


def _moments(code: SparseCode, d_sae: int, name: str) -> tuple[Tensor, Tensor]:
    """Each latent's mean and standard deviation over tokens; infinity if it does not vary."""
    values, indices = code[0].double().flatten(), code[1].long().flatten()
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < d_sae:
        raise ValueError(f"an index of {name} is not from 0 to {d_sae - 1}; is d_sae another?")
    zeros = values.new_zeros(d_sae)
    mean = zeros.index_add(0, indices, values) / len(code[0])
    square = zeros.index_add(0, indices, values.square()) / len(code[0])
    variance = square - mean.square()
    varies = variance > CONSTANT * square
    return mean, torch.where(varies, variance, torch.inf).sqrt()

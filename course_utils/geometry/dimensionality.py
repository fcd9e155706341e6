"""How much of a dimension a feature has: D_i, the leverage score above it, and D*.

Source: Elhage et al., "Toy Models of Superposition" (2022), "The Geometry of Superposition".
"""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.geometry.gram import interference


def feature_dimensionality(
    W: Float[Tensor, "*instances d_hidden n_features"],
) -> Float[Tensor, "*instances n_features"]:
    """D_i, the share of a dimension that feature i has to itself, between 0 and 1.

        D_i = ||W_i||^2 / sum_j (w_i . W_j)^2 = G_ii^2 / (G^2)_ii,   w_i = W_i / ||W_i||, G = W^T W

    The sum goes over all j, i itself included. D_i = 1 when W_i is at right angles to all others,
    1/2 for two opposite arrows of the same length. It does not change when W is rotated or
    multiplied by a number. Degenerate case: a zero column has D_i = 0.

    Source: Toy Models of Superposition, "The Geometry of Superposition"; the second form follows
    from (G^2)_ii = sum_j G_ij^2.
    """
    W = _at_unit_scale(W)  # else squares of squares of tiny numbers are 0
    G = interference(W)
    own, all_ = G.diagonal(dim1=-2, dim2=-1) ** 2, (G**2).sum(-1)
    return torch.where(all_ > 0, own / torch.where(all_ > 0, all_, 1.0), 0.0)


def leverage_scores(
    W: Float[Tensor, "*instances d_hidden n_features"],
) -> Float[Tensor, "*instances n_features"]:
    """l_i = W_i . (W W^T)^+ W_i, between 0 and 1; their sum is the rank of W.

    l_i is the squared length of the i-th unit vector of feature space after projection onto the row
    space of W. D_i <= l_i, and so sum_i D_i <= rank W, with equality exactly when every W_i is an
    eigenvector of W W^T. Degenerate case: a zero column has l_i = 0. Singular values below 10^-5
    of the largest (10^-12 in double precision) count as 0.

    Source: derived. With the singular values s_k of W and V_ik the entries of its right singular
    vectors, D_i = (sum_k s_k^2 V_ik^2)^2 / sum_k s_k^4 V_ik^2, and by Cauchy and Schwarz that is
    at most sum_k V_ik^2 = l_i.
    """
    _, s, V = torch.linalg.svd(W, full_matrices=False)
    cut = 1e-5 if W.dtype == torch.float32 else 1e-12
    kept = s > cut * s[..., :1]
    return (V**2 * kept.unsqueeze(-1)).sum(-2)


def dimensions_per_feature(
    W: Float[Tensor, "*instances d_hidden n_features"],
) -> Float[Tensor, "*instances"]:
    """D* = m / ||W||_F^2: hidden dimensions per represented feature.

    A trained column is about 1 long or about 0, so that ||W||_F^2 counts the represented features.
    1 without superposition, 1/2 when all features are in antipodal pairs. Degenerate case: W = 0
    gives infinity.

    Source: Toy Models of Superposition, "The Geometry of Superposition".
    """
    return W.shape[-2] / (W**2).sum((-2, -1))


def _at_unit_scale(W: Tensor) -> Tensor:
    """The columns of W in units of the longest one, so that squares neither vanish nor overflow."""
    largest = W.abs().amax((-2, -1), keepdim=True)
    return W / torch.where(largest > 0, largest, 1.0)

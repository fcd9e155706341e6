"""What two arrows cost each other: when one feature is present alone, and when both are.

With sparse features the first is of order p and the second of order p^2.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.geometry.packing import cosines


def interference_alone(cosine: float | Tensor, p: float | Tensor) -> float | Tensor:
    """Expected squared error in the output of feature 1 from the inputs with feature 2 alone.

        p (1 - p) ReLU(c)^2 / 3,   c = cosine

    Unit arrows, b = 0; each feature is present with probability p, then uniform on [0, 1). With
    probability p (1 - p) feature 2 is present and feature 1 is not. Then output 1 is ReLU(c x_2)
    where 0 is right, and E[x_2^2] = 1/3. Between 0 and 1/12. Degenerate cases: 0 at a right or an
    obtuse angle, and at p = 0 or p = 1, where no feature is ever present alone.

    Args:
        cosine: of the angle between the two arrows, in [-1, 1]; a float or a tensor.
        p: feature probability in [0, 1], a float or a tensor.

    Raises:
        ValueError: the cosine is outside [-1, 1] or p is outside [0, 1].

    Source: derived.
    """
    c, q = torch.as_tensor(cosine), torch.as_tensor(p)
    if not bool((c.abs() <= 1).all()):
        raise ValueError(f"cosine is {c.tolist()}; use a number from -1 to 1.")
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise ValueError(f"p is {q.tolist()}; use a probability from 0 to 1.")
    passed = cosine.clamp_min(0) if isinstance(cosine, Tensor) else max(cosine, 0.0)
    return p * (1 - p) * passed**2 / 3


def pair_loss(cosine: float | Tensor) -> float | Tensor:
    """The squared error of two unit arrows at an obtuse or right angle when both are present.

        2 k^2 / 3 - k^3 / 3,   k = -cosine

    x_1 comes back as ReLU(x_1 - k x_2): an error of k x_2 while that is less than x_1, else x_1.
    Two of those, averaged over uniform x_1 and x_2. Degenerate case: 0 at a right angle; 1/3 for
    opposite arrows.

    Args:
        cosine: in [-1, 0]; a float or a tensor.

    Raises:
        ValueError: the cosine is outside [-1, 0]: with an acute angle there is an error already
            when only one is present, so that no loss of order p^2 is left to speak of.

    Source: derived.
    """
    values = torch.as_tensor(cosine)
    if not bool(((values >= -1) & (values <= 0)).all()):
        raise ValueError(f"cosine is {values.tolist()}; use a number from -1 to 0.")
    k = -cosine
    return 2 * k**2 / 3 - k**3 / 3


def leading_loss(W: Float[Tensor, "d_hidden n_features"]) -> float:
    """The limit of loss / p^2 for p -> 0, for unit arrows with no acute angle, all represented.

    Sums `pair_loss` over all pairs (equal importance 1, b = 0). Triangle: 3/8; antipodal pair and
    a dimension for the third: 1/3; tetrahedron 10/27. At most 2 d_hidden arrows can have no acute
    angle.

    Raises:
        ValueError: two arrows make an acute angle.

    Source: derived.
    """
    n = W.shape[1]
    i, j = torch.triu_indices(n, n, 1)
    C = cosines(W)[i, j]
    C = torch.where(C.abs() < 1e-5, 0.0, C.clamp_min(-1.0))  # rounding is no acute angle
    return float(pair_loss(C).sum())

"""Two features, one dimension: what the two obvious solutions cost, and where they change places.

Feature 1 has importance 1 and feature 2 importance r, and each is present with probability p, then
uniform on [0, 1). Both losses follow from E[x^2] = p/3, Var[x] = p/3 - p^2/4, E[x_1 x_2] = p^2/4.
"""

import torch
from torch import Tensor


def loss_ignoring_second(p: float | Tensor, r: float | Tensor) -> float | Tensor:
    """The loss of W = (1, 0) with the best bias, b = (0, p/2): feature 2 gets only its mean.

        r * Var[x_2] = r (p/3 - p^2/4)

    Args:
        p: feature probability in [0, 1], a float or a tensor.
        r: importance of the second feature relative to the first, at least 0; float or tensor.

    Degenerate cases: 0 at p = 0 or r = 0.

    Raises:
        ValueError: p is outside [0, 1] or r is negative.

    Source: derived; compare the phase diagram in Toy Models of Superposition, section
    "Superposition as a Phase Change".
    """
    _check_phase(p, r)
    return r * (p / 3 - p**2 / 4)


def loss_antipodal(p: float | Tensor, r: float | Tensor) -> float | Tensor:
    """The loss of W = (1, -1), b = 0: both features on one line, with opposite signs.

        (1 + r) E[min(x_1, x_2)^2] = (1 + r) p^2 / 6

    If one feature is present it is recovered exactly. If both are, the stronger comes back as
    the difference and the weaker as 0: an error of min(x_1, x_2) in each.

    Args:
        p: feature probability in [0, 1], a float or a tensor.
        r: importance of the second feature relative to the first, at least 0; float or tensor.

    Degenerate case: 0 at p = 0.

    Raises:
        ValueError: p is outside [0, 1] or r is negative.

    Source: derived; compare Toy Models of Superposition, "Superposition as a Phase Change".
    """
    _check_phase(p, r)
    return (1 + r) * p**2 / 6


def phase_losses(p: float | Tensor, r: float | Tensor) -> tuple[float | Tensor, float | Tensor]:
    """Both at once: (loss_ignoring_second(p, r), loss_antipodal(p, r))."""
    return loss_ignoring_second(p, r), loss_antipodal(p, r)


def crossover_probability(r: float | Tensor) -> float | Tensor:
    """The p at which ignoring feature 2 and the antipodal pair cost the same.

        p* = 4r / (2 + 5r)

    Below p* (sparser) the antipodal pair, that is superposition, is cheaper; above it, ignoring
    feature 2 is. p* stays below 4/5, however large r is.

    Args:
        r: importance of the second feature relative to the first, at least 0; float or tensor.

    Degenerate case: r = 0 gives 0: a worthless feature is never worth its interference.

    Raises:
        ValueError: r is negative.

    Source: derived from the two losses above.
    """
    _check_phase(0.0, r)
    return 4 * r / (2 + 5 * r)


def _check_phase(p: float | Tensor, r: float | Tensor) -> None:
    p, r = torch.as_tensor(p), torch.as_tensor(r)
    if not bool(((p >= 0) & (p <= 1)).all()):
        raise ValueError(f"p is {p.tolist()}; use a probability between 0 and 1.")
    if not bool((r >= 0).all()):
        raise ValueError(f"r is {r.tolist()}; use a relative importance of 0 or more.")

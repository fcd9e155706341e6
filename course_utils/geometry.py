"""How feature directions share a space, and what sharing costs.

W has shape (d_hidden, n_features): column i, written W_i, is the direction that the model gives
to feature i. Leading dimensions, where there are any, are separate models.

Source: Elhage et al., "Toy Models of Superposition" (2022).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def interference(
    W: Float[Tensor, "*instances d_hidden n_features"],
) -> Float[Tensor, "*instances n_features n_features"]:
    """The Gram matrix W^T W: entry (i, j) is W_i . W_j.

    The diagonal says how strongly each feature is represented (||W_i||^2); an entry off the
    diagonal says how much of feature j leaks into the reconstruction of feature i. A zero column
    gives a zero row and column. W^T W is symmetric and its rank is at most d_hidden.

    Source: Toy Models of Superposition, section "Demonstrating Superposition".
    """
    return W.mT @ W


def feature_norms(
    W: Float[Tensor, "*instances d_hidden n_features"],
) -> Float[Tensor, "*instances n_features"]:
    """||W_i||, how strongly each feature is represented: near 1 if it is, 0 if it is ignored.

    Source: Toy Models of Superposition, section "Demonstrating Superposition".
    """
    return W.norm(dim=-2)


def represented(
    W: Float[Tensor, "*instances d_hidden n_features"],
    threshold: float = 0.5,
) -> Bool[Tensor, "*instances n_features"]:
    """True for every feature whose direction is longer than the threshold: ||W_i|| > threshold.

    Trained norms are close to 0 or 1, so that the count hardly depends on a threshold between.

    Raises:
        ValueError: the threshold is negative.
    """
    if not threshold >= 0:
        raise ValueError(f"threshold is {threshold}; a length is compared with it: use 0 or more.")
    return feature_norms(W) > threshold


def count_represented(
    W: Float[Tensor, "d_hidden n_features"],
    threshold: float = 0.5,
) -> int:
    """How many features of one model are represented: the number of ||W_i|| > threshold.

    It can exceed the rank of W, which is at most d_hidden: that is superposition.

    Raises:
        ValueError: the threshold is negative.
    """
    return int(represented(W, threshold).sum())


# Two features, one dimension. Feature 1 has importance 1 and feature 2 importance r, and each is
# present with probability p, then uniform on [0, 1). What do the two obvious solutions cost? Both
# follow from E[x^2] = p/3, Var[x] = p/3 - p^2/4 and E[x_1 x_2] = p^2/4.


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

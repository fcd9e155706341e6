"""Lengths and angles: the Gram matrix of the feature directions, and who is represented."""

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

"""How well directions can be kept apart: coherence, the Welch bound, and Thomson's problem."""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.geometry.gram import feature_norms, interference


def cosines(
    W: Float[Tensor, "*instances d_hidden n_features"],
) -> Float[Tensor, "*instances n_features n_features"]:
    """The cosine between every two columns of W: W^T W with all lengths taken out.

    Degenerate case: a zero column has no direction, and cosine 0 with all, itself included.
    """
    lengths = feature_norms(W).unsqueeze(-2)
    return interference(W / torch.where(lengths > 0, lengths, 1.0))


def coherence(W: Float[Tensor, "*instances d_hidden n_features"]) -> Float[Tensor, "*instances"]:
    """max |cos(W_i, W_j)| over all pairs i != j: 0 at right angles, 1 if two share a line.

    Degenerate case: 0 for a single column.
    """
    off = 1 - torch.eye(W.shape[-1], dtype=W.dtype)
    return (cosines(W).abs() * off).amax((-2, -1))


def welch_bound(n: int, m: int) -> float:
    """No n directions in m dimensions have a smaller coherence than

        sqrt((n - m) / (m (n - 1)))

    Degenerate case: 0 for n <= m, where all can be at right angles.

    Raises:
        ValueError: n or m is below 1.

    Source: Welch, "Lower bounds on the maximum cross correlation of signals" (1974).
    """
    if n < 1 or m < 1:
        raise ValueError(f"n is {n} and m is {m}; use at least 1 for both.")
    return math.sqrt((n - m) / (m * (n - 1))) if n > m else 0.0


def thomson_points(
    n: int, m: int = 3, *, seed: int, n_restarts: int = 16, steps: int = 2000
) -> Float[Tensor, "m n"]:
    """n unit vectors in m dimensions that repel each other like electrons: Thomson's problem.

        minimise  sum_{i<j} 1 / ||W_i - W_j||

    by gradient descent from random points, the best of n_restarts; in double precision.

    Raises:
        ValueError: n is below 2, or m is below 2 (two points can be no line apart).

    Source: J. J. Thomson (1904); compared with trained features in Toy Models of Superposition.
    """
    if n < 2 or m < 2:
        raise ValueError(f"n is {n} and m is {m}; use at least 2 for both.")
    W = torch.randn(
        n_restarts, m, n, generator=Generator().manual_seed(seed), dtype=torch.float64
    ).requires_grad_()
    optimizer = torch.optim.Adam([W], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    i, j = torch.triu_indices(n, n, 1)
    for _ in range(steps):
        optimizer.zero_grad()
        unit = W / W.norm(dim=1, keepdim=True)
        energy = (1 / (unit[..., i] - unit[..., j]).norm(dim=1)).sum(-1)
        energy.sum().backward()
        optimizer.step()
        schedule.step()
    best = W.detach()[energy.argmin()]
    return best / best.norm(dim=0)

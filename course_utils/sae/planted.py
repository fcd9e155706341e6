"""A dictionary that is known: activations made from it, to see what an autoencoder finds again.

    world = planted(n_features=128, d_in=32, seed=0)
    x, strengths = world.sample(20_000, 0.02, generator=Generator().manual_seed(1))

Source: Sharkey et al., "Taking features out of superposition with sparse autoencoders" (2022).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.sae.model import check_sizes


@dataclass(frozen=True)
class Planted:
    """The true features. With more of them than dimensions they are in superposition.

    Args:
        directions: rows of norm 1, one a feature.

    Raises:
        ValueError: directions are not (n_features, d_in), or a row hasn't norm 1.
    """

    directions: Float[Tensor, "n_features d_in"]

    def __post_init__(self) -> None:
        shape = tuple(self.directions.shape)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"directions have shape {shape}; use (n_features, d_in).")
        norms = torch.linalg.vector_norm(self.directions, dim=1)
        wrong = ((norms - 1).abs() <= 1e-4).logical_not()  # NaN too
        if wrong.any():
            row = int(wrong.nonzero()[0])
            raise ValueError(
                f"directions have norm {norms[row]:.3g} in row {row}; divide each by its norm."
            )

    def sample(
        self, n: int, p: float, *, generator: Generator | None
    ) -> tuple[Float[Tensor, "n d_in"], Float[Tensor, "n n_features"]]:
        """Activations, and how strong each feature is in them.

            s_i = 0 with probability 1 - p, else uniform on [0, 1);   x = sum_i s_i directions[i]

        The strengths are distributed as those of `features.sample_features`.

        Args:
            n: number of samples, at least 1.
            p: how often a feature is present, from 0 to 1; n_features * p are, in a sample's mean.
            generator: source of randomness; None uses torch's global one.

        Returns:
            x and the strengths s, which are the code that an ideal autoencoder finds.

        Degenerate cases: p = 0 gives zeros; at p = 1 every feature is present.

        Raises:
            ValueError: n is below 1, or p is not from 0 to 1.

        Source: Elhage et al., "Toy Models of Superposition" (2022), "Demonstrating Superposition".
        """
        check_sizes(n=n)
        if not 0 <= p <= 1:
            raise ValueError(f"p is {p}; use a probability between 0 and 1.")
        u = torch.rand(n, len(self.directions), generator=generator, dtype=self.directions.dtype)
        # One number decides both: below p, which it is with probability p, u / p is uniform again.
        strengths = torch.where(u < p, u / max(p, 1e-30), 0.0)
        return strengths @ self.directions, strengths


def planted(n_features: int = 128, d_in: int = 32, *, seed: int = 0) -> Planted:
    """Random directions of norm 1, uniform on the sphere.

    In d_in dimensions, cosines between them are about 1 / sqrt(d_in) in size: no two are the same,
    and with n_features above d_in hardly any are at right angles.

    Args:
        n_features, d_in: at least 1.
        seed: decides the directions; the global random state is neither read nor set.

    Degenerate case: in one dimension all are +1 or -1.

    Raises:
        ValueError: a size is below 1.
    """
    check_sizes(n_features=n_features, d_in=d_in)
    drawn = torch.randn(n_features, d_in, generator=Generator().manual_seed(seed))
    return Planted(drawn / torch.linalg.vector_norm(drawn, dim=1, keepdim=True))

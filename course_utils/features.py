"""Synthetic sparse features: the inputs of every toy model.

A feature is mostly absent (0) and, when it is present, takes a value between 0 and 1. We write p
for the *feature probability*, the chance that a feature is present, and S = 1 - p for its
*sparsity*. p = 0.05 means S = 0.95: very sparse.

Source: Elhage et al., "Toy Models of Superposition" (2022), sections "Demonstrating
Superposition" and "Correlated and Anticorrelated Features".
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor


def sample_features(
    batch_size: int,
    n_features: int,
    feature_probability: float | Float[Tensor, "*instances"],
    *,
    generator: Generator | None = None,
) -> Float[Tensor, "*instances batch n_features"]:
    """Draw independent sparse features.

        x_i = 0 with probability 1 - p, else uniform on [0, 1)

    Args:
        batch_size: number of samples, at least 1.
        n_features: number of features, at least 1.
        feature_probability: p in [0, 1]. A float gives shape (batch, n_features). A tensor of
            shape (*instances,) gives (*instances, batch, n_features), one p for each instance.
        generator: source of randomness; None uses torch's global one.

    Degenerate cases: p = 0 gives zeros; p = 1 gives dense uniform values.

    Raises:
        ValueError: p is outside [0, 1], or a size is below 1.

    Source: Toy Models of Superposition, section "Demonstrating Superposition".
    """
    _check_size("batch_size", batch_size)
    _check_size("n_features", n_features)
    p = _check_probability(feature_probability)
    u = torch.rand(*p.shape, batch_size, n_features, generator=generator, dtype=p.dtype)
    return features_from_uniform(u, p[..., None, None])


def features_from_uniform(
    u: Float[Tensor, "*#shape"],
    feature_probability: Float[Tensor, "*#shape"],
    *,
    out: Tensor | None = None,
) -> Float[Tensor, "*shape"]:
    """Turn uniform numbers on [0, 1) into sparse features, one number for each feature.

        x = u / p where u < p, else 0

    A uniform u falls below p with probability p, and given that, u / p is again uniform on
    [0, 1): one draw decides both whether a feature is present and how strongly. Applied to the
    same u with several p, it gives several sparsities of one data set.

    Args:
        u: uniform numbers on [0, 1).
        feature_probability: p in [0, 1], of a shape that broadcasts against u.
        out: where to write, so that a training loop need not allocate.

    Degenerate case: p = 0 gives zeros.
    """
    # -u/p is kept where it is above -1 and becomes 0 elsewhere, then loses its sign: the same as
    # torch.where(u < p, u / p, 0), and ten times as fast. The tiny number keeps 0/0 out at p = 0.
    x = torch.div(u, -feature_probability.clamp_min(1e-30), out=out)
    return torch.nn.functional.threshold_(x, -1.0, 0.0).abs_()


def sample_correlated_pairs(
    batch_size: int,
    n_pairs: int,
    feature_probability: float,
    *,
    generator: Generator | None = None,
) -> Float[Tensor, "batch n_features"]:
    """Draw features 2k and 2k+1 that are always present together or absent together.

        x_2k = on_k * u,  x_2k+1 = on_k * u',  on_k = 1 with probability p;  u, u' uniform, [0, 1)

    Whether the two are present is shared; their values are independent, and so are the pairs.

    Args:
        batch_size: number of samples, at least 1.
        n_pairs: number of pairs, at least 1; there are n_features = 2 * n_pairs features.
        feature_probability: p in [0, 1], for each feature.
        generator: source of randomness; None uses torch's global one.

    Degenerate cases: p = 0 gives zeros; at p = 1 every feature is present.

    Raises:
        ValueError: p is outside [0, 1], or a size is below 1.

    Source: Toy Models of Superposition, section "Correlated and Anticorrelated Features".
    """
    _check_size("batch_size", batch_size)
    _check_size("n_pairs", n_pairs)
    p = _check_probability(feature_probability)
    on = torch.rand(batch_size, n_pairs, 1, generator=generator) < p
    values = torch.rand(batch_size, n_pairs, 2, generator=generator)
    return (values * on).flatten(1)


def sample_anticorrelated_pairs(
    batch_size: int,
    n_pairs: int,
    feature_probability: float,
    *,
    generator: Generator | None = None,
) -> Float[Tensor, "batch n_features"]:
    """Draw features 2k and 2k+1 of which at most one is present.

        x_2k > 0 with probability p, x_2k+1 > 0 with probability p, never both

    A present feature is uniform on [0, 1); the pairs are independent.

    Args:
        batch_size: number of samples, at least 1.
        n_pairs: number of pairs, at least 1; there are n_features = 2 * n_pairs features.
        feature_probability: p in [0, 1/2], for each feature: two that exclude each other cannot
            both be present more than half of the time.
        generator: source of randomness; None uses torch's global one.

    Degenerate cases: p = 0 gives zeros; at p = 1/2 exactly one of each pair is present.

    Raises:
        ValueError: p is outside [0, 1/2], or a size is below 1.

    Source: Toy Models of Superposition, section "Correlated and Anticorrelated Features".
    """
    _check_size("batch_size", batch_size)
    _check_size("n_pairs", n_pairs)
    p = _check_probability(feature_probability)
    if p > 0.5:
        raise ValueError(
            f"feature_probability is {feature_probability}, but features that exclude each "
            "other can each be present at most half of the time: use p between 0 and 0.5."
        )
    u = torch.rand(batch_size, n_pairs, 1, generator=generator)
    first, second = u < p, (p <= u) & (u < 2 * p)
    values = torch.rand(batch_size, n_pairs, 2, generator=generator)
    return (values * torch.cat([first, second], dim=-1)).flatten(1)


def sample_signed_features(
    batch_size: int,
    n_features: int,
    feature_probability: float,
    *,
    generator: Generator | None = None,
) -> Float[Tensor, "batch n_features"]:
    """Draw independent sparse features of either sign.

        x_i = 0 with probability 1 - p, else uniform on [-1, 1)

    Args:
        batch_size: number of samples, at least 1.
        n_features: number of features, at least 1.
        feature_probability: p in [0, 1], for each feature.
        generator: source of randomness; None uses torch's global one.

    Degenerate cases: p = 0 gives zeros; at p = 1 every feature is present.

    Raises:
        ValueError: p is outside [0, 1], or a size is below 1.

    Source: Toy Models of Superposition, section "Computation in Superposition".
    """
    _check_size("batch_size", batch_size)
    _check_size("n_features", n_features)
    p = _check_probability(feature_probability)
    # One uniform number decides both, as in `features_from_uniform`.
    u = torch.rand(batch_size, n_features, generator=generator)
    return torch.where(u < p, u * (2 / p.clamp_min(1e-30)) - 1, 0.0)


def _check_size(name: str, size: int) -> None:
    if size < 1:
        raise ValueError(f"{name} is {size}; use a whole number of at least 1.")


def _check_probability(p: float | Tensor) -> Tensor:
    p = torch.as_tensor(p)
    p = p if p.is_floating_point() else p.float()
    if not bool(((p >= 0) & (p <= 1)).all()):  # NaN fails this too
        raise ValueError(
            f"feature_probability is {p.tolist()}; use a probability between 0 and 1 "
            "(sparsity S is 1 - p)."
        )
    return p

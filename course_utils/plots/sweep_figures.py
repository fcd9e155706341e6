"""The expansion sweep in numbers: what autoencoders of several sizes found of known features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.plots.theme import as_array

SHARES = ("recovered", "dead", "explained", "duplicated")
PARTS = (*SHARES, "l0", "cost")
KINDS = ("matched", "duplicate", "other", "dead")
SAME = 1e-6  # two values closer than that are the same


@dataclass(frozen=True)
class SweepFigures:
    """All that the panel shows, computed beforehand.

    A run is one autoencoder trained with one seed. What is said of all runs has the shape
    (n_series, n_expansions, n_seeds); the picture of features and latents is of one seed.

    Args:
        names: of the series, such as "ReLU, L1 = 0.1".
        expansions: latents per dimension, rising, at least two.
        d_in: dimensions of what is encoded; an autoencoder has expansion * d_in latents.
        recovered: share of the true features whose best cosine is above `threshold`, 0 to 1.
        dead: share of the latents that never fire, 0 to 1.
        explained: share of the variance, 0 to 1.
        duplicated: share of the latents that are duplicates, 0 to 1: see `latent_kinds`.
        l0: active latents a sample, at least 0.
        cost: of a step or a sample, in any unit, above 0. Only ratios are shown.
        cosines: each true feature's best cosine with a latent that fires, with seed `seed`,
            (n_series, n_expansions, n_features), -1 to 1, in any order.
        kinds: for each series and expansion, with the same seed, the kind of each latent, a word
            of KINDS: two levels of lists, then (n_latents,).
        true_l0: true features active a sample.
        seed: the position, on the last axis, of the one that `cosines` and `kinds` are of.
        threshold: a cosine above it is a feature found, between 0 and 1.
        cost_of: what `cost` is the cost of.

    Raises:
        ValueError: these do not belong together; the sentence says what to change.
    """

    names: Sequence[str]
    expansions: Sequence[float]
    d_in: int
    recovered: Any
    dead: Any
    explained: Any
    duplicated: Any
    l0: Any
    cost: Any
    cosines: Any
    kinds: Any
    true_l0: float
    seed: int = 0
    threshold: float = 0.9
    cost_of: str = "a step"

    def __post_init__(self) -> None:
        self._check_axes()
        for part in PARTS:
            self._put(part)
        if not 0 <= self.seed < self.n_seeds:
            raise ValueError(f"seed is {self.seed}; use 0 to {self.n_seeds - 1}")
        cosines = as_array(self.cosines)
        shape = (len(self.names), len(self.expansions))
        if cosines.ndim != 3 or cosines.shape[:2] != shape or not cosines.size:
            raise ValueError(f"cosines have shape {cosines.shape}; use ({shape[0]}, {shape[1]}, "
                             "n_features)")  # fmt: skip
        if not (np.abs(cosines) <= 1 + SAME).all():
            raise ValueError("cosines have a value that is not from -1 to 1")
        object.__setattr__(self, "cosines", -np.sort(-cosines, axis=-1))  # the best one first
        self._put_kinds()
        self._check_counts()

    def _check_axes(self) -> None:
        for name in ("names", "expansions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.names or len(set(self.names)) < len(self.names):
            raise ValueError(f"names are {self.names}; give at least one, each only once")
        rising = np.diff(self.expansions) > 0
        if len(self.expansions) < 2 or not (rising.all() and self.expansions[0] > 0):
            raise ValueError(f"expansions are {self.expansions}; give at least two above 0, rising")
        if self.d_in < 1:
            raise ValueError(f"d_in is {self.d_in}; use at least 1")
        if not self.true_l0 > 0:
            raise ValueError(f"true_l0 is {self.true_l0}; use a number above 0")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold is {self.threshold}; use a number between 0 and 1")

    def _put(self, part: str) -> None:
        array = as_array(getattr(self, part))
        shape = (len(self.names), len(self.expansions))
        # All have as many seeds as the first one that was looked at.
        seeds = as_array(self.recovered).shape[-1:] or (0,)
        if array.shape != (*shape, *seeds) or not array.size:
            meant = seeds[0] if array.ndim == 3 and seeds[0] else "n_seeds"
            raise ValueError(f"{part} has shape {array.shape}; use ({shape[0]}, {shape[1]}, "
                             f"{meant}): series, expansions, seeds")  # fmt: skip
        if part in SHARES:
            right, words = (array >= -SAME) & (array <= 1 + SAME), "from 0 to 1"
        elif part == "l0":
            right, words = (array >= 0) & np.isfinite(array), "at least 0"
        else:
            right, words = (array > 0) & np.isfinite(array), "above 0"
        if not right.all():  # NaN is none of these
            raise ValueError(f"{part} has a value that is not {words}")
        object.__setattr__(self, part, array.clip(0, 1) if part in SHARES else array)

    def _put_kinds(self) -> None:
        rows = [[np.asarray(of) for of in row] for row in self.kinds]
        if [len(row) for row in rows] != [len(self.expansions)] * len(self.names):
            raise ValueError(f"kinds must have {len(self.names)} lists, one a series, of "
                             f"{len(self.expansions)}, one an expansion")  # fmt: skip
        for name, row in zip(self.names, rows):
            for k, of in enumerate(row):
                where = f"kinds of {name} at {times(self.expansions[k])}"
                if of.shape != (self.latents(k),):
                    raise ValueError(f"{where} have shape {of.shape}; use ({self.latents(k)},): "
                                     f"{times(self.expansions[k])} d_in = {self.d_in}"
                                     )  # fmt: skip
                if unknown := set(of.tolist()) - set(KINDS):
                    raise ValueError(f"{where} have {min(map(str, unknown))!r}; use "
                                     f"{', '.join(KINDS)}")  # fmt: skip
        object.__setattr__(self, "kinds", tuple(map(tuple, rows)))

    def _check_counts(self) -> None:
        """What was said of the run that is shown must be what its features and latents say."""
        for i, name in enumerate(self.names):
            for k, expansion in enumerate(self.expansions):
                counts, n = self.counts(i, k), self.latents(k)
                for part, count, of, what in (
                    ("recovered", self.found(i, k), self.n_features,
                     f"cosines are above {self.threshold:g}"),
                    ("dead", counts["dead"], n, "kinds are dead"),
                    ("duplicated", counts["duplicate"], n, "kinds are duplicate"),
                ):  # fmt: skip
                    said = float(getattr(self, part)[i, k, self.seed])
                    if abs(said * of - count) > 0.5:
                        raise ValueError(f"{part} of {name} at {times(expansion)}, seed "
                                         f"{self.seed}, is {said:.3g}, but {count} of {of} {what}"
                                         )  # fmt: skip

    @property
    def n_seeds(self) -> int:
        return self.recovered.shape[-1]

    @property
    def n_features(self) -> int:
        return self.cosines.shape[-1]

    def latents(self, expansion: int) -> int:
        return round(self.expansions[expansion] * self.d_in)

    def found(self, series: int, expansion: int) -> int:
        """How many features are recovered in the run that is shown."""
        return int((self.cosines[series, expansion] > self.threshold).sum())

    def counts(self, series: int, expansion: int) -> dict[str, int]:
        """How many latents of the run that is shown are of each kind."""
        return {kind: int((self.kinds[series][expansion] == kind).sum()) for kind in KINDS}

    def mean(self, part: str, series: int, expansion: int) -> float:
        return float(getattr(self, part)[series, expansion].mean())


def latent_kinds(cosine: Any, fires: Any, threshold: float = 0.9) -> np.ndarray:
    """What each latent is for: the `kinds` of one run.

    A latent that never fires is "dead". Of the others, a feature's best one is "matched" if its
    cosine is above the threshold, one that is above it without being the best of any feature is
    a "duplicate", and the rest are "other".

    Args:
        cosine: of each true feature with each latent's decoder row, (n_features, n_latents).
        fires: whether a latent does, on any of many samples, (n_latents,).
        threshold: between 0 and 1.

    Returns:
        Words of KINDS, (n_latents,).

    Raises:
        ValueError: the two shapes do not fit.
    """
    cosine, fires = as_array(cosine), as_array(fires).astype(bool)
    if cosine.ndim != 2 or fires.shape != cosine.shape[1:]:
        raise ValueError(f"cosine has shape {cosine.shape} and fires {fires.shape}; use "
                         "(n_features, n_latents) and (n_latents,)")  # fmt: skip
    near = (cosine > threshold) & fires
    kinds = np.where(near.any(0), "duplicate", "other").astype("<U9")
    found = near.any(1)
    kinds[np.where(near, cosine, -np.inf)[found].argmax(1)] = "matched"
    kinds[~fires] = "dead"
    return kinds


def times(expansion: float) -> str:
    return f"{expansion:g}×"

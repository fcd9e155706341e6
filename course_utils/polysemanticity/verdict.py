"""What the numbers of the pair lab say in words. A heuristic, with its thresholds in one place.

In superposition together means here, operationally: the model can tell the two features apart, a
probe for one says no to the other, and their directions are alike, or opposite, from wherever one
looks. That is what superposition predicts of two features that share space, and no proof of it.
Proof would need all features of the layer, and that there are more of them than dimensions. Two
features may also be alike because of a third thing that both have. And "orthogonal" is said of
these two only: either may share space with features that nobody asked about.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 10  # different snippets in each list, for a verdict
CLEAR = 0.65  # accuracy of the probe, mean over the judged layers; guessing has 0.5
OFTEN = 0.5  # of the yes that a feature's own texts get, the share that the other's get
SMALL = 0.5  # an interval of the cosine wider than that, on one side, says little

SUPERPOSED = "likely in superposition together"
ORTHOGONAL = "likely orthogonal"
ABSENT = "not linearly represented here"
TOO_FEW = "too few examples to say"
DEPENDS = "depends on what they are compared with"
VERDICTS = (SUPERPOSED, ORTHOGONAL, ABSENT, TOO_FEW, DEPENDS)


@dataclass(frozen=True)
class View:
    """The cosine of two directions, seen from one pool of texts, and what random lists have."""

    cosine: float
    low: float
    high: float
    null_low: float
    null_high: float

    @property
    def side(self) -> int:
        """1 or -1 if the interval lies above or below the null, else 0."""
        return (self.low > self.null_high) - (self.high < self.null_low)

    @property
    def wide(self) -> bool:
        return max(self.high - self.cosine, self.cosine - self.low) > SMALL

    def __str__(self) -> str:
        return (
            f"{self.cosine:.2f} ({self.low:.2f} to {self.high:.2f}; random lists "
            f"{self.null_low:.2f} to {self.null_high:.2f})"
        )


@dataclass(frozen=True)
class Evidence:
    """What a verdict depends on. All means are over the layers that are judged."""

    n_first: int
    n_second: int
    probe: float
    probe_null: float  # the best that shuffled labels reach
    overlap: float  # the larger share, see OFTEN
    from_ordinary: View
    from_kinds: View
    shared: int  # of the neurons that react most to each
    shared_null: int  # 95 in 100 pairs of random lists have at most as many


def verdict(e: Evidence) -> tuple[str, str]:
    """One of VERDICTS, and the reason in a sentence.

    In this order: lists below LEAST are too few. A probe below CLEAR, or not above its null, means
    that what sets the lists apart is not there to be read. If an interval is WIDE, more examples
    are needed. Then the cosines. Within its null from ordinary sentences: orthogonal. Outside, but
    from many kinds not on the same side: then what they have in common may be no more than being
    no ordinary sentences, and it DEPENDS. On the same side from both: in superposition together,
    unless a probe for one often says yes to the other (OFTEN). Neurons do not decide: features in
    orthogonal directions may share some.
    """
    if min(e.n_first, e.n_second) < LEAST:
        return TOO_FEW, (
            f"There are {e.n_first} and {e.n_second} different snippets. With fewer than {LEAST} a "
            "side almost any direction sets them apart."
        )
    if e.probe < CLEAR or e.probe <= e.probe_null:
        return ABSENT, (
            f"A probe tells the two lists apart in {e.probe:.0%} of new cases. Guessing has 50 %, "
            f"and shuffled labels reach {e.probe_null:.0%}."
        )
    cosines = f"Seen from ordinary sentences {e.from_ordinary}, from many kinds {e.from_kinds}."
    if e.from_ordinary.wide or e.from_kinds.wide:
        return TOO_FEW, f"The cosine of their directions is not sure enough. {cosines}"
    if not e.from_ordinary.side:
        return ORTHOGONAL, f"Both are there, and no more alike than random lists. {cosines}"
    if e.from_ordinary.side != e.from_kinds.side:
        return DEPENDS, (
            f"Their directions are {_word(e)} seen from ordinary sentences only. It may be no more "
            f"than that neither is one. {cosines}"
        )
    if e.overlap >= OFTEN:
        return TOO_FEW, (
            f"Their directions are {_word(e)}, but a probe for one says yes to the other as well "
            f"({e.overlap:.0%} as often): they may be one feature, or come together. Use texts "
            f"with only one of the two. {cosines}"
        )
    return SUPERPOSED, (
        f"Both are there, a probe for one says no to the other, and yet their directions are "
        f"{_word(e)}: they share space, unless both have a third thing. {cosines}"
    )


def _word(e: Evidence) -> str:
    return "alike" if e.from_ordinary.side > 0 else "opposite"

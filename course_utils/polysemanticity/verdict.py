"""What the numbers of the pair lab say in words. A heuristic, with its thresholds in one place.

In superposition together means here, operationally: the model can tell the two features apart, they
seldom come in one text, and they share space, as directions or as neurons. That is what
superposition predicts of two features, and no proof of it. Proof would need all features of the
layer, and that there are more of them than dimensions. Two features may also share space because
they have a third one in common ("not ordinary English"). And "orthogonal" is said of these two
only: either may share space with features that nobody asked about.
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
VERDICTS = (SUPERPOSED, ORTHOGONAL, ABSENT, TOO_FEW)


@dataclass(frozen=True)
class Evidence:
    """What a verdict depends on. All means are over the layers that are judged."""

    n_first: int
    n_second: int
    probe: float
    probe_null: float  # the best that shuffled labels reach
    together: float  # the larger share, see OFTEN
    cosine: float
    low: float
    high: float
    null_low: float
    null_high: float
    shared: int  # of the neurons that react most to each
    shared_null: int  # 95 in 100 pairs of random lists have at most as many


def verdict(e: Evidence) -> tuple[str, str]:
    """One of VERDICTS, and the reason in a sentence.

    In this order: lists below LEAST are too few. A probe below CLEAR, or not above its null, means
    that what sets the lists apart is not there to be read. Then cosine and neurons: if the interval
    of the cosine lies outside its null, or more neurons are shared than chance gives, the two share
    space; then they are in superposition together unless they come together often (OFTEN). If
    the cosine is within its null and no more neurons are shared than by chance, they are
    orthogonal. Whatever fits none of these needs more examples.
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
    cosine = f"The cosine is {e.cosine:.2f} ({e.low:.2f} to {e.high:.2f})"
    null = f"random lists have {e.null_low:.2f} to {e.null_high:.2f}"
    neurons = (
        f"{e.shared} of the strongest neurons are the same, of random lists up to {e.shared_null}"
    )
    aligned = e.low > e.null_high or e.high < e.null_low
    within = e.null_low <= e.cosine <= e.null_high
    wide = max(e.high - e.cosine, e.cosine - e.low) > SMALL
    many = e.shared > e.shared_null
    if e.together >= OFTEN and (aligned or many):
        return TOO_FEW, (
            f"They share space, but a probe for one also says yes to the other ({e.together:.0%} "
            "as often), so they may come together or be one feature. Use texts with only one of "
            "the two."
        )
    if aligned and not wide:
        return SUPERPOSED, (
            f"Both are there, they seldom come together, and they share space. {cosine}; {null}. "
            f"{neurons[0].upper()}{neurons[1:]}."
        )
    if within and not many and not wide:
        return ORTHOGONAL, (
            f"Both are there, and no more alike than random lists. {cosine}; {null}. "
            f"{neurons[0].upper()}{neurons[1:]}."
        )
    if within and many:
        return SUPERPOSED, (
            f"Both are there, they seldom come together, and they share neurons: {neurons}. Their "
            f"directions do not stand out. {cosine}; {null}."
        )
    return TOO_FEW, f"The evidence is mixed. {cosine}; {null}. {neurons}."

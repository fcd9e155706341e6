"""One neuron, several meanings: what two features of texts have in common inside a model.

`differences` is what a sign adds to a token, a row for each text; `directions` compares two such
sets by the cosine of their means, with intervals over texts and two nulls; `shared` finds neurons
that fire for both or tell them apart; `signs` puts these together for one sign in two classes of
texts, `pair_lab` for two lists of snippets, and `verdict` says the latter in words.
"""

from course_utils.polysemanticity.differences import differences, random_directions, random_signs
from course_utils.polysemanticity.directions import (
    bootstrap,
    bootstrap_cosines,
    bootstrap_interval,
    cosine,
    direction,
    interval,
    reliability,
    shuffled_classes,
    unbiased_cosine,
)
from course_utils.polysemanticity.pair_lab import Lists, PairReport, pair_report
from course_utils.polysemanticity.shared import (
    SharedNeurons,
    bar_for_contrast,
    bar_for_firing,
    contrast,
    neurons_for_both,
    shared_neurons,
    strength,
)
from course_utils.polysemanticity.signs import Sign, SignComparison, compare_signs, sign_of
from course_utils.polysemanticity.verdict import VERDICTS, verdict

__all__ = [
    "VERDICTS",
    "Lists",
    "PairReport",
    "SharedNeurons",
    "Sign",
    "SignComparison",
    "bar_for_contrast",
    "bar_for_firing",
    "bootstrap",
    "bootstrap_cosines",
    "bootstrap_interval",
    "compare_signs",
    "contrast",
    "cosine",
    "differences",
    "direction",
    "interval",
    "neurons_for_both",
    "pair_report",
    "random_directions",
    "random_signs",
    "reliability",
    "shared_neurons",
    "shuffled_classes",
    "sign_of",
    "strength",
    "unbiased_cosine",
    "verdict",
]

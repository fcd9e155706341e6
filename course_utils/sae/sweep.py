"""The expansion sweep that comes with the course: autoencoders of several sizes, measured."""

import json
from pathlib import Path
from typing import Any

SWEEP = Path(__file__).resolve().parent.parent / "weights" / "expansion_sweep.json"
APART = ("settings", "kind_names")  # what the file has besides


def load_sweep() -> dict[str, Any]:
    """What autoencoders with 1 to 16 latents per dimension found of a planted dictionary.

        figures = plots.SweepFigures(**sae.load_sweep())

    `tools/sweep_expansion.py` trained them on `planted()`, 128 features in 32 dimensions with
    p = 0.02: ReLU with three penalties and TopK with k = 3, three seeds each.

    Returns:
        The arguments of `plots.SweepFigures`, as lists: names, expansions, d_in, true_l0, seed,
        threshold, cost_of; recovered, dead, explained, duplicated, l0, cost, each (n_series,
        n_expansions, n_seeds); cosines (n_series, n_expansions, n_features) and kinds, words, of
        the run with that seed. Cost is in milliseconds of one core for a training step, of the
        quickest seed; only its ratios mean something elsewhere.

    Raises:
        ValueError: the file is missing from this copy of the course.
    """
    if not SWEEP.is_file():
        raise ValueError(f"there is no file {SWEEP}; run tools/sweep_expansion.py to make it.")
    found = json.loads(SWEEP.read_text("utf-8"))
    words = found["kind_names"]
    found["kinds"] = [[[words[int(k)] for k in of] for of in row] for row in found["kinds"]]
    return {key: value for key, value in found.items() if key not in APART}

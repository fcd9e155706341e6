"""The expansion sweep without a browser: curves, features, kinds of latents, and words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from course_utils import plots
from course_utils.plots.sweep import (
    CURVES,
    SweepFigures,
    latent_kinds,
    percent,
    sweep_drawing,
    sweep_state,
)
from course_utils.plots.sweep_figures import KINDS
from course_utils.widgets import SweepView, sweep_panel

# Four true features in two dimensions, two series, three expansions, two seeds. What is said of
# the first seed is what its cosines and kinds say.
NAMES = ("ReLU, L1 = 0.1", "TopK, k = 3")
EXPANSIONS = (1, 2, 10)
COSINES = np.array([
    [[0.5, 0.3, 0.2, 0.6], [0.95, 0.4, 0.2, 0.1], [0.2, 0.92, 0.97, 0.99]],
    [[0.5, 0.3, -0.2, 0.6], [0.7, 0.4, 0.2, 0.1], [0.98, 0.92, 0.97, 0.99]],
])  # fmt: skip
LATENTS = [{"other": 2}, {"matched": 1, "duplicate": 1, "other": 1, "dead": 1},
           {"matched": 3, "duplicate": 4, "other": 5, "dead": 8}]  # fmt: skip
LATENTS = [LATENTS, [{"other": 1, "dead": 1}, {"other": 4}, {"matched": 4, "dead": 16}]]
KIND_LISTS = [[[kind for kind, k in of.items() for _ in range(k)] for of in row] for row in LATENTS]
RECOVERED = np.array([[[0, 0], [0.25, 0.5], [0.75, 1]], [[0, 0], [0, 0], [1, 1]]])
DEAD = np.array([[[0, 0], [0.25, 0.25], [0.4, 0.2]], [[0.5, 0.5], [0, 0], [0.8, 0.7]]])
DUPLICATED = np.array([[[0, 0], [0.25, 0], [0.2, 0.1]], [[0, 0], [0, 0], [0, 0.1]]])
EXPLAINED = np.array([[[0.6, 0.7], [0.8, 0.9], [0.99, 0.97]], [[0.5, 0.5], [0.93, 0.95], [1, 1]]])
L0 = np.full((2, 3, 2), 2.68)
COST = np.array([[[1, 3], [3, 5], [18, 18.4]]] * 2)


def make(**changes):
    usual = {
        "names": NAMES, "expansions": EXPANSIONS, "d_in": 2, "recovered": RECOVERED, "dead": DEAD,
        "explained": EXPLAINED, "duplicated": DUPLICATED, "l0": L0, "cost": COST,
        "cosines": COSINES, "kinds": KIND_LISTS, "true_l0": 2.56,
    }  # fmt: skip
    return SweepFigures(**(usual | changes))


def put(array, value, *at):
    """A copy with one value changed."""
    changed = np.array(array, dtype=float)
    changed[at] = value
    return changed


@pytest.mark.parametrize("series", range(2))
@pytest.mark.parametrize("expansion", range(3))
def test_the_curves_are_means_and_ranges_of_the_seeds(series, expansion):
    state = sweep_state(make(), series, expansion)
    runs = {"explained": EXPLAINED, "recovered": RECOVERED, "dead": DEAD}
    assert state["title"] == NAMES[series] and state["at"] == expansion
    for part, curve in zip(CURVES, state["curves"], strict=True):
        of = runs[part][series]
        np.testing.assert_allclose(curve["mean"], of.mean(-1), atol=1e-4)
        np.testing.assert_allclose(curve["low"], of.min(-1), atol=1e-4)
        np.testing.assert_allclose(curve["high"], of.max(-1), atol=1e-4)
        assert curve["text"] == percent(of[expansion].mean())
        assert curve["text"] in curve["legend"] and CURVES[part] in curve["legend"]
        for e, mean in zip(EXPANSIONS, of.mean(-1)):
            assert f"{e}× {percent(mean)}" in state["words"]


@pytest.mark.parametrize("series", range(2))
@pytest.mark.parametrize("expansion", range(3))
def test_features_are_sorted_and_latents_are_counted(series, expansion):
    state = sweep_state(make(), series, expansion)
    meant = np.sort(COSINES[series, expansion])[::-1]
    np.testing.assert_allclose(state["cosines"], meant)
    assert state["found"] == (meant > 0.9).sum()
    assert state["found_text"] == f"{state['found']} of 4 above 0.9"
    assert state["counts"] == [LATENTS[series][expansion].get(kind, 0) for kind in KINDS]
    assert sum(state["counts"]) == 2 * EXPANSIONS[expansion]
    for count, text in zip(state["counts"], state["texts"]):
        assert f": {count} (" in text


def test_one_sentence_says_all_that_a_size_gives_and_costs():
    assert sweep_state(make(), 0, 2)["summary"] == (
        "ReLU, L1 = 0.1, 10×: 20 latents. Mean of 2 seeds: 4 of 4 features recovered, 6 latents "
        "dead, 3 duplicates; L0 2.7 of true 2.6; 98 % of the variance explained. Cost of a step: "
        "9.1 times that at 1×."
    )
    assert (
        "Cost of a step: 1, what the others are compared to."
        in sweep_state(make(), 0, 0)["summary"]
    )
    of_sample = sweep_state(make(cost_of="a sample"), 0, 1)["summary"]
    assert "Cost of a sample: 2.0 times that at 1×." in of_sample


@pytest.mark.parametrize(
    ("series", "expansion", "words"),
    [
        (0, 0, "2 latents cannot stand for 4 features one by one."),
        (1, 1, "The error is low, and yet almost none of the features were found."),
        (1, 2, "More than half of the latents add nothing."),
    ],
)
def test_what_is_to_be_learned_at_a_place_is_said_last(series, expansion, words):
    assert sweep_state(make(), series, expansion)["summary"].endswith(" " + words)


def test_pictures_in_words():
    state = sweep_state(make(), 0, 2)
    assert state["words"] == (
        "ReLU, L1 = 0.1, by expansion, mean of 2 seeds. variance explained: 1× 65 %, 2× 85 %, "
        "10× 98 %. features recovered: 1× 0 %, 2× 38 %, 10× 88 %. latents dead: 1× 0 %, 2× 25 %, "
        "10× 30 %."
    )
    assert state["latent_words"] == (
        "ReLU, L1 = 0.1 at 10×, seed 0. Best cosines of the features: 3 of 4 above 0.9, highest "
        "0.99, median 0.94, lowest 0.20. 20 latents: 3 matched, 4 duplicates, 5 others, 8 dead."
    )


def test_with_one_seed_there_is_no_range_and_no_mean():
    first = {
        part: array[..., :1]
        for part, array in {
            "recovered": RECOVERED, "dead": DEAD, "explained": EXPLAINED,
            "duplicated": DUPLICATED, "l0": L0, "cost": COST,
        }.items()
    }  # fmt: skip
    state = sweep_state(make(**first), 0, 1)
    said = json.dumps(state)
    assert "seed" not in said and "ean of" not in said
    assert state["curves"][1]["legend"] == "features recovered: 25 %"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.85, "85 %"), (0.998, "99.8 %"), (0.004, "0.4 %"),
     (0.99999, "99.9 %"), (0.0001, "0.1 %"), (1 - 1e-9, "100 %"), (0.994, "99.4 %")],
)  # fmt: skip
def test_only_all_is_a_hundred_per_cent(share, text):
    assert percent(share) == text


def test_what_never_changes_is_small_and_named():
    drawing = sweep_drawing(make())
    assert [e["text"] for e in drawing["expansions"]] == ["1×", "2×", "10×"]
    assert (drawing["meant"]["from"], drawing["meant"]["to"]) == (10, 15)
    assert drawing["n_features"] == 4 and drawing["most"] == 20
    assert drawing["cosine"]["from"] == -0.5  # one of them is -0.2
    assert [tick["text"] for tick in drawing["cosine"]["ticks"]] == ["-0.5", "0", "0.5", "1"]
    assert [kind["name"] for kind in drawing["kinds"]] == list(KINDS)
    assert len(json.dumps(drawing)) < 3000


def test_a_threshold_of_ones_own_is_used_everywhere():
    figures = make(threshold=0.96, recovered=put(put(RECOVERED, 0, 0, 1, 0), 0.5, [0, 1], 2, 0)
                   + put(0 * RECOVERED, 0.25, 1, 2, 0))  # fmt: skip
    assert figures.found(0, 2) == 2
    cosine = sweep_drawing(figures)["cosine"]
    assert cosine["threshold"] == {"value": 0.96, "text": "0.96"}
    assert [tick["text"] for tick in cosine["ticks"]] == ["-0.5", "0", "0.5"]
    state = sweep_state(figures, 0, 2)
    assert "2 of 4 above 0.96" in state["latent_words"] and "above 0.96" in state["texts"][0]


def test_another_seed_can_be_shown():
    with pytest.raises(ValueError, match=r"seed 1, is 0\.5, but 1 of 4"):
        make(seed=1)  # the cosines are of the other one
    figures = make(seed=1, **{name: array[..., ::-1] for name, array in (
        ("recovered", RECOVERED), ("dead", DEAD), ("duplicated", DUPLICATED))})  # fmt: skip
    assert "seed 1)" in sweep_state(figures, 0, 1)["cosine_title"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"names": ()}, r"names are \(\); give at least one, each only once"),
        ({"names": ("A", "A")}, "each only once"),
        ({"expansions": (1,)}, r"expansions are \(1,\); give at least two above 0, rising"),
        ({"expansions": (1, 4, 2)}, "give at least two above 0, rising"),
        ({"expansions": (0, 1, 2)}, "give at least two above 0, rising"),
        ({"d_in": 0}, "d_in is 0; use at least 1"),
        ({"true_l0": 0.0}, "true_l0 is 0.0; use a number above 0"),
        ({"threshold": 1.0}, "threshold is 1.0; use a number between 0 and 1"),
        ({"seed": 2}, "seed is 2; use 0 to 1"),
        ({"recovered": 0.5}, r"recovered has shape \(\); use \(2, 3, n_seeds\): series, "),
        ({"recovered": RECOVERED[0]}, r"recovered has shape \(3, 2\); use \(2, 3, n_seeds\)"),
        ({"dead": DEAD[..., :1]}, r"dead has shape \(2, 3, 1\); use \(2, 3, 2\): series, exp"),
        ({"recovered": RECOVERED[..., :0]}, r"recovered has shape \(2, 3, 0\); use \(2, 3, n_s"),
        ({"explained": EXPLAINED + 1}, "explained has a value that is not from 0 to 1"),
        ({"dead": put(DEAD, np.nan, 0, 0, 1)}, "dead has a value that is not from 0 to 1"),
        ({"duplicated": DUPLICATED - 0.1}, "duplicated has a value that is not from 0 to 1"),
        ({"l0": -L0}, "l0 has a value that is not at least 0"),
        ({"l0": put(L0, np.inf, 0, 0, 0)}, "l0 has a value that is not at least 0"),
        ({"cost": 0 * COST}, "cost has a value that is not above 0"),
        ({"cosines": COSINES[0]}, r"cosines have shape \(3, 4\); use \(2, 3, n_features\)"),
        ({"cosines": COSINES[..., :0]}, r"cosines have shape \(2, 3, 0\)"),
        ({"cosines": COSINES * np.nan}, "cosines have a value that is not from -1 to 1"),
        ({"kinds": KIND_LISTS[:1]}, "kinds must have 2 lists, one a series, of 3, one an exp"),
        ({"kinds": [KIND_LISTS[0], KIND_LISTS[1][:2]]}, "kinds must have 2 lists"),
        ({"kinds": [KIND_LISTS[0], [["other"], *KIND_LISTS[1][1:]]]},
         r"kinds of TopK, k = 3 at 1× have shape \(1,\); use \(2,\): 1× d_in = 2"),
        ({"kinds": [[["alive"] * 2, *KIND_LISTS[0][1:]], KIND_LISTS[1]]},
         "kinds of ReLU, L1 = 0.1 at 1× have 'alive'; use matched, duplicate, other, dead"),
        ({"recovered": put(RECOVERED, 1, 0, 2, 0)},
         "recovered of ReLU, L1 = 0.1 at 10×, seed 0, is 1, but 3 of 4 cosines are above 0.9"),
        ({"dead": put(DEAD, 0.5, 0, 2, 0)}, "seed 0, is 0.5, but 8 of 20 kinds are dead"),
        ({"duplicated": put(DUPLICATED, 0, 0, 2, 0)}, "is 0, but 4 of 20 kinds are duplicate"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**changes)


# Kinds


def test_each_latent_has_one_kind():
    # Columns are latents. The first two features have two latents each, the third has none.
    cosine = [[0.95, 0.99, 0.1, 0.2, 0.3, 0.97], [0.0, 0.1, 0.91, 0.93, 0.2, 0.1],
              [0.5, 0.1, 0.2, 0.3, 0.9, 0.4]]  # fmt: skip
    fires = [True, True, True, True, True, False]
    kinds = ["duplicate", "matched", "duplicate", "matched", "other", "dead"]
    assert latent_kinds(cosine, fires).tolist() == kinds
    assert latent_kinds(cosine, fires, 0.85).tolist() == [*kinds[:4], "matched", "dead"]


def test_a_dead_latent_is_no_match_however_close_it_is():
    assert latent_kinds([[0.99, 0.91]], [False, True]).tolist() == ["dead", "matched"]
    assert latent_kinds([[0.99, 0.5]], [False, True]).tolist() == ["dead", "other"]


def test_shapes_that_do_not_fit_are_a_sentence():
    with pytest.raises(ValueError, match=r"cosine has shape \(1, 2\) and fires \(3,\); use"):
        plots.latent_kinds([[0.5, 0.5]], [True] * 3)


# The panel


@pytest.fixture
def panel():
    return sweep_panel(make())


def test_the_sliders_choose_series_and_expansion(panel):
    assert panel.series.name == "Autoencoder" and panel.series.labels == list(NAMES)
    assert panel.expansion.name == "Expansion"
    assert panel.expansion.labels == ["1×: 2 latents", "2×: 4 latents", "10×: 20 latents"]
    panel.expansion.index = 2
    panel.series.index = 1
    assert panel.view.state == sweep_state(panel.figures, 1, 2)
    assert panel.view.words == panel.view.state["summary"]


def test_with_one_series_there_is_nothing_to_choose():
    parts = ("recovered", "dead", "explained", "duplicated", "l0", "cost", "cosines", "kinds")
    usual = make()
    alone = make(names=NAMES[1:], **{part: getattr(usual, part)[1:] for part in parts})
    panel = sweep_panel(alone)
    assert list(panel.children) == [panel.expansion, panel.view]
    panel.expansion.index = 1
    assert panel.view.state == sweep_state(alone, 0, 1)


def test_every_move_says_something_else(panel):
    said = [sweep_state(panel.figures, i, k)["summary"] for i in range(2) for k in range(3)]
    assert len(set(said)) == 6


def test_a_move_is_one_small_message(panel):
    sent = []
    panel.view.comm = None
    panel.view.observe(lambda change: sent.append(change.name), ["state", "words"])
    panel.expansion.index = 1
    assert sorted(sent) == ["state", "words"]
    # The cosines are all that grows with the size: a true dictionary has 128.
    assert len(json.dumps(panel.view.state)) < 3000


def test_one_view_and_no_numbers_kept_in_it(panel):
    views = [child for child in panel.children if isinstance(child, SweepView)]
    assert len(views) == 1 and len(panel.children) == 3

"""The universality panel without a browser: a matrix, a pair beside its null, and words."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from course_utils.plots.universality import (
    VERDICTS,
    NetworkSimilarities,
    universality_drawing,
    universality_state,
)
from course_utils.widgets.universality import UniversalityView, universality_panel

NAMES = ("A", "B", "C", "U", "D")
LAYERS = ("conv1", "conv2")
N = len(NAMES)
PARTS = ("value", "low", "high", "null_low", "null_high")
OFF = ~np.eye(N, dtype=bool)


def values(seed, *, symmetric=True):
    """(2, 5, 5) from 0.1 to 0.9, and 1 on the diagonal."""
    made = np.random.default_rng(seed).uniform(0.1, 0.9, (2, N, N))
    if symmetric:
        made = np.triu(made, 1) + np.triu(made, 1).swapaxes(1, 2)
    made[:, ~OFF] = 1
    return made


def parts(value):
    """With an interval of ± 0.05 and a null from -0.02 to 0.3."""
    below, above = value - 0.05, np.minimum(value + 0.05, 1)
    return dict(zip(PARTS, (value, below, above, value * 0 - 0.02, value * 0 + 0.3)))


VALUES = {"linear CKA": parts(values(0)), "matched correlation": parts(values(1))}


def make(measures=VALUES, **changes):
    usual = {part: {m: of[part] for m, of in measures.items()} for part in PARTS}
    return NetworkSimilarities(**({"names": NAMES, "layers": LAYERS} | usual | changes))


def one(value, low, high, null=(0.0, 0.3)):
    """A table in which every pair has these values."""
    full = np.ones((2, N, N))
    given = dict(zip(PARTS, (value, low, high, *null)))
    return make({"CKA": {part: full * number for part, number in given.items()}})


def changed(part, at, number):
    """The values of one measure, with one number replaced in one array."""
    arrays = parts(values(0))
    arrays[part] = arrays[part].copy()
    arrays[part][at] = number
    return {"CKA": arrays}


@pytest.fixture
def table():
    return make(controls=("U", "D"))


@pytest.fixture
def panel(table):
    return universality_panel(table)


# Pairs


def test_pairs_are_all_of_two_networks_each_once(table):
    assert table.symmetric
    assert table.pairs == [(i, j) for i in range(N) for j in range(i + 1, N)]
    assert table.pair_name((0, 3)) == "A and U"


@pytest.mark.parametrize("part", PARTS)
def test_where_the_order_matters_both_are_pairs(part):
    other = make(changed(part, (1, 2, 0), {"null_low": -0.05, "low": 0.01}.get(part, 0.95)))
    assert not other.symmetric
    assert sorted(other.pairs) == [(i, j) for i in range(N) for j in range(N) if i != j]
    assert other.pair_name((2, 0)) == "C found in A"
    assert other.pair_name((0, 2)) == "A found in C"


# What is drawn


@pytest.mark.parametrize("measure", VALUES)
@pytest.mark.parametrize("layer", range(2))
def test_every_cell_has_the_number_of_the_array(table, measure, layer):
    cells = universality_state(table, measure, layer, (0, 1))["cells"]
    expected = VALUES[measure]["value"][layer]
    assert [[cell["text"] for cell in row] for row in cells] == [
        [f"{value:.2f}" for value in row] for row in expected
    ]


def test_a_larger_value_has_more_colour_and_a_negative_one_another():
    state = universality_state(make(changed("value", (0, 0, 1), -0.5)), "CKA", 0, (0, 1))

    def fill(i, j):
        *rgb, share = re.findall(r"[\d.]+", state["cells"][i][j]["fill"])
        return tuple(rgb), float(share)

    cells = sorted((values(0)[0, i, j], fill(i, j)[1]) for i, j in np.argwhere(OFF)[1:])
    shares = [share for _, share in cells]
    assert shares == sorted(shares) and shares[0] < shares[-1] < 0.7
    assert fill(0, 1)[0] != fill(0, 2)[0] == fill(3, 4)[0]
    assert fill(0, 1)[1] == pytest.approx(0.325)


def test_what_is_not_known_on_the_diagonal_is_blank():
    state = universality_state(make(changed("value", (0, 2, 2), np.nan)), "CKA", 0, (0, 1))
    assert state["cells"][2][2] == {"text": "", "fill": "none"}
    assert state["cells"][1][1]["text"] == "1.00"


@pytest.mark.parametrize("measure", VALUES)
@pytest.mark.parametrize("pair", [(0, 1), (1, 4), (3, 4)])
def test_the_pair_has_value_interval_and_null_of_every_layer(table, measure, pair):
    state = universality_state(table, measure, 1, pair)
    assert (state["pair"], state["layer"]) == (list(pair), 1)
    for layer, row in enumerate(state["rows"]):
        expected = [VALUES[measure][part][layer][pair] for part in PARTS]
        assert [row["value"], row["low"], row["high"], *row["null"]] == expected
        assert row["text"] == "{:.2f} ({:.2f} to {:.2f})".format(*expected)
        assert row["null_text"] == "-0.02 to 0.30"


@pytest.mark.parametrize(("lowest", "start"), [(0.0, 0), (-0.02, -0.1), (-0.3, -0.3), (-1, -1)])
def test_the_axis_has_room_for_all_pairs_of_all_layers_and_measures(lowest, start):
    measures = {"CKA": parts(values(1)), **changed("null_low", (1, 0, 3), lowest)}
    measures["CKA"]["null_low"] = np.maximum(measures["CKA"]["null_low"], lowest)
    axis = universality_drawing(make(measures))["axis"]
    assert (axis["from"], axis["to"]) == (pytest.approx(start), 1)
    ticks = [tick["value"] for tick in axis["ticks"]]
    assert 0 in ticks and 1 in ticks and min(ticks) >= start - 1e-9
    assert [float(tick["text"]) for tick in axis["ticks"]] == ticks


def test_what_never_changes_is_named(table):
    drawing = universality_drawing(table)
    assert drawing["names"] == list(NAMES) and drawing["layers"] == list(LAYERS)
    assert drawing["null_name"] == "null: images shuffled"
    assert "with a control" in drawing["control_name"]
    assert universality_drawing(make())["control_name"] == ""
    shown = {
        universality_state(table, m, k, (0, 1))["title"] for m in table.measures for k in (0, 1)
    }
    assert set(drawing["titles"]) == shown  # so there is room for each of them


# Against the null


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (0.6, 0.5, 0.7, "above"),
        (0.6, 0.31, 0.7, "above"),
        (0.6, 0.3, 0.7, "unclear"),
        (0.35, 0.2, 0.5, "unclear"),
        (0.3, 0.2, 0.5, "within"),
        (0.1, -0.2, 0.2, "within"),
        (0.0, 0.0, 0.0, "within"),
        (-0.1, -0.2, 0.2, "below"),
        (0.29, 0.31, 0.5, "within"),  # an interval need not contain the value
    ],
)
def test_the_verdict_is_about_the_interval_not_the_value_alone(value, low, high, verdict):
    table = one(value, low, high)
    assert table.verdict("CKA", 1, (0, 1)) == verdict
    state = universality_state(table, "CKA", 1, (0, 1))
    assert f", {VERDICTS[verdict]} (images shuffled: 0.00 to 0.30)." in state["summary"]
    assert state["rows"][1]["verdict"] == VERDICTS[verdict]


def test_the_four_verdicts_have_words_of_their_own():
    assert set(VERDICTS) == {"above", "unclear", "within", "below"}
    assert len(set(VERDICTS.values())) == 4


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_beside_a_pair_stands_the_best_that_a_control_reaches_with_one_of_them(table, pair):
    matrix = VALUES["linear CKA"]["value"][1]
    best = max(matrix[i, k] for i in pair for k in (3, 4))
    state = universality_state(table, "linear CKA", 1, pair)
    assert state["rows"][1]["control"] == best
    assert state["summary"].endswith(f" {best:.2f}.")
    a, b = re.search(r"with a control: (\w) and (\w)", state["summary"]).groups()
    assert matrix[NAMES.index(a), NAMES.index(b)] == best


def test_a_control_is_not_compared_with_controls(table):
    for pair in [(0, 3), (2, 4), (3, 4)]:
        state = universality_state(table, "linear CKA", 0, pair)
        assert [row["control"] for row in state["rows"]] == [None, None]
        assert "with a control" not in state["summary"]
    assert universality_state(make(), "linear CKA", 0, (0, 1))["rows"][0]["control"] is None


def test_where_the_order_matters_a_control_counts_both_ways():
    arrays = parts(values(2, symmetric=False))
    arrays["value"][0, 3, 1] = 0.99
    table = make({"CKA": arrays}, controls=["U"])
    assert table.best_control("CKA", 0, (0, 1)) == (0.99, (3, 1))


# Words


def test_words_say_the_pair_its_interval_and_its_null():
    table = make(
        {"linear CKA": {part: np.ones((2, N, N)) * x for part, x in
                        zip(PARTS, (0.87, 0.83, 0.9, -0.01, 0.05))}},
        controls=["U"], null_name="rows permuted",
    )  # fmt: skip
    state = universality_state(table, "linear CKA", 1, (0, 1))
    assert state["summary"].startswith(
        "linear CKA in conv2: A and B 0.87 (0.83 to 0.90), above the null (rows permuted: -0.01 "
        "to 0.05). The highest of their pairs with a control: "
    )
    assert state["words"] == (
        "A and B, linear CKA. conv1: 0.87 (0.83 to 0.90), null -0.01 to 0.05, above the null. "
        "conv2: 0.87 (0.83 to 0.90), null -0.01 to 0.05, above the null."
    )


def test_a_screen_reader_hears_every_pair_of_the_matrix(table):
    words = universality_state(table, "linear CKA", 0, (0, 1))["matrix_words"]
    assert words.startswith("linear CKA in conv1, of each pair: A and B ")
    for i, j in table.pairs:
        value = VALUES["linear CKA"]["value"][0, i, j]
        assert f"{NAMES[i]} and {NAMES[j]} {value:.2f}" in words


# What does not belong together

SMALL = np.full((2, 3, 3), 0.5)
MISSING = {"value": {"CKA": SMALL, "RSA": SMALL}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"names": "ABCUD"}, "names are 'ABCUD'; use a list"),
        ({"names": ("A", "B", "C", "U", "A")}, "use a list, with each only once"),
        ({"names": ("A",)}, "give at least two networks"),
        ({"layers": ()}, "one layer and one measure"),
        ({"layers": ("conv1", "conv1")}, "layers are ('conv1', 'conv1')"),
        ({"names": NAMES[:4]}, "has shape (2, 5, 5); use (2, 4, 4): layers, networks, networks"),
        ({"layers": LAYERS[:1]}, "value of linear CKA has shape (2, 5, 5); use (1, 5, 5)"),
        ({"controls": ("untrained",)}, "the controls ['untrained'] are not among the networks"),
        ({"controls": ("U", "U")}, "controls are ('U', 'U')"),
        ({part: {} for part in PARTS}, "one measure"),
        ({"low": {"linear CKA": VALUES["linear CKA"]["low"]}}, "low has the measures"),
        ({"measures": changed("value", (1, 0, 2), np.nan)},
         "value of CKA is nan in conv2 for A and C"),
        ({"measures": changed("value", (0, 4, 1), 1.2)}, "is 1.2 in conv1 for D and B"),
        ({"measures": changed("null_high", (0, 4, 1), -7)}, "null_high of CKA is -7 in conv1"),
        ({"measures": changed("low", (0, 4, 1), 1)}, "of CKA, some high is below low"),
        ({"measures": changed("null_low", (0, 4, 1), 0.9)}, "some null_high is below null_low"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make(**changes)


@pytest.mark.parametrize("part", ["low", "high", "null_low", "null_high"])
def test_intervals_and_nulls_of_a_network_with_itself_do_not_matter(part):
    table = make(changed(part, (0, 1, 1), np.nan))
    assert table.symmetric and universality_state(table, "CKA", 0, (0, 1))["cells"]


def test_tensors_and_nested_lists_do_as_well_as_arrays():
    state = universality_state(make(), "linear CKA", 0, (0, 1))
    for form in (torch.tensor, np.ndarray.tolist):
        given = {m: {part: form(array) for part, array in of.items()} for m, of in VALUES.items()}
        assert universality_state(make(given), "linear CKA", 0, (0, 1)) == state


# The panel


def test_every_position_of_the_sliders_shows_what_the_arrays_say(panel, table):
    for m, measure in enumerate(panel.measure.labels):
        panel.measure.index = m
        for k, layer in enumerate(panel.layer.labels):
            panel.layer.index = k
            for p, label in enumerate(panel.pair.labels):
                panel.pair.index = p
                state = universality_state(table, measure, k, table.pairs[p])
                assert panel.view.state == state
                assert panel.view.words == state["summary"]
                assert state["title"] == f"{measure} in {layer}"
                assert state["pair_title"] == label


def test_the_panel_opens_with_the_first_of_everything(panel, table):
    assert panel.view.state == universality_state(table, "linear CKA", 0, (0, 1))
    assert panel.view.drawing == universality_drawing(table)


def test_sliders_stay_within_their_bounds(panel):
    for slider, last in ((panel.pair, 9), (panel.layer, 1), (panel.measure, 1)):
        slider.index = 99
        assert slider.index == last
        slider.index = -1
        assert slider.index == 0


def test_every_slider_has_a_name_and_one_that_cannot_move_is_left_out(panel):
    assert [slider.name for slider in panel.children[:-1]] == ["Pair", "Layer", "Measure"]
    less = universality_panel(make({"CKA": parts(values(0))}))
    assert [slider.name for slider in less.children[:-1]] == ["Pair", "Layer"]


def click(panel, *cell):
    """As the browser does."""
    panel.view._handle_custom_msg({"pair": list(cell)}, [])


def test_a_click_on_a_cell_moves_the_slider_to_its_pair(panel, table):
    click(panel, 1, 4)
    assert table.pairs[panel.pair.index] == (1, 4) and panel.view.state["pair"] == [1, 4]
    click(panel, 3, 2)  # the same pair as (2, 3)
    assert table.pairs[panel.pair.index] == (2, 3)
    click(panel, 2, 2)
    assert panel.view.state["pair"] == [2, 3]


def test_where_the_order_matters_a_click_keeps_it():
    panel = universality_panel(make({"CKA": parts(values(3, symmetric=False))}))
    for cell in [(3, 2), (2, 3)]:
        click(panel, *cell)
        assert panel.view.state["pair"] == list(cell)
        expected = values(3, symmetric=False)[0][cell]
        assert panel.view.state["rows"][0]["value"] == expected


def test_what_is_sent_is_small(panel):
    assert len(json.dumps(panel.view.state)) < 5_000
    assert len(str(UniversalityView._esm)) + len(str(UniversalityView._css)) < 16_000

"""The semicolon panel without a browser: cosines by layer, two nulls, neurons, and words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from course_utils.plots.semicolons import (
    PARTS,
    VERDICTS,
    Bar,
    LayerNeurons,
    SignFigures,
    sign_drawing,
    sign_state,
)
from course_utils.widgets.semicolons import SignView, semicolon_panel

PAIRS = (("JavaScript", "English"), ("English", "French"))
LAYERS = (0, 1, 5)
VALUE = np.array([[0.7, 0.2, -0.4], [0.9, 0.05, 0.6]])
NEURONS = LayerNeurons(
    both=[Bar(431, 2.0, 1.0), Bar(7, 0.5, 0.25)],
    apart=[Bar(90, -3.0, 1.5)],
    n_both=12,
    expected=3.4,
    n_apart=85,
)


def make(**changes):
    usual = {
        "value": VALUE, "low": VALUE - 0.05, "high": VALUE + 0.05,
        "null_low": VALUE * 0 - 0.1, "null_high": VALUE * 0 + 0.1, "one_low": VALUE * 0 + 0.93,
        "neurons": {(0, 1): NEURONS},
    }  # fmt: skip
    return SignFigures(**({"pairs": PAIRS, "layers": LAYERS} | usual | changes))


@pytest.mark.parametrize("pair", range(2))
@pytest.mark.parametrize("layer", range(3))
def test_the_curve_is_that_of_the_pair(pair, layer):
    figures = make()
    state = sign_state(figures, pair, layer)
    for part in PARTS:
        np.testing.assert_allclose(state[part], getattr(figures, part)[pair], atol=1e-4)
    assert state["layer"] == layer and state["names"] == list(PAIRS[pair])
    assert state["where"] == f"Layer {LAYERS[layer]}"
    for k, value in zip(LAYERS, VALUE[pair]):
        assert f"{k} {value:.2f}" in state["words"]


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "one"), (0.5, "some"), (0.12, "none"), (0.0, "none"),
                           (-0.3, "opposite"), (-0.12, "none")],
)  # fmt: skip
def test_the_verdict_is_about_the_interval(value, verdict):
    value = np.full((2, 3), value)
    figures = make(value=value, low=value - 0.05, high=value + 0.05)
    assert figures.verdict(1, 2) == verdict
    words = VERDICTS[verdict]
    assert words[0].upper() + words[1:] in sign_state(figures, 1, 2)["summary"]


def test_the_four_verdicts_have_words_of_their_own():
    assert len(set(VERDICTS.values())) == len(VERDICTS) == 4


def test_neurons_are_bars_as_long_as_their_numbers():
    both, apart = sign_state(make(), 0, 1)["groups"]
    assert [bar["name"] for bar in both["bars"]] == ["neuron 431", "neuron 7"]
    assert [bar["shares"] for bar in both["bars"]] == [[1.0, 0.5], [0.25, 0.125]]
    assert [bar["texts"] for bar in both["bars"]] == [["2.00", "1.00"], ["0.50", "0.25"]]
    assert apart["bars"][0]["shares"] == [-1.0, 0.5]
    assert "12 neurons; by chance 3" in both["count"] and "85 neurons" in apart["count"]


def test_a_layer_without_neurons_has_no_bars():
    both, apart = sign_state(make(), 0, 0)["groups"]
    assert both["bars"] == apart["bars"] == [] and "0 neurons" in both["count"]


def test_words_say_the_layer_the_pair_the_interval_and_both_nulls():
    summary = sign_state(make(), 0, 1)["summary"]
    assert summary == (
        "Layer 1, semicolon in JavaScript and English: cosine 0.20 (0.15 to 0.25). Something in "
        "common, but not one sign (random tokens: -0.10 to 0.10; one sign: 0.93 or more)."
    )
    assert "neuron 431 2.00 and 1.00" in sign_state(make(), 0, 1)["neuron_words"]


def test_what_never_changes_is_small_and_named():
    drawing = sign_drawing(make())
    assert drawing["layers"] == list(LAYERS)
    assert all("null" in drawing["legend"][part] for part in ("null", "one"))
    assert len(json.dumps(drawing)) < 2000


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pairs": ()}, "at least one pair of two names, and one layer"),
        ({"pairs": (("A",), ("B", "C"))}, "at least one pair of two names"),
        ({"layers": ()}, "and one layer"),
        ({"layers": (0, 1)}, r"value has shape \(2, 3\); use \(2, 2\): pairs, layers"),
        ({"high": VALUE[:1]}, r"high has shape \(1, 3\)"),
        ({"value": VALUE * np.nan}, "value has a value that is not from -1 to 1"),
        ({"one_low": VALUE + 1}, "one_low has a value that is not from -1 to 1"),
        ({"low": VALUE + 0.06}, "some low is above high"),
        ({"null_low": VALUE * 0 + 0.2}, "some null_low is above null_high"),
    ],
)
def test_what_does_not_belong_together_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**changes)


# The panel


@pytest.fixture
def panel():
    return semicolon_panel(make())


def test_the_sliders_choose_pair_and_layer(panel):
    assert panel.pair.labels == ["JavaScript and English", "English and French"]
    assert panel.layer.labels == ["layer 0", "layer 1", "layer 5"]
    assert panel.pair.name == "Pair" and panel.layer.name == "Layer"
    panel.layer.index = 2
    panel.pair.index = 1
    assert panel.view.state == sign_state(panel.figures, 1, 2)
    assert panel.view.words == panel.view.state["summary"]


def test_a_move_is_one_small_message(panel):
    sent = []
    panel.view.comm = None
    panel.view.observe(lambda change: sent.append(change.name), ["state", "words"])
    panel.layer.index = 1
    assert sorted(sent) == ["state", "words"]
    assert len(json.dumps(panel.view.state)) < 5000


def test_one_view_and_no_numbers_kept_in_it(panel):
    views = [child for child in panel.children if isinstance(child, SignView)]
    assert len(views) == 1 and len(panel.children) == 3

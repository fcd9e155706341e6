"""The steering panel without a browser: the next token, how much changes, and words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from course_utils.plots.steering import SteeringFigures, steering_drawing, steering_state
from course_utils.widgets import SteeringView, steering_panel

PROMPTS = ("It rained;", "x = 1;")
SERIES = ("latent 12", "random latent 7 (control)")
VALUES = (0, 30, 120)
TOKENS = ((" the", "\n", " and"), ("\n", " //", "    "))
BASELINE = np.array([[0.3, 0.05, 0.2], [0.5, 0.1, 0.0002]])
PROBABILITIES = np.array([
    [[[0.3, 0.05, 0.2], [0.28, 0.1, 0.2], [0.1, 0.6, 0.04]],
     [[0.3, 0.05, 0.2], [0.31, 0.05, 0.2], [0.25, 0.03, 0.1]]],
    [[[0.5, 0.1, 0.0], [0.5, 0.1, 0.0], [0.7, 0.1, 0.0]],
     [[0.5, 0.1, 0.0], [0.5, 0.1, 0.0], [0.2, 0.3, 0.0]]],
])  # fmt: skip
KL = np.array([[[0.0, 0.04, 1.42], [0.001, 0.01, 0.35]], [[0.0, 0.0, 0.1], [0.0, 0.0, 0.4]]])
ACTUAL = np.array([[0.0, 2.25], [8.6, 0.0]])


def make(**changes):
    usual = {
        "prompts": PROMPTS, "series": SERIES, "values": VALUES, "tokens": TOKENS,
        "baseline": BASELINE, "probabilities": PROBABILITIES, "kl": KL, "actual": ACTUAL,
    }  # fmt: skip
    return SteeringFigures(**(usual | changes))


def put(array, value, *at):
    """A copy with one value changed."""
    changed = np.array(array, dtype=float)
    changed[at] = value
    return changed


def test_bars_are_shares_of_the_longest_before_or_after():
    bars = steering_state(make(), 0, 0, 2)["bars"]
    assert [bar["token"] for bar in bars] == ["“ the”", "“⏎”", "“ and”"]
    np.testing.assert_allclose([bar["now"] for bar in bars], np.array([0.1, 0.6, 0.04]) / 0.6)
    np.testing.assert_allclose([bar["before"] for bar in bars], BASELINE[0] / 0.6)
    assert [bar["text"] for bar in bars] == ["10 %", "60 %", "4.0 %"]
    assert steering_state(make(), 1, 0, 0)["bars"][2]["token"] == "“␣␣␣␣”"


def test_one_sentence_says_what_was_done_and_what_changes_most():
    assert steering_state(make(), 0, 0, 2)["summary"] == (
        "Latent 12, clamped to 120; by itself it is 0.0 there. Most changes “⏎”: from 5.0 % to "
        "60 %. KL 1.42 nats; at the same value: random latent 7 (control) 0.35."
    )
    ablated = steering_state(make(), 1, 0, 0)["summary"]
    assert "clamped to 0 (ablated); by itself it is 8.6 there" in ablated
    assert "KL under 0.01 nats" in ablated


def test_alone_there_is_nothing_to_compare_with():
    alone = make(series=SERIES[:1], probabilities=PROBABILITIES[:, :1], kl=KL[:, :1],
                 actual=ACTUAL[:, :1])  # fmt: skip
    assert steering_state(alone, 0, 0, 2)["summary"].endswith("KL 1.42 nats.")


def test_curves_rise_with_the_logarithm_of_kl():
    drawing, state = steering_drawing(make()), steering_state(make(), 0, 1, 1)
    # From 0.001 to 10, four powers of ten.
    assert [tick["text"] for tick in drawing["kl_ticks"]] == ["0.001", "0.01", "0.1", "1", "10"]
    np.testing.assert_allclose(
        [tick["at"] for tick in drawing["kl_ticks"]], [0, 0.25, 0.5, 0.75, 1]
    )
    want = (np.log10(np.maximum(KL[0], 1e-3)) + 3) / 4
    np.testing.assert_allclose(state["curves"], want, atol=1e-9)
    assert state["at"] == 1 and state["series"] == 1
    assert state["numbers"] == ["0.04", "0.01"]


def test_pictures_in_words():
    state = steering_state(make(), 0, 0, 2)
    assert state["words"] == (
        "Next token after 'It rained;', latent 12 clamped to 120: “ the” 10 % (as it is 30 %), "
        "“⏎” 60 % (as it is 5.0 %), “ and” 4.0 % (as it is 20 %)."
    )
    assert state["kl_words"] == (
        "KL in nats by value. latent 12: 0 under 0.01, 30 0.04, 120 1.42. random latent 7 "
        "(control): 0 under 0.01, 30 0.01, 120 0.35."
    )


def test_a_long_token_is_cut():
    state = steering_state(make(tokens=(("x" * 60, "a", "b"), TOKENS[1])), 0, 0, 0)
    assert len(state["bars"][0]["token"]) == 26 and state["bars"][0]["token"].endswith("…”")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompts": ()}, "prompts is empty; give at least one"),
        ({"series": ()}, "series is empty; give at least one"),
        ({"values": (0,)}, r"values are \(0,\); give at least two, rising, 0 or more"),
        ({"values": (0, 30, 20)}, "give at least two, rising"),
        ({"values": (-1, 0, 20)}, "0 or more"),
        ({"tokens": TOKENS[:1]}, "tokens must have one list a prompt, all equally long"),
        ({"tokens": ((), ())}, "tokens must have one list a prompt, all equally long"),
        ({"tokens": (("a", "b"), TOKENS[1])}, "tokens must have one list a prompt"),
        ({"baseline": BASELINE[0]}, r"baseline has shape \(3,\); use \(2, 3\)"),
        ({"probabilities": PROBABILITIES[:, :1]}, r"probabilities has shape \(2, 1, 3, 3\); use"),
        ({"kl": KL[..., :2]}, r"kl has shape \(2, 2, 2\); use \(2, 2, 3\)"),
        ({"actual": ACTUAL[:, :1]}, r"actual has shape \(2, 1\); use \(2, 2\)"),
        ({"baseline": put(BASELINE, 1.5, 0, 0)}, "baseline has a value that is not from 0 to 1"),
        ({"probabilities": put(PROBABILITIES, np.nan, 0, 0, 0, 0)}, "not from 0 to 1"),
        ({"kl": put(KL, -0.1, 0, 0, 0)}, "kl has a value that is not 0 or more"),
        ({"actual": put(ACTUAL, np.inf, 0, 0)}, "actual has a value that is not 0 or more"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**changes)


# The panel


@pytest.fixture
def panel():
    return steering_panel(make())


def test_it_begins_with_the_strongest_push(panel):
    assert (panel.prompt.index, panel.change.index, panel.value.index) == (0, 0, 2)
    assert panel.view.state == steering_state(panel.figures, 0, 0, 2)
    assert panel.view.words == panel.view.state["summary"]


def test_the_sliders_choose_prompt_change_and_value(panel):
    assert panel.value.labels == ["0 (ablated)", "30", "120"]
    assert panel.prompt.labels == list(PROMPTS) and panel.change.labels == list(SERIES)
    panel.prompt.index, panel.change.index, panel.value.index = 1, 1, 1
    assert panel.view.state == steering_state(panel.figures, 1, 1, 1)


def test_a_move_is_one_small_message(panel):
    sent = []
    panel.view.comm = None
    panel.view.observe(lambda change: sent.append(change.name), ["state", "words"])
    panel.value.index = 1
    assert sorted(sent) == ["state", "words"]
    assert len(json.dumps(panel.view.state)) < 3000


def test_there_is_one_view(panel):
    assert sum(isinstance(child, SteeringView) for child in panel.children) == 1

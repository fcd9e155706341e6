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
    chosen, control = steering_state(make(), 0, 0, 2)["pictures"]
    bars = chosen["bars"]
    assert [bar["token"] for bar in bars] == ["“ the”", "“⏎”", "“ and”"]
    np.testing.assert_allclose([bar["now"] for bar in bars], np.array([0.1, 0.6, 0.04]) / 0.6)
    np.testing.assert_allclose([bar["before"] for bar in bars], BASELINE[0] / 0.6)
    assert [bar["text"] for bar in bars] == ["10 %", "60 %", "4.0 %"]
    assert [bar["was"] for bar in bars] == ["30 %", "5.0 %", "20 %"]
    assert chosen["title"] == "latent 12, clamped to 120" and chosen["series"] == 0
    # On the same scale, so that one look compares them.
    np.testing.assert_allclose(
        [bar["now"] for bar in control["bars"]], np.array([0.25, 0.03, 0.1]) / 0.6
    )
    assert control["title"] == "random latent 7 (control), clamped to 120"
    assert control["series"] == 1


def test_the_control_is_beside_every_other_change_and_not_beside_itself():
    assert [one["series"] for one in steering_state(make(), 0, 1, 2)["pictures"]] == [1]
    first = make(control=SERIES[0])
    assert [one["series"] for one in steering_state(first, 0, 1, 2)["pictures"]] == [1, 0]
    with pytest.raises(ValueError, match='control is "latent 99"; use one of '):
        make(control="latent 99")


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        ("    ", "“␣␣␣␣”"),
        ("\n" + 7 * " ", "“⏎␣×7”"),
        ("\n" + 11 * " ", "“⏎␣×11”"),
        (" the", "“ the”"),
        ("\t", "“⇥”"),
        ("x" * 60, "“" + "x" * 21 + "…”"),
    ],
)
def test_white_space_of_a_token_can_be_seen_and_counted(token, seen):
    figures = make(tokens=((token, "a", "b"), TOKENS[1]))
    assert steering_state(figures, 0, 0, 0)["pictures"][0]["bars"][0]["token"] == seen


def test_a_probability_that_is_tiny_is_not_said_to_be_none():
    figures = make(probabilities=put(PROBABILITIES, 4e-4, 0, 0, 2, 0))
    state = steering_state(figures, 0, 0, 2)
    assert state["pictures"][0]["bars"][0]["text"] == "under 0.1 %"


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
    assert [tick["text"] for tick in drawing["kl_ticks"]] == ["≤ 0.001", "0.01", "0.1", "1", "10"]
    np.testing.assert_allclose(
        [tick["at"] for tick in drawing["kl_ticks"]], [0, 0.25, 0.5, 0.75, 1]
    )
    want = (np.log10(np.maximum(KL[0], 1e-3)) + 3) / 4
    np.testing.assert_allclose(state["curves"], want, atol=1e-9)
    assert state["at"] == 1 and state["series"] == 1
    assert drawing["axis"] == "clamped to (not to scale)"
    assert steering_drawing(make(values=(0, 15, 30)))["axis"] == "clamped to"
    assert state["numbers"] == ["0.04", "0.01"]


def test_pictures_in_words():
    state = steering_state(make(), 0, 0, 2)
    assert state["title"] == "Next token after “It rained;”"
    assert [picture["words"] for picture in state["pictures"]] == [
        "Next token after “It rained;”, latent 12, clamped to 120: “ the” 10 % (as it is 30 %), "
        "“⏎” 60 % (as it is 5.0 %), “ and” 4.0 % (as it is 20 %).",
        "Next token after “It rained;”, random latent 7 (control), clamped to 120: “ the” 25 % "
        "(as it is 30 %), “⏎” 3.0 % (as it is 5.0 %), “ and” 10 % (as it is 20 %).",
    ]
    assert state["kl_words"] == (
        "KL in nats by value. latent 12: 0 under 0.01, 30 0.04, 120 1.42. random latent 7 "
        "(control): 0 under 0.01, 30 0.01, 120 0.35."
    )


def test_of_a_long_prompt_the_end_is_shown():
    long = "a" * 9_000 + " and then it rained;"
    state = steering_state(make(prompts=(long, PROMPTS[1])), 0, 0, 0)
    assert state["title"].endswith("a and then it rained;”") and len(state["title"]) < 200
    assert len(json.dumps(state)) < 4000


def test_where_nothing_changes_nothing_is_said_to():
    state = steering_state(make(), 0, 0, 0)
    assert "None of the tokens shown changes visibly. KL under 0.01 nats" in state["summary"]


@pytest.mark.parametrize(
    ("actual", "labels"),
    [
        (0.0, ["0 (as it is)", "30", "120"]),
        (0.01, ["0 (ablated; as it is: under 0.1)", "30", "120"]),
        (8.6, ["0 (ablated; as it is: 8.6)", "30", "120"]),
        (28.95, ["0 (ablated)", "30 (as it is: 28.9)", "120"]),
        (30, ["0 (ablated)", "30 (as it is)", "120"]),
        (400, ["0 (ablated)", "30", "120 (as it is: 400.0)"]),
    ],
)
def test_the_value_nearest_to_what_it_is_says_so(actual, labels):
    assert make(actual=put(ACTUAL, actual, 1, 0)).value_labels(1, 0) == labels


def test_to_take_nothing_away_is_no_ablation():
    assert make().value_label(0, 0, 0) == "0"
    assert make().value_label(1, 0, 0) == "0 (ablated)"


def one(**changes):
    """Another prompt, for the same series and values."""
    usual = {
        "prompts": ("A new one;",), "tokens": (("a", "b", "c"),), "baseline": BASELINE[1:],
        "probabilities": PROBABILITIES[1:], "kl": 20 * KL[1:], "actual": ACTUAL[1:],
    }  # fmt: skip
    return make(**(usual | changes))


def test_another_prompt_comes_after_the_others():
    figures = make().with_prompt(one())
    assert figures.prompts == (*PROMPTS, "A new one;")
    assert steering_state(figures, 1, 0, 2)["summary"] == steering_state(make(), 1, 0, 2)["summary"]
    np.testing.assert_allclose(figures.kl[2], 20 * KL[1])
    assert figures.tokens[2] == ("a", "b", "c")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"series": ("latent 12", "latent 13")}, "with the same series and values as the others"),
        ({"values": (0, 30, 60)}, "with the same series and values as the others"),
        ({"tokens": (("a", "b"),), "baseline": BASELINE[1:, :2],
          "probabilities": PROBABILITIES[1:, ..., :2]}, "there are 2 tokens; give 3"),
    ],
)  # fmt: skip
def test_another_prompt_must_go_with_the_others(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make().with_prompt(one(**changes))
    with pytest.raises(ValueError, match="give one prompt"):
        make().with_prompt(make())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompts": ()}, "prompts is empty; give at least one"),
        ({"series": ()}, "series is empty; give at least one"),
        ({"series": ("latent 7", "latent 7")}, "two series have one name; give each its own"),
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
        ({"baseline": put(BASELINE, 0.9, 0, 0)}, "baseline add up to more than 1; give each token"),
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
    assert panel.value.labels == ["0 (as it is)", "30", "120"]
    assert panel.prompt.labels == list(PROMPTS) and panel.change.labels == list(SERIES)
    panel.prompt.index, panel.change.index, panel.value.index = 1, 1, 1
    assert panel.view.state == steering_state(panel.figures, 1, 1, 1)
    panel.change.index = 0
    assert panel.value.labels == ["0 (ablated; as it is: 8.6)", "30", "120"]
    assert panel.value.index == 1


def test_a_move_is_one_small_message(panel):
    sent = []
    panel.view.comm = None
    panel.view.observe(lambda change: sent.append(change.name), ["state", "words"])
    panel.value.index = 1
    assert sorted(sent) == ["state", "words"]
    assert len(json.dumps(panel.view.state)) < 3000


def test_there_is_one_view(panel):
    assert sum(isinstance(child, SteeringView) for child in panel.children) == 1


# A prompt of one's own


class Compute:
    """Remembers what it was asked for, and fails if it is told to."""

    def __init__(self):
        self.asked, self.fails, self.rest = [], None, {}

    def __call__(self, text):
        self.asked.append(text)
        if self.fails:
            raise self.fails
        return one(prompts=(text,), **self.rest)


@pytest.fixture
def compute():
    return Compute()


@pytest.fixture
def own(compute):
    return steering_panel(make(), compute)


def test_without_compute_there_is_no_box(panel):
    assert panel.box is None and len(panel.children) == 4


def test_a_prompt_that_is_typed_in_is_computed_and_shown_last(own, compute):
    assert own.children[0] is own.box and own.box.label == "Another prompt"
    own.value.index = 1
    own.box._handle_custom_msg({"text": "It snowed;"}, [])
    assert compute.asked == ["It snowed;"]
    assert own.prompt.labels == [*PROMPTS, "It snowed;"] and own.prompt.index == 2
    assert own.view.state == steering_state(make().with_prompt(compute("It snowed;")), 2, 0, 1)
    assert own.view.words == own.view.state["summary"]
    assert own.box.words == "Shown as the last prompt: “It snowed;”."
    # Its KL is larger than all before, and the axis has room for it.
    assert max(own.view.state["curves"][0]) <= 1 and own.view.drawing["top"] == 10


def test_the_next_one_takes_its_place_and_the_given_ones_stay(own, compute):
    own.box.find("It snowed;")
    compute.rest = {"tokens": (("d", "e", "f"),)}
    own.box.find("It hailed;")
    assert own.prompt.labels == [*PROMPTS, "It hailed;"] and own.prompt.index == 2
    assert own.view.state["pictures"][0]["bars"][0]["token"] == "“d”"
    own.prompt.index = 0
    assert own.view.state["title"] == "Next token after “It rained;”"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type a text first."),
        (" \n", "Type a text first."),
        ("x" * 10_000, "That text has 10,000 characters; use at most 2,000."),
    ],
)
def test_what_is_no_prompt_is_a_sentence_and_never_computed(own, compute, text, sentence):
    before = own.view.state
    own.box.find(text)
    assert own.box.words == sentence and compute.asked == []
    assert own.view.state == before and len(own.prompt.labels) == 2


def test_an_error_is_a_sentence_and_the_panel_lives_on(own, compute):
    own.box.find("It snowed;")
    compute.fails = RuntimeError("no such model")
    own.box.find("It hailed;")
    assert own.box.words == "That prompt could not be computed (RuntimeError: no such model)."
    assert own.prompt.labels[-1] == "It snowed;"
    compute.fails, compute.rest = None, {"values": (0, 1, 2)}
    own.box.find("It hailed;")
    assert own.box.words.startswith("That prompt could not be computed (ValueError: give one ")
    assert own.figures.prompts[-1] == "It snowed;"
    compute.rest = {}
    own.box.find("It hailed;")
    assert own.view.state["title"] == "Next token after “It hailed;”"


def test_a_long_prompt_has_a_short_label(own):
    own.box.find("word " * 300 + "the end")
    assert own.prompt.labels[-1].endswith("word the end”") and len(own.prompt.labels[-1]) <= 62
    own.box.find("def f():\n\treturn 1")
    assert own.prompt.labels[-1] == "def f():⏎⇥return 1"

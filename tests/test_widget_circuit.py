"""The circuit panel without a browser: what is drawn, what is off, and what is said of it."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.plots.circuit import CircuitDiagram, circuit_drawing, circuit_state
from course_utils.plots.theme import NEGATIVE, POSITIVE
from course_utils.widgets.circuit import CircuitPanel, CircuitView, circuit_panel

CLASSES = ("square", "triangle", "circle")
CONV1 = np.array([[4.0, -1.0, 0.0], [2.0, 0.5, -3.0], [0.1, 1.0, 0.9], [0.0, 0.0, 0.0]])  # (4, 3)
CONV2 = np.array([[8.0, 0.0, -2.0, 0.0], [0.0, 1.9, 2.1, 0.0], [0.0, -8.0, 0.0, 0.0]])  # (3, 4)
CIRCUIT = {("conv2", 0), ("conv2", 2), ("conv1", 2, 2)}
ONLY, WITHOUT = "Only the circuit", "Without the circuit"
RANDOM_ONLY, RANDOM_OUT = "Only as many random ones", "Without as many random ones"


def make(**changes):
    usual = {"strengths": {"conv1": CONV1, "conv2": CONV2}, "classes": CLASSES}
    return CircuitDiagram(**(usual | changes))


class Network:
    """Stands in for the numerics: remembers what was asked, answers with numbers made from it."""

    def __init__(self):
        self.asked, self.fails, self.form = [], None, np.array

    def __call__(self, units, edges, kind):
        self.asked.append((set(units), set(edges), kind))
        if self.fails:
            raise self.fails
        return self.form(self.answer(units, edges, kind))

    @staticmethod
    def answer(units, edges, kind):
        less = 0.1 * len(units) + 0.01 * len(edges)
        return [max(0.98 - less * weight, 0) for weight in (1, len(kind) / 10, 0)]


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def panel(network):
    return circuit_panel(make(), network, CIRCUIT)


def click(panel, key):
    """As the browser does."""
    panel.view._handle_custom_msg({"switch": key}, [])


def press(panel, name):
    panel.buttons[name].click()


def parts(keys):
    return {make().part(key) for key in keys}


def drawn_bars(panel):
    return [bar["value"] for bar in panel.view.state["bars"]]


# What is drawn


def test_layers_and_their_sizes_are_those_of_the_strengths():
    drawing = circuit_drawing(make())
    assert drawing["layers"] == [{"name": "conv1", "count": 3}, {"name": "conv2", "count": 4}]
    assert drawing["classes"] == list(CLASSES)


def test_only_connections_above_the_cut_are_drawn_and_the_rest_is_said():
    drawing = circuit_drawing(make(cut=0.25))
    # A quarter of 4 between conv1 and conv2, of 8 between conv2 and the classes.
    shown = ["0.0.0", "0.0.1", "0.1.0", "0.1.2", "0.2.1", "1.0.0", "1.1.2", "1.2.0", "1.2.1"]
    assert sorted(edge["key"] for edge in drawing["edges"]) == shown
    words = "9 of 24 connections are drawn; the other 15 have less than 25 % of the strength"
    assert drawing["note"].startswith(words)
    for cut in (0.0, 1e-9):  # what carries nothing is no connection
        assert len(circuit_drawing(make(cut=cut))["edges"]) == 8 + 5
    full = CircuitDiagram({"fc": [[1.0, -1.0]]}, ["yes"])
    assert circuit_drawing(full)["note"] == "All 2 connections are drawn."


def test_a_weak_connection_of_the_circuit_is_drawn():
    weak = circuit_drawing(make(cut=1.0), {("conv1", 1, 1)})
    assert {edge["key"] for edge in weak["edges"]} == {"0.0.0", "0.1.1", "1.0.0", "1.1.2"}
    assert weak["circuit"] == ["0.1.1"]


def test_thickness_is_strength_and_colour_is_sign():
    edges = {edge["key"]: edge for edge in circuit_drawing(make())["edges"]}
    assert edges["0.0.0"]["width"] == 2 * edges["0.0.1"]["width"] == edges["1.0.0"]["width"]
    assert edges["1.0.0"]["color"] == f"rgb({POSITIVE})"
    assert edges["1.1.2"]["color"] == f"rgb({NEGATIVE})"
    assert edges["1.1.2"]["name"] == "conv2 unit 1 to circle, strength 8.00, lowers it"
    assert edges["0.0.1"]["name"] == "conv1 unit 0 to conv2 unit 1, strength 2.00, raises it"


@pytest.mark.parametrize("shape", [(3, 5, 5), (3, 1, 5, 5)])
def test_filters_are_pictures_with_white_positive_black_negative(shape):
    w = np.zeros((3, 5, 5))
    w[0, 0, 0], w[0, 4, 4], w[1] = 0.2, -0.1, -7
    sent = circuit_drawing(make(filters=torch.tensor(w.reshape(shape))))["filters"]
    pixels = [
        np.array(Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2])))) for text in sent
    ]
    assert (pixels[0][0, 0], pixels[0][-1, -1], pixels[0][0, -1]) == (255, 64, 128)
    assert (pixels[1] == 0).all() and (pixels[2] == 128).all()
    assert circuit_drawing(make())["filters"] == []


def test_tensors_with_gradients_are_taken_as_they_are():
    strengths = {"conv1": torch.tensor(CONV1, requires_grad=True), "conv2": torch.tensor(CONV2)}
    assert circuit_drawing(make(strengths=strengths)) == circuit_drawing(make())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strengths": {}}, "use at least one layer"),
        ({"classes": ()}, "and one class"),
        ({"classes": ("square", "square", "circle")}, "a name only once"),
        ({"classes": CLASSES[:2]}, "conv2 leads to 3 units, but 2 come next"),
        ({"strengths": {"conv1": CONV1, "conv2": CONV2[:, :3]}}, "conv1 leads to 4 units, but 3"),
        ({"strengths": {"conv2": CONV2 * np.nan}}, "the strengths of conv2 must be finite"),
        ({"strengths": {"conv2": CONV2[0]}}, "must be finite numbers (out, in)"),
        ({"filters": np.ones((4, 5, 5))}, "filters has shape (4, 5, 5); use finite (3, h, w)"),
        ({"filters": np.ones((3, 2, 5, 5))}, "use finite (3, h, w)"),
        ({"cut": 1.5}, "cut is 1.5; use a share from 0 to 1"),
        ({"cut": float("nan")}, "cut is nan"),
    ],
)
def test_a_diagram_that_does_not_fit_together_is_refused(change, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make(**change)


@pytest.mark.parametrize(
    "part",
    [
        ("conv3", 0),
        ("conv1", 3),
        ("conv1", -1),
        ("conv1", 0, 4),
        ("conv2",),
        ("conv1", 0, 0, 0),
    ],
)
def test_a_circuit_of_parts_that_are_not_there_is_refused(part, network):
    with pytest.raises(ValueError, match=re.escape(f"there is no {part}; use (layer, unit)")):
        circuit_panel(make(), network, {part})


def test_a_key_stands_for_one_part():
    kinds = [(layer, edges) for layer in ("conv1", "conv2") for edges in (False, True)]
    every = [part for layer, edges in kinds for part in make().parts(layer, edges=edges)]
    assert len({make().key(part) for part in every}) == len(every) == 3 + 4 + 12 + 12
    assert [make().part(make().key(part)) for part in every] == every


# One moment


def test_bars_are_the_accuracies_with_those_of_the_whole_network():
    state = circuit_state(make(), [0.5, 0.125, 1.0], [1.0, 0.5, 0.996])
    assert [bar["value"] for bar in state["bars"]] == [0.5, 0.125, 1.0]
    assert [bar["whole"] for bar in state["bars"]] == [1.0, 0.5, 0.996]
    assert [(bar["text"], bar["whole_text"]) for bar in state["bars"]] == [
        ("50 %", "100 %"), ("12 %", "50 %"), ("100 %", "100 %"),
    ]  # fmt: skip
    assert state["mean"] == pytest.approx((0.5 + 0.125 + 1) / 3)


def test_a_mapping_goes_by_the_names_of_the_classes():
    by_name = dict(zip(CLASSES, [0.2, 0.4, 0.6]))
    backwards = dict(reversed(by_name.items()))
    array = circuit_state(make(), torch.tensor([0.2, 0.4, 0.6]), torch.ones(3))
    state = circuit_state(make(), backwards, torch.ones(3))
    assert [b["text"] for b in state["bars"]] == [b["text"] for b in array["bars"]]
    assert [b["text"] for b in state["bars"]] == ["20 %", "40 %", "60 %"]


def test_what_is_not_known_is_no_number():
    state = circuit_state(make(), [0.5, np.nan, 0.7], [1.0, np.nan, 0.9])
    assert [bar["value"] for bar in state["bars"]] == [0.5, None, 0.7]
    assert state["bars"][1]["text"] == state["bars"][1]["whole_text"] == "unknown"
    assert state["mean"] == pytest.approx(0.6)
    nothing = circuit_state(make(), None, None)
    assert nothing["mean"] is None and "Mean accuracy unknown" in nothing["summary"]
    json.dumps([state, nothing], allow_nan=False)


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        ([0.5, 0.5], "accuracies have shape (2,); use one for each class"),
        ([[0.5, 0.5, 0.5]], "shape (1, 3)"),
        ([0.5, 0.5, 50.0], "use shares from 0 to 1"),
        ([0.5, 0.5, -np.inf], "use shares from 0 to 1"),
        ({"square": 1.0, "circle": 1.0}, "there is no accuracy for triangle"),
    ],
)
def test_accuracies_that_cannot_be_drawn_are_refused(accuracy, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        circuit_state(make(), accuracy, None)


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (set(), "Everything is on."),
        ({("conv1", 1)}, "Off: conv1 unit 1."),
        ({("conv2", 3), ("conv2", 0), ("conv1", 2)}, "Off: conv1 unit 2; conv2 units 0, 3."),
        ({("conv2", 1, 0)}, "Off: conv2 unit 1 to square."),
        ({("conv1", 1, 3), ("conv2", 1)}, "Off: conv2 unit 1; conv1 unit 1 to conv2 unit 3."),
        (
            {("conv2", i, 0) for i in range(4)} | {("conv2", 0, 1)},
            "Off: 5 of 12 connections from conv2 to the classes.",
        ),
    ],
)
def test_what_is_off_is_said_few_by_name_many_by_number(off, words):
    state = circuit_state(make(), np.ones(3), np.ones(3), off=off)
    assert state["summary"].startswith(f"{words} Mean accuracy 100 % (whole network 100 %).")
    assert parts(state["off"]) == off


def test_many_units_are_counted():
    wide = CircuitDiagram({"fc": np.ones((1, 9))}, ["yes"])
    for n, words in ((4, "Off: fc units 0, 1, 2, 3."), (5, "Off: 5 of 9 units of fc.")):
        state = circuit_state(wide, [1.0], [1.0], off={("fc", i) for i in range(n)})
        assert state["summary"].startswith(words)


def test_the_class_that_changed_most_is_said():
    def said(before, now):
        return circuit_state(make(), now, np.ones(3), before=before)["summary"]

    assert said([0.9, 0.9, 0.9], [0.8, 0.9, 0.3]).endswith(
        "Mean accuracy 67 % (whole network 100 %), before 90 %; most changed: circle, 90 % to 30 %."
    )
    assert said([0.9, 0.1, 0.9], [0.9, 0.9, 0.9]).endswith("triangle, 10 % to 90 %.")
    assert said([0.9, 0.9, 0.9], [0.9, 0.9, 0.9]).endswith("; no class has changed.")
    assert "changed" not in said(None, [0.9, 0.9, 0.9])
    assert said([np.nan, 0.5, 0.5], [0.1, 0.5, 0.6]).endswith("circle, 50 % to 60 %.")


def test_the_words_for_screen_readers_have_every_number():
    state = circuit_state(make(), [0.5, 0.25, 1], [1, 0.75, 1], off={("conv1", 1)})
    assert state["words"] == (
        f"{state['summary']} Accuracy of each class now (and of the whole network): "
        "square 50 % (100 %), triangle 25 % (75 %), circle 100 % (100 %)."
    )


# The panel


def test_the_panel_opens_with_everything_on(panel, network):
    assert all((units, edges) == (set(), set()) for units, edges, _ in network.asked)
    assert panel.view.state["off"] == []
    assert drawn_bars(panel) == network.answer((), (), "zero")
    assert "Everything is on." in panel.view.words
    assert panel.view.drawing == circuit_drawing(make(), CIRCUIT)


def test_a_click_switches_a_unit_off_and_the_next_one_on(panel, network):
    click(panel, "1.3")
    assert network.asked[-1] == ({("conv2", 3)}, set(), "zero")
    assert panel.view.state["off"] == ["1.3"]
    assert drawn_bars(panel) == network.answer([0], [], "zero")
    assert panel.view.words.startswith("conv2 unit 3 is off. Off: conv2 unit 3.")
    click(panel, "1.3")
    assert network.asked[-1] == (set(), set(), "zero")
    assert panel.view.state["off"] == []
    assert panel.view.words.startswith("conv2 unit 3 is on again. Everything is on.")


def test_units_and_connections_add_up(panel, network):
    for key in ("1.3", "0.2.1", "0.0", "1.1.2"):
        click(panel, key)
    units, edges = {("conv2", 3), ("conv1", 0)}, {("conv1", 2, 1), ("conv2", 1, 2)}
    assert network.asked[-1] == (units, edges, "zero")
    assert parts(panel.view.state["off"]) == panel.off == units | edges
    click(panel, "0.2.1")
    assert network.asked[-1] == (units, edges - {("conv1", 2, 1)}, "zero")


@pytest.mark.parametrize(
    "form", [np.array, torch.tensor, list, lambda values: dict(zip(CLASSES, values))]
)
def test_the_accuracy_shown_is_what_evaluate_returned(panel, network, form):
    network.form = form
    for key in ("0.1", "1.2.0"):
        click(panel, key)
        units, edges, kind = network.asked[-1]
        np.testing.assert_allclose(drawn_bars(panel), network.answer(units, edges, kind))


def test_a_change_evaluates_once(panel, network):
    before = len(network.asked)
    click(panel, "0.1")
    panel.kind.value = "mean"
    press(panel, RANDOM_ONLY)
    assert len(network.asked) == before + 3


def test_another_ablation_keeps_what_is_off(panel, network):
    click(panel, "0.1")
    for kind in ("mean", "resample", "zero"):
        panel.kind.value = kind
        assert network.asked[-1] == ({("conv1", 1)}, set(), kind)
        assert drawn_bars(panel) == network.answer([0], [], kind)
        assert panel.view.words.startswith(f"Ablation: {kind}. Off: conv1 unit 1.")
    assert circuit_panel(make(), network, kind="resample").kind.value == "resample"


def test_only_the_circuit_leaves_layers_alone_that_it_does_not_name(panel, network):
    press(panel, ONLY)
    units, edges, _ = network.asked[-1]
    assert units == {("conv2", 1), ("conv2", 3)}  # no unit of conv1 is named, so all are on
    assert edges == set(make().parts("conv1", edges=True)) - {("conv1", 2, 2)}
    assert panel.view.words.startswith("Only the circuit. Off: conv2 units 1, 3; 11 of 12 conn")


def test_without_the_circuit_nothing_else_is_off(panel, network):
    click(panel, "0.0")
    press(panel, WITHOUT)
    assert set.union(*network.asked[-1][:2]) == CIRCUIT == panel.off
    press(panel, "All on")
    assert panel.off == set() and "Everything is on." in panel.view.words


def sizes(some):
    """How many of each layer, units and connections apart."""
    return Counter((part[0], len(part)) for part in some)


def test_random_ones_are_as_many_of_each_kind_as_the_circuit(panel):
    for name, like in ((RANDOM_OUT, WITHOUT), (RANDOM_ONLY, ONLY)):
        press(panel, like)
        expected, draws = sizes(panel.off), set()
        for _ in range(12):
            press(panel, name)
            assert sizes(panel.off) == expected
            draws.add(frozenset(panel.off))
        assert len(draws) > 6  # another draw each time


def test_every_part_is_drawn_at_random_sooner_or_later(panel):
    seen = Counter()
    for _ in range(100):
        press(panel, RANDOM_OUT)
        seen.update(panel.off)
    assert set(seen) == {*make().parts("conv2", edges=False), *make().parts("conv1", edges=True)}
    # Two of four units: each in half of the draws, give or take four standard deviations.
    assert all(30 <= seen["conv2", i] <= 70 for i in range(4))


def test_the_same_seed_draws_the_same(network):
    def draws(seed):
        panel = circuit_panel(make(), network, CIRCUIT, seed=seed)
        found = []
        for _ in range(4):
            press(panel, RANDOM_OUT)
            found.append(frozenset(panel.off))
        return found

    assert draws(1) == draws(1) != draws(2)


def test_a_random_draw_says_how_much_of_the_circuit_it_has(panel):
    press(panel, RANDOM_OUT)
    own = len(panel.off & CIRCUIT)
    assert f"{RANDOM_OUT}: {own} of these 3 belong to the circuit." in panel.view.words


def test_several_draws_are_summed_up_by_their_mean(panel, network):
    def mean(kind):
        units, edges, _ = network.asked[-1]
        return np.mean(network.answer(units, edges, kind))

    answers = [0.9, 0.5, 0.1, 0.3]
    network.answer = lambda *_: [answers[0]] * 3
    press(panel, RANDOM_OUT)
    assert "such draws" not in panel.view.words
    for k, said in ((1, "Mean of 2 such draws: 70 %."), (2, "Mean of 3 such draws: 50 %.")):
        network.answer = lambda *_, k=k: [answers[k]] * 3
        press(panel, RANDOM_OUT)
        assert panel.view.words.endswith(said)
        press(panel, ONLY)
    panel.kind.value = "mean"  # a control of its own
    press(panel, RANDOM_OUT)
    assert "such draws" not in panel.view.words
    panel.circuit = {("conv1", 0)}
    panel.kind.value = "zero"
    press(panel, RANDOM_OUT)
    assert "such draws" not in panel.view.words


def test_another_circuit_takes_its_place(panel, network):
    panel.circuit = {("conv1", 0)}
    assert panel.view.drawing["circuit"] == ["0.0"]
    press(panel, ONLY)
    assert network.asked[-1][:2] == ({("conv1", 1), ("conv1", 2)}, set())
    with pytest.raises(ValueError, match="there is no"):
        panel.circuit = {("conv9", 0)}
    assert panel.circuit == {("conv1", 0)}


def test_without_a_circuit_its_buttons_cannot_be_pressed(network):
    panel = circuit_panel(make(), network)
    enabled = [name for name, button in panel.buttons.items() if not button.disabled]
    assert enabled == ["All on"]
    panel.circuit = CIRCUIT
    assert not any(button.disabled for button in panel.buttons.values())


# Errors


@pytest.mark.parametrize("error", [ValueError("no such unit"), RuntimeError(), KeyError("conv1")])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, network, error, capsys):
    network.fails = error
    click(panel, "0.1")
    assert panel.view.words.startswith(f"This could not be evaluated ({type(error).__name__}: ")
    assert str(error) in panel.view.words
    assert drawn_bars(panel) == [None] * 3  # numbers of another moment would be wrong
    assert panel.view.state["off"] == ["0.1"]
    network.fails = None
    click(panel, "0.2")
    assert network.asked[-1][0] == {("conv1", 1), ("conv1", 2)}
    assert drawn_bars(panel) == network.answer([0, 0], [], "zero")
    assert "could not" not in panel.view.words
    assert capsys.readouterr() == ("", "")


def test_an_error_at_the_start_is_a_sentence_too(network):
    network.fails = ValueError("no luck")
    panel = circuit_panel(make(), network, CIRCUIT)
    assert "no luck" in panel.view.words
    network.fails = None
    click(panel, "0.0")
    assert drawn_bars(panel) == network.answer([0], [], "zero")
    assert [bar["whole"] for bar in panel.view.state["bars"]] == network.answer((), (), "zero")


@pytest.mark.parametrize("answer", [None, [0.5], [2.0, 0.5, 0.5], "high", {"square": 1.0}])
def test_an_answer_that_cannot_be_drawn_is_a_sentence(panel, network, answer):
    network.form = lambda _: answer
    click(panel, "0.0")
    assert panel.view.words.startswith("This could not be evaluated")
    assert drawn_bars(panel) == [None] * 3


def test_an_interrupted_evaluation_changes_nothing(panel, network):
    before = panel.view.state
    network.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        panel.switch(("conv1", 1))
    assert panel.off == set() and panel.view.state == before


def test_an_evaluate_that_empties_its_arguments_switches_nothing_on(panel):
    def evaluate(units, edges, kind):
        units.clear()
        edges.clear()
        return np.ones(3)

    panel.evaluate = evaluate
    click(panel, "0.1")
    click(panel, "0.1.1")
    assert panel.view.state["off"] == ["0.1", "0.1.1"]


# What is sent


def test_a_change_is_one_small_message(panel, monkeypatch):
    sent = []
    monkeypatch.setattr(panel.view, "_send", lambda message, buffers=None: sent.append(message))
    click(panel, "0.1")
    press(panel, RANDOM_ONLY)
    press(panel, RANDOM_ONLY)
    assert [set(message["state"]) for message in sent] == [{"state", "words"}] * 3


def test_what_is_sent_is_small(network):
    draw = np.random.default_rng(0).normal
    strengths = {"a": draw(size=(16, 8)), "b": draw(size=(16, 16)), "c": draw(size=(6, 16))}
    diagram = CircuitDiagram(strengths, [f"class {k}" for k in range(6)], draw(size=(8, 5, 5)))
    every = {p for layer in strengths for p in diagram.parts(layer, edges=True)}
    assert len(json.dumps(circuit_drawing(diagram), allow_nan=False)) < 60_000
    state = circuit_state(diagram, np.ones(6), np.ones(6), off=every)
    assert len(json.dumps(state, allow_nan=False)) < 8_000
    assert sum(len(str(getattr(CircuitView, part))) for part in ("_esm", "_css")) < 25_000


def test_the_panel_is_made_of_its_controls_and_its_view(panel):
    assert isinstance(panel, CircuitPanel)
    kind, _, buttons, view = panel.children
    assert kind.options == ("zero", "mean", "resample") and kind.description == "Ablation"
    names = ["All on", ONLY, RANDOM_ONLY, WITHOUT, RANDOM_OUT]
    assert [button.description for button in buttons.children] == names
    assert view is panel.view

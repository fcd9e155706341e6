"""The panel of notebook 03 without a browser: what it shows, and how it answers the browser."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from course_utils.plots import plane, superposition_state
from course_utils.widgets.drag import DragPanel, DragView, drag_panel

W = np.array([[1.0, -0.5, 0.0], [0.0, 0.5, 0.0]])
B = np.array([0.0, -0.1, 0.2])
D = np.array([0.8, 0.7, 0.0])


class Model:
    """Stands in for the numerics: remembers what was asked, answers with numbers made from it."""

    def __init__(self):
        self.measured, self.descended, self.bests = [], [], []
        self.fails = {}
        self.lowest = 0.25

    def measure(self, W, p):
        self._may_fail("measure")
        self.measured.append((W.copy(), p))
        return self.answer(W, p)

    def descend(self, W, p):
        self._may_fail("descend")
        self.descended.append((W.copy(), p))
        return np.stack([W * (1 - k / 20) for k in range(11)])

    def best(self, n, p):
        self._may_fail("best")
        self.bests.append((n, p))
        return self.lowest

    def _may_fail(self, name):
        if name in self.fails:
            raise self.fails[name]

    @staticmethod
    def answer(W, p):
        return -W[0] * p, np.minimum((W**2).sum(0), 1), float((W**2).sum() * p)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def panel(model):
    return drag_panel(model.measure, model.descend, model.best)


def expected(W, p, best):
    return plane.drag_state(W, *Model.answer(W, p), best)


def drawn(panel):
    """What the view is told, without what only says how it is to be told."""
    return {k: v for k, v in panel.view.state.items() if k not in ("serial", "frames")}


def ask(panel, arrows):
    """As the browser does: arrows (n, 2), numbered."""
    count = panel.view.answered + 1
    panel.view.set_state({"moved": {"count": count, "arrows": np.asarray(arrows).tolist()}})
    return count


def shape(panel, words):
    panel.shape.index = panel.shape.labels.index(words)


# One moment


def test_a_state_has_the_arrows_and_the_matrix_of_every_other_picture():
    state = plane.drag_state(W, B, D, 0.02, 0.01)
    other = superposition_state(W, B)
    for key in ("names", "colors", "arrows", "cells"):
        assert state[key] == other[key]


def test_dimensionalities_are_shown_one_by_one_and_as_their_sum():
    state = plane.drag_state(W, B, D, 0.02, 0.01)
    assert [each["text"] for each in state["dimensionality"]] == ["0.80", "0.70", "0.00"]
    total = sum(each["value"] for each in state["dimensionality"])
    assert state["total"] == {"value": pytest.approx(total), "text": "Σ Dᵢ = 1.50"}


@pytest.mark.parametrize(
    ("loss", "best", "text", "ratio", "words"),
    [
        (0.02, 0.01, "0.0200", 2.0, "2.00 × the best that training found"),
        (0.009, 0.01, "0.00900", 0.9, "0.90 × the best that training found"),
        (1.25, 1.25, "1.25", 1.0, "1.00 × the best that training found"),
        (0.3, 0.0, "0.300", None, "the best that training found is 0"),
        (0.0, 1e-15, "< 0.0001", 1.0, "as good as the best that training found"),
        (3e-5, 1e-5, "< 0.0001", 3.0, "3.00 × the best that training found"),
        (8e-4, 8e-4, "0.00080", 1.0, "1.00 × the best that training found"),
    ],
)
def test_the_loss_is_compared_with_the_best_one(loss, best, text, ratio, words):
    shown = plane.drag_state(W, B, D, loss, best)["loss"]
    assert shown["text"] == text
    assert shown["ratio"] == (ratio and pytest.approx(ratio))
    assert shown["words"] == words
    json.dumps(shown, allow_nan=False)


def test_every_arrow_is_said_by_its_length_and_its_angle():
    first, second, none = plane.drag_state(W, B, D, 0.02, 0.01)["spoken"]
    assert first == {"angle": 0, "text": "length 1.00, angle 0 degrees, D 0.80"}
    assert second == {"angle": 135, "text": "length 0.71, angle 135 degrees, D 0.70"}
    assert none == {"angle": 0, "text": "length 0.00, D 0.00"}
    below = plane.drag_state(-W, B, D, 0.02, 0.01)["spoken"]
    assert [each["angle"] for each in below] == [180, 315, 0]


def test_the_words_have_every_number():
    state = plane.drag_state(W, B, D, 0.02, 0.01)
    numbers = [cell["text"] for cell in state["cells"]]
    numbers += [each["text"] for each in state["dimensionality"]]
    for text in [*numbers, "1.50", "0.0200", "2.00 ×", *(s["text"] for s in state["spoken"])]:
        assert text in state["words"]
    assert state["summary"] in state["words"]
    assert state["summary"] == (
        "ΣD is 1.50 of 2 dimensions. Loss 0.0200: 2.00 × the best that training found."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"W": np.ones((3, 3))}, "need (2, n_features)"),
        ({"b": np.ones(2)}, "b has shape (2,)"),
        ({"W": W * np.nan}, "diverged"),
        ({"dimensionality": np.ones(2)}, "dimensionality has shape (2,)"),
        ({"dimensionality": D * np.nan}, "a dimensionality is not finite"),
        ({"loss": np.inf}, "the loss is inf"),
        ({"best": np.nan}, "the best loss is nan"),
    ],
)
def test_numbers_that_cannot_be_drawn_are_refused(change, words):
    numbers = {"W": W, "b": B, "dimensionality": D, "loss": 0.02, "best": 0.01} | change
    with pytest.raises(ValueError, match=re.escape(words)):
        plane.drag_state(**numbers)


# Shapes and sparsity


def test_the_panel_opens_with_a_measured_triangle(panel, model):
    (measured,) = model.measured
    assert measured[1] == pytest.approx(0.05, abs=2e-3)
    np.testing.assert_allclose(measured[0].T @ measured[0], 1.5 * np.eye(3) - 0.5, atol=1e-12)
    assert drawn(panel) == expected(panel.W, panel.p, 0.25)
    assert panel.view.trouble == ""


@pytest.mark.parametrize(
    ("words", "angles"),
    [
        ("two features, right angles", [90]),
        ("antipodal pair", [180]),
        ("triangle", [120]),
        ("antipodal pair and one at right angles", [90, 180]),
        ("square (two pairs)", [90, 180]),
        ("pentagon", [72, 144]),
        ("hexagon", [60, 120, 180]),
    ],
)
def test_a_shape_is_what_it_is_called(panel, words, angles):
    shape(panel, words)
    gram = panel.W.T @ panel.W
    np.testing.assert_allclose(np.diag(gram), 1)
    between = np.degrees(np.arccos(np.clip(gram[np.triu_indices(len(gram), 1)], -1, 1)))
    assert sorted(set(between.round(6))) == pytest.approx(angles, abs=1e-5)


def test_every_shape_is_measured_and_drawn(panel, model):
    for index in range(len(panel.shape.labels)):
        panel.shape.index = index
        assert drawn(panel) == expected(panel.W, panel.p, 0.25)
    assert panel.shape.labels.count("five at random") == 1


def test_every_sparsity_measures_the_arrows_as_they_are(panel, model):
    ask(panel, [[1, 0], [0, 1], [0.2, 0.3]])
    for index, label in enumerate(panel.sparsity.labels):
        panel.sparsity.index = index
        sparsity, p = map(float, re.fullmatch(r"S = ([\d.]+)\s+\(p = ([\d.]+)\)", label).groups())
        assert model.measured[-1][1] == panel.p == pytest.approx(p, abs=6e-4)
        assert sparsity == pytest.approx(1 - p, abs=1.1e-3)
        assert drawn(panel)["arrows"] == [[1, 0], [0, 1], [0.2, 0.3]]
    assert len(panel.sparsity.labels) == 21
    assert panel.probabilities[[0, -1]] == pytest.approx([1, 0.01])


def test_the_best_loss_is_asked_once_for_each_n_and_p(panel, model):
    for index in (0, 5, 0, 5):
        panel.sparsity.index = index
        ask(panel, panel.W.T / 2)
    shape(panel, "pentagon")
    shape(panel, "five at random")
    assert len(model.bests) == len(set(model.bests)) == 4
    assert {n for n, _ in model.bests} == {3, 5}


# Arrows are moved


def test_a_move_is_measured_drawn_and_answered(panel, model):
    arrows = [[1.1, 0.2], [-0.3, 0.4], [0, 0]]
    assert ask(panel, arrows) == panel.view.answered == 1
    np.testing.assert_array_equal(panel.W, np.transpose(arrows))
    np.testing.assert_array_equal(model.measured[-1][0], panel.W)
    assert drawn(panel) == expected(np.transpose(arrows), panel.p, 0.25)


def test_an_answer_is_one_message(panel, monkeypatch):
    sent = []
    monkeypatch.setattr(panel.view, "_send", lambda message, buffers=None: sent.append(message))
    ask(panel, panel.W.T / 2)
    (message,) = sent  # and no echo of what was asked
    assert set(message["state"]) == {"state", "answered"}


def test_questions_are_counted(panel):
    for k in range(1, 6):
        ask(panel, panel.W.T * 0.9)
        assert panel.view.answered == k


def test_a_question_that_cannot_be_answered_is_counted_too(panel, model):
    for error in (ValueError("no"), KeyboardInterrupt()):
        model.fails["measure"] = error
        try:
            count = ask(panel, panel.W.T * 0.9)
        except KeyboardInterrupt:  # a learner may interrupt the kernel, and then go on
            count = panel.view.answered
        assert panel.view.answered == count > 0
    assert panel.view.answered == 2


@pytest.mark.parametrize("words", ["pentagon", "antipodal pair"])
def test_another_shape_takes_the_place_of_what_was_moved(panel, words):
    ask(panel, panel.W.T / 2)
    shape(panel, words)
    np.testing.assert_allclose(np.linalg.norm(panel.W, axis=0), 1)
    assert drawn(panel) == expected(panel.W, panel.p, 0.25)


def test_start_again_gives_back_the_shape_and_says_so_to_the_browser(panel):
    began = drawn(panel)
    ask(panel, panel.W.T / 2)
    assert drawn(panel) != began
    panel.again.click()
    assert drawn(panel) == began
    serial = panel.view.state["serial"]
    panel.again.click()  # the browser may show what Python has not heard of
    assert panel.view.state["serial"] > serial


# Training


def test_a_training_begins_with_the_arrows_as_they_are(panel, model):
    ask(panel, [[1, 0], [0, 1], [0.2, 0.3]])
    panel.train.click()
    ((start, p),) = model.descended
    assert start.T.tolist() == [[1, 0], [0, 1], [0.2, 0.3]]
    assert p == panel.p


def test_every_frame_is_measured_and_sent(panel, model):
    start = panel.W
    before = len(model.measured)
    panel.train.click()
    path = Model().descend(start, panel.p)
    measured = [W for W, _ in model.measured[before:]]
    np.testing.assert_array_equal(measured, path)
    best = min(0.25, Model.answer(path[-1], panel.p)[2])
    for frame, W in zip(panel.view.state["frames"], path, strict=True):
        moment = expected(W, panel.p, best)
        assert frame.items() <= moment.items()
        assert {"arrows", "cells", "dimensionality", "total", "loss"} == set(frame)


def test_afterwards_the_panel_is_where_the_training_ended(panel, model):
    panel.train.click()
    end = Model().descend(*model.descended[0])[-1]
    np.testing.assert_array_equal(panel.W, end)
    assert drawn(panel)["arrows"] == end.T.tolist()
    panel.train.click()
    np.testing.assert_array_equal(model.descended[1][0], end)


def test_frames_are_sent_once(panel):
    panel.train.click()
    assert "frames" in panel.view.state
    ask(panel, panel.W.T / 2)
    assert "frames" not in panel.view.state


def test_a_training_that_finds_more_is_the_best_from_then_on(panel, model):
    found = Model.answer(panel.W / 2, panel.p)[2]
    assert found < model.lowest
    panel.train.click()
    assert panel.view.state["loss"]["ratio"] == 1
    panel.again.click()
    assert panel.view.state["loss"]["ratio"] == pytest.approx(4)


def test_a_training_that_finds_less_is_not(panel, model):
    model.lowest = 1e-3
    shape(panel, "pentagon")
    panel.train.click()
    assert panel.view.state["loss"]["ratio"] == pytest.approx(
        panel.view.state["loss"]["value"] / 1e-3
    )


# Errors


@pytest.mark.parametrize("name", ["measure", "best"])
@pytest.mark.parametrize("error", [ValueError("p is too small"), RuntimeError(), KeyError("W")])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, model, name, error, capsys):
    before = drawn(panel)
    model.fails[name] = error
    panel.sparsity.index = 3
    assert panel.view.trouble.startswith("This could not be measured")
    assert type(error).__name__ in panel.view.trouble
    assert drawn(panel) == before
    model.fails.clear()
    ask(panel, panel.W.T / 2)
    assert drawn(panel) == expected(panel.W, panel.p, 0.25)
    assert panel.view.trouble == ""
    assert capsys.readouterr() == ("", "")


def test_an_error_at_the_start_is_a_sentence_too(model):
    model.fails["measure"] = ValueError("no luck")
    panel = drag_panel(model.measure, model.descend, model.best)
    assert "no luck" in panel.view.trouble
    model.fails.clear()
    panel.again.click()
    assert drawn(panel) == expected(panel.W, panel.p, 0.25)


@pytest.mark.parametrize("name", ["descend", "measure"])
def test_a_training_that_fails_leaves_the_arrows_alone(panel, model, name):
    start = panel.W.copy()
    before = drawn(panel)
    model.fails[name] = RuntimeError("too steep")
    panel.train.click()
    assert panel.view.trouble == "This could not be trained (RuntimeError: too steep)."
    np.testing.assert_array_equal(panel.W, start)
    assert drawn(panel) == before


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (np.zeros((0, 2, 3)), "frames of shape (0, 2, 3)"),
        (np.zeros((4, 2, 5)), "frames of shape (4, 2, 5)"),
        (np.full((4, 2, 3), np.nan), "diverged"),
    ],
)
def test_frames_that_cannot_be_played_are_said(panel, frames, words):
    panel.descend = lambda W, p: frames
    panel.train.click()
    assert words in panel.view.trouble
    assert np.isfinite(panel.W).all()


def test_a_function_that_writes_into_its_argument_moves_no_arrow(panel):
    def measure(W, p):
        answer = Model.answer(W, p)
        W *= 0
        return answer

    panel.measure = measure
    start = panel.W.copy()
    panel.redraw()
    panel.train.click()
    panel.again.click()
    np.testing.assert_array_equal(panel.W, start)


# What is sent


def test_what_is_sent_is_small(panel):
    shape(panel, "hexagon")
    assert len(json.dumps(panel.view.state, allow_nan=False)) < 8_000
    panel.descend = lambda W, p: np.stack([W] * 50)
    panel.train.click()
    assert len(json.dumps(panel.view.state, allow_nan=False)) < 250_000
    assert sum(len(str(getattr(DragView, part))) for part in ("_esm", "_css")) < 30_000


def test_the_panel_is_made_of_its_controls_and_its_view(panel):
    assert isinstance(panel, DragPanel)
    first, second, buttons, view = panel.children
    assert [first.name, second.name] == ["Shape", "Sparsity S"]
    assert [b.description for b in buttons.children] == [
        "Let go and train from here",
        "Start again",
    ]
    assert view is panel.view

"""The solid without a browser: what is drawn of a matrix, and a panel that draws what it trains."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from course_utils import plots
from course_utils.plots.space import Look, polytope_state
from course_utils.widgets.polytope import PolytopePanel, PolytopeView, polytope_panel, polytope_view

OCTAHEDRON = torch.eye(3).repeat_interleave(2, dim=1) * torch.tensor([1.0, -1, 1, -1, 1, -1])
OCTANTS = [[i, j, k] for i in (0, 1) for j in (2, 3) for k in (4, 5)]
PYRAMID = np.array([[1.0, 0, -1, 0, 0], [0, 1, 0, -1, 0], [0, 0, 0, 0, 1]])
ITS_FACES = [[0, 1, 2, 3], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]
PENTAGON = np.array([[f(0.4 * np.pi * i) for i in range(5)] for f in (np.cos, np.sin)])


def shares(W):
    G = np.asarray(W).T @ np.asarray(W)
    return np.diag(G) ** 2 / np.maximum((G @ G).diagonal(), 1e-12)


def look(W, name="octahedron", faces=OCTANTS):
    return Look(name, shares(W), faces)


def turned(W, seed):
    """W after some rotation, as training might have it."""
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return Q * np.linalg.det(Q) @ np.asarray(W)


# A matrix as numbers and colours


def test_the_sides_of_the_faces_are_the_edges_each_once():
    state = polytope_state(OCTAHEDRON, look(OCTAHEDRON))
    corners = {tuple(edge) for edge in state["edges"]}
    assert len(state["edges"]) == len(corners) == 12
    assert not corners & {(0, 1), (2, 3), (4, 5)}  # those are opposite
    assert state["faces"] == OCTANTS
    pyramid = polytope_state(PYRAMID, look(PYRAMID, faces=ITS_FACES))
    assert len(pyramid["edges"]) == 8 and [0, 2] not in pyramid["edges"]


def test_without_faces_there_are_arrows_alone():
    state = polytope_state(np.eye(3), look(np.eye(3), "three axes", []))
    assert (state["faces"], state["edges"]) == ([], [])
    assert "without a solid" in state["words"]


@pytest.mark.parametrize(("W", "faces"), [(OCTAHEDRON, OCTANTS), (PYRAMID, ITS_FACES)])
@pytest.mark.parametrize("seed", range(4))
def test_the_solid_keeps_its_lengths_and_angles_and_its_handedness(W, faces, seed):
    W = turned(W, seed) * 1.1
    vertices = np.array(polytope_state(W, look(W, faces=faces))["vertices"])
    np.testing.assert_allclose(vertices @ vertices.T, W.T @ W, atol=1e-4)
    three = vertices[[0, 2, 4]]
    if abs(np.linalg.det(three)) > 0.1:
        assert np.linalg.det(three) * np.linalg.det(W[:, [0, 2, 4]]) > 0


@pytest.mark.parametrize(("W", "faces"), [(OCTAHEDRON, OCTANTS), (PYRAMID, ITS_FACES)])
def test_one_shape_is_drawn_alike_however_training_turned_it(W, faces):
    first, second = (
        polytope_state(turned(W, seed), look(W, faces=faces))["vertices"] for seed in (0, 1)
    )
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_a_pyramid_stands_on_its_base_and_an_octahedron_on_a_corner():
    vertices = np.array(
        polytope_state(turned(PYRAMID, 5), look(PYRAMID, faces=ITS_FACES))["vertices"]
    )
    np.testing.assert_allclose(vertices[:, 1], [0, 0, 0, 0, 1], atol=1e-4)
    vertices = np.array(polytope_state(turned(OCTAHEDRON, 5), look(OCTAHEDRON))["vertices"])
    np.testing.assert_allclose(vertices[:, 1], [1, -1, 0, 0, 0, 0], atol=1e-4)


@pytest.mark.parametrize("rows", [1, 2])
def test_fewer_rows_are_drawn_flat(rows):
    W = PENTAGON[:rows]
    state = polytope_state(W, look(W, "pentagon", [[0, 1, 2, 3, 4]] if rows == 2 else []))
    vertices = np.array(state["vertices"])
    assert vertices.shape == (5, 3)
    assert np.linalg.matrix_rank(vertices, tol=1e-3) == rows
    np.testing.assert_allclose(vertices @ vertices.T, W.T @ W, atol=1e-4)
    assert state["mark"] == {"value": rows, "text": ["", "1 dimension", "2 dimensions"][rows]}


def test_bars_and_sum_are_the_dimensionalities():
    state = polytope_state(PYRAMID, Look("pyramid", np.array([0.5, 0.5, 0.501, 0.5, 1]), ITS_FACES))
    assert [bar["text"] for bar in state["bars"]] == ["0.50", "0.50", "0.50", "0.50", "1.00"]
    assert state["bars"][2]["value"] == pytest.approx(0.501)
    assert state["total"] == {"value": pytest.approx(3.001), "text": "3.00"}
    assert state["mark"] == {"value": 3, "text": "3 dimensions"}


def test_features_have_the_names_and_colours_of_all_figures():
    state = polytope_state(OCTAHEDRON, look(OCTAHEDRON))
    assert state["names"] == ["x0", "x1", "x2", "x3", "x4", "x5"]
    assert state["colors"] == [plots.feature_color(i) for i in range(6)]


def test_columns_of_no_length_are_listed():
    W = np.hstack([OCTAHEDRON, np.zeros((3, 2))])
    state = polytope_state(W, look(W))
    assert state["missing"] == ["x6", "x7"]
    assert "Not represented: x6, x7." in state["words"]
    assert "6 of 8 features are represented" in state["summary"]
    np.testing.assert_array_equal(state["vertices"][6:], 0)
    nothing = polytope_state(np.zeros((3, 2)), Look("nothing represented", np.zeros(2), []))
    assert nothing["missing"] == ["x0", "x1"]


def test_words_say_what_is_seen():
    state = polytope_state(OCTAHEDRON, look(OCTAHEDRON))
    assert state["words"] == (
        "Octahedron: 6 of 6 features are represented, and their dimensionalities add up to 3.00 "
        "of 3 dimensions. Dimensionality of each: x0 0.50, x1 0.50, x2 0.50, x3 0.50, x4 0.50, "
        "x5 0.50. Drawn with 8 faces and 12 edges. Not represented: none."
    )
    assert state["words"].startswith(state["summary"])


def test_a_long_name_is_wrapped():
    name = "pentagon and digon (pentagonal bipyramid)"
    state = polytope_state(OCTAHEDRON, look(OCTAHEDRON, name))
    assert state["title"] == ["pentagon and digon", "(pentagonal bipyramid)"]
    state = polytope_state(OCTAHEDRON, look(OCTAHEDRON, "a very long name " * 9))
    assert len(state["title"]) == 2 and all(len(line) <= 26 for line in state["title"])


@pytest.mark.parametrize(
    ("W", "look", "sentence"),
    [
        (np.ones((4, 5)), Look("?", np.ones(5), []), "W has shape (4, 5)"),
        (np.ones(3), Look("?", np.ones(3), []), "W has shape (3,)"),
        (np.ones((3, 0)), Look("?", np.ones(0), []), "W has shape (3, 0)"),
        (np.full((3, 2), np.nan), Look("?", np.ones(2), []), "diverged"),
        (np.ones((3, 2)), Look("?", np.full(2, np.inf), []), "diverged"),
        (np.ones((3, 2)), Look("?", np.ones(3), []), "dimensionality has shape (3,)"),
        (np.eye(3), Look("?", np.ones(3), [[0, 1, 3]]), "[0, 1, 3] is no face"),
        (np.eye(3), Look("?", np.ones(3), [[0, 1]]), "[0, 1] is no face"),
        (np.eye(3), Look("?", np.ones(3), [[0, 1, 1, 2]]), "[0, 1, 1, 2] is no face"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(W, look, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        polytope_state(W, look)


# One shape to be turned


def test_a_view_has_the_shape_and_its_words():
    view = polytope_view(OCTAHEDRON, look)
    assert view.state == polytope_state(OCTAHEDRON, look(OCTAHEDRON))
    assert view.words == view.state["summary"]


def test_what_is_sent_is_small():
    assert len(json.dumps(polytope_state(OCTAHEDRON, look(OCTAHEDRON)))) < 3_000
    assert len(str(PolytopeView._esm)) + len(str(PolytopeView._css)) < 16_000


# The panel


class Trainer:
    """Stands in for training: remembers what was asked, answers with numbers made from it."""

    def __init__(self):
        self.asked = []
        self.fails = self.look_fails = None

    def __call__(self, n, p, seed):
        self.asked.append((n, p, seed))
        if self.fails:
            raise self.fails
        return self.answer(n, p, seed)

    @staticmethod
    def answer(n, p, seed):
        return torch.randn(3, n, generator=torch.Generator().manual_seed(seed)) * (1 - p / 2)

    def look(self, W):
        if self.look_fails:
            raise self.look_fails
        return look(W, f"heap of {W.shape[1]}", [])

    def expected(self):
        W = self.answer(*self.asked[-1])
        return polytope_state(W, self.look(W))


@pytest.fixture
def trainer():
    return Trainer()


@pytest.fixture
def panel(trainer):
    return polytope_panel(trainer, trainer.look)


def test_the_panel_opens_with_a_trained_model(panel, trainer):
    assert trainer.asked == [(4, 0.05, 0)]
    assert panel.view.state == trainer.expected()
    assert panel.view.words == f"{trainer.expected()['summary']} Random start 0."


@pytest.mark.parametrize(("slider", "index"), [("features", 8), ("features", 0), ("sparsity", 0)])
def test_moving_a_slider_trains_once_and_draws_the_answer(panel, trainer, slider, index):
    before = panel.view.state
    getattr(panel, slider).index = index
    assert len(trainer.asked) == 2
    assert panel.view.state == trainer.expected() != before
    assert panel.view.words.startswith(trainer.expected()["summary"])


def test_each_slider_asks_for_what_its_label_says(panel, trainer):
    for index, label in enumerate(panel.features.labels):
        panel.features.index = index
        assert label == f"n = {trainer.asked[-1][0]}"
    for index, label in enumerate(panel.sparsity.labels):
        panel.sparsity.index = index
        sparsity, p = map(float, re.fullmatch(r"S = ([\d.]+)\s+\(p = ([\d.]+)\)", label).groups())
        assert trainer.asked[-1][1] == p == pytest.approx(1 - sparsity)


def test_the_scales_go_from_two_features_to_ten_and_from_dense_to_sparse():
    assert PolytopePanel.counts == (2, 3, 4, 5, 6, 7, 8, 9, 10)
    p = PolytopePanel.probabilities
    assert (p[0], p[-1]) == (1, 0.01) and list(p) == sorted(p, reverse=True)


def test_a_new_random_start_is_another_seed_with_the_same_settings(panel, trainer):
    panel.features.index = 6
    panel.button.click()
    assert trainer.asked[-2:] == [(8, 0.05, 0), (8, 0.05, 1)]
    assert panel.view.state == trainer.expected()
    assert "Random start 1" in panel.view.words


@pytest.mark.parametrize("part", ["fails", "look_fails"])
@pytest.mark.parametrize("error", [ValueError("p is too small"), RuntimeError(), KeyError("W")])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, trainer, part, error, capsys):
    before = panel.view.state
    setattr(trainer, part, error)
    panel.sparsity.index = 3
    assert panel.view.words.startswith("This could not be trained")
    assert type(error).__name__ in panel.view.words
    assert panel.view.state == before
    setattr(trainer, part, None)
    panel.sparsity.index = 4
    assert panel.view.state == trainer.expected()
    assert "could not" not in panel.view.words
    assert capsys.readouterr() == ("", "")


def test_an_error_at_the_start_is_a_sentence_too(trainer):
    trainer.fails = ValueError("no luck")
    panel = polytope_panel(trainer, trainer.look)
    assert "no luck" in panel.view.words and panel.view.state == {}
    trainer.fails = None
    panel.features.index = 1
    assert panel.view.state == trainer.expected()


def test_a_training_that_diverged_is_said(panel, trainer, monkeypatch):
    monkeypatch.setattr(trainer, "answer", lambda n, p, seed: torch.full((3, n), torch.nan))
    panel.features.index = 1
    assert "diverged" in panel.view.words

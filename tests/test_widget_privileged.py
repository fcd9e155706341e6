"""The panel of notebook 04 without a browser: what is drawn of the neurons, and what is said."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from course_utils import plots, widgets
from course_utils.plots.theme import feature_colors

CLEAN = [[0.0, 1.0, 0.1, 0.0], [1.0, 0.0, 0.0, -0.2], [0.1, 0.0, 0.2, 0.0]]
MIXED = [[0.9, -0.7, 0.1, 0.8], [0.0, 0.0, 1.2, 0.0], [0.6, 0.6, 0.0, 0.0]]
BOTH = np.array([CLEAN, MIXED])


def state(losses=(0.1, 0.2), W=BOTH, threshold=0.5):
    return plots.privileged_state(W, np.array(losses), threshold)


def test_the_best_model_is_drawn_in_the_order_of_its_features():
    clean = state()
    assert [n["verdict"] for n in clean["neurons"]] == ["1 feature", "1 feature", "silent"]
    assert [part["text"] for part in clean["neurons"][0]["parts"]] == ["x0", "", "", ""]
    mixed = state(losses=(0.2, 0.1))
    verdicts = [n["verdict"] for n in mixed["neurons"]]
    assert verdicts == ["2 features", "3 features", "1 feature"]
    assert [n["polysemantic"] for n in mixed["neurons"]] == [True, True, False]


def test_parts_are_the_sizes_of_the_weights_and_small_ones_are_faint():
    parts = state(losses=(0.2, 0.1))["neurons"][1]["parts"]
    assert [part["size"] for part in parts] == [0.9, 0.7, 0.1, 0.8]
    assert [part["text"] for part in parts] == ["x0", "−x1", "", "x3"]
    assert [part["opacity"] == 1 for part in parts] == [True, True, False, True]
    assert state()["colors"] == feature_colors(4)


def test_shares_of_all_starts_and_their_mean():
    drawn = state()
    assert drawn["shares"] == [
        {"value": 0.0, "best": True},
        {"value": pytest.approx(2 / 3), "best": False},
    ]
    assert drawn["mean"] == {"value": pytest.approx(1 / 3), "text": "33%"}
    assert "Best of 2 starts: 0 of 2 neurons are polysemantic (0%)." in drawn["summary"]
    assert "All starts: 33% of the neurons." in drawn["summary"]
    assert "Neuron 2: silent." in drawn["words"]
    assert "Neuron 1: 3 features: x0 0.90, −x1 0.70, x3 0.80." in state((0.2, 0.1))["words"]


def test_the_threshold_decides():
    assert state((0.2, 0.1), threshold=0.95)["summary"].startswith(
        "Best of 2 starts: 0 of 1 neurons are polysemantic"
    )


def test_the_axis_has_room_for_the_tallest():
    drawn = state((0.2, 0.1), W=3 * BOTH)
    tallest = max(sum(part["size"] for part in n["parts"]) for n in drawn["neurons"])
    assert tallest <= drawn["top"] <= tallest + 2
    assert state()["top"] == 2


def test_a_start_that_diverged_is_not_the_best():
    W = BOTH.copy()
    W[0, 0, 0] = np.nan
    drawn = state((np.nan, 0.2), W=W)
    assert drawn["shares"][1]["best"] and "2 of 3" in drawn["summary"]
    json.dumps(drawn, allow_nan=False)


@pytest.mark.parametrize(
    ("W", "losses", "said"),
    [
        (BOTH, [0.1], "use one for each"),
        (BOTH[0], [0.1, 0.2, 0.3], "(n_restarts, n_neurons, n_features)"),
        (np.nan * BOTH, [0.1, 0.2], "not finite"),
    ],
)
def test_what_cannot_be_drawn_is_said(W, losses, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        plots.privileged_state(W, losses)


def test_bars_of_a_layer_show_its_weights():
    figure = plots.neuron_bars({"clean": CLEAN, "mixed": torch.tensor(MIXED)})
    heights = np.array([trace.y for trace in figure.data]).reshape(2, 4, 3)
    sums = np.sort(np.abs(BOTH).sum(2))
    np.testing.assert_allclose(np.sort(heights.sum(1)), sums, atol=1e-3)
    labels = [text for trace in figure.data for text in trace.text if text]
    assert labels.count("−x1") == 1 and labels.count("x1") == 2
    above = [note.text for note in figure.layout.annotations if note.text.isdigit()]
    assert above == ["1", "1", "0", "2", "3", "1"]
    assert "clean: 0 of 2 answer to several features; mixed: 2 of 3" in plots.alt_text(figure)
    with pytest.raises(ValueError, match="n_neurons, n_features"):
        plots.neuron_bars({"one row": CLEAN[0]})


def test_contributions_end_with_their_sum():
    figure = plots.contribution_bars(
        {"out": {"a": 2.0, "b": -3.0}}, x_title="neuron", y_title="added"
    )
    (bars,) = figure.data
    assert list(bars.x) == ["a", "b", "sum"] and list(bars.y) == [2, -3, -1]
    assert list(bars.text) == ["2.00", "−3.00", "−1.00"]
    assert plots.alt_text(figure) == "added. out: a 2.00, b -3.00, sum -1.00."


# The panel


class Trainer:
    """Stands in for training: remembers what was asked."""

    def __init__(self):
        self.asked, self.fails = [], None

    def __call__(self, p, seed):
        self.asked.append((p, seed))
        if self.fails:
            raise self.fails
        return BOTH * (1 + p), np.array([p, 0.3])


@pytest.fixture
def trainer():
    return Trainer()


@pytest.fixture
def panel(trainer):
    return widgets.privileged_panel(trainer)


def expected(trainer):
    p, _ = trainer.asked[-1]
    return plots.privileged_state(BOTH * (1 + p), np.array([p, 0.3]))


def test_the_panel_opens_with_trained_neurons(panel, trainer):
    assert trainer.asked == [(1.0, 0)]
    assert panel.view.state == expected(trainer)


def test_moving_the_slider_trains_once_and_draws_the_answer(panel, trainer):
    before = panel.view.state
    panel.sparsity.index = 20
    assert len(trainer.asked) == 2
    assert panel.view.state == expected(trainer) != before
    assert expected(trainer)["summary"] in panel.view.words


def test_each_stop_asks_for_what_its_label_says(panel, trainer):
    for index, label in enumerate(panel.sparsity.labels):
        panel.sparsity.index = index
        sparsity, p = map(float, re.fullmatch(r"S = ([\d.]+)\s+\(p = ([\d.]+)\)", label).groups())
        assert trainer.asked[-1][0] == pytest.approx(p, abs=6e-4)
        assert sparsity == pytest.approx(1 - p, abs=1.1e-3)
    assert panel.probabilities[0] == 1 and panel.probabilities[-1] == pytest.approx(0.02)


def test_new_random_starts_are_another_seed(panel, trainer):
    panel.sparsity.index = 7
    panel.button.click()
    assert trainer.asked[-1] == (trainer.asked[-2][0], 1)
    assert panel.view.words.endswith("Random seed 1.")


@pytest.mark.parametrize("error", [ValueError("p is too small"), RuntimeError()])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, trainer, error, capsys):
    before = panel.view.state
    trainer.fails = error
    panel.sparsity.index = 3
    assert panel.view.words.startswith("This could not be trained")
    assert type(error).__name__ in panel.view.words
    assert panel.view.state == before
    trainer.fails = None
    panel.sparsity.index = 4
    assert panel.view.state == expected(trainer)
    assert capsys.readouterr() == ("", "")


def test_the_panel_takes_another_threshold(trainer):
    panel = widgets.privileged_panel(trainer, threshold=0.9)
    assert panel.view.state == plots.privileged_state(BOTH * 2, np.array([1.0, 0.3]), 0.9)


def test_what_is_sent_for_a_picture_is_small(panel):
    assert len(json.dumps(panel.view.state)) < 6_000
    sources = [widgets.PrivilegedView._esm, widgets.PrivilegedView._css]
    assert sum(len(str(source)) for source in sources) < 12_000


def test_the_slider_begins_where_it_is_told(trainer):
    panel = widgets.privileged_panel(trainer, p=0.5)
    assert panel.probabilities[panel.sparsity.index] == pytest.approx(0.5, rel=0.1)
    assert panel.view.state["neurons"]

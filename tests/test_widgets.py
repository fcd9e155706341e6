"""The panels without a browser: a changed state trains and draws the right thing."""

from __future__ import annotations

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from course_utils import plots, widgets


class Trainer:
    """Stands in for training: remembers what was asked, answers with numbers made from it."""

    def __init__(self):
        self.asked = []
        self.fails = None

    def __call__(self, p, decay, seed):
        self.asked.append((p, decay, seed))
        if self.fails:
            raise self.fails
        return self.answer(p, decay, seed)

    @staticmethod
    def answer(p, decay, seed):
        angles = torch.arange(5) * decay + seed
        return torch.stack([angles.cos(), angles.sin()]) * (1 - p / 2), torch.full((5,), -p)


@pytest.fixture
def trainer():
    return Trainer()


@pytest.fixture
def panel(trainer):
    return widgets.superposition_panel(trainer)


def drawn(panel):
    return panel.view.state


def expected(trainer):
    return plots.superposition_state(*trainer.answer(*trainer.asked[-1]))


def test_the_panel_opens_with_a_trained_model(panel, trainer):
    assert trainer.asked == [(1.0, pytest.approx(0.9), 0)]
    assert drawn(panel) == expected(trainer)
    assert "features are represented in 2 dimensions" in panel.view.words


@pytest.mark.parametrize(("slider", "index"), [("sparsity", 26), ("sparsity", 40), ("decay", 0)])
def test_moving_a_slider_trains_once_and_draws_the_answer(panel, trainer, slider, index):
    before = drawn(panel)
    getattr(panel, slider).index = index
    assert len(trainer.asked) == 2
    assert drawn(panel) == expected(trainer) != before
    assert expected(trainer)["summary"] in panel.view.words


def test_each_slider_asks_for_what_its_label_says(panel, trainer):
    for index, label in enumerate(panel.sparsity.labels):
        panel.sparsity.index = index
        sparsity, p = map(float, re.fullmatch(r"S = ([\d.]+)\s+\(p = ([\d.]+)\)", label).groups())
        assert trainer.asked[-1][0] == pytest.approx(p, abs=6e-4)
        assert sparsity == pytest.approx(1 - p, abs=1.1e-3)
    for index, label in enumerate(panel.decay.labels):
        panel.decay.index = index
        assert trainer.asked[-1][1] == pytest.approx(float(re.search(r"[\d.]+", label)[0]))


def test_the_scale_gives_room_to_the_sparse_end(panel):
    p = panel.probabilities
    assert p[0] == 1 and p[-1] == pytest.approx(0.01)
    assert np.allclose(p[1:] / p[:-1], p[1] / p[0])  # equal steps of log p
    assert min(panel.decays) == 0.5 and max(panel.decays) == 1


def test_a_new_random_start_is_another_seed_with_the_same_settings(panel, trainer):
    panel.sparsity.index = 20
    panel.button.click()
    assert trainer.asked[-1] == (*trainer.asked[-2][:2], 1)
    assert drawn(panel) == expected(trainer)
    assert "Random start 1" in panel.view.words


@pytest.mark.parametrize("error", [ValueError("p is too small"), RuntimeError(), KeyError("W")])
def test_an_error_is_a_sentence_and_the_panel_lives_on(panel, trainer, error, capsys):
    before = drawn(panel)
    trainer.fails = error
    panel.sparsity.index = 3
    assert panel.view.words.startswith("This could not be trained")
    assert type(error).__name__ in panel.view.words
    assert drawn(panel) == before
    trainer.fails = None
    panel.sparsity.index = 4
    assert drawn(panel) == expected(trainer)
    assert "could not" not in panel.view.words
    assert capsys.readouterr() == ("", "")


def test_an_error_at_the_start_is_a_sentence_too(trainer):
    trainer.fails = ValueError("no luck")
    panel = widgets.superposition_panel(trainer)
    assert "no luck" in panel.view.words
    trainer.fails = None
    panel.sparsity.index = 1
    assert drawn(panel) == expected(trainer)


def test_a_training_that_diverged_is_said(panel, trainer, monkeypatch):
    monkeypatch.setattr(
        trainer, "answer", lambda *_: (torch.full((2, 5), torch.nan), torch.ones(5))
    )
    panel.sparsity.index = 1
    assert "diverged" in panel.view.words


def test_a_slider_stays_on_its_scale():
    slider = widgets.Slider(name="Size", labels=["small", "large"])
    slider.index = 7
    assert slider.index == 1
    slider.index = -1
    assert slider.index == 0


def test_what_is_sent_for_a_picture_is_small(panel):
    assert len(json.dumps(drawn(panel))) < 5_000
    sources = [getattr(kind, part) for kind in (widgets.Slider, widgets.ModelView)
               for part in ("_esm", "_css")]  # fmt: skip
    assert sum(len(str(source)) for source in sources) < 20_000


def test_show_displays_plain_data_and_words(monkeypatch):
    shown = []
    record = lambda what, **options: shown.append((what, options))  # noqa: E731
    monkeypatch.setattr(widgets.figures, "display", record)
    figure = plots.gram_heatmap(np.eye(3), np.zeros(3))
    figure.update_layout(meta={"alt": "three <b> features"})
    widgets.show(figure)
    (data, options), (text, _) = shown
    assert options == {"raw": True}
    assert go.Figure(data["application/vnd.plotly.v1+json"]) == figure
    assert data["text/plain"] == "three <b> features"
    assert "three &lt;b&gt; features" in text.data

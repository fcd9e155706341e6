"""Notebook 02 as a learner meets it: JupyterLab in a browser, keyboard and pointer."""

from __future__ import annotations

import json
import re

import nbformat
import numpy as np
import pytest
import torch
from lab import ROOT
from panel import Panel, assert_answered_at_once
from playwright.sync_api import expect

from course_utils import toy_models
from course_utils.plots import superposition_state
from course_utils.widgets import SuperpositionPanel

STUDENT = ROOT / "notebooks" / "02_superposition.ipynb"


@pytest.fixture(scope="module")
def notebook(opened):
    """The student notebook after a restart, where only its first cell and the panel's have run."""
    with opened(STUDENT) as notebook:
        notebook.run_cell("start(")
        notebook.restart_kernel()
        notebook.run_cell("start(")
        notebook.run_cell("superposition_panel(retrain)")
        yield notebook


@pytest.fixture(scope="module")
def panel(notebook):
    return Panel(notebook.page)


def retrain():
    """The function of the notebook that the panel calls, run here."""
    cells = (cell.source for cell in nbformat.read(STUDENT, as_version=4).cells)
    names = {"torch": torch, "toy_models": toy_models, "superposition_panel": lambda train: None}
    exec(next(source for source in cells if "def retrain(" in source), names)
    return names["retrain"]


def trained(sparsity: int, decay: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """W and b that the panel should show for these positions of the sliders."""
    p = float(SuperpositionPanel.probabilities[sparsity])
    W, b = retrain()(p, float(SuperpositionPanel.decays[decay]), seed)
    return W.numpy(), b.numpy()


def assert_drawn(panel: Panel, model: tuple[np.ndarray, np.ndarray]) -> None:
    """Arrows, cells, bars and words are those of this model."""
    W, b = model
    np.testing.assert_allclose(panel.W(), W, atol=1e-3)
    np.testing.assert_allclose(panel.cells(), np.column_stack([W.T @ W, b]), atol=6e-3)
    np.testing.assert_allclose(panel.lengths(), np.linalg.norm(W, axis=0), atol=6e-3)
    assert panel.description() == superposition_state(W, b)["words"]
    shown = int((np.linalg.norm(W, axis=0) > 0.5).sum())
    assert panel.words().startswith(f"{shown} of 5 features are represented")


# The central panel


def test_after_a_restart_the_first_cell_and_this_one_are_enough(notebook, panel):
    assert_drawn(panel, trained(0, 8))  # what the sliders say
    assert notebook.errors == []


def test_arrow_keys_retrain(panel):
    panel.go_to(sparsity=0, decay=8)
    panel.press("sparsity", "End")
    assert_drawn(panel, trained(40, 8))
    panel.press("sparsity", "ArrowLeft")
    assert_drawn(panel, trained(39, 8))
    panel.press("decay", "ArrowDown")
    assert_drawn(panel, trained(39, 7))
    panel.press("decay", "Home")
    assert_drawn(panel, trained(39, 0))


def test_the_slider_says_where_it_is(panel):
    panel.go_to(sparsity=40)
    expect(panel.sparsity).to_have_attribute("aria-valuetext", "S = 0.990   (p = 0.010)")


@pytest.mark.parametrize("name", ["sparsity", "decay"])
def test_dragging_retrains_when_it_is_let_go(panel, name):
    panel.go_to(sparsity=40, decay=10)
    box, mouse = panel.slider(name).bounding_box(), panel.page.mouse
    middle = box["y"] + box["height"] / 2
    before = panel.W()
    mouse.move(box["x"] + box["width"] - 8, middle)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.5, middle, steps=5)
    np.testing.assert_array_equal(panel.W(), before)
    panel.after(mouse.up)
    positions = panel.positions()
    assert positions[name] == pytest.approx({"sparsity": 20, "decay": 5}[name], abs=1)
    assert_drawn(panel, trained(**positions))


def test_a_click_on_the_track_retrains(panel):
    panel.go_to(sparsity=0)
    box = panel.sparsity.bounding_box()
    at = {"x": box["width"] * 0.75, "y": box["height"] / 2}
    panel.after(lambda: panel.sparsity.click(position=at))
    assert panel.positions()["sparsity"] == pytest.approx(30, abs=1)
    assert_drawn(panel, trained(**panel.positions()))


def test_keys_in_quick_succession_end_with_the_last(panel):
    panel.go_to(sparsity=0, decay=8)
    panel.sparsity.focus()
    for _ in range(25):
        panel.page.keyboard.press("ArrowRight")
    words = superposition_state(*trained(25, 8))["words"]
    expect(panel.picture).to_have_attribute("aria-label", words)


@pytest.mark.parametrize("key", ["Enter", "Space", "click"])
def test_the_button_starts_anew(panel, key):
    seed = panel.random_start() + 1
    panel.button.focus()
    panel.after(panel.button.click if key == "click" else lambda: panel.page.keyboard.press(key))
    assert panel.random_start() == seed
    assert_drawn(panel, trained(**panel.positions(), seed=seed))


def test_tab_goes_through_the_panel_in_order(panel):
    panel.sparsity.focus()
    for control in (panel.decay, panel.button):
        panel.page.keyboard.press("Tab")
        expect(control).to_be_focused()


# What is kept


def test_a_guess_is_kept_and_comes_back(opened, lab):
    with opened(STUDENT) as notebook:
        page = notebook.page
        notebook.run_cell("start(")
        asked = notebook.run_cell('"2.e",\n')
        choices = asked.get_by_role("radio")
        choices.first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        expect(choices.nth(1)).to_be_checked()
        asked.get_by_role("button", name="Commit to this guess").focus()
        page.keyboard.press("Enter")
        expect(asked.get_by_text(re.compile("Noted: Features that are never"))).to_be_visible()
        stored = json.loads((lab.work / ".progress.json").read_text("utf-8"))
        assert stored["guesses"] == {"2.e": "Features that are never present together"}

        notebook.run_cell("PAIR_P = 0.2")
        told = notebook.run_cell("cosine_strip(cosines)")
        expect(told.get_by_text(re.compile("You guessed Features that are never"))).to_be_visible()


def test_a_text_survives_reload_and_restart(opened, lab):
    written = "More features than dimensions."
    with opened(STUDENT) as notebook:
        notebook.run_cell("start(")
        box = notebook.run_cell('ask("2.10")').get_by_role("textbox", name="Your answer")
        box.focus()
        notebook.page.keyboard.type(written)
        expect(notebook.page.get_by_text("2.10 ✗")).to_be_visible()  # the progress strip follows
        notebook.save()
        notebook.reload()
        notebook.restart_kernel()
        notebook.run_cell("start(")
        box = notebook.run_cell('ask("2.10")').get_by_role("textbox", name="Your answer")
        expect(box).to_have_value(written)
        stored = json.loads((lab.work / ".progress.json").read_text("utf-8"))
        assert stored["answers"]["2.10"]["text"] == written


# Speed


@pytest.mark.quiet
def test_a_new_picture_is_there_at_once(opened, record_property):
    """In a page with everything else."""
    with opened(STUDENT) as notebook:
        notebook.run()
        panel = Panel(notebook.page)
        assert_drawn(panel, trained(0, 8))
        for key in ["ArrowRight"] * 10 + ["ArrowLeft"] * 10:  # to warm up
            panel.press("sparsity", key)

        def play() -> None:
            for key in ["ArrowRight"] * 40 + ["ArrowLeft"] * 40:
                panel.press("sparsity", key)

        assert_answered_at_once(panel, play, "key to new picture", record_property, redraws=80)
        assert_drawn(panel, trained(0, 8))
        assert notebook.errors == []

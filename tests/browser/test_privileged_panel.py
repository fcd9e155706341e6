"""The panel of notebook 04 in JupyterLab: what is drawn is what Python says of the training."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from lab import definitions
from looks import FAULTS, SMALLEST, change_theme
from panel import WATCH, assert_answered_at_once
from playwright.sync_api import expect

from course_utils import plots
from course_utils.widgets import PrivilegedPanel

NUMERICS = f"""
{definitions("04_polysemanticity", "retrain")}
importance = toy_models.importance_decay(10, 0.75)
"""
FAILING = """
honest = retrain

def retrain(p, seed):
    if seed == 13:
        raise ValueError("thirteen brings no luck")
    return honest(p, seed)
"""
# Heights as shares of the axes, from the pixels that are drawn.
DRAWN = """(svg) => {
  const all = (name) => [...svg.querySelectorAll(name)];
  const at = (node, name) => Number(node.getAttribute(name));
  const text = (name) => all(name).map((node) => node.textContent);
  const lines = all("path").map((path) => path.getAttribute("d").match(/^M([\\d.]+) ([\\d.]+)H/))
    .filter(Boolean).map(([, x, y]) => [Number(x), Number(y)]);
  const scale = (left) => lines.filter(([x]) => x === left).map(([, y]) => y);
  return {
    pieces: all(".piece").map((piece) => at(piece, "height")),
    names: text(".name"), verdicts: text(".verdict"), ticks: text(".tick"),
    bars: scale(62), dots: all(".dot").map((dot) => at(dot, "cy")),
    best: all(".dot").findIndex((dot) => dot.classList.contains("best")),
    shares: scale(664), mean: text(".strong.end"),
  };
}"""


@pytest.fixture(scope="module")
def numerics():
    made = {}
    exec(NUMERICS, made)
    return made


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "neurons.ipynb"
    cells = [
        f"{NUMERICS}\n{FAILING}\ntorch.set_num_threads(1)",
        "privileged_panel(retrain)",
        "# the cell after it",
    ]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("honest =")
        notebook.run_cell("privileged_panel(retrain)")
        yield notebook


class Panel:
    """`after(action)` does something and waits for the redraw that it causes."""

    def __init__(self, page):
        self.page = page
        self.view = page.locator(".course-privileged")
        self.words = self.view.get_by_role("status")
        self.slider = page.get_by_role("slider", name="Sparsity S")
        self.button = page.get_by_role("button", name="New random starts")
        self.view.scroll_into_view_if_needed()
        page.evaluate(WATCH.replace(".course-model", ".course-privileged"))

    def milliseconds(self):
        return self.page.evaluate("milliseconds")

    def after(self, action):
        before = len(self.milliseconds())
        action()
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def press(self, key):
        self.slider.focus()
        self.after(lambda: self.page.keyboard.press(key))

    def go(self, place):
        while (now := int(self.slider.input_value())) != place:
            self.press("ArrowRight" if now < place else "ArrowLeft")

    def seed(self):
        return int(re.search(r"Random seed (\d+)", self.words.inner_text())[1])

    def drawn(self):
        return self.view.locator("svg").evaluate(DRAWN)


@pytest.fixture
def panel(notebook):
    return Panel(notebook.page)


def assert_shows(panel, numerics):
    """The bars, their names, the dots and the words are those of the training."""
    p = float(PrivilegedPanel.probabilities[int(panel.slider.input_value())])
    state = plots.privileged_state(*numerics["retrain"](p, panel.seed()))
    drawn = panel.drawn()
    sizes = [part["size"] for neuron in state["neurons"] for part in neuron["parts"]]
    unit = (drawn["bars"][0] - drawn["bars"][4]) / state["top"]
    np.testing.assert_allclose(drawn["pieces"], unit * np.array(sizes), atol=0.5)
    assert drawn["verdicts"] == [neuron["verdict"] for neuron in state["neurons"]]
    names = [part["text"] for neuron in state["neurons"] for part in neuron["parts"]]
    tall = [name if unit * size > 13 else "" for name, size in zip(names, sizes)]
    assert drawn["names"] == tall
    zero, one = drawn["shares"][0], drawn["shares"][4]
    shares = (zero - np.array(drawn["dots"])) / (zero - one)
    np.testing.assert_allclose(shares, [dot["value"] for dot in state["shares"]], atol=0.01)
    assert state["shares"][drawn["best"]]["best"]
    assert drawn["mean"] == [f"mean {state['mean']['text']}"]
    expect(panel.words).to_contain_text(state["summary"])
    assert panel.view.locator("svg").get_attribute("aria-label") == state["words"]


def test_the_panel_opens_with_what_the_slider_says(panel, numerics, notebook):
    assert_shows(panel, numerics)
    assert notebook.errors == []


@pytest.mark.parametrize("place", [6, 12, 24])
def test_arrow_keys_change_the_sparsity(panel, numerics, place):
    panel.go(place)
    assert_shows(panel, numerics)


def test_the_pointer_moves_the_slider(panel, numerics):
    box = panel.slider.bounding_box()
    panel.after(
        lambda: panel.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    )
    assert int(panel.slider.input_value()) in (11, 12, 13)
    assert_shows(panel, numerics)


def test_new_random_starts_from_the_keyboard(panel, numerics):
    before = panel.seed()
    panel.button.focus()
    panel.after(lambda: panel.page.keyboard.press("Enter"))
    assert panel.seed() == before + 1
    assert_shows(panel, numerics)


def test_a_training_that_fails_is_a_sentence_and_the_panel_lives_on(panel, numerics, notebook):
    while panel.seed() < 12:
        panel.after(panel.button.click)
    panel.after(panel.button.click)
    expect(panel.words).to_contain_text("thirteen brings no luck")
    panel.after(panel.button.click)
    assert panel.seed() == 14
    assert_shows(panel, numerics)
    assert notebook.errors == []


def test_every_control_has_a_name_and_is_reached_by_tab(panel):
    panel.slider.focus()
    expect(panel.slider).to_be_focused()
    panel.page.keyboard.press("Tab")
    expect(panel.button).to_be_focused()


@pytest.mark.quiet
def test_a_key_is_answered_at_once(panel, record_property):
    panel.go(0)
    keys = ["ArrowRight"] * 24 + ["ArrowLeft"] * 24
    for key in keys[:20]:  # to warm up
        panel.press(key)
    panel.go(0)

    def play():
        for key in keys:
            panel.press(key)

    assert_answered_at_once(panel, play, "key to newly trained neurons", record_property)


@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
)
@pytest.mark.parametrize("place", [0, 10, 24])
def test_the_panel_can_be_read(panel, width, theme, place):
    page = panel.page
    panel.go(place)
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": width, "height": 1000})
    change_theme(page, theme)
    page.wait_for_timeout(300)
    faults = panel.view.locator("svg").evaluate(FAULTS, SMALLEST)
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        panel.view.locator("xpath=..").screenshot(
            path=Path(folder) / f"neurons-{theme}-{width}-{place}.png"
        )
    assert faults == []
    assert panel.view.evaluate("node => node.scrollWidth <= node.clientWidth + 1")

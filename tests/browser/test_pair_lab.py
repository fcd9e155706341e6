"""The semicolon panel and the pair lab of notebook 04 in JupyterLab: what is drawn is what Python
says, keys are answered at once, and nothing that was typed is lost."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
from looks import FAULTS, SMALLEST, change_theme
from panel import WATCH, assert_answered_at_once
from playwright.sync_api import expect

from course_utils.plots.semicolons import sign_state

# As large as in the notebook: 15 pairs, 30 layers. Nothing is measured: no model is needed.
NUMERICS = """
import time
from itertools import combinations
import numpy as np
from course_utils import snippets
from course_utils.plots.semicolons import Bar, LayerNeurons, SignFigures
from course_utils.polysemanticity import PairReport
from course_utils.polysemanticity.verdict import View
from course_utils.widgets.pair_lab import pair_lab
from course_utils.widgets.semicolons import semicolon_panel

dice = np.random.default_rng(0)
pairs = list(combinations(("JavaScript", "C", "Python", "English", "French", "German"), 2))
value = dice.uniform(-0.3, 0.9, (15, 30))

def bars():
    return [Bar(int(j), *dice.normal(size=2)) for j in dice.integers(0, 1536, 4)]

figures = SignFigures(
    pairs, range(30), value, value - 0.06, value + 0.06, value * 0 - 0.1, value * 0 + 0.1,
    value * 0 + 0.95,
    {(k, layer): LayerNeurons(bars(), bars(), 40, 3.2, 120) for k in range(15)
     for layer in range(30)},
)

def measure(first, second):
    time.sleep(0.5)
    if "fail" in first:
        raise ValueError("text 3 has no character that the model knows; leave it out.")
    layers = (0, 4, 8, 13, 18, 23)
    cosine = tuple(dice.uniform(-0.5, 0.8, 6))
    return PairReport(
        len(first), len(second), layers, cosine, tuple(c - 0.1 for c in cosine),
        tuple(c + 0.1 for c in cosine), (-0.25,) * 6, (0.25,) * 6, layers[2:],
        View(0.45, 0.35, 0.55, -0.25, 0.25), View(0.4, 0.3, 0.5, -0.2, 0.2),
        (0.9,) * 6, 0.95, 0.62, 13, 1536, 77, 12, 3.9, 8, 0.05, 0.1, 1.0, 0.9, 0.0,
        0.03, "likely in superposition together",
        "Both are there, a probe for one says no to the other, and yet their directions are "
        "alike: they share space, unless both have a third thing. Seen from ordinary sentences "
        "0.45 (0.35 to 0.55; random lists -0.25 to 0.25), from many kinds 0.40 (0.30 to 0.50; "
        "random lists -0.20 to 0.20).",
    )
"""
SHOW = {"semicolons": "semicolon_panel(figures)", "pair-lab": "pair_lab(measure, snippets.pairs())"}
DRAWN = """(stage) => {
  const text = (name) => [...stage.querySelectorAll(name)].map((node) => node.textContent);
  const path = stage.querySelector(".layers path.curve").getAttribute("d");
  const dot = stage.querySelector(".dot");
  return {
    title: text(".layers .title")[0],
    curve: path.match(/[ML][^ML]+/g).map((p) => p.slice(1).trim().split(/\\s+/).map(Number)),
    dot: [Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))],
    names: text(".bars .name"),
    numbers: text(".bars .number"),
  };
}"""


class Sign:
    """The semicolon panel; `press` waits for the redraw that a key causes."""

    def __init__(self, page, figures):
        self.page, self.figures = page, figures
        self.view = page.locator(".course-semicolons")
        self.box = self.view.locator("xpath=..")
        self.words = self.view.get_by_role("status")
        self.view.scroll_into_view_if_needed()
        page.evaluate(WATCH.replace(".course-model", ".course-semicolons p[role=status]"))

    def slider(self, name):
        return self.box.get_by_role("slider", name=name)

    def at(self, name):
        return int(self.slider(name).input_value())

    def milliseconds(self):
        return self.page.evaluate("milliseconds")

    def press(self, name, key):
        self.slider(name).focus()
        before = len(self.milliseconds())
        self.page.keyboard.press(key)
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def go(self, **places):
        for name, place in places.items():
            while (now := self.at(name.title())) != place:
                self.press(name.title(), "ArrowRight" if now < place else "ArrowLeft")


class PairLab:
    """The pair lab."""

    def __init__(self, page):
        self.page = page
        self.view = page.locator(".course-pair-lab")
        self.view.scroll_into_view_if_needed()
        self.choice = self.view.get_by_role("combobox", name="Pair")
        self.first = self.view.get_by_role("textbox", name="First list")
        self.second = self.view.get_by_role("textbox", name="Second list")
        self.button = self.view.get_by_role("button", name="Measure")
        self.words = self.view.get_by_role("status")
        self.verdict = self.view.locator(".verdict")
        self.svg = self.view.locator("svg")

    def choose(self, label):
        """Choose, and wait for what Python says of it."""
        self.choice.select_option(label=label)
        expect(self.view).to_have_attribute("data-shown", label)

    def measure(self):
        self.button.click()
        expect(self.button).to_be_enabled(timeout=10_000)


@pytest.fixture(scope="module")
def numerics():
    made = {}
    exec(NUMERICS, made)
    return made


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "pairs.ipynb"
    cells = [NUMERICS, *SHOW.values(), "# the cell after them"]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("dice =")
        for cell in SHOW.values():
            notebook.run_cell(cell)
        yield notebook


@pytest.fixture
def sign(notebook, numerics):
    panel = Sign(notebook.page, numerics["figures"])
    panel.go(pair=0, layer=0)
    return panel


@pytest.fixture
def pairs(notebook):
    panel = PairLab(notebook.page)
    panel.choose("Two topics")
    return panel


# The semicolon panel


def assert_shows(panel):
    """Curve, dot, bars and words are those of the place where the sliders are."""
    state = sign_state(panel.figures, panel.at("Pair"), panel.at("Layer"))
    drawn = panel.view.locator(".stage").evaluate(DRAWN)
    assert drawn["title"] == state["title"]
    curve, value = np.array(drawn["curve"]), np.array(state["value"])
    scale = np.ptp(curve[:, 1]) / np.ptp(value)
    np.testing.assert_allclose(curve[0, 1] - curve[:, 1], scale * (value - value[0]), atol=0.2)
    np.testing.assert_allclose(drawn["dot"], drawn["curve"][state["layer"]], atol=0.1)
    bars = [bar for group in state["groups"] for bar in group["bars"]]
    assert drawn["names"] == [bar["name"] for bar in bars]
    assert drawn["numbers"] == [text for bar in bars for text in bar["texts"]]
    expect(panel.words).to_have_text(state["summary"])
    assert panel.view.locator("svg.layers").get_attribute("aria-label") == state["words"]
    assert panel.view.locator("svg.bars").get_attribute("aria-label") == state["neuron_words"]


def test_the_panel_opens_with_what_its_sliders_say(sign, notebook):
    assert_shows(sign)
    assert notebook.errors == []


@pytest.mark.parametrize("places", [{"layer": 4}, {"pair": 2, "layer": 1}])
def test_arrow_keys_change_layer_and_pair(sign, places):
    sign.go(**places)
    assert_shows(sign)


def test_both_sliders_have_names_and_are_reached_by_tab(sign):
    sign.slider("Pair").focus()
    sign.page.keyboard.press("Tab")
    expect(sign.slider("Layer")).to_be_focused()


@pytest.mark.quiet
def test_a_key_is_answered_at_once(sign, record_property):
    keys = (["ArrowRight"] * 10 + ["ArrowLeft"] * 10) * 3
    for key in keys[:20]:  # to warm up
        sign.press("Layer", key)

    def play():
        for key in keys:
            sign.press("Layer", key)

    assert_answered_at_once(sign, play, "key to new semicolon picture", record_property)


# The pair lab


def test_the_button_gives_a_verdict_and_a_chart(pairs, notebook):
    pairs.measure()
    expect(pairs.verdict).to_have_text("Likely in superposition together")
    expect(pairs.words).to_contain_text("Both are there, a probe for one says no to the other")
    assert pairs.svg.locator("circle.mark").count() == 7  # six layers, and one in the legend
    assert "layer 23" in pairs.svg.get_attribute("aria-label")
    rows = pairs.view.locator("dd b").all_text_contents()
    assert rows == [
        "95% of new cases right", "0.45 (0.35 to 0.55)", "0.40 (0.30 to 0.50)", "5%", "10%", "12"
    ]  # fmt: skip
    expect(pairs.view.locator(".caveat")).to_contain_text("not a proof")
    assert notebook.errors == []


def test_it_is_used_by_keys_alone(pairs):
    pairs.choice.focus()
    pairs.page.keyboard.press("ArrowDown")
    expect(pairs.first).to_have_value(text_of("dna_hex"))
    pairs.page.keyboard.press("Tab")
    expect(pairs.first).to_be_focused()
    pairs.page.keyboard.press("Control+End")
    pairs.page.keyboard.type("\nACGT dd bb 00")  # letters that JupyterLab would take for commands
    pairs.page.keyboard.press("Tab")
    expect(pairs.second).to_be_focused()
    pairs.page.keyboard.press("Tab")
    expect(pairs.button).to_be_focused()
    pairs.page.keyboard.press("Enter")
    expect(pairs.verdict).to_have_text("Likely in superposition together", timeout=10_000)
    assert pairs.first.input_value().endswith("\nACGT dd bb 00")
    assert pairs.page.locator(".jp-Notebook .jp-Cell").count() == 4


def text_of(slug):
    from course_utils import snippets
    from course_utils.widgets.pair_lab import as_text

    return as_text(snippets.pairs()[slug].first)


def test_nonsense_gets_a_sentence_and_the_text_stays(pairs):
    pairs.choose("Your own lists")
    for typed, words in (
        ("", "The first list is empty"),
        ("\n".join(f"snippet {k}" for k in range(100)), "The first list has 100 snippets"),
        ("x" * 10_000, "The first list has 1 snippet:"),
    ):
        pairs.first.fill(typed)
        pairs.second.fill("😀\n🎉\n🐱\n🐶")
        pairs.measure()
        expect(pairs.words).to_contain_text(words)
        expect(pairs.verdict).to_be_hidden()
        assert pairs.first.input_value() == typed and "🐶" in pairs.second.input_value()


def test_an_error_is_a_sentence_and_the_text_stays(pairs):
    pairs.choose("Your own lists")
    pairs.first.fill("fail\ntwo\nthree\nfour")
    pairs.second.fill("five\nsix\nseven\neight")
    pairs.measure()
    expect(pairs.words).to_contain_text("text 3 has no character that the model knows")
    assert pairs.first.input_value() == "fail\ntwo\nthree\nfour"
    pairs.first.fill("one\ntwo\nthree\nfour")
    pairs.measure()
    expect(pairs.verdict).to_be_visible()


def test_what_was_typed_comes_back_with_its_choice(pairs):
    pairs.choose("Your own lists")
    pairs.first.fill("only typed")
    pairs.choose("Two languages")
    expect(pairs.first).to_have_value(text_of("french_german"))
    pairs.choose("Your own lists")
    expect(pairs.first).to_have_value("only typed")


# Both


@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (800, "dark"), (1280, "dark")]
)
@pytest.mark.parametrize("kind", SHOW)
def test_the_panel_can_be_read(request, notebook, kind, width, theme):
    panel = request.getfixturevalue("sign" if kind == "semicolons" else "pairs")
    if kind == "pair-lab":
        panel.measure()
        expect(panel.verdict).to_be_visible()
    page = notebook.page
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": width, "height": 1300})
    change_theme(page, theme)
    page.wait_for_timeout(300)
    faults = []
    for svg in panel.view.locator("svg").all():
        faults += svg.evaluate(FAULTS, SMALLEST)
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        box = panel.view.locator("xpath=..")
        box.screenshot(path=Path(folder) / f"{kind}-{theme}-{width}.png")
    assert faults == []
    assert panel.view.evaluate("node => node.scrollWidth <= node.clientWidth + 1")

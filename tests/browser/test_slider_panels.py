"""The tuning-curve explorer and the universality matrix of notebook 01, and sweep and steering of
notebook 05, in JupyterLab: all that is drawn is what Python says of the place where the sliders
are."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
from looks import FAULTS, SMALLEST, change_theme
from panel import WATCH, assert_answered_at_once
from playwright.sync_api import expect

from course_utils.plots.steering import steering_state
from course_utils.plots.sweep import sweep_state
from course_utils.plots.theme import PALETTE
from course_utils.plots.tuning import tuning_state
from course_utils.plots.universality import universality_state

# As large as in the notebook: 24 angles, three layers; eight networks, two layers and measures.
NUMERICS = """
import time
import numpy as np
import torch
from course_utils import plots, sae, stimuli, vision
from course_utils.plots.steering import SteeringFigures
from course_utils.widgets import (
    steering_panel, sweep_panel, tuning_panel, universality_panel,
)

dice = np.random.default_rng(0)
angles = torch.arange(0, 180, 7.5)

def layer(n_units, filters=None):
    both = [torch.from_numpy(dice.uniform(0, 3, (24, n_units))) for _ in range(2)]
    both[0][:, 1] = 0
    summed_up = [(vision.selectivity(c, angles), vision.preferred_angle(c, angles)) for c in both]
    return plots.LayerTuning(both[0].T, *summed_up[0], both[1].T, *summed_up[1], filters=filters)

curves = plots.TuningCurves(
    {"stem": layer(32, dice.normal(size=(32, 3, 3, 3))), "block1": layer(24), "block4": layer(40)},
    angles, relative=True,
)

def stimulus(angle):
    if angle == 15:
        raise ValueError("fifteen is not to be shown")
    return stimuli.grating(angle, 1 / 8, 0, size=33)[0, 0]

kinds = ("shapes", "digits", "shuffled", "untrained")
names = [f"{kind} {letter}" for kind in kinds for letter in "AB"]

def symmetric(low, high):
    found = dice.uniform(low, high, (2, 8, 8))
    return np.maximum(found, found.transpose(0, 2, 1))
value = {m: symmetric(0, 1) for m in ("linear CKA", "units, one to one")}
networks = plots.NetworkSimilarities(
    names, ("conv1", "conv2"), value,
    {m: v - 0.05 for m, v in value.items()}, {m: np.minimum(v + 0.05, 1) for m, v in value.items()},
    {m: np.full((2, 8, 8), 0.2) for m in value}, {m: np.full((2, 8, 8), 0.5) for m in value},
    controls=names[4:],
)
sweep = plots.SweepFigures(**sae.load_sweep())

# Four prompts, four changes, eight values, six tokens: as in the notebook.
values = (0, 8, 15, 30, 45, 60, 90, 120)
push = np.linspace(0, 1, 8)[:, None]
before = dice.dirichlet(np.ones(7), 4)[:, :6]
after = dice.dirichlet(np.ones(7), (4, 4))[..., :6]
steered = SteeringFigures(
    prompts=("The rain had stopped by noon;", "She wanted to leave;", "Il ne pleuvait plus ;",
             "let total = 0;"),
    series=("only in code (latent 1775)", "only in prose (latent 1488)",
            "every semicolon (latent 1506)", "random latent 3889 (control)"),
    values=values, tokens=[
        *[[" the", " and", "\\n", "\\n           ", " however", " therefore"]] * 3,
        ["\\n" + 23 * " ", " responsibilities_and_MORE", "漢字" * 12, "שלום", "<b>", "i"],
    ],
    baseline=before,
    probabilities=before[:, None, None] * (1 - push) + after[:, :, None] * push,
    kl=dice.uniform(0, 3, (4, 4, 1)) * push.T ** 3, actual=dice.uniform(0, 20, (4, 4)),
)

def compute(text):
    # Another prompt, after a moment; its KL is larger than all others.
    time.sleep(0.5)
    if text == "fails":
        raise RuntimeError("no such model")
    own = np.random.default_rng(len(text))
    return SteeringFigures(
        prompts=(text,), series=steered.series, values=values, tokens=[list("abcdef")],
        baseline=own.dirichlet(np.ones(7), 1)[:, :6],
        probabilities=own.dirichlet(np.ones(7), (1, 4, 8))[..., :6],
        kl=own.uniform(10, 50, (1, 4, 8)), actual=own.uniform(0, 20, (1, 4)),
    )
"""
SHOW = {
    "tuning": "tuning_panel(curves, stimulus)",
    "universality": "universality_panel(networks)",
    "sweep": "sweep_panel(sweep)",
    "steering": "steering_panel(steered, compute)",
}
# Where things are drawn in the picture, as shares of its axes.
CURVES = """(svg) => {
  const points = (path) => path.getAttribute("d").match(/[ML][^ML]+/g)
    .map((part) => part.slice(1).trim().split(/\\s+/).map(Number));
  const dot = (circle) => [Number(circle.getAttribute("cx")), Number(circle.getAttribute("cy"))];
  return {
    title: svg.querySelector(".title").textContent,
    curve: points(svg.querySelectorAll(".curve.unit")[1]),
    control: points(svg.querySelectorAll(".curve.control")[1]),
    dots: [...svg.querySelectorAll(".dot")].map(dot).reverse(),
    numbers: [...svg.querySelectorAll(".number")].map((text) => text.textContent),
  };
}"""
MATRIX = """(stage) => {
  const text = (name) => [...stage.querySelectorAll(name)].map((node) => node.textContent);
  const ring = stage.querySelector(".ring");
  const under = [...stage.querySelectorAll(".cell")].findIndex((cell) => {
    const square = cell.querySelector("rect");
    return ["x", "y"].every((at) => Math.abs(ring.getAttribute(at) - square.getAttribute(at)) < 2);
  });
  return { cells: text(".cell .number"), ringed: under, titles: text(".title"),
    numbers: text(".pairs .end.number"), verdicts: text(".verdict") };
}"""
# Heights are read against the lines at 0 and 1, which have these words beside them.
SWEEP = """(stage) => {
  const [curves, run] = stage.querySelectorAll("svg");
  const numbers = (words) => (words.match(/-?[\\d.]+(?:e-?\\d+)?/g) || []).map(Number);
  const pairs = (path) => (path.getAttribute("d").match(/[ML][^MLZ]+/g) || []).map(numbers);
  const texts = (svg, name) => [...svg.querySelectorAll(name)].map((text) => text.textContent);
  const shares = (svg, zero, one) => {
    const at = (words) => Number([...svg.querySelectorAll("text.end")]
      .find((text) => text.textContent === words).getAttribute("y"));
    const [low, high] = [at(zero) - 4.5, at(one) - 4.5];
    return (y) => (low - y) / (low - high);
  };
  const share = shares(curves, "0 %", "100 %"), cosine = shares(run, "0", "1");
  const shown = (node) => node.getAttribute("display") !== "none";
  // A column has two corners at its top; the first and the last point lie at 0.
  const columns = (name) => pairs(run.querySelector(name)).slice(1, -1)
    .filter((_, k) => k % 2).map(([, y]) => cosine(y));
  const features = numbers(run.querySelector(".features").getAttribute("d"))[0];
  return {
    titles: [...texts(curves, ".title"), ...texts(run, ".title")],
    curves: [...curves.querySelectorAll("path.curve")].slice(0, 3)
      .map((path) => pairs(path).map(([x, y]) => [x, share(y)])),
    bands: [...curves.querySelectorAll("path.band")].slice(0, 3)
      .map((path) => pairs(path).map(([, y]) => share(y))),
    names: [...curves.querySelectorAll(".tick")].map((text) => Number(text.getAttribute("x"))),
    chosen: texts(curves, ".tick.strong"),
    now: numbers(curves.querySelector(".now").getAttribute("d"))[0],
    numbers: texts(curves, ".number").map((words) => words.slice(2)),
    legend: texts(curves, ".legend"),
    found: columns(".found"), missed: columns(".missed"),
    above: texts(run, ".above"),
    latents: [...run.querySelectorAll(".segment")]
      .map((bar) => shown(bar) ? Number(bar.getAttribute("width")) : 0),
    feature: features - Number(run.querySelector(".segment").getAttribute("x")),
    kinds: texts(run, ".legend"),
    words: [curves, run].map((svg) => svg.getAttribute("aria-label")),
  };
}"""


class Sliders:
    """A panel of sliders and one view; `press` waits for the redraw that a key causes."""

    def __init__(self, page, kind, numerics):
        self.page, self.kind, self.numerics = page, kind, numerics
        self.view = page.locator(f".course-{kind}")
        self.box = self.view.locator("xpath=..")
        self.words = self.view.get_by_role("status")
        self.stage = self.view.locator(".stage")
        self.view.scroll_into_view_if_needed()
        page.evaluate(WATCH.replace(".course-model", f".course-{kind} p[role=status]"))

    def slider(self, name):
        return self.box.get_by_role("slider", name=name)

    def at(self, name):
        return int(self.slider(name).input_value())

    def milliseconds(self):
        return self.page.evaluate("milliseconds")

    def after(self, action):
        before = len(self.milliseconds())
        action()
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def press(self, name, key):
        self.slider(name).focus()
        self.after(lambda: self.page.keyboard.press(key))

    def go(self, **places):
        for name, place in places.items():
            while (now := self.at(name.title())) != place:
                self.press(name.title(), "ArrowRight" if now < place else "ArrowLeft")


@pytest.fixture(scope="module")
def numerics():
    made = {}
    exec(NUMERICS, made)
    return made


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "sliders.ipynb"
    cells = [f"{NUMERICS}\ntorch.set_num_threads(1)", *SHOW.values(), "# the cell after them"]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("dice =")
        for cell in SHOW.values():
            notebook.run_cell(cell)
        yield notebook


@pytest.fixture
def tuning(notebook, numerics):
    panel = Sliders(notebook.page, "tuning", numerics)
    panel.go(layer=0, unit=0, angle=0)
    return panel


@pytest.fixture
def universality(notebook, numerics):
    panel = Sliders(notebook.page, "universality", numerics)
    panel.go(measure=0, layer=0, pair=0)
    return panel


@pytest.fixture
def sweep(notebook, numerics):
    panel = Sliders(notebook.page, "sweep", numerics)
    panel.go(autoencoder=0, expansion=0)
    return panel


@pytest.fixture
def steering(notebook, numerics):
    panel = Sliders(notebook.page, "steering", numerics)
    panel.box.get_by_role("slider", name="Clamp to").focus()
    for name, key in (("Prompt", "Home"), ("Change", "Home"), ("Clamp to", "End")):
        slider = panel.slider(name)
        slider.focus()
        panel.page.keyboard.press(key)
    expect(panel.slider("Clamp to")).to_have_value("7")
    panel.page.wait_for_timeout(300)
    return panel


# The tuning-curve explorer


def assert_shows_unit(panel):
    """The curves, the dots on them, the numbers and the words are those of this unit and angle."""
    curves = panel.numerics["curves"]
    layer = list(curves.layers)[panel.at("Layer")]
    state = tuning_state(curves, layer, panel.at("Unit"), panel.at("Angle"))
    drawn = panel.view.locator("svg").evaluate(CURVES)
    assert drawn["title"] == state["title"]
    for name, line in zip(("curve", "control"), state["lines"], strict=True):
        points, meant = np.array(drawn[name]), np.array(line["points"])
        for k in range(2):  # the same up to the scale of the axis, which is one for all
            wide = np.ptp(meant[:, k])
            scale = np.ptp(points[:, k]) / wide if wide else 0
            away = points[:, k] - points[0, k]
            np.testing.assert_allclose(
                np.abs(away), scale * np.abs(meant[:, k] - meant[0, k]), atol=0.2
            )
    at = panel.at("Angle")
    np.testing.assert_allclose(
        drawn["dots"], [drawn[name][at] for name in ("curve", "control")], atol=0.1
    )
    assert drawn["numbers"] == [line["now"]["text"] for line in state["lines"]]
    expect(panel.words).to_contain_text(state["summary"])
    assert panel.view.locator("svg").get_attribute("aria-label") == state["words"]


def test_the_explorer_opens_with_what_its_sliders_say(tuning, notebook):
    assert_shows_unit(tuning)
    assert notebook.errors == []


@pytest.mark.parametrize(("unit", "angle"), [(0, 5), (1, 0), (3, 23)])
def test_arrow_keys_turn_the_stripes_and_change_the_unit(tuning, unit, angle):
    tuning.go(unit=unit, angle=angle)
    assert_shows_unit(tuning)


def test_the_stimulus_is_the_one_of_the_angle(tuning):
    canvas = tuning.view.locator("canvas").first
    tuning.go(angle=7)
    grey = """(c) => { const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
        return [...data].filter((_, k) => k % 4 === 0); }"""
    meant = tuning.numerics["stimulus"](7 * 7.5).flatten() * 255
    np.testing.assert_allclose(canvas.evaluate(grey), meant, atol=1)
    expect(canvas).to_have_accessible_name("shown now: 52.5°")


def test_a_layer_with_fewer_units_shows_its_last(tuning):
    tuning.press("Unit", "End")
    assert tuning.at("Unit") == 31
    tuning.press("Layer", "ArrowRight")
    assert tuning.at("Unit") == 23
    assert_shows_unit(tuning)
    expect(tuning.view.locator("canvas").nth(1)).to_be_hidden()  # it has no filters


def test_a_stimulus_that_fails_is_a_sentence_and_the_panel_lives_on(tuning, notebook):
    tuning.go(angle=2)
    expect(tuning.words).to_contain_text("fifteen is not to be shown")
    tuning.go(angle=3)
    expect(tuning.words).not_to_contain_text("fifteen")
    assert_shows_unit(tuning)
    assert notebook.errors == []


def test_the_pointer_moves_a_slider(tuning):
    box = tuning.slider("Angle").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tuning.after(lambda: tuning.page.mouse.click(*middle))
    assert tuning.at("Angle") in (11, 12)
    assert_shows_unit(tuning)


# The universality matrix


def assert_shows_pair(panel):
    table = panel.numerics["networks"]
    pair = table.pairs[panel.at("Pair")]
    measure = table.measures[panel.at("Measure")]
    state = universality_state(table, measure, panel.at("Layer"), pair)
    drawn = panel.stage.evaluate(MATRIX)
    assert drawn["cells"] == [cell["text"] for row in state["cells"] for cell in row]
    assert drawn["ringed"] == 8 * pair[0] + pair[1]
    assert drawn["titles"] == [state["title"], state["pair_title"]]
    assert drawn["numbers"] == [row["text"] for row in state["rows"]]
    assert drawn["verdicts"] == [row["verdict"] for row in state["rows"]]
    expect(panel.words).to_have_text(state["summary"])


def test_the_matrix_opens_with_what_its_sliders_say(universality, notebook):
    assert_shows_pair(universality)
    assert notebook.errors == []


@pytest.mark.parametrize("places", [{"pair": 3}, {"layer": 1}, {"measure": 1, "pair": 1}])
def test_arrow_keys_change_pair_layer_and_measure(universality, places):
    universality.go(**places)
    assert_shows_pair(universality)


@pytest.mark.parametrize(("row", "column"), [(2, 5), (5, 2)])
def test_a_click_on_a_cell_chooses_its_pair(universality, row, column):
    cell = universality.view.locator(".cell").nth(8 * row + column)
    universality.after(cell.click)
    assert universality.numerics["networks"].pairs[universality.at("Pair")] == (2, 5)
    assert_shows_pair(universality)


def test_a_network_with_itself_is_no_pair(universality):
    universality.view.locator(".cell").nth(9).click()
    universality.press("Layer", "ArrowRight")  # that was answered, and so was the click before it
    assert universality.at("Pair") == 0


# The expansion sweep


def assert_shows_run(panel):
    """Curves and their ranges, features and latents are those of this autoencoder and size."""
    figures, at = panel.numerics["sweep"], panel.at("Expansion")
    state = sweep_state(figures, panel.at("Autoencoder"), at)
    drawn = panel.stage.evaluate(SWEEP)
    assert drawn["titles"] == [state["title"], state["cosine_title"], state["bar_title"]]
    for points, band, curve in zip(drawn["curves"], drawn["bands"], state["curves"], strict=True):
        x, share = np.transpose(points)
        np.testing.assert_allclose(share, curve["mean"], atol=0.002)
        np.testing.assert_allclose(band, curve["high"] + curve["low"][::-1], atol=0.002)
        np.testing.assert_allclose(x, drawn["names"], atol=0.1)
    # Twice as large is equally far everywhere.
    apart = np.diff(drawn["names"]) / np.diff(np.log(figures.expansions))
    np.testing.assert_allclose(apart, apart[0], rtol=1e-3)
    assert drawn["now"] == pytest.approx(drawn["names"][at], abs=0.1)
    assert drawn["chosen"] == [f"{figures.expansions[at]:g}×"]
    assert drawn["numbers"] == [curve["text"] for curve in state["curves"]]
    assert drawn["legend"] == [curve["legend"] for curve in state["curves"]]
    assert len(drawn["found"]) == state["found"]
    np.testing.assert_allclose(drawn["found"] + drawn["missed"], state["cosines"], atol=0.002)
    assert drawn["above"] == [state["found_text"]] and drawn["kinds"] == state["texts"]
    counts = np.array(drawn["latents"]) / drawn["feature"] * figures.n_features
    np.testing.assert_allclose(counts, state["counts"], atol=0.01)
    assert drawn["words"] == [state["words"], state["latent_words"]]
    expect(panel.words).to_have_text(state["summary"])


def test_the_sweep_opens_with_what_its_sliders_say(sweep, notebook):
    assert_shows_run(sweep)
    assert notebook.errors == []


@pytest.mark.parametrize("places", [{"autoencoder": 1}, {"expansion": 3}, {"autoencoder": 3,
                                    "expansion": 6}])  # fmt: skip
def test_arrow_keys_change_autoencoder_and_expansion(sweep, places):
    sweep.go(**places)
    assert_shows_run(sweep)


def test_the_pointer_chooses_an_expansion(sweep):
    box = sweep.slider("Expansion").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    sweep.after(lambda: sweep.page.mouse.click(*middle))
    assert sweep.at("Expansion") == 3
    assert_shows_run(sweep)


@pytest.mark.parametrize("width", [800, 1280])
def test_every_place_of_the_sweep_can_be_read(sweep, width):
    sweep.page.set_viewport_size({"width": width, "height": 1000})
    figures = sweep.numerics["sweep"]
    faults = {}
    for series in range(len(figures.names)):
        for expansion in range(len(figures.expansions)):
            sweep.go(autoencoder=series, expansion=expansion)
            for svg in sweep.view.locator("svg").all():
                if found := svg.evaluate(FAULTS, SMALLEST):
                    faults[series, expansion] = found
    assert faults == {}


# Steering

BARS = """(svg) => {
  const left = Number(svg.querySelector("path.axis").getAttribute("d").match(/[\\d.]+/)[0]);
  const marks = [...svg.querySelectorAll("path.before")].slice(1);
  const texts = (name) => [...svg.querySelectorAll(name)].map((text) => text.textContent);
  return {
    title: texts(".title")[0], tokens: texts(".token"), numbers: texts(".number"),
    was: texts(".was"), fill: svg.querySelector(".bar").getAttribute("fill"),
    widths: [...svg.querySelectorAll(".bar")].map((bar) => Number(bar.getAttribute("width"))),
    before: marks.map((mark) => Number(mark.getAttribute("d").match(/[\\d.]+/)[0]) - left),
    words: svg.getAttribute("aria-label"),
  };
}"""
KL = """(svg) => ({
  dots: [...svg.querySelectorAll(".dot")]
    .map((dot) => [dot.getAttribute("fill"), Number(dot.getAttribute("cy"))]),
  lines: [...svg.querySelectorAll("path.grid, path.axis")]
    .map((line) => Number(line.getAttribute("d").match(/ ([\\d.]+)H/)[1])),
  numbers: [...svg.querySelectorAll("text.number")].map((text) => text.textContent),
  strong: [...svg.querySelectorAll("text.strong")].map((text) => text.textContent),
  words: svg.getAttribute("aria-label"),
})"""


def assert_shows_change(panel):
    """Bars, marks, dots and words are those of this prompt, change and value."""
    figures = panel.numerics["steered"]
    state = steering_state(figures, *(panel.at(n) for n in ("Prompt", "Change", "Clamp to")))
    expect(panel.words).to_have_text(state["summary"])
    expect(panel.view.locator(".heading")).to_have_text(state["title"])
    pictures = panel.view.locator("svg.tokens:visible").all()
    drawn = [svg.evaluate(BARS) for svg in pictures]
    # One scale for the change and the control beside it.
    longest = max(max(bars["widths"] + bars["before"]) for bars in drawn)
    for bars, want in zip(drawn, state["pictures"], strict=True):
        assert bars["title"] == want["title"] and bars["words"] == want["words"]
        assert bars["tokens"] == [bar["token"] for bar in want["bars"]]
        assert bars["numbers"] == [bar["text"] for bar in want["bars"]]
        assert bars["was"] == [bar["was"] for bar in want["bars"]]
        assert bars["fill"] == PALETTE[want["series"]]
        for lengths, part in (("widths", "now"), ("before", "before")):
            shares = [bar[part] * longest for bar in want["bars"]]
            np.testing.assert_allclose(bars[lengths], shares, atol=0.6)
    kl = panel.view.locator("svg.changes").evaluate(KL)
    bottom, top = max(kl["lines"]), min(kl["lines"])
    shares = [(bottom - dict(kl["dots"])[c]) / (bottom - top) for c in PALETTE[: len(kl["dots"])]]
    assert kl["dots"][-1][0] == PALETTE[state["series"]]  # in front of the others
    now = [curve[state["at"]] for curve in state["curves"]]
    np.testing.assert_allclose(shares, now, atol=0.01)
    assert kl["numbers"] == state["numbers"] and kl["words"] == state["kl_words"]
    assert figures.series[state["series"]] in kl["strong"]


def test_steering_opens_with_the_strongest_push(steering):
    assert [steering.at(n) for n in ("Prompt", "Change", "Clamp to")] == [0, 0, 7]
    assert_shows_change(steering)


@pytest.mark.parametrize(
    ("name", "key"), [("Prompt", "ArrowRight"), ("Change", "ArrowRight"), ("Clamp to", "ArrowLeft")]
)
def test_arrow_keys_change_what_is_steered(steering, name, key):
    before = steering.words.text_content()
    steering.press(name, key)
    assert steering.words.text_content() != before
    assert_shows_change(steering)


def test_the_control_is_not_beside_itself(steering):
    expect(steering.view.locator("svg.tokens:visible")).to_have_count(2)
    for _ in range(3):
        steering.press("Change", "ArrowRight")
    expect(steering.view.locator("svg.tokens:visible")).to_have_count(1)
    assert_shows_change(steering)


def test_the_value_that_it_has_by_itself_is_named(steering):
    figures = steering.numerics["steered"]
    slider, said = steering.slider("Clamp to"), []
    for step in range(7, -1, -1):
        said.append(slider.get_attribute("aria-valuetext"))
        if step:
            steering.press("Clamp to", "ArrowLeft")
    assert said[::-1] == figures.value_labels(0, 0)
    assert sum("as it is" in words for words in said) == 1


def test_a_prompt_of_ones_own_from_the_keyboard_alone(steering, notebook):
    field = steering.box.get_by_role("textbox", name="Another prompt")
    said = steering.box.locator(".course-search").get_by_role("status")
    field.focus()
    steering.page.keyboard.type("dd bb; it snowed;")  # letters that JupyterLab has commands for
    steering.page.keyboard.press("Enter")
    expect(said).to_have_text("Computing ...")
    expect(said).to_have_text("Shown as the last prompt: “dd bb; it snowed;”.", timeout=10_000)
    expect(field).to_be_focused()
    expect(field).to_have_value("dd bb; it snowed;")
    expect(steering.slider("Prompt")).to_have_value("4")
    numerics = steering.numerics
    own = numerics["compute"]("dd bb; it snowed;")
    numerics["steered"] = numerics["steered"].with_prompt(own)  # the panel keeps it
    assert_shows_change(steering)
    faults = []
    for svg in steering.view.locator("svg:visible").all():
        faults += svg.evaluate(FAULTS, SMALLEST)
    assert faults == []
    steering.press("Prompt", "ArrowLeft")
    assert_shows_change(steering)
    assert notebook.errors == []


def test_a_prompt_that_fails_is_a_sentence_and_the_panel_lives_on(steering, notebook):
    field = steering.box.get_by_role("textbox", name="Another prompt")
    said = steering.box.locator(".course-search").get_by_role("status")
    for text, words in (
        ("fails", "That prompt could not be computed (RuntimeError: no such model)."),
        ("", "Type a text first."),
        ("x" * 10_000, "That text has 10,000 characters; use at most 2,000."),
    ):
        field.fill(text)
        steering.box.get_by_role("button", name="Compute").click()
        expect(said).to_have_text(words, timeout=10_000)
        expect(field).to_have_value(text)
    steering.press("Change", "ArrowRight")
    assert_shows_change(steering)
    assert notebook.errors == []


def test_the_pointer_chooses_a_value(steering):
    box = steering.slider("Clamp to").bounding_box()
    at = box["x"] + 3, box["y"] + box["height"] / 2
    steering.after(lambda: steering.page.mouse.click(*at))
    assert steering.at("Clamp to") == 0
    assert_shows_change(steering)


@pytest.mark.parametrize("width", [800, 1280])
def test_every_change_can_be_read(steering, width):
    steering.page.set_viewport_size({"width": width, "height": 1000})
    faults = {}
    for name, key, steps in (("Clamp to", "ArrowLeft", 7), ("Change", "ArrowRight", 3),
                             ("Prompt", "ArrowRight", 3)):  # fmt: skip
        for step in range(steps):
            steering.press(name, key)
            found = []
            for svg in steering.view.locator("svg:visible").all():
                found += svg.evaluate(FAULTS, SMALLEST)
            if found:
                faults[name, step] = found
    assert faults == {}


# All


@pytest.fixture(params=["tuning", "universality", "sweep", "steering"])
def panel(request):
    return request.getfixturevalue(request.param)


def test_every_control_has_a_name_and_is_reached_by_tab(panel):
    sliders = panel.box.get_by_role("slider").all()
    assert len(sliders) == (2 if panel.kind == "sweep" else 3)
    sliders[0].focus()
    for slider in sliders:
        expect(slider).to_be_focused()
        assert slider.evaluate("node => node.labels[0]?.textContent || node.ariaLabel").strip()
        panel.page.keyboard.press("Tab")


@pytest.mark.quiet
@pytest.mark.parametrize(
    ("kind", "name", "moves"),
    [
        ("tuning", "Angle", 10),
        ("universality", "Pair", 10),
        ("sweep", "Expansion", 6),
        ("steering", "Prompt", 3),
    ],
)
def test_a_key_is_answered_at_once(request, kind, name, moves, record_property):
    panel = request.getfixturevalue(kind)
    keys = (["ArrowRight"] * moves + ["ArrowLeft"] * moves) * (30 // moves)
    for key in keys[: 2 * moves]:  # to warm up
        panel.press(name, key)

    def play():
        for key in keys:
            panel.press(name, key)

    assert_answered_at_once(panel, play, f"key to new {kind} picture", record_property)


@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
)
def test_the_panel_can_be_read(panel, width, theme):
    page = panel.page
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": width, "height": 1000})
    change_theme(page, theme)
    page.wait_for_timeout(300)
    faults = []
    for svg in panel.view.locator("svg").all():
        faults += svg.evaluate(FAULTS, SMALLEST)
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        panel.box.screenshot(path=Path(folder) / f"{panel.kind}-{theme}-{width}.png")
    assert faults == []
    assert panel.view.evaluate("node => node.scrollWidth <= node.clientWidth + 1")

"""The neuron dashboard of notebook 04 in JupyterLab: all that is drawn is what Python says of the
neuron where the slider is."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
from looks import FAULTS, SMALLEST, change_theme
from panel import WATCH, assert_answered_at_once
from playwright.sync_api import expect

from course_utils.plots.neurons import neuron_state

# As large as in the notebook: 512 neurons, 512 texts of 63 tokens, 16 classes; and text that would
# do harm if it were taken for HTML, or that is read from right to left.
NUMERICS = """
import torch
from course_utils import neurons
from course_utils.widgets.neurons import neuron_panel

dice = torch.Generator().manual_seed(0)
names = [*"abcdefghijklmn", "Hebrew", "<b>html</b>"]
letters = ["x +"] * 14 + ["שלו", "<i>"]
texts = [letters[i // 32] * 63 for i in range(512)]
classes = torch.arange(512) // 32
text = torch.arange(512).repeat_interleave(63)
starts = 3 * torch.arange(63).repeat(512)
x = torch.rand(len(text), 512, generator=dice)
x *= torch.rand(x.shape, generator=dice) < torch.linspace(0, 0.3, 512)
for c in (14, 15):
    x[:, c] = torch.rand(len(text), generator=dice) * (classes[text] == c)
survey = neurons.Survey(x, text, torch.stack([starts, starts + 3], 1), texts, classes, names)

def effect(neuron):
    if neuron == 3:
        raise ValueError("three has no tokens")
    ups = [(f"<i>{k}", neuron + k / 8) for k in range(8)]
    return ups, [("שלום", -1.0)] * 8
"""
SHOW = "neuron_panel(survey, effect)"
DRAWN = """(view) => {
  const texts = (selector, inside = view) =>
    [...inside.querySelectorAll(selector)].map((node) => node.textContent);
  const shares = (selector, key) =>
    [...view.querySelectorAll(selector)].map((node) => parseFloat(node.style[key]) / 100);
  return {
    titles: texts(".title"), facts: texts(".facts .number"), names: texts(".bars .name"),
    bars: texts(".bars .number"), lengths: shares(".bar", "width"),
    lows: shares(".track .band", "left"),
    heights: [...view.querySelectorAll("rect")].map((r) => Number(r.getAttribute("height"))),
    contexts: [...view.querySelectorAll(".texts li")].map((item) => ({
      name: item.querySelector(".name").textContent,
      pieces: [...item.querySelector(".text").children].map((piece) => piece.textContent),
      mark: item.querySelector("mark").textContent,
      direction: getComputedStyle(item.querySelector(".text")).direction,
    })),
    tokens: texts(".effects code"), scores: texts(".effects .number"),
  };
}"""


class Dashboard:
    """`press` waits for the redraw that a key causes."""

    def __init__(self, page, numerics):
        self.page, self.survey, self.effect = page, numerics["survey"], numerics["effect"]
        self.view = page.locator(".course-neurons")
        self.box = self.view.locator("xpath=..")
        self.words = self.view.get_by_role("status")
        self.number = self.view.get_by_role("spinbutton", name="Go to neuron")
        self.view.scroll_into_view_if_needed()
        page.evaluate(WATCH.replace(".course-model", ".course-neurons .stage"))

    def slider(self, name):
        return self.box.get_by_role("slider", name=name)

    def milliseconds(self):
        return self.page.evaluate("milliseconds")

    def after(self, action):
        before = len(self.milliseconds())
        action()
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def press(self, name, key):
        self.slider(name).focus()
        self.after(lambda: self.page.keyboard.press(key))

    def go(self, neuron):
        if self.neuron != neuron:
            self.number.fill(str(neuron))
            self.after(lambda: self.number.press("Enter"))

    @property
    def neuron(self):
        """The neuron that the slider's words name."""
        return int(self.slider("Neuron").get_attribute("aria-valuetext").partition(",")[0])

    def assert_shows(self, neuron):
        assert self.neuron == neuron == int(self.number.input_value())
        tokens = self.effect(neuron) if neuron != 3 else ((), ())
        state = neuron_state(self.survey.look(neuron), *tokens)
        drawn = self.view.evaluate(DRAWN)
        assert drawn["titles"][0] == state["title"]
        assert drawn["facts"] == [fact["text"] for fact in state["facts"]]
        rows = state["bars"]["rows"]
        assert drawn["names"] == [row["name"] for row in rows]
        assert drawn["bars"] == [row["text"] for row in rows]
        np.testing.assert_allclose(drawn["lengths"], [row["length"] for row in rows], atol=1e-3)
        np.testing.assert_allclose(drawn["lows"], [row["low"] for row in rows], atol=1e-3)
        heights = np.array(state["histogram"]["heights"])
        np.testing.assert_allclose(drawn["heights"], 100 * heights, atol=0.1)
        contexts = [row for group in state["contexts"] for row in group["rows"]]
        for found, row in zip(drawn["contexts"], contexts, strict=True):
            pieces = [piece for piece, _ in row["pieces"]]
            assert found["pieces"] == pieces and found["mark"] == pieces[row["at"]]
            assert found["name"] == f"{row['name']}, {row['value']}"
            assert found["direction"] == ("rtl" if row["name"] == "Hebrew" else "ltr")
        listed = [row for effects in state["effects"] for row in effects["rows"]]
        assert drawn["tokens"] == [row["token"] for row in listed]
        assert drawn["scores"] == [row["text"] for row in listed]
        expect(self.words).to_contain_text(state["summary"])


@pytest.fixture(scope="module")
def numerics():
    made = {}
    exec(NUMERICS, made)
    return made


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "neurons.ipynb"
    cells = [f"{NUMERICS}\ntorch.set_num_threads(1)", SHOW, "# the cell after it"]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("dice =")
        notebook.run_cell(SHOW)
        notebook.page.wait_for_selector(".course-neurons .title", timeout=60_000)
        yield notebook


@pytest.fixture
def dashboard(notebook, numerics):
    page = notebook.page
    page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
                           " === 'idle'")  # fmt: skip
    panel = Dashboard(page, numerics)
    while int(panel.slider("Order").input_value()):
        panel.slider("Order").press("ArrowLeft")
        page.wait_for_timeout(300)
    panel.go(0)
    return panel


def test_it_opens_with_what_its_slider_says(dashboard, notebook):
    dashboard.assert_shows(0)  # never active
    assert notebook.errors == []


@pytest.mark.parametrize("neuron", [14, 15, 400])
def test_a_number_and_enter_show_that_neuron(dashboard, neuron, notebook):
    dashboard.go(neuron)
    dashboard.assert_shows(neuron)
    assert notebook.errors == []


def test_arrow_keys_go_from_neuron_to_neuron(dashboard):
    for neuron in (1, 2):
        dashboard.press("Neuron", "ArrowRight")
        dashboard.assert_shows(neuron)
    dashboard.press("Neuron", "End")
    dashboard.assert_shows(511)


def test_another_order_begins_at_its_beginning(dashboard):
    dashboard.press("Order", "ArrowRight")
    dashboard.assert_shows(dashboard.survey.order("fewest")[0])
    dashboard.press("Neuron", "ArrowRight")
    dashboard.assert_shows(dashboard.survey.order("fewest")[1])
    dashboard.press("Order", "ArrowRight")
    dashboard.assert_shows(dashboard.survey.order("most")[0])


def test_the_pointer_moves_the_slider(dashboard):
    dashboard.slider("Neuron").scroll_into_view_if_needed()
    box = dashboard.slider("Neuron").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    dashboard.after(lambda: dashboard.page.mouse.click(*middle))
    assert 240 < dashboard.neuron < 270
    dashboard.assert_shows(dashboard.neuron)


def test_text_is_text_and_not_html(dashboard):
    dashboard.go(15)
    expect(dashboard.view.locator("b, i")).to_have_count(0)
    expect(dashboard.view.locator(".bars .name").last).to_have_text("<b>html</b>")


def test_tokens_that_fail_are_a_sentence_and_the_panel_lives_on(dashboard, notebook):
    dashboard.go(3)
    expect(dashboard.words).to_contain_text("three has no tokens")
    dashboard.assert_shows(3)
    dashboard.go(4)
    expect(dashboard.words).not_to_contain_text("three has no tokens")
    assert notebook.errors == []


@pytest.mark.parametrize(("typed", "shown"), [("", 7), ("-3", 0), ("7.9", 7), ("600", 511)])
def test_what_is_no_number_of_a_neuron_becomes_one(dashboard, typed, shown):
    dashboard.go(7)
    dashboard.number.fill(typed)
    dashboard.number.press("Enter")
    expect(dashboard.number).to_have_value(str(shown))
    expect(dashboard.view.locator(".title").first).to_have_text(f"neuron {shown}")


def test_jupyterlab_does_not_take_the_keys(dashboard):
    active = "jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = dashboard.page.evaluate(active)
    for key in ("ArrowDown", "ArrowUp", "Enter"):
        dashboard.number.press(key)
    assert dashboard.page.evaluate(active) == before
    mode = "jupyterapp.shell.currentWidget.content.mode"
    assert dashboard.page.evaluate(mode) == "command"
    expect(dashboard.number).to_be_focused()


def test_every_control_has_a_name_and_is_reached_by_tab(dashboard):
    controls = [dashboard.slider("Neuron"), dashboard.slider("Order"), dashboard.number]
    controls[0].focus()
    for control in controls:
        expect(control).to_be_focused()
        dashboard.page.keyboard.press("Tab")
    for picture in dashboard.view.get_by_role("img").all():
        assert len(picture.get_attribute("aria-label")) > 20


@pytest.mark.quiet
def test_a_key_is_answered_at_once(dashboard, record_property):
    dashboard.go(100)
    keys = (["ArrowRight"] * 10 + ["ArrowLeft"] * 10) * 3
    for key in keys[:20]:  # to warm up
        dashboard.press("Neuron", key)

    def play():
        for key in keys:
            dashboard.press("Neuron", key)

    assert_answered_at_once(dashboard, play, "key to new neuron", record_property)


@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (800, "dark"), (1280, "light"), (1280, "dark"),
                         (1920, "light")],
)  # fmt: skip
def test_the_panel_can_be_read(dashboard, width, theme):
    page = dashboard.page
    dashboard.go(14)
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": width, "height": 1400})
    change_theme(page, theme)
    page.wait_for_timeout(300)
    faults = [
        f for svg in dashboard.view.locator("svg").all() for f in svg.evaluate(FAULTS, SMALLEST)
    ]
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        dashboard.box.screenshot(path=Path(folder) / f"neurons-{theme}-{width}.png")
    assert faults == []
    assert dashboard.view.evaluate("node => node.scrollWidth <= node.clientWidth + 1")


# Latents: some of 4,096, with a box for a text


LATENTS = """
def find(text):
    if text == "fails":
        raise RuntimeError("no such model")
    if text == "many":
        return [(1000 + 2 * k, 30.0 - k, " internationalization"[:k + 1]) for k in range(30)]
    return [] if text == "nothing" else [(1000 + 2 * 17, 3.25, " ;"), (1000, 0.5, "<i>")]

panel = neuron_panel(
    survey, noun="latent", numbers=list(range(1000, 2024, 2)), search=find, order="number"
)
panel
"""


@pytest.fixture(scope="module")
def latents(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "latents.ipynb"
    cells = [f"{NUMERICS}\ntorch.set_num_threads(1)", LATENTS, "# the cell after it"]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("dice =")
        notebook.run_cell("def find")
        yield notebook.page


def test_a_text_finds_latents_from_the_keyboard_alone(latents):
    box = latents.locator(".course-search")
    field = box.get_by_role("textbox", name="Find latents by a text")
    field.focus()
    latents.keyboard.type("let x = 1;")
    latents.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_have_text("2 latents, the strongest first.")
    expect(field).to_be_focused()
    expect(field).to_have_value("let x = 1;")
    found = box.get_by_role("listitem").get_by_role("button")
    expect(found).to_have_text(["latent 1034: 3.2 at “ ;”", "latent 1000: 0.5 at “<i>”"])
    latents.keyboard.press("Tab")
    expect(box.get_by_role("button", name="Find", exact=True)).to_be_focused()
    latents.keyboard.press("Tab")
    latents.keyboard.press("Enter")
    expect(latents.locator(".course-neurons .title").first).to_have_text("latent 1034")
    expect(latents.get_by_role("slider", name="Latent")).to_have_value("17")


def test_what_finds_nothing_is_said_also_twice(latents):
    box = latents.locator(".course-search")
    field = box.get_by_role("textbox", name="Find latents by a text")
    for text, words in (
        ("nothing", "No latent of those shown here is active in that text."),
        ("fails", "That text could not be read (RuntimeError: no such model)."),
        ("fails", "That text could not be read (RuntimeError: no such model)."),
        ("", "Type a text first."),
        ("x" * 10_000, "That text has 10,000 characters; use at most 2,000."),
    ):
        field.fill(text)
        box.get_by_role("button", name="Find", exact=True).click()
        expect(box.get_by_role("status")).to_have_text(words)
        expect(box.get_by_role("listitem")).to_have_count(0)


@pytest.mark.parametrize(
    ("typed", "shown"), [(1101, 1100), (4095, 2022), (9999, 2022), (0, 1000), (-5, 1000)]
)
def test_a_number_that_is_not_there_becomes_the_nearest(latents, typed, shown):
    view = latents.locator(".course-neurons")
    number = view.get_by_role("spinbutton", name="Go to latent")
    number.fill(str(typed))
    number.press("Enter")
    said = f"Latent {typed} is not among those shown here; this is the nearest number."
    expect(view.get_by_role("status")).to_contain_text(said)
    expect(number).to_have_value(str(shown))
    expect(view.locator(".title").first).to_have_text(f"latent {shown}")


def test_what_is_typed_stays_when_another_latent_is_drawn(latents):
    field = latents.locator(".course-search").get_by_role("textbox")
    field.fill("half a wo")
    for key in ("Home", "ArrowRight"):
        latents.get_by_role("slider", name="Latent").press(key)
    expect(latents.locator(".course-neurons .title").first).to_have_text("latent 1002")
    expect(field).to_have_value("half a wo")


@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (800, "dark"), (1280, "light"), (1280, "dark"),
                         (1920, "light")],
)  # fmt: skip
def test_found_latents_can_be_read(latents, width, theme):
    box = latents.locator(".course-search")
    box.get_by_role("textbox").fill("many")
    box.get_by_role("textbox").press("Enter")
    expect(box.get_by_role("listitem")).to_have_count(12)
    latents.evaluate("jupyterapp.shell.collapseLeft()")
    latents.set_viewport_size({"width": width, "height": 1400})
    change_theme(latents, theme)
    latents.wait_for_timeout(300)
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        path = Path(folder) / f"latents-{theme}-{width}.png"
        box.locator("xpath=..").screenshot(path=path)
    assert box.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    places = [item.bounding_box() for item in box.get_by_role("listitem").all()]
    for k, one in enumerate(places):
        for other in places[:k]:
            apart_across = other["x"] + other["width"] <= one["x"] or (
                one["x"] + one["width"] <= other["x"]
            )
            apart_down = other["y"] + other["height"] <= one["y"] or (
                one["y"] + one["height"] <= other["y"]
            )
            assert apart_across or apart_down

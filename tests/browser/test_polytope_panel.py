"""The solid of notebook 03 in JupyterLab: trained by slider, turned by pointer and keyboard."""

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

from course_utils.plots.space import polytope_state
from course_utils.widgets.polytope import PolytopePanel

FRAME = 1000 / 60
NUMERICS = (
    definitions("03_geometry_of_superposition", "look", "train_3d")
    + """
feature_dimensionality = geometry.feature_dimensionality
"""
)
# Depth is read from the size of an arrow's head.
DRAWN = """(svg) => {
  const heads = [...svg.querySelectorAll(".head")];
  heads.sort((a, b) => a.dataset.feature - b.dataset.feature);
  return heads.map((head) => ["cx", "cy", "r"].map((name) => Number(head.getAttribute(name))));
}"""
THREE_FRAMES = """() => new Promise((done) => {
  const wait = (frames) => (frames ? requestAnimationFrame(() => wait(frames - 1)) : done());
  wait(3);
})"""
CHART = """(svg) => {
  const all = (name) => [...svg.querySelectorAll(name)];
  const size = (rect, name) => Number(rect.getAttribute(name));
  return {
    name: all(".name").map((line) => line.textContent).join(" "),
    numbers: all(".bar + .number").map((text) => Number(text.textContent)),
    heights: all(".bar").map((bar) => size(bar, "height") / 150),
    widths: all(".part").map((part) => (size(part, "width") + 1) / 101),
  };
}"""


def rotation(right: float, down: float) -> np.ndarray:
    """The front moves to the right, then down, by so many radians; y points up."""
    c, s, d, t = np.cos(right), np.sin(right), np.cos(down), np.sin(down)
    return np.array([[1, 0, 0], [0, d, -t], [0, t, d]]) @ [[c, 0, s], [0, 1, 0], [-s, 0, c]]


START = rotation(0.19, 0.34)


class Solid:
    """The panel in a page; `after(action)` waits for the redraw that the action causes."""

    def __init__(self, page):
        self.page = page
        self.solid = page.get_by_role("application")
        self.chart = page.locator(".course-polytope svg[role=img]")
        self.features = page.get_by_role("slider", name="Features n")
        self.sparsity = page.get_by_role("slider", name="Sparsity S")
        self.button = page.get_by_role("button", name="New random start")
        self.words = page.locator(".course-polytope").get_by_role("status")
        self.solid.scroll_into_view_if_needed()
        page.evaluate(WATCH.replace(".course-model", ".course-polytope"))

    def milliseconds(self):
        return self.page.evaluate("milliseconds")

    def after(self, action):
        before = len(self.milliseconds())
        action()
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def press(self, control, key):
        control.focus()
        self.after(lambda: self.page.keyboard.press(key))

    def turn(self, *keys):
        """Press keys on the solid, and wait until the last one is surely on the screen."""
        for key in keys:
            self.solid.press(key)
        self.page.evaluate(THREE_FRAMES)

    def go_to(self, n=4, p=0.05):
        for control, position in (
            (self.features, PolytopePanel.counts.index(n)),
            (self.sparsity, PolytopePanel.probabilities.index(p)),
        ):
            while (now := int(control.input_value())) != position:
                self.press(control, "ArrowRight" if now < position else "ArrowLeft")

    def seed(self):
        return int(re.search(r"Random start (\d+)", self.words.inner_text())[1])

    def state(self):
        """What the panel should show, trained here."""
        names = {}
        exec(NUMERICS, names)
        n = PolytopePanel.counts[int(self.features.input_value())]
        p = PolytopePanel.probabilities[int(self.sparsity.input_value())]
        W = names["train_3d"](n, p, self.seed())
        return polytope_state(W, names["look"](W))

    def points(self):
        """Where the ends of the arrows are in space, (n, 3), found from where they are seen."""
        longest = max(1, *np.linalg.norm(self.state()["vertices"], axis=1))
        x, y, radius = np.array(self.solid.evaluate(DRAWN)).T
        z = ((radius - 4.5) / 4 - 0.5) * 2 * longest
        unit = 136 * 5 / (5 - z)
        return np.column_stack([(x - 212) / unit, (204 - y) / unit, z])

    def box(self):
        box = self.solid.bounding_box()
        return box, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "solid.ipynb"
    cells = [NUMERICS, "polytope_panel(train_3d, look)", "# the cell after it"]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("def train_3d(")
        notebook.run_cell("polytope_panel(train_3d, look)")
        yield notebook


@pytest.fixture(scope="module")
def panel(notebook):
    return Solid(notebook.page)


@pytest.fixture
def solid(panel):
    panel.turn("Home")
    return panel


def assert_drawn(solid, seen=START):
    """Corners, edges, bars, name and words are those of the model, seen from this side."""
    state = solid.state()
    np.testing.assert_allclose(solid.points(), np.array(state["vertices"]) @ seen.T, atol=1e-3)
    assert solid.solid.locator(".face").count() == len(state["faces"])
    assert solid.solid.locator(".edge").count() == len(state["edges"])
    chart = solid.chart.evaluate(CHART)
    values = [bar["value"] for bar in state["bars"]]
    assert chart["name"] == " ".join(state["title"])
    np.testing.assert_allclose(chart["numbers"], values, atol=6e-3)
    np.testing.assert_allclose(chart["heights"], values, atol=1e-3)
    np.testing.assert_allclose(chart["widths"], values, atol=1e-2)
    assert solid.chart.get_attribute("aria-label") == state["words"]
    assert solid.words.inner_text().startswith(state["summary"])


# Training


def test_the_panel_opens_with_what_its_sliders_say(solid, notebook):
    assert solid.features.get_attribute("aria-valuetext") == "n = 4"
    assert solid.sparsity.get_attribute("aria-valuetext") == "S = 0.95   (p = 0.05)"
    assert_drawn(solid)
    assert notebook.errors == []


@pytest.mark.parametrize(("n", "p"), [(6, 0.05), (8, 0.05), (2, 0.05), (10, 0.2), (9, 0.01)])
def test_arrow_keys_retrain(solid, n, p):
    solid.go_to(n, p)
    assert_drawn(solid)


def test_eight_sparse_features_make_an_antiprism_that_is_named_in_large_text(solid):
    solid.go_to(8, 0.05)
    expect(solid.chart.locator(".name")).to_have_text("square antiprism")
    expect(solid.solid).to_have_accessible_name(re.compile("^square antiprism: arrow keys turn it"))
    assert solid.chart.locator(".name").bounding_box()["height"] > 24


@pytest.mark.parametrize("key", ["Enter", "Space", "click"])
def test_the_button_starts_anew(solid, key):
    seed = solid.seed() + 1
    solid.button.focus()
    solid.after(solid.button.click if key == "click" else lambda: solid.page.keyboard.press(key))
    assert solid.seed() == seed
    assert_drawn(solid)


# Turning


@pytest.mark.parametrize(
    ("key", "right", "down"),
    [("ArrowRight", 6, 0), ("ArrowLeft", -6, 0), ("ArrowDown", 0, 6), ("ArrowUp", 0, -6),
     ("Shift+ArrowRight", 24, 0), ("Shift+ArrowUp", 0, -24)],
)  # fmt: skip
def test_arrow_keys_turn_it_about_the_axes_of_the_screen(solid, key, right, down):
    solid.go_to(6)
    solid.turn("ArrowRight")
    before = rotation(np.radians(6), 0) @ START
    assert_drawn(solid, before)
    solid.turn(key)
    assert_drawn(solid, rotation(*np.radians([right, down])) @ before)
    solid.turn("Home")
    assert_drawn(solid)


def test_dragging_turns_it_under_the_pointer(solid):
    solid.go_to(8)
    box, (x, y) = solid.box()
    radius, mouse = 136 * box["width"] / 424, solid.page.mouse
    before = solid.points()
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + radius / 2, y)
    mouse.move(x + radius / 2, y - radius / 3)
    expected = rotation(0, -1 / 3) @ rotation(1 / 2, 0) @ before.T
    np.testing.assert_allclose(solid.points(), expected.T, atol=0.02)
    mouse.move(x + 3 * box["width"], y)  # it is held, also beyond the picture
    assert not np.allclose(solid.points(), expected.T, atol=0.02)
    mouse.up()
    let_go = solid.points()
    mouse.move(x, y, steps=3)
    np.testing.assert_array_equal(solid.points(), let_go)
    expect(solid.solid).to_be_focused()


def test_a_right_click_does_not_turn_it(solid):
    _, (x, y) = solid.box()
    solid.page.mouse.move(x, y)
    solid.page.mouse.down(button="right")
    solid.page.mouse.move(x + 50, y)
    solid.page.mouse.up(button="right")
    solid.page.keyboard.press("Escape")
    solid.page.mouse.move(x - 50, y)
    assert_drawn(solid)


def test_a_new_model_is_seen_from_the_same_side(solid):
    solid.go_to(4)
    solid.turn("Shift+ArrowLeft")
    solid.go_to(6)
    assert_drawn(solid, rotation(-np.radians(24), 0) @ START)


def test_turning_moves_shapes_and_asks_nothing_of_python(solid):
    solid.go_to(8)
    count = """() => { window.made = 0; new MutationObserver((all) => { for (const { addedNodes }
        of all) for (const node of addedNodes) window.made += !node.old; }).observe(
        document.querySelector(".course-polytope"), { childList: true, subtree: true });
        for (const node of document.querySelectorAll(".course-polytope *")) node.old = true;
        window.sent = 0; const send = WebSocket.prototype.send; window.unspied = () => {
        WebSocket.prototype.send = send; };
        WebSocket.prototype.send = function (...all) { window.sent++; send.apply(this, all); }; }"""
    solid.page.evaluate(count)
    solid.turn(*["ArrowRight"] * 8, *["ArrowUp"] * 8)
    seen = solid.page.evaluate("[made, sent]")
    solid.page.evaluate("unspied()")
    assert seen == [0, 0]


def test_what_is_in_front_is_painted_last(solid):
    for n in (4, 6, 8):
        solid.go_to(n)
        order = solid.solid.evaluate(
            "svg => [...svg.querySelectorAll('.head')].map((h) => Number(h.dataset.feature))"
        )
        depths = solid.points()[:, 2]
        assert order[-1] == np.argmax(depths) and order[0] == np.argmin(depths)


# Keyboard and names


def test_tab_goes_through_the_panel_in_order(solid):
    solid.features.focus()
    for control in (solid.sparsity, solid.button, solid.solid):
        solid.page.keyboard.press("Tab")
        expect(control).to_be_focused()


def test_every_control_has_a_name(solid):
    for control in (solid.features, solid.sparsity, solid.button, solid.solid, solid.chart):
        expect(control).to_have_accessible_name(re.compile(r"\S"))


def test_jupyterlab_does_not_take_the_keys(notebook, solid):
    now = """() => { const { content } = jupyterapp.shell.currentWidget; return [
        content.activeCellIndex, content.mode, content.widgets.length, content.node.scrollTop]; }"""
    for focus in (solid.solid.focus, solid.solid.click):
        focus()
        before = notebook.page.evaluate(now)
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp", "Shift+ArrowDown"):
            notebook.page.keyboard.press(key)
            expect(solid.solid).to_be_focused()
        assert notebook.page.evaluate(now) == before


# Speed


@pytest.mark.quiet
def test_a_new_solid_is_there_at_once(solid, record_property):
    solid.go_to(2)
    keys = (["ArrowRight"] * 8 + ["ArrowLeft"] * 8) * 4
    for key in keys[:16]:  # to warm up
        solid.press(solid.features, key)

    def play():
        for key in keys[:60]:
            solid.press(solid.features, key)

    assert_answered_at_once(
        solid, play, "key to new solid", record_property,
        prepare=lambda: solid.go_to(2), redraws=60,
    )  # fmt: skip


@pytest.mark.quiet
def test_turning_takes_a_small_part_of_a_frame(solid, record_property):
    solid.go_to(10)
    turn = """svg => { const times = []; for (let k = 0; k < 200; k++) { const began =
        performance.now(); svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
        svg.getBoundingClientRect(); times.push(performance.now() - began); }
        return times.sort((a, b) => a - b); }"""
    times = solid.solid.evaluate(turn)
    line = f"turning the solid, 95th percentile: {times[190]:.1f} ms of {FRAME:.1f} ms a frame"
    record_property("budget", line)
    assert times[190] < FRAME / 2


# Looks


# The theme changes colours, not where things are: dark once.
@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
)
def test_the_panel_can_be_read(notebook, solid, theme, width):
    page = notebook.page
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": width, "height": 1000})
    change_theme(page, theme)
    faults = []
    for n, p in [(4, 0.02), (6, 0.05), (7, 0.2), (8, 0.05), (10, 0.01), (10, 1.0)]:
        solid.go_to(n, p)
        solid.turn("Home")
        for turn in range(4):
            for picture in (solid.solid, solid.chart):
                faults += [f"{n}, {p}: {fault}" for fault in picture.evaluate(FAULTS, SMALLEST)]
            if folder := os.environ.get("COURSE_SCREENSHOTS"):
                name = f"solid-{theme}-{width}-{n}-{p}-{turn}.png"
                page.locator(".course-polytope").screenshot(path=Path(folder) / name)
            solid.turn("Shift+ArrowLeft", "ArrowDown")
    assert faults == []
    output = page.locator(".course-polytope")
    assert output.evaluate("node => node.scrollWidth <= node.clientWidth + 1")

"""Dragging a feature vector in JupyterLab: pointer, keys, training, and how soon it is seen."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from lab import definitions
from looks import FAULTS, SMALLEST, change_theme
from panel import assert_answered_at_once
from playwright.sync_api import expect

from course_utils.plots import plane
from course_utils.widgets.drag import DragPanel

NUMERICS = (
    definitions("03_geometry_of_superposition", "measure")
    + """
feature_dimensionality = geometry.feature_dimensionality
"""
)
CELLS = [
    NUMERICS,
    "panel = drag_panel(measure, train_from, best_known)\npanel",
    "'a cell below'",
]

# A picture is new when it is described anew. The time is taken two frames later, when it is surely
# on the screen, and counted from the key or the movement that caused it.
WATCH = """() => {
  const milliseconds = (window.milliseconds = []);
  const spoken = (window.spoken = []);
  let cause = NaN;
  for (const name of ["keydown", "pointermove"])
    addEventListener(name, (event) => { cause = event.timeStamp; }, true);
  const root = document.querySelector(".course-drag");
  new MutationObserver((changes) => {
    if (!changes.some(({ target }) => target.getAttribute("role") === "img")) return;
    const began = cause;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      milliseconds.push(performance.now() - began);
    }));
  }).observe(root, { attributes: true, attributeFilter: ["aria-label"], subtree: true });
  const status = root.querySelector("[role=status]");
  new MutationObserver(() => { if (status.textContent) spoken.push(status.textContent); })
    .observe(status, { childList: true });
}"""

DRAWN = """(svg) => {
  const all = (name) => [...svg.querySelectorAll(name)];
  const at = (node, name) => Number(node.getAttribute(name));
  const numbers = (name) => all(name).map((text) => Number(text.textContent));
  const unit = at(svg.querySelector("circle.guide"), "r");
  return {
    arrows: all(".shaft").map((s) =>
      [(at(s, "x2") - at(s, "x1")) / unit, (at(s, "y1") - at(s, "y2")) / unit]),
    cells: numbers(".cell + .number"),
    shares: numbers(".bar + .number"),
    bars: all(".bar").map((bar) => at(bar, "height")),
    pieces: all(".piece").map((piece) => [at(piece, "x"), at(piece, "width")]),
    room: ["x", "width"].map((name) => at(svg.querySelector(".room"), name)),
    texts: all(".strong, .start").map((text) => text.textContent),
    line: (svg.querySelector(".trace").getAttribute("d") ?? "").split("L").length,
    lineShown: svg.querySelector(".trace").getAttribute("opacity"),
  };
}"""


def numerics() -> dict:
    names: dict = {}
    exec(NUMERICS, names)
    return names


MODEL = numerics()


class Drag:
    """The panel in a page; `after(action)` does something and waits for Python's picture of it."""

    def __init__(self, page) -> None:
        self.page = page
        self.svg = page.locator(".course-drag svg")
        self.heads = page.get_by_role("slider", name=re.compile("^feature x"))
        self.shape = page.get_by_role("slider", name="Shape")
        self.sparsity = page.get_by_role("slider", name="Sparsity S")
        self.train = page.get_by_role("button", name="Let go and train from here")
        self.again = page.get_by_role("button", name="Start again")
        self.words = page.locator(".course-drag").get_by_role("status")
        self.svg.scroll_into_view_if_needed()
        page.evaluate(WATCH)

    def head(self, i: int):
        return self.page.get_by_role("slider", name=f"feature x{i}")

    def milliseconds(self) -> list[float]:
        return self.page.evaluate("milliseconds")

    def after(self, action) -> None:
        before = len(self.milliseconds())
        action()
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def press(self, i: int, key: str) -> None:
        self.head(i).focus()
        self.after(lambda: self.page.keyboard.press(key))

    def choose(self, slider, position: int) -> None:
        slider.focus()
        while (now := int(slider.input_value())) != position:
            key = "ArrowRight" if now < position else "ArrowLeft"
            self.after(lambda key=key: self.page.keyboard.press(key))

    def start(self, name: str = "triangle", p: float = 0.05) -> None:
        """This shape and about this p, with no arrow moved."""
        self.choose(self.shape, list(DragPanel.shapes).index(name))
        self.choose(self.sparsity, int(np.argmin(abs(DragPanel.probabilities - p))))
        self.after(self.again.click)

    def p(self) -> float:
        return float(DragPanel.probabilities[int(self.sparsity.input_value())])

    def drawn(self) -> dict:
        return self.svg.evaluate(DRAWN)

    def W(self) -> np.ndarray:
        return np.array(self.drawn()["arrows"]).T

    def description(self) -> str:
        return self.svg.get_by_role("img").get_attribute("aria-label")

    def center(self, i: int) -> tuple[float, float]:
        box = self.head(i).locator(".dot").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def point(self, u: float, v: float) -> tuple[float, float]:
        """Where (u, v) of the plane is on the screen."""
        box = self.svg.locator("circle.guide").bounding_box()
        return box["x"] + box["width"] / 2 * (1 + u), box["y"] + box["height"] / 2 * (1 - v)

    def loss(self) -> float:
        return float(next(t for t in self.drawn()["texts"] if t.startswith("loss 0"))[5:])


def assert_drawn(panel: Drag, W: np.ndarray | None = None, atol: float = 1e-6) -> None:
    """The arrows are W, and all numbers are those of the arrows."""
    drawn = panel.drawn()
    now = np.array(drawn["arrows"]).T
    if W is not None:
        np.testing.assert_allclose(now, W, atol=atol)
    b, shares, loss = MODEL["measure"](now, panel.p())
    n = now.shape[1]
    np.testing.assert_allclose(
        np.reshape(drawn["cells"], (n, n + 1)), np.column_stack([now.T @ now, b]), atol=6e-3
    )
    np.testing.assert_allclose(drawn["shares"], shares, atol=6e-3)
    full = 156  # pixels for a whole dimension
    np.testing.assert_allclose(np.array(drawn["bars"]) / full, shares, atol=1e-5)
    # One bar of all of them, end to end, as long as their sum.
    left, width = np.array(drawn["pieces"]).T
    start, room = drawn["room"]
    np.testing.assert_allclose(left, start + np.append(0, width.cumsum()[:-1]), atol=1e-6)
    assert width.sum() / room * 2 == pytest.approx(float(shares.sum()), abs=1e-5)
    assert f"Σ Dᵢ = {shares.sum():.2f}" in drawn["texts"]
    assert panel.loss() == pytest.approx(loss, rel=6e-3)


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "drag.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run()
        notebook.page.evaluate("jupyterapp.shell.collapseLeft()")
        expect(notebook.page.get_by_role("slider", name="feature x2")).to_be_visible(timeout=30_000)
        yield notebook
        assert notebook.errors == []


@pytest.fixture(scope="module")
def panel(notebook):
    return Drag(notebook.page)


def test_the_panel_opens_with_the_triangle(panel):
    assert_drawn(panel, DragPanel.shapes["triangle"])
    expect(panel.words).to_have_text(re.compile(r"^ΣD is 2\.00 of 2 dimensions\. Loss 0\.0"))


def test_what_a_screen_reader_says_of_the_picture(panel):
    panel.start()
    W, p = DragPanel.shapes["triangle"], panel.p()
    state = plane.drag_state(W, *MODEL["measure"](W, p), MODEL["best_known"](3, p))
    assert panel.description() == state["words"]


# The pointer


def test_a_dragged_arrow_is_where_the_pointer_is(panel):
    panel.start()
    mouse = panel.page.mouse
    mouse.move(*panel.center(1))
    mouse.down()
    for to in [(-0.5, 0.2), (0.3, 0.9), (0.62, 0.55)]:
        panel.after(lambda to=to: mouse.move(*panel.point(*to)))
        W = DragPanel.shapes["triangle"].copy()
        W[:, 1] = to
        np.testing.assert_allclose(panel.W(), W, atol=0.02)
    mouse.up()
    panel.page.wait_for_timeout(300)  # the last question has been answered
    assert_drawn(panel, W, atol=0.02)


def test_an_arrow_is_grabbed_beside_its_end_too_and_does_not_jump(panel):
    panel.start()
    x, y = panel.center(2)
    mouse = panel.page.mouse
    mouse.move(x + 11, y)  # 24 pixels are to hit: what is sold as such is 12 to every side
    mouse.down()
    np.testing.assert_allclose(panel.W(), DragPanel.shapes["triangle"], atol=1e-9)
    panel.after(lambda: mouse.move(x + 11, y - 30))
    mouse.up()
    moved = panel.W() - DragPanel.shapes["triangle"]
    assert moved[0, 2] == pytest.approx(0, abs=0.01)
    assert moved[1, 2] > 0.2


def test_no_arrow_is_longer_than_the_plane(panel):
    panel.start()
    mouse = panel.page.mouse
    mouse.move(*panel.center(0))
    mouse.down()
    panel.after(lambda: mouse.move(*panel.point(2.0, 1.5)))
    mouse.up()
    W = panel.W()
    np.testing.assert_allclose(W[:, 0], [1.12, 0.84], atol=0.02)
    assert np.hypot(*W[:, 0]) == pytest.approx(1.4)


def test_the_sentence_is_said_when_the_drag_ends(panel):
    panel.start()
    panel.page.wait_for_timeout(800)
    said = "spoken.length"
    before = panel.page.evaluate(said)
    mouse = panel.page.mouse
    mouse.move(*panel.center(0))
    mouse.down()
    for k in range(10):
        mouse.move(*panel.point(0.05 * k, 0.8))
    panel.page.wait_for_timeout(800)
    assert panel.page.evaluate(said) == before
    expect(panel.words).to_have_text("")  # and nothing that is not true any more stands there
    mouse.up()
    expect(panel.words).to_have_text(re.compile(f"Loss {panel.loss():#.3g}"))
    assert panel.page.evaluate(said) == before + 1


# The keyboard


def polar(W: np.ndarray, i: int) -> tuple[float, float]:
    return float(np.hypot(*W[:, i])), float(np.degrees(np.arctan2(W[1, i], W[0, i])) % 360)


@pytest.mark.parametrize(
    ("key", "length", "angle"),
    [
        ("ArrowRight", 1, 213),
        ("ArrowLeft", 1, 207),
        ("Shift+ArrowRight", 1, 225),
        ("Shift+ArrowLeft", 1, 195),
        ("ArrowUp", 1.05, 210),
        ("ArrowDown", 0.95, 210),
    ],
)
def test_keys_turn_an_arrow_and_change_its_length(panel, key, length, angle):
    panel.start()
    panel.press(1, key)
    assert polar(panel.W(), 1) == (pytest.approx(length), pytest.approx(angle))
    assert_drawn(panel)
    text = re.compile(rf"^length {length:.2f}, angle {angle} degrees, D 0\.\d\d$")
    expect(panel.head(1)).to_have_attribute("aria-valuetext", text)
    expect(panel.head(1)).to_have_attribute("aria-valuenow", str(angle))


@pytest.mark.parametrize("key", ["0", "Delete"])
def test_an_arrow_of_no_length_is_found_again(panel, key):
    panel.start()
    for i in (1, 2):
        panel.press(i, key)
    np.testing.assert_allclose(panel.W()[:, 1:], 0)
    assert_drawn(panel)
    expect(panel.head(2)).to_have_attribute("aria-valuetext", "length 0.00, D 0.00")
    panel.page.keyboard.press("Shift+Tab")
    expect(panel.head(1)).to_be_focused()
    panel.press(1, "Home")  # its direction is remembered
    assert polar(panel.W(), 1) == (pytest.approx(1), pytest.approx(210))
    panel.press(2, "ArrowUp")
    assert polar(panel.W(), 2) == (pytest.approx(0.05), pytest.approx(330))
    assert_drawn(panel)


def test_length_by_keys_has_its_ends(panel):
    panel.start()
    for _ in range(9):
        panel.press(0, "ArrowUp")
    assert polar(panel.W(), 0) == (pytest.approx(1.4), pytest.approx(90))
    for _ in range(29):
        panel.press(0, "ArrowDown")
    assert polar(panel.W(), 0)[0] == pytest.approx(0, abs=1e-9)


def test_keys_in_quick_succession_end_with_the_last(panel):
    panel.start()
    panel.head(0).focus()
    for _ in range(25):
        panel.page.keyboard.press("ArrowRight")
    W = DragPanel.shapes["triangle"].copy()
    W[:, 0] = np.cos(np.radians(165)), np.sin(np.radians(165))
    np.testing.assert_allclose(panel.W(), W, atol=1e-9)
    text = re.compile("angle 165 degrees")
    expect(panel.head(0)).to_have_attribute("aria-valuetext", text)
    assert_drawn(panel, W)


def test_jupyterlab_leaves_the_keys_alone(notebook, panel):
    panel.start()
    page = panel.page
    state = """() => {
      const { content } = jupyterapp.shell.currentWidget;
      return [content.activeCellIndex, content.widgets.length];
    }"""
    before = page.evaluate(state)
    for key in ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "Delete", "0", "0"]:
        panel.press(0, key)
        expect(panel.head(0)).to_be_focused()
    assert page.evaluate(state) == before
    assert page.get_by_role("dialog").count() == 0  # 0 twice would ask to restart the kernel


def test_tab_goes_through_the_panel_in_order(panel):
    panel.start("square (two pairs)")
    panel.shape.focus()
    for control in [panel.sparsity, panel.train, panel.again, *map(panel.head, range(4))]:
        panel.page.keyboard.press("Tab")
        expect(control).to_be_focused()


def test_every_control_has_a_name_and_can_be_hit(panel):
    panel.start("hexagon")
    assert panel.heads.count() == 6
    for i, head in enumerate(panel.heads.all()):
        expect(head).to_have_accessible_name(f"feature x{i}")
        box = head.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    controls = panel.page.locator(".jp-OutputArea-output").locator("input, button")
    assert controls.count() == 4
    for control in controls.all():
        expect(control).to_have_accessible_name(re.compile(r"\S"))


def test_the_focus_can_be_seen(panel):
    rings = panel.svg.locator(".ring")
    stroke = "node => getComputedStyle(node).stroke"
    panel.head(1).focus()
    assert rings.nth(1).evaluate(stroke) == panel.svg.locator("text").first.evaluate(
        "node => getComputedStyle(node).fill"
    )
    assert rings.nth(0).evaluate(stroke) == "rgba(0, 0, 0, 0)"


# Shapes, sparsity, training


def test_sparsity_measures_the_same_arrows_anew(panel):
    panel.start()
    panel.press(0, "Shift+ArrowRight")
    W, loss = panel.W(), panel.loss()
    panel.choose(panel.sparsity, 5)
    assert_drawn(panel, W)
    assert panel.loss() > 2 * loss


@pytest.mark.parametrize("name", DragPanel.shapes)
def test_every_shape_can_be_had_and_had_again(panel, name):
    panel.start(name, p=0.2)
    if name != "two features, right angles":  # with a loss of 0, of which the words are others
        assert_drawn(panel, DragPanel.shapes[name])
    panel.press(1, "Shift+ArrowRight")
    assert_drawn(panel)
    panel.after(panel.again.click)
    np.testing.assert_allclose(panel.W(), DragPanel.shapes[name], atol=1e-9)


def trained(panel: Drag) -> None:
    """Let go, and wait for the end, which the sentence tells."""
    panel.after(panel.train.click)
    expect(panel.words).to_have_text(re.compile("^ΣD"))


def test_letting_go_trains_from_the_arrows_as_they_are(panel):
    panel.start("pentagon")
    for _ in range(2):
        panel.press(1, "Shift+ArrowLeft")
    start, before = panel.W(), panel.loss()
    assert panel.drawn()["lineShown"] == "0"
    trained(panel)
    path = MODEL["train_from"](start, panel.p())
    assert_drawn(panel, path[-1], atol=1e-3)
    assert panel.loss() < 0.7 * before
    assert panel.drawn()["line"] == len(path) == 50
    panel.press(0, "ArrowRight")  # Python knows where it ended
    W = panel.W()
    np.testing.assert_allclose(W[:, 1:], path[-1][:, 1:], atol=1e-3)
    assert_drawn(panel, W)
    assert panel.drawn()["lineShown"] == "0"


FOLLOW = """() => {
  const shaft = document.querySelector(".course-drag .shaft");
  const trace = document.querySelector(".course-drag .trace");
  window.seen = [];
  const look = () => {
    window.seen.push([shaft.getAttribute("x2"), (trace.getAttribute("d") ?? "").split("L").length]);
    if (window.seen.length < 600) requestAnimationFrame(look);
  };
  look();
}"""


def test_everything_moves_while_it_trains_and_a_line_grows(panel):
    panel.start("five at random")
    panel.page.evaluate(FOLLOW)
    trained(panel)
    seen = panel.page.evaluate("seen")
    assert len({x for x, _ in seen}) > 8
    lengths = [length for _, length in seen]
    grown = lengths[lengths.index(min(lengths)) :]
    assert len(set(grown)) > 8
    assert grown == sorted(grown)


def test_a_hand_on_an_arrow_stops_the_training(panel):
    panel.start("five at random")
    panel.head(3).focus()
    panel.page.evaluate(
        """() => {
          const trace = document.querySelector(".course-drag .trace");
          const head = document.querySelectorAll(".course-drag .head")[3];
          trace.removeAttribute("d");
          const wait = () => {
            const length = (trace.getAttribute("d") ?? "").split("L").length;
            if (length < 3 || length > 40) return requestAnimationFrame(wait);
            head.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
          };
          wait();
        }"""
    )
    start = panel.W()
    panel.after(panel.train.click)
    expect(panel.words).to_have_text(re.compile("^ΣD"))
    stopped = panel.W()
    end = MODEL["train_from"](start, panel.p())[-1]
    assert abs(stopped - end).max() > 0.01
    assert_drawn(panel, stopped)


def test_who_wants_no_motion_sees_the_end_at_once(panel):
    panel.start("five at random")
    panel.page.emulate_media(reduced_motion="reduce")
    try:
        start = panel.W()
        panel.page.evaluate(FOLLOW)
        trained(panel)
        assert len({x for x, _ in panel.page.evaluate("seen")}) <= 2
        assert_drawn(panel, MODEL["train_from"](start, panel.p())[-1], atol=1e-3)
    finally:
        panel.page.emulate_media(reduced_motion="no-preference")


# Looks and speed


@pytest.mark.parametrize(("width", "theme"), [(800, "light"), (1280, "dark"), (1920, "light")])
def test_the_panel_can_be_read(panel, theme, width):
    page = panel.page
    page.set_viewport_size({"width": width, "height": 1000})
    change_theme(page, theme)
    faults = []

    def look(moment: str) -> None:
        panel.svg.scroll_into_view_if_needed()
        faults.extend(f"{moment}: {fault}" for fault in panel.svg.evaluate(FAULTS, SMALLEST))
        if folder := os.environ.get("COURSE_SCREENSHOTS"):
            path = Path(folder) / f"drag-{theme}-{width}-{moment.replace(' ', '-')}.png"
            panel.page.locator(".jp-OutputArea-output").first.screenshot(path=path)

    for name in DragPanel.shapes:
        panel.start(name)
        look(name)
        if name in ("two features, right angles", "five at random"):
            trained(panel)
            look(f"{name}, trained")
    panel.start("square (two pairs)")
    for i in range(4):
        for _ in range(9):
            panel.press(i, "ArrowUp")
    look("as large as can be")
    assert faults == []


@pytest.mark.quiet
@pytest.mark.parametrize("by", ["key", "pointer"])
def test_the_new_picture_is_there_at_once(panel, record_property, by):
    panel.page.set_viewport_size({"width": 1280, "height": 1000})
    panel.start("pentagon")
    mouse = panel.page.mouse

    def go(k: int) -> None:
        if by == "key":
            return panel.press(0, "ArrowRight" if k < 30 else "ArrowLeft")
        panel.after(lambda: mouse.move(*panel.point(0.02 * min(k, 60 - k), 0.9)))

    if by == "pointer":
        mouse.move(*panel.center(0))
        mouse.down()
    for k in range(10):  # to warm up
        go(k)

    def play() -> None:
        for k in range(60):
            go(k)

    what = f"arrow moved by {by} to new picture"
    try:
        assert_answered_at_once(panel, play, what, record_property, redraws=60)
    finally:
        mouse.up()

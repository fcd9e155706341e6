"""The circuit panel in JupyterLab: units and connections switched by pointer and keyboard."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from looks import FAULTS, SMALLEST, change_theme
from panel import WATCH, assert_answered_at_once
from playwright.sync_api import expect

from course_utils.plots.circuit import circuit_drawing, circuit_state

# Labels are what the untrained network says, so that it is right by definition and no training is
# needed; without a mean score no class is always the answer.
NUMERICS = """
import torch
from course_utils import stimuli
from course_utils.plots.circuit import CircuitDiagram
from course_utils.vision import Circuit, SmallCNN, Trace, accuracy_by_class
from course_utils.widgets.circuit import circuit_panel

images, _ = stimuli.sample_shapes(600, generator=torch.Generator().manual_seed(0))
model = SmallCNN(seed=3).requires_grad_(False).eval()
model.fc.bias -= model(images).mean(0)
labels = model(images).argmax(1)
trace = Trace(model, images, labels)
diagram = CircuitDiagram(trace.strengths(), stimuli.KINDS, filters=model.conv1.weight)
everything = Circuit.of_units(model)
circuit = {("conv2", 0), ("conv2", 3), ("conv2", 9), ("conv1", 2, 3), ("conv1", 5, 9)}

def evaluate(units, edges, kind):
    if ("conv1", 7) in units:
        raise ValueError("unit 7 is not to be switched off")
    return accuracy_by_class(trace.logits(everything.without(units, edges), kind), labels)
"""
SHOW = "circuit_panel(diagram, evaluate, circuit)"
DRAWN = """(svg) => {
  const number = (node, name) => Number(node.getAttribute(name));
  const all = (name) => [...svg.querySelectorAll(name)];
  return {
    off: all("[role=switch]").filter((g) => g.getAttribute("aria-checked") === "false")
      .map((g) => g.dataset.key).sort(),
    edges: all(".edge").map((g) => g.dataset.key).sort(),
    numbers: all(".class .number").map((text) => text.textContent),
    bars: all(".class").map((g) => number(g.querySelector(".bar"), "width") /
      number(g.querySelector(".track"), "width")),
  };
}"""
# A point of the screen at which this connection is on top.
FREE = """(g) => {
  const path = g.querySelector(".hit");
  const matrix = path.getScreenCTM();
  for (let share = 0.1; share < 0.9; share += 0.02) {
    const { x, y } = path.getPointAtLength(share * path.getTotalLength()).matrixTransform(matrix);
    if (document.elementFromPoint(x, y)?.closest("[data-key]") === g) return [x, y];
  }
}"""


class Network:
    """The panel in a page; `after(action)` waits for the redraw that the action causes."""

    def __init__(self, page):
        self.page = page
        self.svg = page.get_by_role("application")
        self.words = page.locator(".course-circuit").get_by_role("status")
        self.reading = page.locator(".course-circuit .reading")
        self.svg.scroll_into_view_if_needed()
        page.evaluate(WATCH.replace(".course-model", ".course-circuit .words"))
        self.numerics = {}
        exec(NUMERICS, self.numerics)

    def milliseconds(self):
        return self.page.evaluate("milliseconds")

    def after(self, action):
        before = len(self.milliseconds())
        action()
        self.page.wait_for_function(f"milliseconds.length > {before}", timeout=10_000)

    def part(self, key):
        return self.svg.locator(f"[data-key='{key}']")

    def key(self, *keys):
        """Keys that only move the focus."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, key):
        if key.count(".") == 1:
            self.after(self.part(key).click)
        else:
            x, y = self.part(key).evaluate(FREE)
            self.after(lambda: self.page.mouse.click(x, y))

    def press(self, name):
        """A second time changes nothing, so there is no redraw to wait for."""
        if not self.words.inner_text().startswith(f"{name}."):
            self.after(self.page.get_by_role("button", name=name, exact=True).click)

    def choose(self, kind):
        radio = self.page.get_by_role("radio", name=kind)
        if not radio.is_checked():
            self.after(radio.check)

    def kind(self):
        kinds = ("zero", "mean", "resample")
        return next(k for k in kinds if self.page.get_by_role("radio", name=k).is_checked())

    def drawn(self):
        return self.svg.evaluate(DRAWN)

    def assert_shows(self, off):
        """Switches, bars, numbers and names are those of a network in which this is off."""
        diagram, evaluate = self.numerics["diagram"], self.numerics["evaluate"]
        units = {part for part in off if len(part) == 2}
        accuracy = evaluate(units, off - units, self.kind())
        state = circuit_state(diagram, accuracy, evaluate(set(), set(), "zero"), off=off)
        drawn, shown = self.drawn(), {e["key"] for e in self.drawing()["edges"]}
        assert drawn["off"] == [key for key in state["off"] if key.count(".") == 1 or key in shown]
        values = [bar["value"] for bar in state["bars"]]
        np.testing.assert_allclose(drawn["bars"], values, atol=5e-3)
        assert drawn["numbers"] == [f"{b['text']} ({b['whole_text']})" for b in state["bars"]]
        assert state["summary"].partition(" Mean")[0] in self.words.inner_text()
        each = state["words"].partition("whole network): ")[2]
        assert self.svg.get_attribute("aria-label").endswith(each)

    def drawing(self):
        return circuit_drawing(self.numerics["diagram"], self.numerics["circuit"])


@pytest.fixture(scope="module")
def notebook(opened, tmp_path_factory):
    path = tmp_path_factory.mktemp("notebook") / "circuit.ipynb"
    # As the notebooks do: two threads would wait for each other.
    cells = [f"{NUMERICS}\ntorch.set_num_threads(1)", SHOW, "# the cell after it"]
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    with opened(path) as notebook:
        notebook.run_cell("SmallCNN")
        notebook.run_cell(SHOW)
        yield notebook


@pytest.fixture(scope="module")
def panel(notebook):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Network(notebook.page)
    torch.set_num_threads(threads)


@pytest.fixture
def network(panel):
    panel.choose("zero")
    panel.press("All on")
    panel.page.mouse.move(1, 1)
    return panel


def test_the_panel_opens_with_everything_on(network, notebook):
    network.assert_shows(set())
    drawing = network.drawing()
    assert network.drawn()["edges"] == sorted(edge["key"] for edge in drawing["edges"])
    assert network.svg.locator(".unit").count() == 8 + 16
    assert network.svg.locator(".unit image").count() == 8
    assert notebook.errors == []


# Switching


@pytest.mark.parametrize("key", ["0.3", "1.12"])
def test_a_click_switches_a_unit_off_and_on(network, key):
    network.click(key)
    network.assert_shows({network.numerics["diagram"].part(key)})
    assert "off" in network.part(key).get_attribute("class").split()
    network.click(key)
    network.assert_shows(set())


def test_a_click_switches_a_connection_off_and_on(network):
    keys = network.drawn()["edges"]
    for key in (keys[0], "0.2.3", keys[-1]):
        network.click(key)
        network.assert_shows({network.numerics["diagram"].part(key)})
        network.click(key)
        network.assert_shows(set())


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_keys_switch_what_has_the_focus(network, key):
    network.part("1.4").focus()
    network.after(lambda: network.key(key))
    network.assert_shows({("conv2", 4)})
    expect(network.part("1.4")).to_be_focused()
    network.after(lambda: network.key(key))
    network.assert_shows(set())


def test_quick_keys_are_all_counted(network):
    """They are not merged as those of a slider are: two mean off and on."""
    network.part("0.0").focus()
    network.key("Space", "ArrowDown", "Space", "Space", "ArrowDown", "Space", "Space", "Space")
    expect(network.words).to_contain_text("Off: conv1 units 0, 2.")
    network.assert_shows({("conv1", 0), ("conv1", 2)})


def test_every_ablation_is_evaluated(network):
    off = {("conv1", 2), ("conv2", 9)}
    network.click("0.2")
    network.click("1.9")
    for kind in ("mean", "resample", "zero"):
        network.choose(kind)
        network.assert_shows(off)


def test_arrow_keys_change_the_ablation(network):
    network.page.get_by_role("radio", name="zero").focus()
    network.after(lambda: network.key("ArrowRight"))
    assert network.kind() == "mean"


def test_buttons_show_the_circuit_and_its_controls(network):
    circuit, diagram = network.numerics["circuit"], network.numerics["diagram"]
    network.press("Without the circuit")
    network.assert_shows(circuit)
    network.press("Only the circuit")
    every = [*diagram.parts("conv2", edges=False), *diagram.parts("conv1", edges=True)]
    network.assert_shows(set(every) - circuit)
    drawn = set()
    for _ in range(3):
        network.press("Without as many random ones")
        said = network.words.inner_text()
        assert "Off: conv2 units" in said and "of these 5 belong to the circuit" in said
        drawn.add(said)
    assert len(drawn) == 3
    network.press("Only as many random ones")
    assert len([k for k in network.drawn()["off"] if k.startswith("1.")]) == 16 - 3


def test_an_error_is_a_sentence_and_the_panel_lives_on(network, notebook):
    network.click("0.7")
    expect(network.words).to_contain_text("unit 7 is not to be switched off")
    drawn = network.drawn()
    assert drawn["bars"] == [0] * 6 and drawn["numbers"][0].startswith("unknown")
    network.click("0.7")
    network.assert_shows(set())
    assert notebook.errors == []


def test_a_switch_makes_no_new_shapes(network):
    network.svg.evaluate(
        """(svg) => { window.made = 0; new MutationObserver((all) => { for (const { addedNodes }
        of all) for (const node of addedNodes) window.made += node.nodeType === 1; })
        .observe(svg, { childList: true, subtree: true }); }"""
    )
    for key in ("0.1", "1.5", "0.2.3"):
        network.click(key)
    network.press("Only the circuit")
    assert network.page.evaluate("made") == 0


# Keyboard and names


def test_the_network_is_one_stop_of_the_tab_key(network):
    network.page.get_by_role("button", name="Without as many random ones").focus()
    network.key("Tab")
    assert network.svg.evaluate("svg => svg.contains(document.activeElement)")
    network.key("Tab")
    assert not network.svg.evaluate("svg => svg.contains(document.activeElement)")
    network.key("Shift+Tab")
    assert network.svg.evaluate("svg => svg.contains(document.activeElement)")
    assert network.svg.locator("[tabindex='0']").count() == 1


def test_arrow_keys_go_from_unit_to_unit_and_along_connections(network):
    edges = sorted(tuple(map(int, key.split("."))) for key in network.drawn()["edges"])
    unit = next(u for u in range(1, 8) if sum(e[:2] == (0, u) for e in edges) > 1)
    out = [e for e in edges if e[:2] == (0, unit)]

    def expect_at(*numbers):
        expect(network.part(".".join(map(str, numbers)))).to_be_focused()

    network.part("0.0").focus()
    network.key("Home", *["ArrowDown"] * unit)
    expect_at(0, unit)
    network.key("ArrowRight")
    expect_at(*out[0])
    network.key("ArrowDown")
    expect_at(*out[1])
    network.key("End", "ArrowDown")
    expect_at(*out[-1])
    network.key("ArrowRight")
    expect_at(1, out[-1][2])
    into = [e for e in edges if e[0] == 0 and e[2] == out[-1][2]]
    network.key("ArrowLeft")
    expect_at(*into[0])
    network.key("End")
    expect_at(*into[-1])
    network.key("ArrowLeft")
    expect_at(0, into[-1][1])
    network.key("Home", "ArrowUp")
    expect_at(0, 0)
    network.key("ArrowLeft")
    expect_at(0, 0)


def test_results_can_be_reached_and_not_switched(network):
    network.part("2.0").focus()
    before = network.words.inner_text()
    network.key("Space", "Enter", "ArrowDown")
    expect(network.part("2.1")).to_be_focused()
    name = re.compile(r"^triangle, accuracy 100 %, of the whole network 100 %$")
    expect(network.part("2.1")).to_have_accessible_name(name)
    assert network.words.inner_text() == before


def test_everything_has_a_name(network):
    expect(network.part("1.3")).to_have_accessible_name("conv2 unit 3, in the circuit")
    expect(network.part("1.3")).to_have_role("switch")
    weak = re.compile(r"^conv1 unit 2 to conv2 unit 3, strength [\d.]+, \w+ it, in the circuit$")
    expect(network.part("0.2.3")).to_have_accessible_name(weak)
    for part in network.svg.locator("[data-key]").all():
        assert part.get_attribute("aria-label")
    expect(network.page.get_by_role("switch", name="conv1 unit 0", exact=True)).to_be_checked()


def test_what_the_pointer_or_the_focus_is_on_is_named_in_the_page(network):
    network.part("1.3").hover()
    expect(network.reading).to_have_text("conv2 unit 3, in the circuit")
    network.part("0.1").focus()
    network.page.mouse.move(1, 1)
    expect(network.reading).to_have_text("conv1 unit 1")
    network.after(lambda: network.key("Space"))
    expect(network.reading).to_have_text("conv1 unit 1, off")


def test_jupyterlab_does_not_take_the_keys(notebook, network):
    now = """() => { const { content } = jupyterapp.shell.currentWidget; return [
        content.activeCellIndex, content.mode, content.widgets.length]; }"""
    inside = "svg => svg.contains(document.activeElement)"
    for focus in (network.part("1.2").focus, lambda: network.click("1.2")):
        focus()
        before = notebook.page.evaluate(now)
        for key in ("ArrowDown", "ArrowUp", "ArrowRight", "ArrowDown", "Space", "Enter", "Home"):
            network.key(key)
            assert network.svg.evaluate(inside)
        assert notebook.page.evaluate(now) == before


# Speed


@pytest.mark.quiet
def test_a_switch_is_answered_at_once(network, record_property):
    keys = ["Space", "Space", "ArrowDown"] * 8  # every unit of conv1 but the last, off and on

    def prepare():
        network.press("All on")
        network.press("Without the circuit")  # single connections take longest
        network.part("0.0").focus()
        network.after(lambda: network.key("Space"))  # to warm up

    def play():
        for key in keys[:-3] * 2:
            if key == "Space":
                network.after(lambda: network.key("Space"))
            else:
                network.key(key if network.part("0.6").get_attribute("tabindex") != "0" else "Home")

    assert_answered_at_once(
        network, play, "key to ablated network", record_property, prepare=prepare
    )


# Looks


# The theme changes colours, not where things are: dark once.
@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
)
def test_the_panel_can_be_read(notebook, network, theme, width):
    page = notebook.page
    page.evaluate("jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": width, "height": 1000})
    change_theme(page, theme)
    page.wait_for_timeout(300)
    faults = []
    for name in ("All on", "Only the circuit", "Without the circuit"):
        network.press(name)
        faults += [f"{name}: {fault}" for fault in network.svg.evaluate(FAULTS, SMALLEST)]
        if folder := os.environ.get("COURSE_SCREENSHOTS"):
            picture = Path(folder) / f"circuit-{theme}-{width}-{name.split()[0]}.png"
            page.locator(".course-circuit").locator("xpath=..").screenshot(path=picture)
    assert faults == []
    output = page.locator(".course-circuit")
    assert output.evaluate("node => node.scrollWidth <= node.clientWidth + 1")

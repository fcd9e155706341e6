"""The circuit panel of notebook 01: switch units and connections off, and see what is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from itertools import groupby
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.circuit import (
    CircuitDiagram,
    Edge,
    Parts,
    Unit,
    circuit_drawing,
    circuit_state,
    percent,
)
from course_utils.widgets.controls import RadioKeys

Evaluate = Callable[[set[Unit], set[Edge], str], Any]


class CircuitView(anywidget.AnyWidget):
    """A network as a graph in SVG, and bars of accuracy beside it.

    `drawing` comes from `plots.circuit.circuit_drawing` and is sent once; `state` comes from
    `circuit_state` at every change. A unit or connection that is clicked, or reached by arrow keys
    and switched by Space or Enter, is sent as the message {"switch": its key}.
    """

    _esm = Path(__file__).with_name("circuit_view.js")
    _css = Path(__file__).with_name("circuit_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class CircuitPanel(ipywidgets.VBox):
    """`off` is what is off now; `circuit` may be set to another one at any time.

    An error in `evaluate` is shown as a sentence, and the panel lives on, without bars until the
    next change that can be evaluated.
    """

    kinds = ("zero", "mean", "resample")

    def __init__(
        self,
        diagram: CircuitDiagram,
        evaluate: Evaluate,
        circuit: Parts = (),
        *,
        kind: str = "zero",
        seed: int = 0,
    ) -> None:
        self.diagram, self.evaluate = diagram, evaluate
        self.seed, self.draws = seed, 0
        self.off: set[tuple] = set()
        self.accuracy: Any = None  # of each class, as `evaluate` gave it; None when it failed
        self._whole: Any = None
        self.kind = ipywidgets.RadioButtons(
            options=self.kinds, value=kind, description="Ablation", orientation="horizontal"
        )
        self.buttons = {
            name: ipywidgets.Button(description=name, layout={"width": "auto"})
            for name in (
                "All on",
                "Only the circuit",
                "Only as many random ones",
                "Without the circuit",
                "Without as many random ones",
            )
        }
        self.view = CircuitView()
        self.circuit = circuit
        self.show(set(), "")
        self.kind.observe(lambda _: self.show(self.off, f"Ablation: {self.kind.value}."), "value")
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self._press(name))
        self.view.on_msg(self._message)
        row = ipywidgets.HBox([*self.buttons.values()], layout={"flex_flow": "row wrap"})
        super().__init__([self.kind, RadioKeys(), row, self.view])

    @property
    def circuit(self) -> frozenset[tuple]:
        return self._circuit

    @circuit.setter
    def circuit(self, parts: Parts) -> None:
        parts = frozenset(map(tuple, parts))
        self.view.drawing = circuit_drawing(self.diagram, parts)
        self._circuit = parts
        self._means: dict[tuple[str, str], list[float]] = {}  # of random draws, by button and kind
        for name, button in self.buttons.items():
            button.disabled = not parts and name != "All on"

    def show(self, off: Collection[tuple], done: str) -> None:
        """Switch off these parts and no others. `done` says what has been done, a sentence."""
        off, before = set(off), self.accuracy
        try:
            if self._whole is None:
                self._whole = self._checked(set())
            accuracy, trouble = self._checked(off), ""
        except Exception as error:
            accuracy = None
            trouble = f"This could not be evaluated ({type(error).__name__}: {error})."
        state = circuit_state(self.diagram, accuracy, self._whole, off=off, before=before)
        with self.view.hold_sync():  # one message
            self.off, self.accuracy, self.view.state = off, accuracy, state
            self.view.words = " ".join(filter(None, (trouble, done, state["summary"])))

    def switch(self, part: tuple) -> None:
        """A unit or connection that is on goes off, and the other way round."""
        name = self.diagram.name(part)
        off = self.off ^ {part}
        self.show(off, f"{name} is {'off' if part in off else 'on again'}.")

    def _checked(self, off: set[tuple]) -> Any:
        """What `evaluate` says, once it is known that it can be drawn."""
        units = {part for part in off if len(part) == 2}
        accuracy = self.evaluate(units, off - units, self.kind.value)
        if accuracy is None:
            raise ValueError("evaluate returned None instead of an accuracy for each class")
        circuit_state(self.diagram, accuracy, None)
        return accuracy

    def _press(self, name: str) -> None:
        chosen, done = set(self.circuit), f"{name}."
        if "random" in name:
            chosen = self._as_many_at_random()
            own = len(chosen & self.circuit)
            done = f"{name}: {own} of these {len(chosen)} belong to the circuit."
        off = self._others(chosen) if name.startswith("Only") else chosen
        with self.view.hold_sync():
            self.show(off if name != "All on" else set(), done)
            if "random" in name:
                self._remember(name)

    def _remember(self, name: str) -> None:
        """One random draw is luck; the mean of several is the control."""
        if (mean := self.view.state["mean"]) is not None:
            means = self._means.setdefault((name, self.kind.value), [])
            means.append(mean)
            if len(means) > 1:
                mean = percent(sum(means) / len(means))
                self.view.words += f" Mean of {len(means)} such draws: {mean}."

    def _families(self, parts: Collection[tuple]) -> list[tuple[list[tuple], list[tuple]]]:
        """The parts by layer and kind, each with all of that kind that the layer has."""

        def family(part: tuple) -> tuple[int, str]:
            return len(part), part[0]

        return [
            (list(some), self.diagram.parts(layer, edges=length == 3))
            for (length, layer), some in groupby(sorted(parts, key=family), family)
        ]

    def _others(self, parts: Collection[tuple]) -> set[tuple]:
        """All but these, of the layers and kinds that they are of; the rest is not in question."""
        return {part for _, every in self._families(parts) for part in every} - set(parts)

    def _as_many_at_random(self) -> set[tuple]:
        """As many as the circuit has of each layer and kind; another draw each time."""
        self.draws += 1
        source = random.Random(f"{self.seed} {self.draws}")
        return {
            part
            for some, every in self._families(self.circuit)
            for part in source.sample(every, len(some))
        }

    def _message(self, _: Any, content: Any, __: Any) -> None:
        self.switch(self.diagram.part(content["switch"]))


def circuit_panel(
    diagram: CircuitDiagram, evaluate: Evaluate, circuit: Parts = (), **rest: Any
) -> ipywidgets.Widget:
    """The circuit panel of notebook 01.

    Args:
        diagram: what to draw.
        evaluate: evaluate(off_units, off_edges, kind) -> the accuracy of each class, as an array
            in the order of the classes or a mapping from their names. Units are (layer, unit),
            edges (layer, from, to) with the layer of the unit that is heard; kind is "zero",
            "mean" or "resample".
        circuit: the units and edges that the buttons are about. In a layer of which it names no
            unit, all stay on with "Only the circuit"; and so with connections.
        rest: `kind` to begin with, and the `seed` of the random draws.
    """
    return CircuitPanel(diagram, evaluate, circuit, **rest)

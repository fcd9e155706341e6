"""The panel of notebook 03: arrows that are dragged, and what it costs to have them there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets

from course_utils.plots.plane import drag_state
from course_utils.plots.theme import as_array
from course_utils.widgets.controls import Slider

Measure = Callable[[np.ndarray, float], tuple[Any, Any, Any]]
Descend = Callable[[np.ndarray, float], Any]
Best = Callable[[int, float], Any]

HERE = Path(__file__).parent
# What moves while a training is played; names, colours and words stay as they are.
MOVING = ("arrows", "cells", "dimensionality", "total", "loss")


def _at(*degrees: float) -> np.ndarray:
    """Arrows of length 1 at these angles, (2, n)."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)])


SHAPES = {
    "two features, right angles": _at(0, 90),
    "antipodal pair": _at(0, 180),
    "triangle": _at(90, 210, 330),
    "antipodal pair and one at right angles": _at(0, 180, 90),
    "square (two pairs)": _at(0, 180, 90, 270),
    "pentagon": _at(*range(90, 450, 72)),
    # Always the same five; of a few dozen seeds, one where no arrow hides another.
    "five at random": np.random.default_rng(24).normal(0, 0.6, (2, 5)),
    "hexagon": _at(*range(90, 450, 60)),
}


class DragView(anywidget.AnyWidget):
    """A toy model in SVG. Its arrows are moved in the browser, at once; the rest follows.

    `state` comes from `plots.plane.drag_state`, with a `serial` number, so that two that are alike
    are sent both, and with `frames` where a training is to be played. `moved` is what the browser
    asks: {"count", "arrows"}. It asks the next when `answered` has reached the count of the last,
    and then only for the newest arrows. `trouble` is what went wrong, a sentence or nothing.
    """

    _esm = HERE / "drag_view.js"
    # The pictures of notebooks 02 and 03 look alike.
    _css = "\n".join(
        (HERE / name).read_text("utf-8") for name in ("model_view.css", "drag_view.css")
    )
    state = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    moved = traitlets.Dict().tag(sync=True, echo_update=False)
    answered = traitlets.Int(0).tag(sync=True)


class DragPanel(ipywidgets.VBox):
    """Two sliders, two buttons and arrows to drag. `W`, (2, n), is what the arrows are now.

    An error in a function that was passed in is shown as a sentence, and the panel lives on.
    """

    probabilities = 10.0 ** -np.linspace(0, 2, 21)
    shapes = SHAPES

    def __init__(self, measure: Measure, descend: Descend, best: Best) -> None:
        self.measure, self.descend, self.best = measure, descend, best
        self._known: dict[tuple[int, float], float] = {}  # the best loss for (n, p)
        self._serial = count(1)
        self.shape = Slider(
            name="Shape", labels=list(self.shapes), index=list(self.shapes).index("triangle")
        )
        self.sparsity = Slider(
            name="Sparsity S",
            labels=[f"S = {1 - p:.3f}   (p = {p:.3f})" for p in self.probabilities],
            index=int(np.argmin(abs(self.probabilities - 0.05))),
        )
        self.train = ipywidgets.Button(description="Let go and train from here")
        self.again = ipywidgets.Button(description="Start again")
        for button in (self.train, self.again):
            button.layout.width = "auto"
        self.view = DragView()
        self.start()
        self.shape.observe(lambda _: self.start(), "index")
        self.sparsity.observe(lambda _: self.redraw(), "index")
        self.train.on_click(lambda _: self.let_go())
        self.again.on_click(lambda _: self.start())
        self.view.observe(self._move, "moved")
        buttons = ipywidgets.HBox([self.train, self.again])
        super().__init__([self.shape, self.sparsity, buttons, self.view])

    @property
    def p(self) -> float:
        return float(self.probabilities[self.sparsity.index])

    def start(self) -> None:
        """The arrows of the shape that is chosen."""
        self.W = self.shapes[self.shape.labels[self.shape.index]].copy()
        self.redraw()

    def redraw(self) -> None:
        """Measure the arrows as they are, and draw what was found."""
        try:
            state = self._state(self.W, self._measured(self.W))
        except Exception as error:
            self.view.trouble = f"This could not be measured ({type(error).__name__}: {error})."
            return
        self._show(state)

    def let_go(self) -> None:
        """Train from the arrows as they are. All frames are sent in one message, then played."""
        try:
            frames = as_array(self.descend(self.W.copy(), self.p))
            if not len(frames) or frames.shape[1:] != self.W.shape:
                raise ValueError(f"frames of shape {frames.shape} for arrows of {self.W.shape}")
            measured = [self._measured(W) for W in frames]
            self._best(at_most=float(measured[-1][2]))
            states = [self._state(W, each) for W, each in zip(frames, measured)]
        except Exception as error:
            self.view.trouble = f"This could not be trained ({type(error).__name__}: {error})."
            return
        self.W = frames[-1].copy()
        moving = [{key: state[key] for key in MOVING} for state in states]
        self._show(states[-1] | {"frames": moving})

    def _measured(self, W: np.ndarray) -> tuple[Any, Any, Any]:
        return self.measure(W.copy(), self.p)

    def _state(self, W: np.ndarray, measured: tuple[Any, Any, Any]) -> dict[str, Any]:
        return drag_state(W, *measured, self._best())

    def _best(self, at_most: float = np.inf) -> float:
        """The lowest loss that training has found, here or before, for as many features."""
        key = self.W.shape[1], self.p
        if key not in self._known:
            self._known[key] = float(self.best(*key))
        self._known[key] = min(self._known[key], at_most)
        return self._known[key]

    def _show(self, state: dict[str, Any]) -> None:
        with self.view.hold_sync():  # one message
            self.view.state = state | {"serial": next(self._serial)}
            self.view.trouble = ""

    def _move(self, change: Any) -> None:
        """The browser has moved arrows. It waits for an answer, so it gets one in any case."""
        asked = change["new"]
        with self.view.hold_sync():
            self.view.answered = asked["count"]
            self.W = np.array(asked["arrows"], dtype=float).T
            self.redraw()


def drag_panel(measure: Measure, descend: Descend, best: Best) -> ipywidgets.Widget:
    """The panel of notebook 03, in which a model with two hidden numbers is shaped by hand.

    Args:
        measure: measure(W, p) -> (b, dimensionality, loss), for arrows W (2, n).
        descend: descend(W, p) -> the arrows while they are trained, (n_frames, 2, n).
        best: best(n, p) -> the lowest loss that training finds; asked once for each n and p.
    """
    return DragPanel(measure, descend, best)

"""The central panel of notebook 03: a model with three hidden numbers as a solid to be turned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.space import Look, polytope_state
from course_utils.widgets.controls import Slider


class PolytopeView(anywidget.AnyWidget):
    """A solid drawn in SVG that pointer and arrow keys turn, its D_i, and words below.

    `state` comes from `plots.space.polytope_state`; while it is empty there is no picture. Turning
    is the browser's business alone, and a new state is seen from the same side.
    """

    _esm = Path(__file__).with_name("polytope_view.js")
    _css = Path(__file__).with_name("polytope_view.css")
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class PolytopePanel(ipywidgets.VBox):
    """Two sliders and a button; each change trains anew and redraws the solid in place.

    `train(n_features, feature_probability, seed)` returns W, (3, n_features), and `look(W)` says
    what it is. An error in either is shown as a sentence, and the panel lives on.
    """

    counts = tuple(range(2, 11))
    probabilities = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)

    def __init__(self, train: Callable[[int, float, int], Any], look: Callable[[Any], Look]):
        self.train, self.look, self.seed = train, look, 0
        self.features = Slider(
            name="Features n",
            labels=[f"n = {n}" for n in self.counts],
            index=self.counts.index(4),
        )
        self.sparsity = Slider(
            name="Sparsity S",
            labels=[f"S = {1 - p:.2f}   (p = {p:.2f})" for p in self.probabilities],
            index=self.probabilities.index(0.05),
        )
        self.button = ipywidgets.Button(description="New random start")
        self.view = PolytopeView()
        self.redraw()
        for slider in (self.features, self.sparsity):
            slider.observe(lambda _: self.redraw(), "index")
        self.button.on_click(self._new_start)
        super().__init__([self.features, self.sparsity, self.button, self.view])

    def redraw(self) -> None:
        """Train with the present settings, and draw the result."""
        n, p = self.counts[self.features.index], self.probabilities[self.sparsity.index]
        try:
            W = self.train(n, p, self.seed)
            state = polytope_state(W, self.look(W))
        except Exception as error:
            self.view.words = f"This could not be trained ({type(error).__name__}: {error})."
            return
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = f"{state['summary']} Random start {self.seed}."

    def _new_start(self, _: Any) -> None:
        self.seed += 1
        self.redraw()


def polytope_view(W: Any, look: Callable[[Any], Look]) -> ipywidgets.Widget:
    """One shape to be turned: the columns of W (3, n), and what `look(W)` says of it."""
    state = polytope_state(W, look(W))
    return PolytopeView(state=state, words=state["summary"])


def polytope_panel(
    train: Callable[[int, float, int], Any], look: Callable[[Any], Look]
) -> ipywidgets.Widget:
    """The central panel of notebook 03: see `PolytopePanel`."""
    return PolytopePanel(train, look)

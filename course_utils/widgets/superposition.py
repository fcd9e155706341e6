"""The central panel of notebook 02: sparsity and importance under sliders, a model trained anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets

from course_utils import plots
from course_utils.widgets.controls import Slider


class ModelView(anywidget.AnyWidget):
    """One toy model drawn in SVG, with words below that screen readers read out when they change.

    `state` comes from `plots.superposition_state`; while it is empty there is no picture.

    A plotly FigureWidget would send 5 MB to every browser and take longer to redraw than a
    slider may: this one sends 10 KB and redraws in a few milliseconds.
    """

    _esm = Path(__file__).with_name("model_view.js")
    _css = Path(__file__).with_name("model_view.css")
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class SuperpositionPanel(ipywidgets.VBox):
    """Two sliders and a button; each change trains anew and redraws the picture in place.

    `train(feature_probability, importance_decay, seed)` returns (W, b), with W (2, n_features).
    An error in it is shown as a sentence, and the panel lives on.
    """

    probabilities = 10.0 ** -np.linspace(0, 2, 41)
    decays = np.linspace(0.5, 1.0, 11)

    def __init__(self, train: Callable[[float, float, int], tuple[Any, Any]]) -> None:
        self.train, self.seed = train, 0
        self.sparsity = Slider(
            name="Sparsity S",
            labels=[f"S = {1 - p:.3f}   (p = {p:.3f})" for p in self.probabilities],
            index=0,
        )
        self.decay = Slider(
            name="Importance decay",
            labels=[f"I_i = {d:.2f}^i" for d in self.decays],
            index=int(np.argmin(abs(self.decays - 0.9))),
        )
        self.button = ipywidgets.Button(description="New random start")
        self.view = ModelView()
        self.redraw()
        for slider in (self.sparsity, self.decay):
            slider.observe(lambda _: self.redraw(), "index")
        self.button.on_click(self._new_start)
        super().__init__([self.sparsity, self.decay, self.button, self.view])

    def redraw(self) -> None:
        """Train with the present settings, and draw the result.

        Keys that follow each other fast are no reason to wait: ipywidgets sends a slider's next
        value when this one is done, and then only the newest.
        """
        p = float(self.probabilities[self.sparsity.index])
        decay = float(self.decays[self.decay.index])
        try:
            state = plots.superposition_state(*self.train(p, decay, self.seed))
        except Exception as error:
            self.view.words = f"This could not be trained ({type(error).__name__}: {error})."
            return
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = f"{state['summary']} Random start {self.seed}."

    def _new_start(self, _: Any) -> None:
        self.seed += 1
        self.redraw()


def superposition_panel(train: Callable[[float, float, int], tuple[Any, Any]]) -> ipywidgets.Widget:
    """The central panel of notebook 02: see `SuperpositionPanel`."""
    return SuperpositionPanel(train)

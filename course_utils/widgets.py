"""What moves: a slider that everyone can use, and the panels. State and callbacks only; the
numerics are passed in, so that every panel can be tested without a browser."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import plotly.graph_objects as go
import traitlets
from IPython.display import HTML, display

from course_utils import plots

# All figure text in the theme's own colour, so that it is legible on light and on dark.
STYLE = (
    "<style>.js-plotly-plot .main-svg text{fill:var(--jp-ui-font-color1,#777)!important}"
    ".js-plotly-plot .hoverlayer text{fill:#fff!important}</style>"
)
# No tool bar: a dozen stops of the Tab key for every figure, one of which sends data away.
CONFIG = {"displayModeBar": False, "responsive": True}
MIMETYPE = "application/vnd.plotly.v1+json"


def show(figure: go.Figure) -> None:
    """Display a figure as plain data (a few KB, not a widget), and in words below it."""
    words = plots.alt_text(figure)
    data = json.loads(figure.to_json()) | {"config": CONFIG}
    display({MIMETYPE: data, "text/plain": words}, raw=True)
    display(HTML(f"{STYLE}<details><summary>In words</summary>{html.escape(words)}</details>"))


class Slider(anywidget.AnyWidget):
    """A labelled slider over a list of values, of which `labels` are the words.

    Built on the browser's own range input: it has a name for screen readers and takes arrow
    keys. `index` changes when the slider is let go, or at each key.
    """

    _esm = Path(__file__).with_name("slider.js")
    _css = Path(__file__).with_name("slider.css")
    name = traitlets.Unicode().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)

    @traitlets.validate("index")
    def _in_range(self, proposal: Any) -> int:
        return max(0, min(proposal["value"], len(self.labels) - 1))


class RadioKeys(anywidget.AnyWidget):
    """Invisible; lets the arrow keys move between the radio buttons of the box that it is in."""

    _esm = Path(__file__).with_name("radio_keys.js")


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

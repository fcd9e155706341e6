"""The semicolon panel of notebook 04: one sign, two classes of texts, layer by layer."""

from __future__ import annotations

from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.semicolons import SignFigures, sign_drawing, sign_state
from course_utils.widgets.controls import Slider


class SignView(anywidget.AnyWidget):
    """The cosine by layer with its nulls, and neurons of one layer as paired bars, in SVG.

    `drawing` comes from `plots.semicolons.sign_drawing` and is sent once; `state` comes from
    `sign_state` at every change.
    """

    _esm = Path(__file__).with_name("semicolons_view.js")
    _css = Path(__file__).with_name("semicolons_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class SemicolonPanel(ipywidgets.VBox):
    """Sliders for pair and layer; all that can be shown was computed beforehand."""

    def __init__(self, figures: SignFigures) -> None:
        self.figures = figures
        names = [figures.pair_name(k) for k in range(len(figures.pairs))]
        self.pair = Slider(name="Pair", labels=names)
        self.layer = Slider(name="Layer", labels=[f"layer {k}" for k in figures.layers])
        self.view = SignView(drawing=sign_drawing(figures))
        self.redraw()
        for slider in (self.pair, self.layer):
            slider.observe(lambda _: self.redraw(), "index")
        super().__init__([self.pair, self.layer, self.view])

    def redraw(self) -> None:
        """Draw what the sliders say."""
        state = sign_state(self.figures, self.pair.index, self.layer.index)
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = state["summary"]


def semicolon_panel(figures: SignFigures) -> ipywidgets.Widget:
    """The semicolon panel of notebook 04: see `plots.semicolons.SignFigures`."""
    return SemicolonPanel(figures)

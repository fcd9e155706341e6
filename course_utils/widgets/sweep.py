"""The expansion sweep of notebook 05: larger and larger dictionaries beside the true one."""

from __future__ import annotations

from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.sweep import SweepFigures, sweep_drawing, sweep_state, times
from course_utils.widgets.controls import Slider


class SweepView(anywidget.AnyWidget):
    """Curves over the expansion, and the features and latents of one autoencoder, in SVG.

    `drawing` comes from `plots.sweep.sweep_drawing` and is sent once; `state` comes from
    `sweep_state` at every change.
    """

    _esm = Path(__file__).with_name("sweep_view.js")
    _css = Path(__file__).with_name("sweep_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class SweepPanel(ipywidgets.VBox):
    """Sliders for series and expansion; all that can be shown was computed beforehand.

    With one series only, the slider for it is left out.
    """

    def __init__(self, figures: SweepFigures) -> None:
        self.figures = figures
        labels = [f"{times(e)}: {figures.latents(k)} latents"
                  for k, e in enumerate(figures.expansions)]  # fmt: skip
        self.series = Slider(name="Autoencoder", labels=list(figures.names))
        self.expansion = Slider(name="Expansion", labels=labels)
        self.view = SweepView(drawing=sweep_drawing(figures))
        self.redraw()
        for slider in (self.series, self.expansion):
            slider.observe(lambda _: self.redraw(), "index")
        shown = [self.series] if len(figures.names) > 1 else []
        super().__init__([*shown, self.expansion, self.view])

    def redraw(self) -> None:
        """Draw what the sliders say."""
        state = sweep_state(self.figures, self.series.index, self.expansion.index)
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = state["summary"]


def sweep_panel(figures: SweepFigures) -> ipywidgets.Widget:
    """The expansion sweep of notebook 05: see `plots.sweep.SweepFigures`."""
    return SweepPanel(figures)

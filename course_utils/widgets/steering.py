"""The steering panel of notebook 05: one latent is clamped, and the next token changes."""

from __future__ import annotations

from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.steering import SteeringFigures, steering_drawing, steering_state
from course_utils.widgets.controls import Slider


class SteeringView(anywidget.AnyWidget):
    """The likeliest next tokens as bars, and by how much each change moves them all, in SVG.

    `drawing` comes from `plots.steering.steering_drawing` and is sent once; `state` comes from
    `steering_state` at every change.
    """

    _esm = Path(__file__).with_name("steering_view.js")
    _css = Path(__file__).with_name("steering_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class SteeringPanel(ipywidgets.VBox):
    """Sliders for prompt, change and value; all that can be shown was computed beforehand."""

    def __init__(self, figures: SteeringFigures) -> None:
        self.figures = figures
        labels = [figures.value_label(k) for k in range(len(figures.values))]
        self.prompt = Slider(name="Prompt", labels=list(figures.prompts))
        self.change = Slider(name="Change", labels=list(figures.series))
        self.value = Slider(name="Clamp to", labels=labels, index=len(labels) - 1)
        self.view = SteeringView(drawing=steering_drawing(figures))
        self.redraw()
        for slider in (self.prompt, self.change, self.value):
            slider.observe(lambda _: self.redraw(), "index")
        super().__init__([self.prompt, self.change, self.value, self.view])

    def redraw(self) -> None:
        """Draw what the sliders say."""
        places = self.prompt.index, self.change.index, self.value.index
        state = steering_state(self.figures, *places)
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = state["summary"]


def steering_panel(figures: SteeringFigures) -> ipywidgets.Widget:
    """The steering panel of notebook 05: see `plots.steering.SteeringFigures`."""
    return SteeringPanel(figures)

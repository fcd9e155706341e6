"""The tuning-curve explorer of notebook 01: turn a stimulus, and see what a unit does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.tuning import TuningCurves, pixels, tuning_state
from course_utils.widgets.controls import Slider


class TuningView(anywidget.AnyWidget):
    """A stimulus, a filter and a tuning curve with its control, and words below.

    `state` comes from `plots.tuning.tuning_state`, with the `pixels` of the stimulus or None.
    """

    _esm = Path(__file__).with_name("tuning_view.js")
    _css = Path(__file__).with_name("tuning_view.css")
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class TuningPanel(ipywidgets.VBox):
    """Sliders for angle, unit and layer over curves measured beforehand.

    Only the stimulus is made anew. An error in it is shown as a sentence, and the panel lives on,
    with the curve and without that picture.
    """

    def __init__(self, curves: TuningCurves, stimulus: Callable[[float], Any]) -> None:
        self.curves, self.stimulus = curves, stimulus
        self.names = list(curves.layers)
        first = curves.layers[self.names[0]].responses[0]
        self.angle = Slider(name="Angle", labels=curves.angle_labels, index=int(first.argmax()))
        self.unit = Slider(name="Unit", labels=curves.unit_labels(self.names[0]))
        self.layer = Slider(name="Layer", labels=self.names)
        self.view = TuningView()
        self.redraw()
        self.angle.observe(self._moved, "index")
        self.unit.observe(self._moved, "index")
        self.layer.observe(self._other_layer, "index")
        sliders = [*([self.layer] if len(self.names) > 1 else []), self.unit, self.angle]
        super().__init__([*sliders, self.view])

    def redraw(self) -> None:
        """Draw what the sliders say."""
        angle, trouble = self.angle.index, ""
        try:
            stimulus = pixels(self.stimulus(float(self.curves.angles[angle])), "the stimulus")
        except Exception as error:
            stimulus = None
            trouble = f"This stimulus could not be drawn ({type(error).__name__}: {error})."
        state = tuning_state(self.curves, self.names[self.layer.index], self.unit.index, angle)
        with self.view.hold_sync():  # one message
            self.view.state = state | {"stimulus": stimulus}
            self.view.words = " ".join(filter(None, (trouble, state["summary"])))

    def _moved(self, _: Any) -> None:
        self.redraw()

    def _other_layer(self, _: Any) -> None:
        """It may have fewer units: then the last one is shown."""
        self.unit.unobserve(self._moved, "index")
        with self.unit.hold_sync():
            self.unit.labels = self.curves.unit_labels(self.names[self.layer.index])
            self.unit.index = min(self.unit.index, len(self.unit.labels) - 1)
        self.unit.observe(self._moved, "index")
        self.redraw()


def tuning_panel(curves: TuningCurves, stimulus: Callable[[float], Any]) -> ipywidgets.Widget:
    """The tuning-curve explorer of notebook 01.

    Args:
        curves: what was measured, see `plots.tuning.TuningCurves`.
        stimulus: stimulus(angle) -> the picture at an angle in degrees, (size, size) from 0 to 1,
            such as one of `stimuli`.
    """
    return TuningPanel(curves, stimulus)

"""The universality panel of notebook 01: which networks are alike, and is it more than chance?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.universality import (
    NetworkSimilarities,
    universality_drawing,
    universality_state,
)
from course_utils.widgets.controls import Slider


class UniversalityView(anywidget.AnyWidget):
    """A matrix of networks as a heat map, and one pair beside its null, in SVG.

    `drawing` comes from `plots.universality.universality_drawing` and is sent once; `state` comes
    from `universality_state` at every change. A cell that is clicked is sent as the message
    {"pair": [row, column]}.
    """

    _esm = Path(__file__).with_name("universality_view.js")
    _css = Path(__file__).with_name("universality_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class UniversalityPanel(ipywidgets.VBox):
    """Sliders for pair, layer and measure; all that can be shown was computed beforehand."""

    def __init__(self, table: NetworkSimilarities) -> None:
        self.table, self.pairs = table, table.pairs
        self.pair = Slider(name="Pair", labels=[table.pair_name(pair) for pair in self.pairs])
        self.layer = Slider(name="Layer", labels=list(table.layers))
        self.measure = Slider(name="Measure", labels=list(table.measures))
        self.view = UniversalityView(drawing=universality_drawing(table))
        self.redraw()
        sliders = [self.pair, self.layer, self.measure]
        for slider in sliders:
            slider.observe(lambda _: self.redraw(), "index")
        self.view.on_msg(self._message)
        super().__init__([*(s for s in sliders if len(s.labels) > 1), self.view])

    def redraw(self) -> None:
        """Draw what the sliders say."""
        measure = self.table.measures[self.measure.index]
        state = universality_state(
            self.table, measure, self.layer.index, self.pairs[self.pair.index]
        )
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = state["summary"]

    def _message(self, _: Any, content: Any, __: Any) -> None:
        """The cell of a network with itself is no pair."""
        chosen = tuple(content["pair"])
        for pair in (chosen, chosen[::-1]):
            if pair in self.pairs:
                self.pair.index = self.pairs.index(pair)
                return


def universality_panel(table: NetworkSimilarities) -> ipywidgets.Widget:
    """The universality panel of notebook 01: see `plots.universality.NetworkSimilarities`."""
    return UniversalityPanel(table)

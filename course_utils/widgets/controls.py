"""Controls that everyone can use: with a name for screen readers, and from the keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets


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

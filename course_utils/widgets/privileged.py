"""The panel of notebook 04: sparsity under a slider, a layer of neurons trained anew."""

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


class PrivilegedView(anywidget.AnyWidget):
    """A bar of weights for each neuron and a dot for each start, in SVG, with words below.

    `state` comes from `plots.privileged_state`; while it is empty there is no picture.
    """

    _esm = Path(__file__).with_name("privileged_view.js")
    _css = Path(__file__).with_name("privileged_view.css")
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class PrivilegedPanel(ipywidgets.VBox):
    """A slider and a button; each change trains several models anew and redraws in place.

    `train(feature_probability, seed)` returns (W, losses): weights (n_restarts, n_neurons,
    n_features), and the loss of each model. An error in it is shown as a sentence, and the panel
    lives on.
    """

    probabilities = 50.0 ** -np.linspace(0, 1, 25)

    def __init__(
        self, train: Callable[[float, int], tuple[Any, Any]], threshold: float, index: int = 0
    ) -> None:
        self.train, self.threshold, self.seed = train, threshold, 0
        self.sparsity = Slider(
            name="Sparsity S",
            labels=[f"S = {1 - p:.3f}   (p = {p:.3f})" for p in self.probabilities],
            index=index,
        )
        self.button = ipywidgets.Button(description="New random starts")
        self.view = PrivilegedView()
        self.redraw()
        self.sparsity.observe(lambda _: self.redraw(), "index")
        self.button.on_click(self._new_starts)
        super().__init__([self.sparsity, self.button, self.view])

    def redraw(self) -> None:
        """Train with the present settings, and draw the result."""
        p = float(self.probabilities[self.sparsity.index])
        try:
            state = plots.privileged_state(*self.train(p, self.seed), self.threshold)
        except Exception as error:
            self.view.words = f"This could not be trained ({type(error).__name__}: {error})."
            return
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = f"{state['summary']} Random seed {self.seed}."

    def _new_starts(self, _: Any) -> None:
        self.seed += 1
        self.redraw()


def privileged_panel(
    train: Callable[[float, int], tuple[Any, Any]], *, threshold: float = 0.5, p: float = 1.0
) -> ipywidgets.Widget:
    """The panel of notebook 04: see `PrivilegedPanel`.

    A neuron answers to the features whose weights are larger than the threshold. The slider begins
    at the feature probability that is nearest to p.
    """
    nearest = int(np.abs(PrivilegedPanel.probabilities - p).argmin())
    return PrivilegedPanel(train, threshold, nearest)

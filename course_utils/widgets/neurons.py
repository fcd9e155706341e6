"""The neuron dashboard of notebook 04: one neuron after the other, and when each is active."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.neurons import Scores, neuron_drawing, neuron_state
from course_utils.widgets.controls import Slider

ORDERS = {"number": "by number", "fewest": "fewest classes first", "most": "most classes first"}
Effect = Callable[[int], tuple[Scores, Scores]]


class NeuronView(anywidget.AnyWidget):
    """Numbers, bars, a histogram, texts and tokens of one neuron, and a box to go to another.

    `drawing` comes from `plots.neurons.neuron_drawing` and is sent once; `state` comes from
    `neuron_state` at every change. A number that is typed in is sent as the message {"neuron": n}.
    """

    _esm = Path(__file__).with_name("neurons_view.js")
    _css = Path(__file__).with_name("neurons_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class NeuronPanel(ipywidgets.VBox):
    """Sliders for the neuron and for the order in which they come.

    Texts and tokens of a neuron are looked up when it is shown, and only then sent. An error in
    `effect` is shown as a sentence, and the panel lives on, without tokens.
    """

    def __init__(self, survey: Any, effect: Effect | None = None, *, order: str = "number") -> None:
        self.survey, self.effect = survey, effect
        self.orders = {by: survey.order(by) for by in ORDERS}
        self.neuron = Slider(name="Neuron")
        self.order = Slider(
            name="Order", labels=list(ORDERS.values()), index=list(ORDERS).index(order)
        )
        self.neuron.labels = self._labels()
        self.view = NeuronView(drawing=neuron_drawing(len(survey)))
        self.redraw()
        self.neuron.observe(lambda _: self.redraw(), "index")
        self.order.observe(lambda _: self._reorder(), "index")
        self.view.on_msg(self._message)
        super().__init__([self.neuron, self.order, self.view])

    @property
    def shown(self) -> int:
        """The number of the neuron that is shown."""
        return self._numbers()[self.neuron.index]

    def redraw(self) -> None:
        """Draw the neuron of the slider."""
        up, down, trouble = (), (), ""
        try:
            if self.effect is not None:
                up, down = self.effect(self.shown)
        except Exception as error:
            trouble = f"Its tokens could not be found ({type(error).__name__}: {error})."
        state = neuron_state(self.survey.look(self.shown), up, down)
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.view.words = " ".join(filter(None, (trouble, state["summary"])))

    def go_to(self, neuron: int) -> None:
        """Show this neuron; the nearest number if there is no such one."""
        self.neuron.index = self._numbers().index(max(0, min(int(neuron), len(self.survey) - 1)))

    def _numbers(self) -> list[int]:
        return self.orders[list(ORDERS)[self.order.index]]

    def _labels(self) -> list[str]:
        effective = self.survey.effective.tolist()
        return [f"{n}, {effective[n]:.1f} classes" for n in self._numbers()]

    def _reorder(self) -> None:
        """By number, the neuron that is shown stays; another order begins at its beginning."""
        by_number = list(ORDERS)[self.order.index] == "number"
        place = self.view.state["number"] if by_number else 0
        moved = place != self.neuron.index
        with self.neuron.hold_sync():
            self.neuron.labels = self._labels()
            self.neuron.index = place
        if not moved:
            self.redraw()

    def _message(self, _: Any, content: Any, __: Any) -> None:
        self.go_to(content["neuron"])


def neuron_panel(
    survey: Any, effect: Effect | None = None, *, order: str = "number"
) -> ipywidgets.Widget:
    """The neuron dashboard of notebook 04.

    Args:
        survey: what is known of each neuron, see `neurons.Survey`.
        effect: effect(neuron) -> the tokens that it makes likelier, and those less likely, each
            with what it adds to their logits. None leaves them out.
        order: "number", or "fewest" or "most" for the classes in which neurons are active.
    """
    return NeuronPanel(survey, effect, order=order)

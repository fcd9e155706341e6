"""The dashboard of notebooks 04 and 05: one neuron or latent after the other, and its texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.neurons import Scores, neuron_drawing, neuron_state
from course_utils.widgets.controls import Slider
from course_utils.widgets.search import Search, SearchBox

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

    def __init__(
        self,
        survey: Any,
        effect: Effect | None = None,
        *,
        order: str = "number",
        noun: str = "neuron",
        numbers: Sequence[int] | None = None,
        search: Search | None = None,
    ) -> None:
        self.survey, self.effect, self.noun = survey, effect, noun
        self.numbers = [int(n) for n in (range(len(survey)) if numbers is None else numbers)]
        self.some = numbers is not None
        if len(self.numbers) != len(survey) or sorted(set(self.numbers)) != self.numbers:
            raise ValueError(
                f"there are {len(self.numbers)} numbers for {len(survey)} columns of the survey; "
                "give one for each, rising."
            )
        self.orders = {by: survey.order(by) for by in ORDERS}
        self.neuron = Slider(name=noun.capitalize())
        self.order = Slider(
            name="Order", labels=list(ORDERS.values()), index=list(ORDERS).index(order)
        )
        self.neuron.labels = self._labels()
        self.view = NeuronView(drawing=neuron_drawing(self.numbers[-1], noun))
        self.redraw()
        self.neuron.observe(lambda _: self.redraw(), "index")
        self.order.observe(lambda _: self._reorder(), "index")
        self.view.on_msg(self._message)
        self.search = SearchBox(search, self.go_to, noun=noun) if search else None
        super().__init__([*filter(None, [self.search]), self.neuron, self.order, self.view])

    @property
    def shown(self) -> int:
        """The number of the one that is shown."""
        return self.numbers[self._column()]

    def _column(self) -> int:
        return self._columns()[self.neuron.index]

    def redraw(self) -> None:
        """Draw the neuron of the slider."""
        up, down, trouble = (), (), ""
        try:
            if self.effect is not None:
                up, down = self.effect(self.shown)
        except Exception as error:
            trouble = f"Its tokens could not be found ({type(error).__name__}: {error})."
        look = self.survey.look(self._column())
        state = neuron_state(look, up, down, noun=self.noun, number=self.shown)
        with self.view.hold_sync():  # one message
            self.view.state = state
            self.said = " ".join(filter(None, (trouble, state["summary"])))
            self.view.words = self.said

    def go_to(self, neuron: int) -> None:
        """Show the one with this number; the nearest if there is none.

        If the survey has only some of them, a sentence says that it is another one.
        """
        column = min(range(len(self.numbers)), key=lambda k: abs(self.numbers[k] - int(neuron)))
        self.neuron.index = self._columns().index(column)
        if self.numbers[column] == int(neuron):
            self.view.words = self.said
            return
        if self.some:
            self.view.words = (
                f"{self.noun.capitalize()} {int(neuron)} is not among those shown here; this is "
                f"the nearest number. {self.said}"
            )
        # The box may show what was typed, though the state is as before.
        self.view.send({"number": self.numbers[column]})

    def _columns(self) -> list[int]:
        return self.orders[list(ORDERS)[self.order.index]]

    def _labels(self) -> list[str]:
        effective = self.survey.effective.tolist()
        return [f"{self.numbers[k]}, {effective[k]:.1f} classes" for k in self._columns()]

    def _reorder(self) -> None:
        """By number, the neuron that is shown stays; another order begins at its beginning."""
        by_number = list(ORDERS)[self.order.index] == "number"
        place = self.numbers.index(self.view.state["number"]) if by_number else 0
        moved = place != self.neuron.index
        with self.neuron.hold_sync():
            self.neuron.labels = self._labels()
            self.neuron.index = place
        if not moved:
            self.redraw()

    def _message(self, _: Any, content: Any, __: Any) -> None:
        self.go_to(content["neuron"])


def neuron_panel(
    survey: Any,
    effect: Effect | None = None,
    *,
    order: str = "number",
    noun: str = "neuron",
    numbers: Sequence[int] | None = None,
    search: Search | None = None,
) -> ipywidgets.Widget:
    """The dashboard of notebooks 04 and 05.

    Args:
        survey: what is known of each neuron, see `neurons.Survey`.
        effect: effect(neuron) -> the tokens that it makes likelier, and those less likely, each
            with what it adds to their logits. None leaves them out.
        order: "number", or "fewest" or "most" for the classes in which neurons are active.
        noun: what one is called: "neuron" or "latent".
        numbers: of each column of the survey, rising, if it holds only some. None: 0, 1, ...
        search: search(text) -> (number, activation, token) of the strongest in a text that
            is typed in. None leaves the box out.

    Raises:
        ValueError: there is not one number for each column, or they do not rise.
    """
    return NeuronPanel(survey, effect, order=order, noun=noun, numbers=numbers, search=search)

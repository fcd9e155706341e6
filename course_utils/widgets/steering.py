"""The steering panel of notebook 05: one latent is clamped, and the next token changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.neurons import visible
from course_utils.plots.steering import (
    SteeringFigures,
    ending,
    steering_drawing,
    steering_state,
)
from course_utils.widgets.controls import Slider
from course_utils.widgets.search import Answer, TextBox

SHORT = 60  # characters of a prompt beside its slider
Compute = Callable[[str], SteeringFigures]


class SteeringView(anywidget.AnyWidget):
    """The likeliest next tokens as bars, and by how much each change moves them all, in SVG.

    `drawing` comes from `plots.steering.steering_drawing` and is sent once, and again when there is
    another prompt; `state` comes from `steering_state` at every change.
    """

    _esm = Path(__file__).with_name("steering_view.js")
    _css = Path(__file__).with_name("steering_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)


class PromptBox(TextBox):
    """A prompt of one's own; what it takes is computed while the box says so."""

    failed = "That prompt could not be computed"

    def __init__(self, add: Callable[[str], None]) -> None:
        super().__init__(label="Another prompt", action="Compute", waiting="Computing ...")
        self.add = add

    def answer(self, text: str) -> Answer:
        """Nothing but that it is there; the panel shows it."""
        self.add(text)
        return [], f"Shown as the last prompt: {ending(text, SHORT)}."


class SteeringPanel(ipywidgets.VBox):
    """Sliders for prompt, change and value; all that they show was computed beforehand.

    With `compute` there is a box for one more prompt, which the next one that is typed in replaces.
    """

    def __init__(self, figures: SteeringFigures, compute: Compute | None = None) -> None:
        self.given = self.figures = figures
        self.compute = compute
        self.prompt = Slider(name="Prompt", labels=self._prompts())
        self.change = Slider(name="Change", labels=list(figures.series))
        last = len(figures.values) - 1
        self.value = Slider(name="Clamp to", labels=figures.value_labels(0, 0), index=last)
        self.view = SteeringView()
        self.redraw()
        for slider in (self.prompt, self.change, self.value):
            slider.observe(lambda _: self.redraw(), "index")
        self.box = PromptBox(self.add) if compute else None
        super().__init__(
            [*filter(None, [self.box]), self.prompt, self.change, self.value, self.view]
        )

    def redraw(self) -> None:
        """Draw what the sliders say."""
        places = self.prompt.index, self.change.index, self.value.index
        state = steering_state(self.figures, *places)
        self.value.labels = self.figures.value_labels(*places[:2])
        with self.view.hold_sync():  # one message
            self.view.drawing = steering_drawing(self.figures)  # sent if it is another one
            self.view.state = state
            self.view.words = state["summary"]

    def add(self, text: str) -> None:
        """Compute a prompt, and show it after those that were given.

        Raises:
            ValueError: what was computed does not go with the others, or as `compute` does.
        """
        self.figures = self.given.with_prompt(self.compute(text))
        last = len(self.figures.prompts) - 1
        moved = self.prompt.index != last
        with self.prompt.hold_sync():
            self.prompt.labels = self._prompts()
            self.prompt.index = last
        if not moved:
            self.redraw()

    def _prompts(self) -> list[str]:
        return [visible(p) if len(p) <= SHORT else ending(p, SHORT) for p in self.figures.prompts]


def steering_panel(figures: SteeringFigures, compute: Compute | None = None) -> ipywidgets.Widget:
    """The steering panel of notebook 05.

    Args:
        figures: all that is shown, see `plots.steering.SteeringFigures`.
        compute: compute(text) -> the figures of that one prompt, with the same series, values and
            number of tokens. It may take seconds; an error in it is a sentence. None leaves the
            box out.
    """
    return SteeringPanel(figures, compute)

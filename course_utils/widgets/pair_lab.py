"""The pair lab of notebook 04: two lists of snippets, and what they have in common in a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from course_utils.plots.pair_lab import pair_drawing, pair_state

FEWEST, MOST, LONGEST = 4, 60, 400  # snippets a list, and characters of one
OWN = "Your own lists"
Measure = Callable[[list[str], list[str]], Any]


def snippets_in(text: str) -> list[str]:
    """The snippets that someone has typed, each once.

    Between two snippets is a line of dashes; or, if there is none, an empty line; or, if there is
    none of these either, a new line.
    """
    text = "\n".join(text.splitlines())
    for border in (r"^\s*-{4,}\s*$", r"\n\s*\n", r"\n"):
        parts = re.split(border, text.strip("\n"), flags=re.MULTILINE)
        if len(parts) > 1:
            break
    return list(dict.fromkeys(part.strip("\n").rstrip() for part in parts if part.strip()))


def problem(first: list[str], second: list[str]) -> str:
    """One sentence on what cannot be measured, or nothing."""
    for which, snippets in (("first", first), ("second", second)):
        n = len(snippets)
        if n == 0:
            return f"The {which} list is empty: write at least ten snippets, one a line."
        if n < FEWEST:
            return (f"The {which} list has {n} snippet{'s' * (n > 1)}: {FEWEST} are needed to "
                    "measure anything, ten for a verdict.")  # fmt: skip
        if n > MOST:
            return f"The {which} list has {n} snippets: use at most {MOST}, so that it is quick."
        for number, snippet in enumerate(snippets, start=1):
            if len(snippet) > LONGEST:
                return (
                    f"Snippet {number} of the {which} list has {len(snippet):,} characters: "
                    f"use at most {LONGEST}."
                )
    if set(first) == set(second):
        return "The two lists are the same: there is nothing to tell apart."
    if both := [snippet for snippet in first if snippet in set(second)]:
        short = both[0] if len(both[0]) <= 40 else both[0][:40] + "…"
        return (f"{len(both)} of the snippets {'are' if len(both) > 1 else 'is'} in both lists, "
                f"such as “{short}”: take it out of one.")  # fmt: skip
    return ""


def as_text(snippets: list[str]) -> str:
    """What `snippets_in` reads as these snippets."""
    several = any("\n" in snippet for snippet in snippets)
    return ("\n----\n" if several else "\n").join(snippets)


class PairLabView(anywidget.AnyWidget):
    """A choice, two text areas, a button, and the report.

    What is typed arrives in `first` and `second`, the choice in `choice`, and a press of the button
    as the message {"measure": true}. `state` comes from `plots.pair_lab.pair_state`; while it is
    empty there is no report.
    """

    _esm = Path(__file__).with_name("pair_lab_view.js")
    _css = Path(__file__).with_name("pair_lab_view.css")
    drawing = traitlets.Dict().tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    choice = traitlets.Int(0).tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)  # the choice whose texts these are
    names = traitlets.List(traitlets.Unicode(), ["first feature", "second feature"]).tag(sync=True)
    guess = traitlets.Unicode().tag(sync=True)
    first = traitlets.Unicode().tag(sync=True)
    second = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)


class PairLab(ipywidgets.VBox):
    """What is typed is kept for each choice, so that looking at another one loses nothing.

    An error in `measure` is shown as a sentence, and the panel lives on.
    """

    def __init__(self, measure: Measure, pairs: Mapping[str, Any]) -> None:
        self.measure_lists, self.pairs = measure, list(pairs.values())
        texts = [(as_text(pair.first), as_text(pair.second)) for pair in self.pairs]
        self.drafts = [*texts, ("", "")]
        self.reports: dict[tuple[tuple[str, ...], tuple[str, ...]], Any] = {}
        self.view = PairLabView(
            drawing=pair_drawing(), options=[*(pair.title for pair in self.pairs), OWN]
        )
        self._put()
        self.view.observe(lambda _: self._choose(), "choice")
        self.view.on_msg(self._message)
        super().__init__([self.view])

    def measure(self) -> None:
        """Measure what is in the two text areas."""
        first, second = snippets_in(self.view.first), snippets_in(self.view.second)
        if trouble := problem(first, second):
            self._say(trouble, {})
            return
        key = (tuple(first), tuple(second))
        if key not in self.reports:
            self.view.busy = True
            self.view.words = f"Reading {len(first) + len(second)} snippets in every layer …"
            try:
                self.reports[key] = self.measure_lists(first, second)
                pair_state(self.reports[key], *self.view.names)
            except ValueError as error:
                self.reports.pop(key, None)
                self._say(f"This could not be measured: {error}", {})
                return
            except Exception as error:
                self.reports.pop(key, None)
                self._say(f"This could not be measured ({type(error).__name__}: {error}).", {})
                return
            finally:
                self.view.busy = False
        state = pair_state(self.reports[key], *self.view.names)
        self._say(f"{state['verdict']}. {state['reason']}", state)

    def _choose(self) -> None:
        self.drafts[self.view.shown] = (self.view.first, self.view.second)
        self._put()

    def _put(self) -> None:
        """The texts of the choice, and no report."""
        chosen = max(0, min(self.view.choice, len(self.pairs)))
        own = chosen == len(self.pairs)
        pair = None if own else self.pairs[chosen]
        with self.view.hold_sync():
            self.view.shown = chosen
            self.view.names = (
                ["first feature", "second feature"] if own else [pair.first_name, pair.second_name]
            )
            self.view.guess = (
                "At least ten snippets a list, of things that differ in one respect only."
                if own
                else pair.guess
            )
            self.view.first, self.view.second = self.drafts[chosen]
            self._say("", {})

    def _say(self, words: str, state: dict[str, Any]) -> None:
        with self.view.hold_sync():  # one message
            self.view.words, self.view.state = words, state

    def _message(self, _: Any, content: Any, __: Any) -> None:
        if content.get("measure"):
            self.measure()


def pair_lab(measure: Measure, pairs: Mapping[str, Any]) -> ipywidgets.Widget:
    """The pair lab of notebook 04.

    Args:
        measure: measure(first, second) -> a report as `polysemanticity.pair_report` gives; a
            ValueError in it is a sentence to the learner.
        pairs: worked pairs, as `snippets.pairs` gives.
    """
    return PairLab(measure, pairs)

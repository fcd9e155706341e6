"""A box for a text, and what is made of it: buttons for what was found, or a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from course_utils.plots.neurons import visible

MOST, LONGEST = 12, 2_000  # results, and characters of a text

Search = Callable[[str], Sequence[tuple[int, float, str]]]
Answer = tuple[list[dict[str, Any]], str]


class TextBox(anywidget.AnyWidget):
    """A text that is typed in, and sent with Enter or the button.

    The browser sends {"text": ...}, and {"go": number} for the button of a result; `results` and
    `words` are what it shows. An error in `answer` is a sentence, and the box lives on.
    """

    _esm = Path(__file__).with_name("search.js")
    _css = Path(__file__).with_name("search.css")
    label = traitlets.Unicode().tag(sync=True)
    action = traitlets.Unicode("Find").tag(sync=True)
    waiting = traitlets.Unicode("Looking ...").tag(sync=True)
    results = traitlets.List().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    failed = "That text could not be read"

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.on_msg(self._message)

    def answer(self, text: str) -> Answer:
        """The results for a text, and a sentence."""
        raise NotImplementedError

    def go(self, number: int) -> None:
        """What the button of a result does."""

    def find(self, text: str) -> None:
        """Show what is made of a text."""
        results, words = [], ""
        if not text.strip():
            words = "Type a text first."
        elif len(text) > LONGEST:
            words = f"That text has {len(text):,} characters; use at most {LONGEST:,}."
        else:
            try:
                results, words = self.answer(text)
            except Exception as error:
                words = f"{self.failed} ({type(error).__name__}: {error})."
        with self.hold_sync():
            self.results, self.words = results, words
        self.send({"done": True})  # the same words again are no change that the browser hears of

    def _message(self, _: Any, content: Any, __: Any) -> None:
        if "text" in content:
            self.find(str(content["text"]))
        elif "go" in content:
            self.go(int(content["go"]))


class SearchBox(TextBox):
    """Latents by a text, and a button for each."""

    def __init__(self, search: Search, go_to: Callable[[int], None], *, noun: str = "latent"):
        super().__init__(label=f"Find {noun}s by a text")
        self.search, self.go, self.noun = search, go_to, noun

    def answer(self, text: str) -> Answer:
        """Of the search, the strongest."""
        results = [self._result(*one) for one in self.search(text)][:MOST]
        if not results:
            return [], f"No {self.noun} of those shown here is active in that text."
        if len(results) == 1:
            return results, f"1 {self.noun}."
        return results, f"{len(results)} {self.noun}s, the strongest first."

    def _result(self, number: int, activation: float, token: str) -> dict[str, Any]:
        words = f"{self.noun} {number}: {activation:.1f} at “{visible(token)}”"
        return {"number": int(number), "text": words}

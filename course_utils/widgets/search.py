"""A box for a text, and buttons for what was found in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from course_utils.plots.neurons import visible

MOST, LONGEST = 12, 2_000  # results, and characters of a text

Search = Callable[[str], Sequence[tuple[int, float, str]]]


class SearchBox(anywidget.AnyWidget):
    """Latents by a text: typed in, sent with Enter or the button, and a button for each result.

    The browser sends {"text": ...} and {"go": number}; `results` and `words` are what it shows. An
    error in `search` is a sentence, and the box lives on.
    """

    _esm = Path(__file__).with_name("search.js")
    _css = Path(__file__).with_name("search.css")
    noun = traitlets.Unicode("latent").tag(sync=True)
    results = traitlets.List().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)

    def __init__(self, search: Search, go_to: Callable[[int], None], **rest: Any) -> None:
        super().__init__(**rest)
        self.search, self.go_to = search, go_to
        self.on_msg(self._message)

    def find(self, text: str) -> None:
        """Show what is found in a text."""
        results, words = [], ""
        if not text.strip():
            words = "Type a text first."
        elif len(text) > LONGEST:
            words = f"That text has {len(text):,} characters; use at most {LONGEST:,}."
        else:
            try:
                results = [self._result(*one) for one in self.search(text)][:MOST]
                words = (
                    f"{len(results)} {self.noun}s, the strongest first."
                    if results
                    else f"No {self.noun} of those shown here is active in that text."
                )
            except Exception as error:
                words = f"That text could not be read ({type(error).__name__}: {error})."
        with self.hold_sync():
            self.results, self.words = results, words
        self.send({"done": True})  # the same words again are no change that the browser hears of

    def _result(self, number: int, activation: float, token: str) -> dict[str, Any]:
        words = f"{self.noun} {number}: {activation:.1f} at “{visible(token)}”"
        return {"number": int(number), "text": words}

    def _message(self, _: Any, content: Any, __: Any) -> None:
        if "text" in content:
            self.find(str(content["text"]))
        elif "go" in content:
            self.go_to(int(content["go"]))

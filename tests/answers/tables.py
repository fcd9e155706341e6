"""Where the answers of a notebook are noted: right ones and wrong ones, by exercise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any


class Tables:
    """`right` and `wrong` are decorators that note an answer. Of a class, an object is noted."""

    def __init__(self) -> None:
        self.RIGHT: dict[str, list[Any]] = defaultdict(list)
        self.WRONG: dict[str, list[tuple[str | None, Any]]] = defaultdict(list)

    def right(self, exercise: str) -> Callable[[Any], Any]:
        """Note a right answer."""

        def note(answer: Any) -> Any:
            self.RIGHT[exercise].append(answer() if isinstance(answer, type) else answer)
            return answer

        return note

    def wrong(self, exercise: str, slug: str | None) -> Callable[[Any], Any]:
        """Note a wrong answer and what its mistake is called; None if the check has no name."""

        def note(answer: Any) -> Any:
            self.WRONG[exercise].append((slug, answer() if isinstance(answer, type) else answer))
            return answer

        return note

"""What learners write in notebook 05: `first` has 5.1 to 5.5, `second` 5.6 to 5.11."""

from __future__ import annotations

from typing import Any

from answers.notebook_05 import first, second

PARTS = (first, second)
RIGHT: dict[str, list[Any]] = {i: answers for part in PARTS for i, answers in part.RIGHT.items()}
WRONG: dict[str, list[tuple[str | None, Any]]] = {
    i: answers for part in PARTS for i, answers in part.WRONG.items()
}
PICTURES: set[str] = set().union(*(part.PICTURES for part in PARTS))
SLOW: list[Any] = [answer for part in PARTS for answer in part.SLOW]

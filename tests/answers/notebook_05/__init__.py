"""What learners write in notebook 05: `first` has exercises 5.1 to 5.5."""

from __future__ import annotations

from typing import Any

from answers.notebook_05 import first

PARTS = (first,)
RIGHT: dict[str, list[Any]] = {i: answers for part in PARTS for i, answers in part.RIGHT.items()}
WRONG: dict[str, list[tuple[str | None, Any]]] = {
    i: answers for part in PARTS for i, answers in part.WRONG.items()
}
PICTURES: set[str] = set().union(*(part.PICTURES for part in PARTS))
SLOW: list[Any] = [answer for part in PARTS for answer in part.SLOW]

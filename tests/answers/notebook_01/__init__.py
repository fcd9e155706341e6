"""What learners write in notebook 01, a module for each part of it."""

from __future__ import annotations

from typing import Any

from answers.notebook_01 import circuits, features, square, universality

PARTS = (features, square, circuits, universality)
RIGHT: dict[str, list[Any]] = {i: a for part in PARTS for i, a in part.RIGHT.items()}
WRONG: dict[str, list[tuple[str | None, Any]]] = {
    i: a for part in PARTS for i, a in part.WRONG.items()
}
PICTURES: set[str] = set().union(*(part.PICTURES for part in PARTS))
SLOW: list[Any] = [answer for part in PARTS for answer in part.SLOW]

"""What learners write in notebook 04: `first` has exercises 4.1 to 4.5."""

from __future__ import annotations

from typing import Any

from answers.notebook_04 import first

RIGHT: dict[str, list[Any]] = {**first.RIGHT}
WRONG: dict[str, list[tuple[str | None, Any]]] = {**first.WRONG}
PICTURES: set[str] = first.PICTURES
SLOW: list[Any] = [*first.SLOW]

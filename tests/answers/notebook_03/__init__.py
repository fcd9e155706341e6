"""What learners write in notebook 03: `first` has exercises 3.1 to 3.5, `second` the others."""

from __future__ import annotations

from typing import Any

from answers.notebook_03 import first, second

RIGHT: dict[str, list[Any]] = {**first.RIGHT, **second.RIGHT}
WRONG: dict[str, list[tuple[str | None, Any]]] = {**first.WRONG, **second.WRONG}
PICTURES: set[str] = first.PICTURES | second.PICTURES
SLOW: list[Any] = [*first.SLOW, *second.SLOW]

"""What learners write in notebook 05: `second` has exercises 5.6 to 5.11."""

from __future__ import annotations

from typing import Any

from answers.notebook_05 import second

RIGHT: dict[str, list[Any]] = {**second.RIGHT}
WRONG: dict[str, list[tuple[str | None, Any]]] = {**second.WRONG}
PICTURES: set[str] = second.PICTURES
SLOW: list[Any] = [*second.SLOW]

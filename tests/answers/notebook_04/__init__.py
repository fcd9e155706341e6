"""What learners write in notebook 04: `first` has exercises 4.1 to 4.5."""

from __future__ import annotations

from typing import Any

from answers.notebook_04 import first, neurons, semicolons

RIGHT: dict[str, list[Any]] = {**first.RIGHT, **neurons.RIGHT, **semicolons.RIGHT}
WRONG: dict[str, list[tuple[str | None, Any]]] = {
    **first.WRONG,
    **neurons.WRONG,
    **semicolons.WRONG,
}
PICTURES: set[str] = first.PICTURES | neurons.PICTURES | semicolons.PICTURES
SLOW: list[Any] = [*first.SLOW, *neurons.SLOW, *semicolons.SLOW]

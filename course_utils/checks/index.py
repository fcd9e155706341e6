"""The index of exercises, built from `source/` by `tools/build_notebooks.py`."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def load() -> dict[str, list[dict[str, Any]]]:
    """`{"notebooks": [...], "exercises": [...]}`; both empty before the first build."""
    file = resources.files("course_utils") / "exercises.json"
    if not file.is_file():
        return {"notebooks": [], "exercises": []}
    return json.loads(file.read_text(encoding="utf-8"))


def exercise(exercise_id: str) -> dict[str, Any] | None:
    """One exercise's entry, or None."""
    return next((e for e in load()["exercises"] if e["id"] == exercise_id), None)


def of_notebook(stem: str) -> list[dict[str, Any]]:
    """The exercises of one notebook, in their order."""
    return [e for e in load()["exercises"] if e["notebook"] == stem]

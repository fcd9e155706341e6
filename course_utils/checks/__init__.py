"""Exercises and their checks.

In a notebook: `start`, `check`, `predict`, `reveal`, `ask`. In a program: `grade`, which
returns a `CheckResult`. One module `notebook_NN_name` holds the checks of one notebook.
"""

from __future__ import annotations

import importlib
from typing import Any

from course_utils.checks.grading import CheckResult, grade
from course_utils.checks.registry import Check, registry

__all__ = [
    "Check",
    "CheckResult",
    "ask",
    "check",
    "grade",
    "predict",
    "registry",
    "reveal",
    "start",
]

_IN_NOTEBOOKS = {
    "ask": "free_response",
    "check": "notebook",
    "predict": "notebook",
    "reveal": "notebook",
    "start": "notebook",
}


def __getattr__(name: str) -> Any:
    # ipywidgets and IPython load only where something is displayed, so `grade` stays light.
    if name in _IN_NOTEBOOKS:
        module = importlib.import_module(f"course_utils.checks.{_IN_NOTEBOOKS[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Which check belongs to which exercise."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course_utils.checks.answer import Answer


@dataclass(frozen=True)
class Check:
    """How one exercise is decided.

    `decide(answer)` returns one sentence on what the learner now knows, or raises
    `Mistake`. `fallback` is the library's version, which the notebook uses while the
    learner's own is not right. `diagnoses` are the slugs that `decide` tells apart.
    """

    id: str
    decide: Callable[[Answer], str]
    fallback: Any
    diagnoses: tuple[str, ...]


_checks: dict[str, Check] = {}


def exercise(exercise_id: str, *, fallback: Any, diagnoses: tuple[str, ...]) -> Callable:
    """Register the decorated function as the check of an exercise.

    Raises ValueError for an id that is taken.
    """

    def register(decide: Callable[[Answer], str]) -> Callable[[Answer], str]:
        if exercise_id in _checks:
            raise ValueError(f"Two checks want the id {exercise_id!r}; give one of them another.")
        _checks[exercise_id] = Check(exercise_id, decide, fallback, diagnoses)
        return decide

    return register


def registry() -> dict[str, Check]:
    """All checks by exercise id. Every module `notebook_NN` beside this one is imported."""
    import course_utils.checks as package

    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("notebook_"):
            before, name = dict(_checks), f"{package.__name__}.{module.name}"
            try:
                importlib.import_module(name)
            except BaseException:
                # The next call will run the module again, with those inside it: none of them may
                # count as loaded, and the ids that they took must be free.
                for loaded in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
                    del sys.modules[loaded]
                _checks.clear()
                _checks.update(before)
                raise
    return _checks

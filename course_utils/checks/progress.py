"""The learner's progress: `.progress.json` in the work folder.

Nothing that a learner wrote is lost: the file is replaced atomically, a corrupt one is
kept beside the new one, and two notebooks that save at once take turns.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from course_utils.checks.grading import CheckResult

NAME = ".progress.json"
EMPTY: dict[str, Any] = {"exercises": {}, "guesses": {}, "answers": {}}


def folder() -> Path:
    """Where progress is kept: the folder in COURSE_WORK, else the current one."""
    return Path(os.environ.get("COURSE_WORK") or ".").resolve()


def load(where: Path | None = None) -> dict[str, Any]:
    """The stored progress; empty when there is none or when it cannot be read."""
    file = (where or folder()) / NAME
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = None
    stored = stored if isinstance(stored, dict) else {}
    return {k: dict(v) if isinstance(v := stored.get(k), dict) else {} for k in EMPTY}


def record(result: CheckResult) -> None:
    """Note a check's result. What was passed once stays passed."""

    def note(progress: dict[str, Any]) -> None:
        old = progress["exercises"].get(result.exercise, {})
        if result.status == "not_attempted":
            return
        progress["exercises"][result.exercise] = {
            "status": "passed" if "passed" in (result.status, old.get("status")) else "failed",
            "attempts": int(old.get("attempts", 0)) + 1,
            "last": result.diagnosis or result.status,
        }

    _update(note)
    log = os.environ.get("COURSE_RESULTS")
    if log:
        fields = ("exercise", "status", "diagnosis", "message")
        line = json.dumps({("id" if f == "exercise" else f): getattr(result, f) for f in fields})
        with open(log, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def record_guess(guess_id: str, guess: str | float) -> None:
    """Note a prediction."""
    _update(lambda progress: progress["guesses"].update({guess_id: guess}))


def record_answer(exercise_id: str, text: str, points: list[bool]) -> None:
    """Note a free response and which points of the rubric its writer found in it."""
    entry = {"text": text, "points": points}
    _update(lambda progress: progress["answers"].update({exercise_id: entry}))


def status(exercise: dict[str, Any], progress: dict[str, Any]) -> str:
    """How one entry of the index stands: "passed", "failed" or "not_attempted".

    A free response counts as passed once it has text and its writer has ticked the rubric.
    """
    if exercise["kind"] == "free":
        answer = progress["answers"].get(exercise["id"], {})
        if not str(answer.get("text", "")).strip():
            return "not_attempted"
        return "passed" if any(answer.get("points") or []) else "failed"
    return progress["exercises"].get(exercise["id"], {}).get("status", "not_attempted")


def _update(change: Callable[[dict[str, Any]], object]) -> None:
    """Read, change and replace the file while holding its lock.

    A folder that cannot be written costs the learner the record, never the notebook.
    """
    file = folder() / NAME
    try:
        with FileLock(file.with_name(NAME + ".lock"), timeout=5):
            _keep_corrupt(file)
            progress = load(file.parent)
            change(progress)
            handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=NAME)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(progress, out, indent=1, ensure_ascii=False)
                out.flush()
                os.fsync(out.fileno())
            os.replace(temporary, file)
    except (OSError, TimeoutError) as error:
        print(f"Your progress could not be saved in {file.parent} ({error}).")


def _keep_corrupt(file: Path) -> None:
    """Move a file that is not our JSON aside instead of writing over it."""
    try:
        if isinstance(json.loads(file.read_text(encoding="utf-8")), dict):
            return
    except FileNotFoundError:
        return
    except ValueError:
        pass
    number = 1
    while (aside := file.with_name(f".progress.corrupt-{number}.json")).exists():
        number += 1
    os.replace(file, aside)

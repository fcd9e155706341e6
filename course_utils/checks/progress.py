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
KINDS = ("exercises", "guesses", "answers")


def folder() -> Path:
    """Where progress is kept: the folder in COURSE_WORK, else the current one."""
    return Path(os.environ.get("COURSE_WORK") or ".").resolve()


def load(where: Path | None = None) -> dict[str, Any]:
    """The stored progress, or what of it can be understood; empty when there is none."""
    try:
        stored, _ = _read((where or folder()) / NAME)
    except OSError:
        stored = {}
    return {**{kind: {} for kind in KINDS}, **stored}


def record(result: CheckResult) -> None:
    """Note a check's result. What was passed once stays passed."""

    def note(progress: dict[str, Any]) -> None:
        if result.status == "not_attempted":
            return
        old = progress["exercises"].get(result.exercise, {})
        attempts = old.get("attempts")
        progress["exercises"][result.exercise] = {
            "status": "passed" if "passed" in (result.status, old.get("status")) else "failed",
            "attempts": attempts + 1 if isinstance(attempts, int) else 1,
            "last": result.diagnosis or result.status,
        }

    _update(note)
    log = os.environ.get("COURSE_RESULTS")
    if log:
        fields = ("exercise", "status", "diagnosis", "message")
        line = json.dumps({("id" if f == "exercise" else f): getattr(result, f) for f in fields})
        try:
            with open(log, "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            print(f"The result could not be written to {log} ({error}).")


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
        points = answer.get("points")
        return "passed" if isinstance(points, list) and any(points) else "failed"
    stored = progress["exercises"].get(exercise["id"], {}).get("status")
    return stored if stored in ("passed", "failed") else "not_attempted"


def _update(change: Callable[[dict[str, Any]], object]) -> None:
    """Read, change and replace the file while holding its lock.

    A folder that cannot be written costs the learner the record, never the notebook.
    """
    file = folder() / NAME
    try:
        with FileLock(file.with_name(NAME + ".lock"), timeout=5):
            stored, understood = _read(file)
            progress = {**{kind: {} for kind in KINDS}, **stored}
            change(progress)
            text = json.dumps(progress, indent=1)  # before anything is moved or written
            if not understood:
                os.replace(file, _free_name(file))
            _write(file, text)
    except (OSError, TimeoutError) as error:
        print(f"Your progress could not be saved in {file.parent} ({error}).")


def _read(file: Path) -> tuple[dict[str, Any], bool]:
    """What can be understood of the file, and whether that is all of it.

    A key that this version of the course does not know is kept as it is. Raises OSError when
    there is a file that cannot be read.
    """
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, True
    except (ValueError, RecursionError):
        return {}, False
    if not isinstance(stored, dict):
        return {}, False
    understood = True
    for kind in KINDS:
        entries = stored.get(kind, {})
        good = entries if isinstance(entries, dict) else {}
        if kind != "guesses":  # a guess is a bare value
            good = {key: entry for key, entry in good.items() if isinstance(entry, dict)}
        understood = understood and good == entries
        stored[kind] = good
    return stored, understood


def _write(file: Path, text: str) -> None:
    """Replace the file in one step: whoever reads it sees the old one or the new one."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=NAME)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _free_name(file: Path) -> Path:
    """Where a file that is not our JSON is kept instead of being written over."""
    number = 1
    while (aside := file.with_name(f".progress.corrupt-{number}.json")).exists():
        number += 1
    return aside

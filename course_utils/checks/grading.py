"""The decision on an answer, without any display."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from course_utils.checks import guard, index
from course_utils.checks.registry import Check, registry

Status = Literal["passed", "failed", "not_attempted"]


@dataclass(frozen=True)
class CheckResult:
    """What a check decided.

    `diagnosis` is the stable slug of a mistake that the check knows, else None. `message`
    is for the learner. `printed` is the beginning of what their code printed.
    """

    exercise: str
    status: Status
    diagnosis: str | None
    message: str
    printed: str = ""


def grade(exercise_id: str, answer: Any) -> CheckResult:
    """Decide on an answer. Never raises because of what a learner wrote."""
    exercise_id = str(exercise_id)
    check = registry().get(exercise_id)
    if check is None:
        return _without_check(exercise_id)
    if answer is check.fallback:
        return CheckResult(
            exercise_id,
            "not_attempted",
            None,
            "This is the library's version. Run the cell that defines your own, then check again.",
        )
    return decide(check, answer)


def decide(check: Check, answer: Any, time_limit: float = guard.TIME_LIMIT) -> CheckResult:
    """Let one check decide on one answer, guarded."""
    outcome = guard.run(lambda: check.decide(guard.Answer(answer)), time_limit)
    error = outcome.error
    if error is None:
        return CheckResult(check.id, "passed", None, outcome.value, outcome.printed)
    if isinstance(error, guard.NotAttempted):
        message = "Replace the line `raise NotImplementedError` by your code."
        return CheckResult(check.id, "not_attempted", None, message, outcome.printed)
    diagnosis, message = None, str(error)
    if isinstance(error, guard.Mistake):
        diagnosis = error.diagnosis
    else:
        # An answer so odd that the check itself stumbled: still a sentence, never a traceback.
        message = (
            f"The check could not make sense of your answer ({type(error).__name__}: "
            f"{message[:200]}). Compare what you return with the exercise's text."
        )
    return CheckResult(check.id, "failed", diagnosis, message, outcome.printed)


def _without_check(exercise_id: str) -> CheckResult:
    entry = index.exercise(exercise_id)
    if entry is not None and entry["kind"] == "free":
        message = "No program can score this answer: use the rubric below the question."
        return CheckResult(exercise_id, "not_attempted", None, message)
    known = ", ".join(sorted(registry()))
    message = f"There is no exercise {exercise_id!r}. The exercises are {known}."
    return CheckResult(exercise_id, "failed", "unknown-exercise", message)

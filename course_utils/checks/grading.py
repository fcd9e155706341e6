"""The decision on an answer, without any display."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from course_utils.checks import guard, index, words
from course_utils.checks.answer import Answer
from course_utils.checks.registry import Check, registry

Status = Literal["passed", "failed", "not_attempted"]


@dataclass(frozen=True)
class CheckResult:
    """What a check decided.

    `diagnosis` is the stable slug of a mistake: one of the check's own `diagnoses`, one of
    `guard.GENERAL_DIAGNOSES`, or None for a mistake nobody foresaw. `message` is for the
    learner. `printed` is the beginning of what their code printed.
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

    def judge() -> tuple[Status, str | None, str]:
        # All of this runs guarded: even the text of an exception may be the learner's code.
        try:
            return "passed", None, check.decide(Answer(answer))
        except guard.NotAttempted:
            message = "Replace the line `raise NotImplementedError` by your code."
            return "not_attempted", None, message
        except guard.Mistake as mistake:
            return "failed", mistake.diagnosis, mistake.message
        except Exception as error:
            # An answer so odd that the check itself stumbled: still a sentence, no traceback.
            what = f"{type(error).__name__[:80]}: {words.first_line(error)}"
            message = (
                f"The check could not make sense of what your function returned ({what}). "
                "Compare it with the exercise's text."
            )
            return "failed", None, message

    outcome = guard.run(judge, time_limit)
    if outcome.error is None:
        return CheckResult(check.id, *outcome.value, outcome.printed)
    if isinstance(outcome.error, guard.Mistake):
        diagnosis, message = outcome.error.diagnosis, outcome.error.message
    else:
        kind = type(outcome.error).__name__[:80]
        diagnosis = "raises"
        message = f"What your function returned ended the check with {kind}. Return plain values."
    return CheckResult(check.id, "failed", diagnosis, message, outcome.printed)


def _without_check(exercise_id: str) -> CheckResult:
    entry = index.exercise(exercise_id)
    if entry is not None and entry["kind"] == "free":
        message = "No program can score this answer: use the rubric below the question."
        return CheckResult(exercise_id, "not_attempted", None, message)
    known = ", ".join(sorted(registry()))
    message = f"There is no exercise {exercise_id!r}. The exercises are {known}."
    return CheckResult(exercise_id, "failed", "unknown-exercise", message)

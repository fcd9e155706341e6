"""The three things that a notebook says to the engine: start, check, predict and reveal."""

from __future__ import annotations

import contextlib
from typing import Any

import ipywidgets
from IPython import get_ipython
from IPython.display import HTML, display, update_display

from course_utils.checks import index, landing, panel, progress
from course_utils.checks.grading import grade
from course_utils.checks.registry import registry
from course_utils.widgets import RadioKeys

_STRIP = "course-progress"
_questions: dict[str, str] = {}
_stem: str | None = None


def start(stem: str) -> None:
    """Show the progress strip of a notebook and make every later cell runnable.

    The library's version of each exercise's function is put under the name that the
    exercise will define, unless that name is taken. So a skipped cell, a cell with a
    syntax error or a restart in the middle never blocks what follows.
    """
    global _stem
    _stem = stem
    shell = get_ipython()
    checks = registry()
    for entry in index.of_notebook(stem):
        if shell is not None and entry["name"] and entry["id"] in checks:
            shell.user_ns.setdefault(entry["name"], checks[entry["id"]].fallback)
    display(HTML(panel.strip(stem)), display_id=_STRIP)


def refresh() -> None:
    """Bring the progress strip and the course map up to date, where there are any."""
    if _stem is not None:
        update_display(HTML(panel.strip(_stem)), display_id=_STRIP)
    if (progress.folder() / landing.NAME).exists():
        with contextlib.suppress(OSError):  # a map out of date is no reason to stop
            landing.write(progress.folder())


def check(exercise_id: str, answer: Any) -> Any:
    """Check an answer, show what was found, and return the function to go on with.

    That is the learner's own when it passed, else the library's version.
    """
    outcome = grade(exercise_id, answer)
    progress.record(outcome)
    if outcome.status == "passed":
        chosen, words = answer, "The notebook goes on with your version."
    elif outcome.exercise in registry():
        chosen = registry()[outcome.exercise].fallback
        words = "Until then the notebook goes on with the library's version."
    else:
        chosen, words = answer, ""
    display(HTML(panel.result(outcome, words)))
    refresh()
    return chosen


def predict(guess_id: str, question: str, options: list[str] | tuple[float, float]) -> None:
    """Ask for a guess before the result is seen.

    `options` is a list of choices, or a pair (lowest, highest) for a number.
    """
    _questions[guess_id] = question
    stored = progress.load()["guesses"].get(guess_id)
    if isinstance(options, tuple):
        low, high = options
        value = stored if isinstance(stored, (int, float)) else low
        field: Any = ipywidgets.BoundedFloatText(value, min=low, max=high, description="My guess")
    else:
        chosen = stored if stored in options else None
        field = ipywidgets.RadioButtons(
            options=options, value=chosen, layout=ipywidgets.Layout(width="max-content")
        )
    button = ipywidgets.Button(description="Commit to this guess", button_style="primary")
    button.layout.width = "max-content"
    said = ipywidgets.HTML("" if stored is None else panel.text(f"Your guess so far: {stored}"))

    def commit(_: Any) -> None:
        if field.value is None:
            said.value = "Choose one first."
            return
        progress.record_guess(guess_id, field.value)
        said.value = panel.text(f"Noted: {field.value}. Now run the next cell.")

    button.on_click(commit)
    heading = ipywidgets.HTML(f"<b>Your guess first.</b> {panel.text(question)}")
    display(ipywidgets.VBox([heading, field, RadioKeys(), ipywidgets.HBox([button, said])]))


def reveal(guess_id: str, truth: str | float, because: str = "") -> None:
    """Show the learner's guess beside what the computation gave."""
    guessed = progress.load()["guesses"].get(guess_id)
    display(HTML(panel.guess(_questions.get(guess_id, ""), guessed, truth, because)))

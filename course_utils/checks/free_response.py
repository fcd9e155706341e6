"""Questions answered in the learner's own words, and scored by the learner."""

from __future__ import annotations

from typing import Any

import ipywidgets
import mistune
from IPython.display import display

from course_utils.checks import index, panel, progress
from course_utils.checks.notebook import refresh


def ask(exercise_id: str) -> None:
    """Show a text box, then rubric, model answer and misconceptions behind a button.

    The text is saved as it is typed and comes back after a restart.
    """
    entry = index.exercise(exercise_id)
    if entry is None or entry["kind"] != "free":
        display(ipywidgets.HTML(panel.text(f"There is no free-response question {exercise_id}.")))
        return
    stored = progress.load()["answers"].get(exercise_id, {})
    rubric = entry["rubric"]
    marks = stored.get("points")
    marks = marks if isinstance(marks, list) else []
    marks = (marks + [False] * len(rubric))[: len(rubric)]

    answer = ipywidgets.Textarea(
        value=str(stored.get("text", "")),
        description="Your answer",
        placeholder="Write a few sentences in your own words.",
        layout=ipywidgets.Layout(width="98%", height="9em"),
    )
    points = [
        ipywidgets.Checkbox(
            value=bool(mark), description=point, indent=False, layout={"width": "98%"}
        )
        for point, mark in zip(rubric, marks)
    ]
    button = ipywidgets.Button(description="Compare with the rubric", button_style="primary")
    button.layout.width = "max-content"
    score = ipywidgets.HTML(_score(marks))
    rest = ipywidgets.VBox(
        [
            ipywidgets.HTML("<b>Tick what your answer says.</b>"),
            *points,
            score,
            ipywidgets.HTML(_explanation(entry)),
        ]
    )
    rest.layout.display = "flex" if any(marks) else "none"

    def save(_: Any = None) -> None:
        ticked = [point.value for point in points]
        progress.record_answer(exercise_id, answer.value, ticked)
        score.value = _score(ticked)
        refresh()

    def show(_: Any) -> None:
        if not answer.value.strip():
            score.value = "Write an answer first; even one line makes the comparison worth more."
        rest.layout.display = "flex"

    for field in (answer, *points):
        field.observe(save, "value")
    button.on_click(show)
    display(ipywidgets.VBox([answer, button, rest]))


def _score(ticked: list[Any]) -> str:
    return f"<b>{sum(map(bool, ticked))} of {len(ticked)}</b> points of the rubric."


def _explanation(entry: dict[str, Any]) -> str:
    notes = "".join(
        f"<li>{mistune.html(note)}</li>" for note in entry["misconception_notes"].values()
    )
    model = panel.fold("A model answer", mistune.html(entry["model_answer"]))
    return model + panel.fold("What people often write, and what is true", f"<ul>{notes}</ul>")

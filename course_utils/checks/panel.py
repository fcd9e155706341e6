"""What the learner sees of a check: small pieces of HTML in JupyterLab's own colours."""

from __future__ import annotations

import html
import re
from typing import Any

from course_utils.checks import index, progress
from course_utils.checks.grading import CheckResult

# Mark, colour and words. The words carry the meaning; colour only helps.
LOOKS = {
    "passed": ("✓", "var(--jp-success-color1, #388e3c)", "passed"),
    "failed": ("✗", "var(--jp-warn-color1, #d65a00)", "not yet"),
    "not_attempted": ("○", "var(--jp-border-color1, #757575)", "not attempted"),
}


def text(words: str) -> str:
    """Escaped HTML in which `code` and line breaks are kept."""
    escaped = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(words, quote=False))
    return escaped.replace("\n", "<br>")


def box(body: str, colour: str = "var(--jp-border-color1, #757575)") -> str:
    """A panel with a coloured edge."""
    return (
        f'<div role="status" style="border-left:5px solid {colour};padding:6px 14px;'
        f'margin:4px 0;max-width:88ch;line-height:1.5">{body}</div>'
    )


def fold(summary: str, body: str) -> str:
    """Something that opens on click."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def result(outcome: CheckResult, goes_on_with: str) -> str:
    """The panel below an exercise: the decision, what now, and the solution to open."""
    mark, colour, words = LOOKS[outcome.status]
    entry = index.exercise(outcome.exercise) or {}
    body = f"<b>{mark} Exercise {html.escape(outcome.exercise)}: {words}.</b> "
    body += f"{text(outcome.message)}<br><small>{text(goes_on_with)}</small>"
    if outcome.printed.strip():
        body += fold("What your code printed", f"<pre>{html.escape(outcome.printed)}</pre>")
    if entry.get("solution"):
        body += fold("A solution", f"<pre>{html.escape(entry['solution'])}</pre>")
    return box(body, colour)


def strip(stem: str) -> str:
    """How far the learner is in a notebook, as one line of marks."""
    stored = progress.load()
    marks, done = [], 0
    exercises = index.of_notebook(stem)
    for entry in exercises:
        state = progress.status(entry, stored)
        mark, colour, words = LOOKS[state]
        done += state == "passed"
        label = html.escape(f"{entry['id']} {entry['title']}: {words}")
        marks.append(
            f'<span title="{label}" style="border-bottom:3px solid {colour};'
            f'padding:0 5px;margin-right:5px;white-space:nowrap">{entry["id"]} {mark}</span>'
        )
    total = len(exercises)
    return box(f"<b>{done} of {total} exercises done</b> &ensp; {''.join(marks)}")


def guess(question: str, guessed: Any, truth: Any, because: str) -> str:
    """A prediction beside what happened."""
    if guessed is None:
        said = "You made no guess this time."
    elif isinstance(truth, (int, float)) and isinstance(guessed, (int, float)):
        gap = abs(guessed - truth)
        said = f"You guessed <b>{guessed:g}</b>" + (f", off by {gap:g}." if gap else ": right.")
    else:
        verdict = ": right." if guessed == truth else "."
        said = f"You guessed <b>{text(str(guessed))}</b>{verdict}"
    shown = f"{truth:g}" if isinstance(truth, (int, float)) else text(str(truth))
    return box(f"<i>{text(question)}</i><br>{said} It is <b>{shown}</b>.<br>{text(because)}")

"""The first page a learner sees: the map of the course with their own progress."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from course_utils.checks import index, progress

NAME = "START.md"

_PAGE = """\
# Looking Inside Neural Networks

A workbook on how neural networks represent what they know. Click on the name of a notebook
to open it, and run its cells from the top with **Shift + Enter**.

{next_step}

| Notebook | Time | Your progress |
|:--|--:|:--|
{rows}

- **Exercises** are short functions. Replace `raise NotImplementedError`, run the cell, and
  the check below it says what is right or what is still missing.
- **Stuck?** Open a hint, then the solution. A notebook always runs on without an answer:
  until yours is right it goes on with the library's version.
- **All checks at once**, from a terminal in this folder:
  `python -m course_utils check {first}.ipynb`
"""


def write(folder: str | os.PathLike[str]) -> Path:
    """Write the course map into a work folder and return its path.

    The old page is replaced in one step, so a reader never sees half of one. Raises OSError
    when the folder cannot be written.
    """
    where = Path(folder)
    handle, temporary = tempfile.mkstemp(dir=where, prefix=NAME)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page(progress.load(where)))
        os.replace(temporary, where / NAME)
    except BaseException:
        os.unlink(temporary)
        raise
    return where / NAME


def page(stored: dict[str, Any]) -> str:
    """The course map as Markdown, for progress as `progress.load` returns it."""
    notebooks = index.load()["notebooks"]
    if not notebooks:
        return "# Looking Inside Neural Networks\n\nThere are no notebooks yet.\n"
    return _PAGE.format(
        next_step=_next_step(notebooks, stored),
        rows="\n".join(_row(notebook, stored) for notebook in notebooks),
        first=notebooks[0]["stem"],
    )


def _link(notebook: dict[str, Any]) -> str:
    number = int(notebook["stem"][:2])
    return f"[**{number}. {_in_table(notebook['title'])}**]({notebook['stem']}.ipynb)"


def _in_table(text: str) -> str:
    return text.replace("|", r"\|")  # a bare bar would end the table's cell


def _row(notebook: dict[str, Any], stored: dict[str, Any]) -> str:
    exercises = index.of_notebook(notebook["stem"])
    done = sum(progress.status(entry, stored) == "passed" for entry in exercises)
    total = len(exercises)
    bar = "▰" * done + "▱" * (total - done)
    state = f"{bar} {done} of {total} done" if total else "to read"
    what = _in_table(notebook["summary"])
    return f"| {_link(notebook)}<br>{what} | {notebook['minutes']} min | {state} |"


def _next_step(notebooks: list[dict[str, Any]], stored: dict[str, Any]) -> str:
    """Where to go on: the first exercise that is not done, in the order of the course."""
    began = any(stored.values())
    for notebook in notebooks:
        for entry in index.of_notebook(notebook["stem"]):
            if progress.status(entry, stored) != "passed":
                go = "Go on with" if began else "Begin with"
                what = f"exercise {entry['id']}, *{entry['title']}* ({entry['minutes']} min)"
                return f"> **{go}** {_link(notebook)}: {what}."
    return "> **All exercises are done.** Everything stays open to try out."

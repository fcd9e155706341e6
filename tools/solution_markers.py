"""The markers around a solution, `### BEGIN SOLUTION` and `### END SOLUTION`.

They are nbgrader's, so that an instructor can grade the solved notebooks with it. What only
looks like a marker is an error: a solution must never reach learners by a slip of the pen.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class SourceError(Exception):
    """A source that cannot be built; the message names the file, the line and the mistake."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path.parent.name}/{path.name}, line {line}: {message}")


def check_markers(path: Path, text: str, first: int, *, code: bool, allowed: bool) -> None:
    """Hold that markers stand alone, in pairs of one indentation, around code.

    `first` is the line where `text` begins in the file; `allowed` says that it is the code
    cell of an exercise. Raises SourceError.
    """
    opened: str | None = None
    filled = False
    for number, line in enumerate(text.splitlines(), start=first):
        stripped = line.lstrip()
        indent = line[: len(line) - len(stripped)]
        if stripped not in (BEGIN, END):
            if _looks_like_a_marker(line, code=code):
                message = f"`{line.strip()}` looks like a marker but is not exactly `{BEGIN}` or "
                raise SourceError(path, number, message + f"`{END}` on a line of code of its own.")
            filled = filled or (bool(stripped) and not stripped.startswith("#"))
            continue
        if not allowed:
            where = "a cell that is no exercise's" if code else "a Markdown cell"
            raise SourceError(path, number, f"a solution marker in {where}.")
        if stripped == BEGIN:
            if opened is not None:
                raise SourceError(path, number, "a solution begins inside another solution.")
            if not indent:
                message = "a solution must be inside a function, or its stub stops the notebook."
                raise SourceError(path, number, message)
            opened, filled = indent, False
        else:
            if opened is None:
                raise SourceError(path, number, "a solution ends that never began.")
            if opened != indent:
                raise SourceError(path, number, "a solution begins and ends at one indentation.")
            if not filled:
                raise SourceError(path, number, "the solution is empty.")
            opened = None
    if opened is not None:
        raise SourceError(path, first, "a solution begins in this cell and never ends.")


def _looks_like_a_marker(line: str, *, code: bool) -> bool:
    """Wide on purpose: an innocent comment can be reworded, a leaked solution cannot."""
    comment = line.partition("#")[2]
    words = r"(begin|end|start|stop)[\s_:-]*solu|solu\w*[\s_:-]*(begin|end|start|stop)\b"
    letters = re.sub(r"[^A-Z]", "", line.upper())
    alike = any(
        difflib.SequenceMatcher(None, letters, word).ratio() > 0.8
        for word in ("BEGINSOLUTION", "ENDSOLUTION")
    )
    hashes = code and line.lstrip().startswith("###")  # nothing else in code needs three
    return alike or hashes or bool(re.search(words, comment, re.IGNORECASE))


def without_markers(text: str) -> str:
    """A cell's code with its solution and without the markers around it."""
    return "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))


def blanked(text: str) -> str:
    """A cell's code with every solution replaced by a stub."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() == BEGIN:
            kept += [f"{indent}# Your code here", f"{indent}raise NotImplementedError"]
            inside = True
        elif line.strip() == END:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)

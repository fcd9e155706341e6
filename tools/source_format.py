"""The format of `source/NN_name.py`: read one file, and refuse everything that is not clear.

A source is a Jupytext percent script. Its first cell is the title, and an exercise is a
Markdown cell with metadata followed by the code cell with the solution and the check:

    # %% [markdown] exercise="2.1" title="Sample" minutes=7 difficulty=1 misconceptions=[]
    # What to do, and why.
    #
    # HINT: a nudge, up to the next blank line
    #
    # HINT: a direction
    # %%
    def sample(p):
        ### BEGIN SOLUTION
        return p
        ### END SOLUTION


    sample = check("2.1", sample)

A free exercise (`kind="free"`) has the sections RUBRIC:, MODEL ANSWER: and MISCONCEPTIONS:
after its hints, and a code cell that is just `ask("2.9")`.

Whatever could leak a solution or a model answer to learners is an error here, so the
builder never has to guess. The order of the functions below is the order of reading.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
from solution_markers import BEGIN, SourceError, blanked, check_markers

SECTIONS = ("HINT", "RUBRIC", "MODEL ANSWER", "MISCONCEPTIONS")
# Comments stay comments: `# %matplotlib` in a source is not turned into a magic.
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}
PLAIN_KEYS = {"tags", "slideshow", "editable"}  # what any cell may carry into the notebook
EXERCISE_KEYS = {"exercise", "title", "minutes", "difficulty", "misconceptions", "kind"}


@dataclass(frozen=True)
class Cell:
    """One cell as it is written in the source, without its metadata line."""

    kind: str  # "markdown" or "code"
    text: str
    line: int  # of the first line of `text` in the file
    metadata: dict[str, Any]


@dataclass
class Exercise:
    """One exercise. `parts` keeps the order of text and hints; `cell` is its code cell."""

    id: str
    title: str
    kind: str
    minutes: int
    difficulty: int
    misconceptions: list[str]
    cell: Cell
    name: str | None = None
    parts: list[tuple[str, str]] = field(default_factory=list)
    rubric: list[str] = field(default_factory=list)
    model_answer: str | None = None
    misconception_notes: dict[str, str] = field(default_factory=dict)

    @property
    def hints(self) -> list[str]:
        return [text for kind, text in self.parts if kind == "hint"]

    @property
    def question(self) -> str:
        return "\n\n".join(text for kind, text in self.parts if kind == "text")


@dataclass(frozen=True)
class Source:
    """One notebook. `exercises` maps the position of an exercise's Markdown cell to it."""

    stem: str
    title: str
    summary: str
    minutes: int
    cells: list[Cell]
    exercises: dict[int, Exercise]


def read(
    path: Path,
    *,
    registered: Collection[str] | None = None,
    slugs: Collection[str] | None = None,
) -> Source:
    """Read and validate one source.

    `registered` are the exercise ids that have a check and `slugs` the known misconceptions;
    None leaves that comparison out. Raises SourceError.
    """
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem):
        raise SourceError(path, 1, "the name must be like 02_superposition.py.")
    number = int(path.stem[:2])
    cells = _cells(path)
    title, summary = _title(path, cells[0], number)

    exercises: dict[int, Exercise] = {}
    starts: list[str] = []
    for position, cell in enumerate(cells):
        _no_stray_keys(path, cell, title_cell=position == 0)
        code = cell.kind == "code"
        follows = position > 0 and "exercise" in cells[position - 1].metadata
        check_markers(path, cell.text, cell.line, code=code, allowed=code and follows)
    for position, cell in enumerate(cells):
        if "exercise" in cell.metadata:
            following = cells[position + 1] if position + 1 < len(cells) else None
            exercises[position] = _exercise(path, cell, following, number, registered, slugs)
        if cell.kind == "code":
            starts += _calls(path, cell, "start")
            if position - 1 not in exercises and _calls(path, cell, "check") + _calls(
                path, cell, "ask"
            ):
                raise SourceError(
                    path, cell.line, "check(...) or ask(...) in a cell that follows no exercise."
                )
    if starts != [path.stem]:
        message = f'the notebook must have exactly one call start("{path.stem}").'
        raise SourceError(path, cells[0].line, message)

    total = sum(exercise.minutes for exercise in exercises.values())
    minutes = cells[0].metadata.get("minutes", total)
    if not isinstance(minutes, int) or minutes < total:
        message = f"the title's minutes ({minutes}) are fewer than its exercises' ({total})."
        raise SourceError(path, cells[0].line, message)
    return Source(path.stem, title, summary, minutes, cells, exercises)


def _cells(path: Path) -> list[Cell]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    headers = [i for i, line in enumerate(lines) if line.startswith(("# %%", "#%%"))]
    if not headers or not text.startswith(("# %%", "#%%", "# ---")):
        raise SourceError(path, 1, "the file must begin with a cell, `# %% [markdown]`.")
    parsed = jupytext.reads(text, fmt=PERCENT).cells
    if len(parsed) != len(headers):
        message = "a line inside a string or before the first cell looks like a cell, `# %%`."
        raise SourceError(path, 1, message)

    cells = []
    for cell, header in zip(parsed, headers):
        first = header + 1
        while first < len(lines) - 1 and not lines[first].strip():
            first += 1
        if cell.cell_type not in ("markdown", "code"):
            raise SourceError(path, header + 1, f"a {cell.cell_type} cell; write markdown or code.")
        metadata = {k: v for k, v in cell.metadata.items() if k != "lines_to_next_cell"}
        cells.append(Cell(cell.cell_type, cell.source.rstrip(), first + 1, metadata))
    return cells


def _title(path: Path, cell: Cell, number: int) -> tuple[str, str]:
    paragraphs = re.split(r"\n\s*\n", cell.text)
    found = re.fullmatch(rf"# {number}\. (\S.*)", paragraphs[0])
    if cell.kind != "markdown" or not found or len(paragraphs) < 2:
        raise SourceError(
            path,
            cell.line,
            f"the first cell must be Markdown with the heading `# {number}. Title` and, after a "
            "blank line, a paragraph that sums the notebook up.",
        )
    return found[1], " ".join(paragraphs[1].split())


def _no_stray_keys(path: Path, cell: Cell, *, title_cell: bool) -> None:
    allowed = set(PLAIN_KEYS)
    if "exercise" in cell.metadata:
        allowed |= EXERCISE_KEYS
    elif title_cell:
        allowed |= {"minutes"}
    unknown = sorted(set(cell.metadata) - allowed)
    if unknown:
        what = f"the unknown metadata {', '.join(unknown)}; known are {', '.join(sorted(allowed))}."
        raise SourceError(path, cell.line, f"the cell has {what}")


def _exercise(
    path: Path,
    cell: Cell,
    following: Cell | None,
    number: int,
    registered: Collection[str] | None,
    slugs: Collection[str] | None,
) -> Exercise:
    given = cell.metadata
    name = f"exercise {given['exercise']}"

    def need(fine: object, message: str, line: int = cell.line) -> None:
        if not fine:
            raise SourceError(path, line, f"{name} {message}")

    def whole(key: str) -> bool:
        return isinstance(given.get(key), int) and not isinstance(given[key], bool)

    misconceptions = given.get("misconceptions", [])
    kind = given.get("kind", "code")
    identifier = str(given["exercise"])
    need(re.fullmatch(rf"{number}\.[1-9]\d*", identifier), f"must be numbered {number}.something.")
    need(isinstance(given.get("title"), str) and given["title"].strip(), "has no title.")
    need(whole("minutes") and given["minutes"] > 0, "has no minutes (a whole number).")
    need(whole("difficulty") and 1 <= given["difficulty"] <= 3, "needs a difficulty from 1 to 3.")
    need(kind in ("code", "free"), f"has the unknown kind {kind!r}; write code or free.")
    need(isinstance(misconceptions, list), "needs a list of misconceptions.")
    unknown = [slug for slug in misconceptions if slugs is not None and slug not in slugs]
    need(not unknown, f"names the unknown misconception {unknown and unknown[0]!r}.")
    need(cell.kind == "markdown", "must be described in a Markdown cell.")
    need(following and following.kind == "code", "is not followed by its code cell.")
    assert following is not None

    exercise = Exercise(
        identifier,
        given["title"].strip(),
        kind,
        given["minutes"],
        given["difficulty"],
        misconceptions,
        following,
    )
    _read_sections(path, cell, exercise)
    need(exercise.question, "has no text.")
    need(len(exercise.hints) >= 2, f"needs two hints and has {len(exercise.hints)}.")
    extra = exercise.rubric or exercise.model_answer or exercise.misconception_notes
    lines = following.text.splitlines() or [""]
    last = following.line + len(lines) - 1
    if kind == "free":
        need(exercise.rubric, "has no RUBRIC: with points.")
        need(exercise.model_answer, "has no MODEL ANSWER:.")
        need(exercise.misconception_notes, "has no MISCONCEPTIONS: with slugs.")
        same = set(exercise.misconception_notes) == set(misconceptions)
        need(same, "explains other MISCONCEPTIONS: than its metadata names.")
        need(lines == [f'ask("{identifier}")'], f'needs a cell that is just ask("{identifier}").')
        return exercise

    need(not extra, "is checked by code, so it has no RUBRIC:, MODEL ANSWER: or MISCONCEPTIONS:.")
    found = re.fullmatch(r'(\w+) = check\("([^"]*)", (\w+)\)', lines[-1])
    wanted = f'must end with the line `name = check("{identifier}", name)`.'
    need(found and _calls(path, following, "check") == [found[2]], wanted, last)
    assert found is not None
    need(found[2] == identifier, f"has the check of {found[2]}.", last)
    need(found[1] == found[3], f"checks {found[3]} but assigns {found[1]}.", last)
    need(BEGIN in following.text, "has no solution between markers.", following.line)
    need(registered is None or identifier in registered, "has no check in course_utils.checks.")
    exercise.name = found[1]
    try:
        ast.parse(blanked(following.text))
    except SyntaxError as error:
        need(False, f"is not valid Python once the solution is blank: {error}.", following.line)
    return exercise


def _read_sections(path: Path, cell: Cell, exercise: Exercise) -> None:
    """Sort the lines of an exercise's Markdown into text, hints and the sections after them."""
    loose = r"\W*(hints?|rubrics?|model[ _-]*answers?|misconceptions?)\b[\s\d]*(:|$)"
    blocks: list[tuple[str, int, list[str]]] = [("text", cell.line, [])]
    for number, line in enumerate(cell.text.splitlines(), start=cell.line):
        found = re.fullmatch(rf"({'|'.join(SECTIONS)}):\s*(.*)", line)
        if found:
            blocks.append((found[1], number, [found[2]]))
        elif re.match(loose, line, re.IGNORECASE) or re.match(r"[A-Z][A-Z ]{2,}:", line):
            message = f"`{line}` is not exactly one of {', '.join(s + ':' for s in SECTIONS)}."
            raise SourceError(path, number, message)
        elif blocks[-1][0] == "HINT" and not line.strip():
            blocks.append(("text", number, []))
        else:
            blocks[-1][2].append(line)

    seen = ""
    for section, number, lines in blocks:
        text = "\n".join(lines).strip()
        if section == "text" and not text:
            continue
        if section in ("text", "HINT"):
            if seen:
                message = f"{section if section == 'HINT' else 'text'} after {seen}:."
                raise SourceError(path, number, f"exercise {exercise.id} has {message}")
            exercise.parts.append(("hint" if section == "HINT" else "text", text))
        if not text or section == seen:
            fault = "twice" if text else "empty"
            raise SourceError(path, number, f"exercise {exercise.id} has {section}: {fault}.")
        if section not in ("text", "HINT"):
            seen = section
        if section == "MODEL ANSWER":
            exercise.model_answer = text
        elif section in ("RUBRIC", "MISCONCEPTIONS"):
            points = [" ".join(p.split()) for p in re.split(r"^- ", text, flags=re.MULTILINE)]
            if points[0]:
                raise SourceError(path, number, f"{section}: must be a list of `- ` points.")
            if section == "RUBRIC":
                exercise.rubric = points[1:]
                continue
            for point in points[1:]:
                slug, colon, note = point.partition(": ")
                if not colon:
                    raise SourceError(path, number, f"write `- slug: what is true`, not `{point}`.")
                exercise.misconception_notes[slug] = note


def _calls(path: Path, cell: Cell, function: str) -> list[Any]:
    """The first arguments of the calls of a function by name in a code cell."""
    try:
        tree = ast.parse(cell.text)
    except SyntaxError as error:
        line = cell.line + (error.lineno or 1) - 1
        raise SourceError(path, line, f"the cell is not valid Python: {error.msg}.") from None
    return [
        node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == function
    ]

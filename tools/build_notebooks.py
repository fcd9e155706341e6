"""Build everything that is made from `source/`: run this after editing a source.

    python tools/build_notebooks.py            writes notebooks/, solutions/ and the index
    python tools/build_notebooks.py --check    names what is stale, and fails if anything is

Nothing is written unless every source is in order; see `source_format.py` for the format.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import nbformat
from solution_markers import SourceError, blanked, without_markers
from source_format import Cell, Exercise, Source, read

ROOT = Path(__file__).resolve().parent.parent
INDEX = "course_utils/exercises.json"
# Every notebook names its kernel, so that JupyterLab never asks for one.
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def build(
    root: Path,
    *,
    registered: Collection[str] | None = None,
    slugs: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The text of every built file by its path relative to `root`.

    `registered` are the ids that have a check and `slugs` the misconceptions with what
    learners write; None leaves that comparison out. Raises SourceError.
    """
    paths = sorted((root / "source").glob("*.py"))
    if not paths:
        raise SourceError(root / "source" / "NN_name.py", 1, "there is no source to build.")
    sources = [read(path, registered=registered, slugs=slugs) for path in paths]
    owners: dict[str, str] = {}
    for path, source in zip(paths, sources):
        for position, exercise in source.exercises.items():
            if exercise.id in owners:
                message = f"exercise {exercise.id} is already in {owners[exercise.id]}."
                raise SourceError(path, source.cells[position].line, message)
            owners[exercise.id] = path.name

    files = {}
    for source in sources:
        for folder, solved in (("notebooks", False), ("solutions", True)):
            files[f"{folder}/{source.stem}.ipynb"] = notebook(source, solved, slugs or {})
    files[INDEX] = json.dumps(index(sources), indent=1, ensure_ascii=False) + "\n"
    return files


def notebook(source: Source, solved: bool, slugs: Mapping[str, str]) -> str:
    """The text of one notebook: blank for learners, or solved."""
    seen: dict[str, int] = {}
    cells = []
    for position, cell in enumerate(source.cells):
        metadata = {k: v for k, v in cell.metadata.items() if k in ("tags", "slideshow")}
        text = cell.text
        if position in source.exercises:
            text = describe(source.exercises[position], solved, slugs)
        if position - 1 in source.exercises:
            metadata["exercise"] = source.exercises[position - 1].id
            text = text if solved else blanked(text)
        entry = {
            "cell_type": cell.kind,
            "id": cell_id(source.stem, cell, seen),
            "metadata": metadata,
            "source": text,
        }
        if cell.kind == "code":
            entry |= {"execution_count": None, "outputs": []}
        cells.append(entry)
    content = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    node = nbformat.from_dict(content)
    nbformat.validate(node)
    return nbformat.writes(node).rstrip("\n") + "\n"


def cell_id(stem: str, cell: Cell, seen: dict[str, int]) -> str:
    """An id that depends on the cell alone, so that editing one cell keeps all others' ids."""
    digest = hashlib.sha256(f"{stem}\n{cell.kind}\n{cell.text}".encode()).hexdigest()[:10]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def describe(exercise: Exercise, solved: bool, slugs: Mapping[str, str]) -> str:
    """The Markdown of an exercise: heading, effort, text, and hints that open on click."""
    minutes = "1 minute" if exercise.minutes == 1 else f"{exercise.minutes} minutes"
    blocks = [
        f"### Exercise {exercise.id} · {exercise.title}",
        f"*{minutes} · difficulty {exercise.difficulty} of 3*",
    ]
    number = 0
    for kind, text in exercise.parts:
        if kind == "hint":
            number += 1
            summary = f"<summary>Hint {number}</summary>"
            text = f"<details>{summary}\n\n{text}\n\n</details>"
        blocks.append(text)
    if solved and exercise.kind == "free":
        notes = [
            f"- “{slugs.get(slug, slug)}” {note}"
            for slug, note in exercise.misconception_notes.items()
        ]
        blocks += ["**A good answer**", "\n".join(f"- {point}" for point in exercise.rubric)]
        blocks += ["**Model answer**", exercise.model_answer or ""]
        blocks += ["**Common misconceptions**", "\n".join(notes)]
    return "\n\n".join(blocks)


def index(sources: list[Source]) -> dict[str, list[dict[str, Any]]]:
    """What the checks, the command line and the course map know about the exercises."""
    notebooks = [
        {"stem": s.stem, "title": s.title, "summary": s.summary, "minutes": s.minutes}
        for s in sources
    ]
    exercises = []
    for source in sources:
        for exercise in source.exercises.values():
            solution = None
            if exercise.kind == "code":
                solution = "\n".join(without_markers(exercise.cell.text).splitlines()[:-1]).rstrip()
            exercises.append(
                {
                    "id": exercise.id,
                    "notebook": source.stem,
                    "title": exercise.title,
                    "kind": exercise.kind,
                    "minutes": exercise.minutes,
                    "difficulty": exercise.difficulty,
                    "misconceptions": exercise.misconceptions,
                    "name": exercise.name,
                    "hints": exercise.hints,
                    "solution": solution,
                    "question": exercise.question,
                    "rubric": exercise.rubric,
                    "model_answer": exercise.model_answer,
                    "misconception_notes": exercise.misconception_notes,
                }
            )
    return {"notebooks": notebooks, "exercises": exercises}


def orphans(root: Path, files: Mapping[str, str]) -> list[str]:
    """Built notebooks whose source is gone."""
    built = [p for d in ("notebooks", "solutions") for p in sorted((root / d).glob("*.ipynb"))]
    return [n for n in (path.relative_to(root).as_posix() for path in built) if n not in files]


def stale(root: Path, files: Mapping[str, str]) -> list[str]:
    """One sentence for every built file that is not what the sources say."""
    problems = []
    for name, text in files.items():
        path = root / name
        if not path.is_file():
            problems.append(f"{name} is missing.")
        elif path.read_text(encoding="utf-8") != text:
            problems.append(f"{name} is stale.")
    return problems + [f"{name} has no source any more." for name in orphans(root, files)]


def write(root: Path, files: Mapping[str, str]) -> list[str]:
    """Write what differs and remove built notebooks without a source; say what was done."""
    done = []
    for name, text in files.items():
        path = root / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        done.append(f"wrote {name}")
    for name in orphans(root, files):
        (root / name).unlink()
        done.append(f"removed {name}: it has no source any more")
    return done


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    options = parser.parse_args(arguments)

    from course_utils.checks.misconceptions import MISCONCEPTIONS
    from course_utils.checks.registry import registry

    try:
        files = build(options.root, registered=registry(), slugs=MISCONCEPTIONS)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        print("\n".join(write(options.root, files)) or "Everything is up to date.")
        return 0
    problems = stale(options.root, files)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print("Run `python tools/build_notebooks.py`.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

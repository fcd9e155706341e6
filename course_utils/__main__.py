"""The command line: `python -m course_utils`, then `check NOTEBOOK`, `exercises`, `models` or
`start-page FOLDER`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_utils.checks.rerun import Run

MOST_ERRORS = 5  # shown of the cells that are no exercise's
EXIT_PASSED, EXIT_NOT_PASSED, EXIT_USAGE = 0, 1, 2


class UsageError(Exception):
    """The command cannot be carried out; the message is one sentence for the user."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils", description="Check your notebooks and list the exercises."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("check", help="run a notebook and show how its exercises stand")
    command.add_argument("notebook", type=Path)
    command = commands.add_parser("exercises", help="list every exercise of the course")
    command.add_argument("--json", action="store_true", help="for programs: a JSON array")
    command = commands.add_parser("start-page", help="write the course map with your progress")
    command.add_argument("folder", type=Path)
    command = commands.add_parser("models", help="fetch the weights of published networks")
    command.add_argument("--list", action="store_true", help="only look, fetch nothing")
    command.add_argument("--quiet", action="store_true", help="no table")
    options = parser.parse_args(arguments)

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a sign shows a `?` for it
            stream.reconfigure(errors="replace")
    try:
        if options.command == "check":
            return check(options.notebook)
        if options.command == "exercises":
            return exercises(as_json=options.json)
        if options.command == "models":
            return models(fetch=not options.list, table=not options.quiet)
        return start_page(options.folder)
    except UsageError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PASSED


# exercises


def exercises(*, as_json: bool) -> int:
    """Print every exercise of the course."""
    entries = listing()
    if as_json:
        print(json.dumps(entries, indent=1, ensure_ascii=False))
        return EXIT_PASSED
    rows = []
    for e in entries:
        effort = (f"{e['minutes']} min", "*" * e["difficulty"])
        rows.append((e["id"], e["notebook"], e["kind"], *effort, e["title"]))
    print_table(("id", "notebook", "kind", "time", "level", "title"), rows)
    minutes = sum(entry["minutes"] for entry in entries)
    print(f"\n{len(entries)} exercises, {minutes} minutes.")
    return EXIT_PASSED


def listing() -> list[dict[str, Any]]:
    """Every exercise as the tools of an author or a workshop leader need it."""
    from course_utils.checks import index
    from course_utils.checks.registry import registry

    checks = registry()
    plain = ("id", "notebook", "title", "kind", "minutes", "difficulty")
    return [
        {
            **{key: entry[key] for key in plain},
            "hints": len(entry["hints"]),
            "diagnoses": list(checks[entry["id"]].diagnoses) if entry["id"] in checks else [],
            "misconceptions": entry["misconceptions"],
        }
        for entry in index.load()["exercises"]
    ]


# start-page


def start_page(folder: Path) -> int:
    """Write the course map into a work folder."""
    from course_utils.checks import landing

    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    try:
        landing.write(folder)
    except OSError as error:
        raise UsageError(f"The course map could not be written in {folder}: {error}.") from None
    return EXIT_PASSED


# models


def models(*, fetch: bool, table: bool) -> int:
    """Fetch, and convert, the weights that are not there, and show what is where."""
    from course_utils import assets

    rows, code = [], EXIT_PASSED
    for name, asset in assets.ASSETS.items():
        try:
            state = assets.state(name)
            if fetch and state != "ready":
                fetch_model(name, report=lambda line: print(line, flush=True))
                state = assets.state(name)
        except assets.Missing as problem:
            print(problem, file=sys.stderr)
            state = "missing"
        if state != "ready":
            code = EXIT_NOT_PASSED
        size = f"{asset.megabytes:.0f} MB"
        rows.append((name, size, asset.licence, str(assets.place(name)), state))
    if table:
        print_table(("name", "size", "licence", "where", "state"), rows)
    return code


def fetch_model(name: str, report: Callable[[str], object]) -> None:
    """Language models are converted, by the libraries that only `language` knows."""
    from course_utils import assets

    if assets.ASSETS[name].recipe:
        from course_utils import language

        language.fetch_smollm2(report)
    else:
        assets.fetch(name, report=report)


# check


def check(path: Path) -> int:
    """Run a notebook in a fresh kernel and print how its exercises stand.

    The learner's notebook and progress are not touched. Free responses show the score that
    the learner gave themself, from the progress stored beside the notebook.
    """
    from course_utils.checks import index, progress, rerun

    notebook = read_notebook(path)
    cells = rerun.exercise_cells(notebook)
    of_course = {entry["id"]: entry["notebook"] for entry in index.load()["exercises"]}
    stems = {of_course[i] for i in cells if i in of_course}
    entries = [entry for stem in sorted(stems) for entry in index.of_notebook(stem)]
    if not entries:
        raise UsageError(f"{path} has no exercises of this course.")

    print(f"Running {path.name} ...", flush=True)
    run = rerun.execute(notebook, path.resolve().parent)
    stored = progress.load(path.resolve().parent)
    rows, passed = [], 0
    code = [entry for entry in entries if entry["kind"] == "code"]
    for entry in entries:
        if entry["kind"] == "free":
            status, message = own_score(entry, stored)
        else:
            status, message = outcome(entry, cells.get(entry["id"]), run)
            passed += status == "passed"
        rows.append((entry["id"], entry["title"], status, message))

    print_table(("id", "exercise", "status", "message"), rows)
    explained = {cells[e["id"]] for e in code if e["id"] in cells and e["id"] not in run.results}
    others = [number for number in run.errors if number not in explained]
    if others:
        print("\nOther cells that stopped with an error:")
    for number in others[:MOST_ERRORS]:
        line = textwrap.shorten(
            rerun.first_line(notebook.cells[number].source), 50, placeholder=" ..."
        )
        print(f"  cell {number + 1}, `{line}`: {run.errors[number]}")
    if len(others) > MOST_ERRORS:  # most likely they follow from the first ones
        print(f"  and {len(others) - MOST_ERRORS} more")
    if run.stopped:
        print(f"\n{run.stopped}")
    print(f"\n{passed} of {len(code)} code exercises passed.")
    return EXIT_PASSED if passed == len(code) else EXIT_NOT_PASSED


def read_notebook(path: Path) -> Any:
    """The notebook, or a UsageError in one sentence."""
    import nbformat

    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # older files lack cell ids, which is no harm here
            notebook = nbformat.read(path, as_version=4)
            nbformat.validate(notebook)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except Exception:  # nbformat has many ways to say so
        raise UsageError(f"{path} is not a Jupyter notebook.") from None
    return notebook


def outcome(entry: dict[str, Any], cell: int | None, run: Run) -> tuple[str, str]:
    """Status and message of one code exercise."""
    result = run.results.get(entry["id"])
    if result is not None:
        return result["status"].replace("_", " "), result["message"]
    if cell is None:
        return "missing", "Its cell is no longer in this notebook."
    if cell in run.errors:
        return "failed", run.errors[cell]
    if run.stopped:
        return "not run", "The notebook ended before its check."
    line = f'{entry["name"]} = check("{entry["id"]}", {entry["name"]})'
    return "not attempted", f"Its cell has no check any more; put back the line `{line}`."


def own_score(entry: dict[str, Any], stored: dict[str, Any]) -> tuple[str, str]:
    """Status and message of one free response, as the learner scored it."""
    answer = stored["answers"].get(entry["id"], {})
    if not str(answer.get("text", "")).strip():
        return "not attempted", "Write an answer in the notebook, then compare it with the rubric."
    points = list(answer.get("points") or [])
    return "self-scored", f"You found {sum(map(bool, points))} of {len(points)} points."


# printing


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Aligned columns; the last one is wrapped to the width of the terminal."""
    lines = [header, *rows]
    widths = [max(len(row[i]) for row in lines) for i in range(len(header) - 1)]
    indent = sum(widths) + 2 * len(widths)
    room = max(40, shutil.get_terminal_size((100, 24)).columns - indent - 1)
    print()
    for number, row in enumerate(lines):
        if number == 1:
            print("-" * (indent + 8))
        start = "".join(text.ljust(width + 2) for text, width in zip(row, widths))
        wrapped = textwrap.wrap(" ".join(row[-1].split()), room) or [""]
        print(start + wrapped[0])
        for rest in wrapped[1:]:
            print(" " * indent + rest)


if __name__ == "__main__":
    sys.exit(main())

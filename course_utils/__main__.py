"""The command line: `python -m course_utils check NOTEBOOK`, `exercises`, `start-page FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.checks import index

CELL_TIMEOUT = 300  # seconds; a checked answer is stopped long before, a plain loop is not
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
    options = parser.parse_args(arguments)

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a sign shows a `?` for it
            stream.reconfigure(errors="replace")
    try:
        if options.command == "check":
            return check(options.notebook)
        if options.command == "exercises":
            return exercises(as_json=options.json)
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


# check


@dataclass(frozen=True)
class Run:
    """What came of running a notebook: check results by id, errors by cell, why it ended early."""

    results: dict[str, dict[str, Any]]
    errors: dict[int, str]
    stopped: str | None


def check(path: Path) -> int:
    """Run a notebook in a fresh kernel and print how its exercises stand.

    The learner's notebook and progress are not touched. Free responses show the score that
    the learner gave themself, from the progress stored beside the notebook.
    """
    from course_utils.checks import progress

    notebook = read_notebook(path)
    cells = exercise_cells(notebook)
    of_course = {entry["id"]: entry["notebook"] for entry in index.load()["exercises"]}
    stems = {of_course[i] for i in cells if i in of_course}
    entries = [entry for stem in sorted(stems) for entry in index.of_notebook(stem)]
    if not entries:
        raise UsageError(f"{path} has no exercises of this course.")

    print(f"Running {path.name} ...", flush=True)
    run = execute(notebook, path.resolve().parent)
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
    others = {number: error for number, error in run.errors.items() if number not in explained}
    if others:
        print("\nOther cells that stopped with an error:")
    for number, error in others.items():
        print(f"  cell {number + 1}, `{first_line(notebook.cells[number].source)}`: {error}")
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


def exercise_cells(notebook: Any) -> dict[str, int]:
    """The position of each exercise's cell: by its metadata, else by its check line."""
    found: dict[str, int] = {}
    by_line: dict[str, int] = {}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if "exercise" in cell.metadata:
            found.setdefault(str(cell.metadata["exercise"]), number)
        for identifier in re.findall(r"\b(?:check|ask)\(\s*[\"'](\d+\.\d+)", cell.source):
            by_line[identifier] = number
    return by_line | found


def execute(notebook: Any, folder: Path) -> Run:
    """Run every cell in a fresh kernel; errors of cells do not end the run."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    silent = logging.getLogger("course_utils.check")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    # A kernel of this environment, whatever else the user has installed under the same name.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    running = 0

    def remember(cell: Any, cell_index: int) -> None:
        nonlocal running
        running = cell_index

    def leave_ctrl_c_to_python(notebook: Any) -> None:
        with contextlib.suppress(NotImplementedError):  # Windows never takes it away
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    stopped = None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        log = Path(scratch) / "results.jsonl"
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=CELL_TIMEOUT,
            allow_errors=True,
            store_widget_state=False,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(folder)}},
            on_notebook_start=leave_ctrl_c_to_python,
            on_cell_start=remember,
            log=silent,
        )
        environment = os.environ | {"COURSE_WORK": scratch, "COURSE_RESULTS": str(log)}
        try:
            # What the kernel says about itself is for its developers; cells write elsewhere.
            client.execute(env=environment, stderr=subprocess.DEVNULL)
        except CellTimeoutError:
            stopped = f"ran for {CELL_TIMEOUT} seconds"
        except DeadKernelError:
            stopped = "ended the kernel"
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []

    if stopped:
        line = first_line(notebook.cells[running].source)
        stopped = f"Cell {running + 1}, `{line}`, {stopped}: what comes after it was not run."
    errors = {
        number: explain(output)
        for number, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }
    return Run({r["id"]: r for r in map(json.loads, lines)}, errors, stopped)


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


def explain(output: Any) -> str:
    """An error's one line, without colours and without the kernel's name for the cell's file."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", f"{output.ename}: {first_line(output.evalue)}")
    return re.sub(r"\([^()]*, (line \d+)\)", r"(\1)", text).rstrip(": ")


# printing


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:200]


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

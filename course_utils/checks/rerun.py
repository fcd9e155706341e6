"""Run a notebook once more, in a fresh kernel, and see how its checks come out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

CELL_TIMEOUT = 300  # seconds; a checked answer is stopped long before, a plain loop is not


@dataclass(frozen=True)
class Run:
    """What came of running a notebook: check results by id, errors by cell, why it ended early."""

    results: dict[str, dict[str, Any]]
    errors: dict[int, str]
    stopped: str | None


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
    silent = logging.getLogger("course_utils.check")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    # A kernel of this environment, whatever else the user has installed under the same name.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    for cell in notebook.cells:
        if cell.cell_type == "code":  # what is stored may be old, and the cell never reached
            cell.outputs = []
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


def explain(output: Any) -> str:
    """An error's one line, without colours and without the kernel's name for the cell's file."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", f"{output.ename}: {first_line(output.evalue)}")
    return re.sub(r"\([^()]*, (line \d+)\)", r"(\1)", text).rstrip(": ")


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:200]

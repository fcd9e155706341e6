"""Run a notebook with nbval in a fresh kernel without a network, and measure it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from course_utils import assets

NETWORK_BLOCK = Path(__file__).resolve().parent / "network_block"
NBVAL = Path(__file__).resolve().parent / "nbval_run.py"
TIMEOUT = 120  # seconds a cell, only so that a stuck notebook ends; budgets are held by the tests

# The last cell of every run. VmHWM and not ru_maxrss: the latter is inherited from the process
# that started the kernel.
PROBE = """
import json as _json, os as _os, re as _re, sys as _sys, time as _time
def _peak():
    try:
        status = open("/proc/self/status").read()
        return int(_re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024
    except OSError:
        import psutil
        memory = psutil.Process().memory_info()
        return getattr(memory, "peak_wset", memory.rss)
with open(_os.environ["COURSE_PROBE"], "w") as _file:
    _json.dump({"peak": _peak(), "modules": sorted(_sys.modules), "python": _sys.executable,
                "cpu": _time.process_time(),
                "blocked": getattr(_sys, "network_is_blocked", False)}, _file)
"""


@dataclass(frozen=True)
class Run:
    """What was seen while a notebook ran. Cells are its code cells."""

    cells: list[Any]
    seconds: list[float]  # of each cell
    errors: dict[int, str]  # the traceback of every cell that stopped, in plain text
    bytes_to_browser: int
    peak_memory: int  # bytes
    cpu_seconds: float  # of the kernel, whatever else the machine had to do
    modules: frozenset[str]
    statuses: dict[str, str]  # the last status of every check
    messages: dict[str, str]  # what it said
    network: str  # every attempt at the network
    python: str
    passed: bool  # what nbval says
    said: str


def offline_environment(scratch: Path, *, weights: bool = True) -> dict[str, str]:
    """This process's environment without a network, a home or any stored progress.

    The weights of published networks are found where `course.py test` has put them, or not at all.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(NETWORK_BLOCK), *([inherited] if inherited else [])])
    return os.environ | {
        "PYTHONPATH": path,
        "HOME": str(scratch),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter"),
        "JUPYTER_DATA_DIR": str(scratch / "jupyter-data"),
        "COURSE_CACHE": str(assets.cache_folder() if weights else scratch / "no-weights"),
        "COURSE_WORK": str(scratch),
        "COURSE_RESULTS": str(scratch / "results.jsonl"),
        "COURSE_NETWORK_LOG": str(scratch / "network.log"),
        "COURSE_PROBE": str(scratch / "probe.json"),
    }


def run(notebook: Any, scratch: Path, *, weights: bool = True) -> Run:
    """Run all cells; errors of cells do not end the run. `scratch` is a folder to fill."""
    environment = offline_environment(scratch, weights=weights)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    probed = nbformat.from_dict(notebook)
    probed.cells = [*notebook.cells, nbformat.v4.new_code_cell(PROBE)]
    path, seen = scratch / "notebook.ipynb", scratch / "seen.json"
    nbformat.write(probed, path)
    ran = subprocess.run(
        [sys.executable, str(NBVAL), str(path), str(TIMEOUT), str(seen)],
        cwd=scratch,
        env={k: v for k, v in environment.items() if not k.startswith("PYTEST_")},
        capture_output=True,
        text=True,
    )
    said = ran.stdout + ran.stderr
    assert (scratch / "probe.json").exists(), said[-4000:]  # else the kernel has died
    probe = json.loads((scratch / "probe.json").read_text(encoding="utf-8"))
    assert probe["blocked"], "the kernel ran with a network"
    *cells, _ = json.loads(seen.read_text(encoding="utf-8"))
    assert len(cells) == len(code)
    results, network = scratch / "results.jsonl", scratch / "network.log"
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return Run(
        cells=code,
        seconds=[cell["seconds"] for cell in cells],
        errors={
            number: re.sub(r"\x1b\[[0-9;]*m", "", cell["error"])
            for number, cell in enumerate(cells)
            if cell["error"]
        },
        bytes_to_browser=sum(cell["bytes"] for cell in cells),
        peak_memory=probe["peak"],
        cpu_seconds=probe["cpu"],
        modules=frozenset(probe["modules"]),
        statuses={line["id"]: line["status"] for line in map(json.loads, lines)},
        messages={line["id"]: line["message"] for line in map(json.loads, lines)},
        network=network.read_text(encoding="utf-8") if network.exists() else "",
        python=probe["python"],
        passed=ran.returncode == 0 and f" {len(code) + 1} passed" in said,
        said=said,
    )

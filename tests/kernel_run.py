"""Run a notebook in a fresh kernel without a network, and measure it."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from course_utils import assets

NETWORK_BLOCK = Path(__file__).resolve().parent / "network_block"
TIMEOUT = 120  # seconds a cell, only so that a stuck notebook ends; budgets are held by the tests

# The last cell of every run. VmHWM and not ru_maxrss: the latter is inherited from the test
# process that started the kernel.
PROBE = """
import json as _json, os as _os, re as _re, sys as _sys
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
                "blocked": getattr(_sys, "network_is_blocked", False)}, _file)
"""


@dataclass(frozen=True)
class Run:
    """What was seen while a notebook ran."""

    notebook: Any  # with its outputs
    seconds: dict[int, float]  # by position of the code cell
    bytes_to_browser: int
    peak_memory: int  # bytes
    modules: frozenset[str]
    statuses: dict[str, str]  # the last status of every check
    network: str  # every attempt at the network
    python: str

    @property
    def errors(self) -> dict[int, str]:
        """The traceback of every cell that stopped, in plain text."""
        return {
            number: re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
            for number, cell in enumerate(self.notebook.cells)
            for output in cell.get("outputs", [])
            if output.output_type == "error"
        }


class _Measured(NotebookClient):
    """Counts what a browser would be sent, and takes the time of every cell."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sent: dict[int, int] = {}
        self.seconds: dict[int, float] = {}

    def process_message(self, msg: dict, cell: Any, cell_index: int) -> Any:
        parts = {key: msg[key] for key in ("header", "parent_header", "metadata", "content")}
        size = len(json.dumps(parts, default=str).encode())
        size += sum(memoryview(buffer).nbytes for buffer in msg.get("buffers", []))
        self.sent[cell_index] = self.sent.get(cell_index, 0) + size
        return super().process_message(msg, cell, cell_index)

    async def async_execute_cell(self, cell: Any, cell_index: int, **kwargs: Any) -> Any:
        began = time.perf_counter()
        result = await super().async_execute_cell(cell, cell_index, **kwargs)
        if cell.cell_type == "code":
            self.seconds[cell_index] = time.perf_counter() - began
        return result


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
    probed = nbformat.from_dict(notebook)
    probed.cells = [*notebook.cells, nbformat.v4.new_code_cell(PROBE)]
    client = _Measured(
        probed,
        kernel_name="python3",
        timeout=TIMEOUT,
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(scratch)}},
    )
    client.execute(env=environment)

    last = len(probed.cells) - 1
    probe = json.loads((scratch / "probe.json").read_text(encoding="utf-8"))
    assert probe["blocked"], "the kernel ran with a network"
    results, network = scratch / "results.jsonl", scratch / "network.log"
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return Run(
        notebook=probed,
        seconds={number: spent for number, spent in client.seconds.items() if number != last},
        bytes_to_browser=sum(size for number, size in client.sent.items() if number != last),
        peak_memory=probe["peak"],
        modules=frozenset(probe["modules"]),
        statuses={line["id"]: line["status"] for line in map(json.loads, lines)},
        network=network.read_text(encoding="utf-8") if network.exists() else "",
        python=probe["python"],
    )

"""`python nbval_run.py NOTEBOOK SECONDS FILE`: nbval runs a notebook; what is seen goes to a file.

A cell has SECONDS at most. The file is a JSON array with an object for each code cell: its
`seconds`, the `bytes` that a browser would have been sent, and its `error`, the traceback or null.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from nbval.kernel import RunningKernel


class Measure:
    """A plugin of pytest, for one notebook."""

    def __init__(self) -> None:
        self.cells: list[dict[str, Any]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        self.cells.append({"bytes": 0, "error": None})
        began = time.perf_counter()
        try:
            return (yield)
        finally:
            self.cells[-1]["seconds"] = time.perf_counter() - began

    def pytest_exception_interact(self, call: Any) -> None:
        error = call.excinfo.value
        self.cells[-1]["error"] = getattr(error, "inner_traceback", None) or repr(error)

    def count(self, message: dict[str, Any]) -> None:
        parts = {key: message[key] for key in ("header", "parent_header", "metadata", "content")}
        sent = len(json.dumps(parts, default=str).encode())
        sent += sum(memoryview(buffer).nbytes for buffer in message.get("buffers", []))
        if self.cells:
            self.cells[-1]["bytes"] += sent


def main(notebook: str, seconds: str, file: str) -> int:
    measure, get_message = Measure(), RunningKernel.get_message

    def counted(kernel: RunningKernel, stream: str, timeout: float | None = None) -> Any:
        message = get_message(kernel, stream, timeout)
        if stream == "iopub":
            measure.count(message)
        return message

    RunningKernel.get_message = counted
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={seconds}"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # others take seconds to load
    plugins = ["-p", "nbval.plugin", "-p", "no:cacheprovider"]
    code = pytest.main([*options, *plugins, notebook], plugins=[measure])
    with open(file, "w", encoding="utf-8") as out:
        json.dump(measure.cells, out)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

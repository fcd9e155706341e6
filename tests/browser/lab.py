"""A real JupyterLab in a temporary folder, and a page of it seen through Playwright."""

from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

# Cells keep their places in the page, so a position says which element belongs to a cell.
FIND_AND_RUN = """async (words) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const number = notebook.widgets.findIndex(
    ({ model }) => model.type === "code" && model.sharedModel.source.includes(words),
  );
  if (number < 0) return null;
  notebook.activeCellIndex = number;
  await jupyterapp.commands.execute("notebook:run-cell");
  return number;
}"""

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


def definitions(stem: str, *names: str) -> str:
    """What the student's notebook defines: its imports, and the cells that define these functions.

    So a test of a panel has the numerics of the notebook, whatever they are now.
    """
    notebook = json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    found = [
        next(s for s in sources if "check(" not in s and f"def {name}(" in s) for name in names
    ]
    parts = [next(s for s in sources if s.startswith(("import", "from"))), *found]
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    kept = [node for part in parts for node in ast.parse(part).body if isinstance(node, kinds)]
    return ast.unparse(ast.Module(kept, []))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lab:
    """A JupyterLab server; its files, settings and logs are all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.work.mkdir(parents=True)
        self.settings = folder / "settings"
        self.set("@jupyterlab/apputils-extension", "notification", QUIET)
        self.url = f"http://127.0.0.1:{free_port()}"
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "COURSE_WORK": str(self.work),
            "JUPYTERLAB_SETTINGS_DIR": str(self.settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        options = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            f"--ServerApp.port={self.url.rpartition(':')[2]}",
            "--ServerApp.port_retries=0",
            "--ServerApp.kernel_websocket_connection_class=course_utils.server.PromptConnection",
            "--IdentityProvider.token=",
            f"--ServerApp.root_dir={self.work}",
        ]
        self.log = (folder / "lab.log").open("w", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait()

    def _wait(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api", timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.close()
        log = (self.folder / "lab.log").read_text(encoding="utf-8")
        raise RuntimeError(f"JupyterLab did not start:\n{log[-2000:]}")

    def set(self, extension: str, plugin: str, values: dict[str, object]) -> None:
        """Write user settings; a page reads them when it is loaded."""
        path = self.settings / extension / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")

    def set_theme(self, theme: str) -> None:
        self.set(
            "@jupyterlab/apputils-extension", "themes", {"theme": f"JupyterLab {theme.title()}"}
        )

    def forget(self) -> None:
        """Forget the learner's progress."""
        (self.work / ".progress.json").unlink(missing_ok=True)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


class Notebook:
    """A notebook open in a page. Console errors and bytes received are kept from the start."""

    def __init__(self, page, lab: Lab, path: str) -> None:
        self.page, self.name, self.lab = page, Path(path).name, lab
        self.errors: list[str] = []
        self.websocket_bytes = 0
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", lambda ws: ws.on("framereceived", self._frame))
        # A workspace of its own, so that no page restores what another had open.
        page.goto(f"{lab.url}/lab/workspaces/{uuid.uuid4().hex}/tree/{path}")
        self._ready()

    def _ready(self) -> None:
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
            "?.status === 'idle'",
            timeout=60_000,
        )

    def _frame(self, payload: str | bytes) -> None:
        self.websocket_bytes += len(payload)

    def run(self) -> None:
        """Run all cells, and wait for the last one."""
        self.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")

    def run_cell(self, containing: str) -> Any:
        """Run the first code cell that has these words, wait for it, and return its outputs."""
        number = self.page.evaluate(FIND_AND_RUN, containing)
        assert number is not None, f"no code cell with {containing!r}"
        cell = self.page.locator(".jp-Notebook .jp-Cell").nth(number)
        cell.scroll_into_view_if_needed()
        return cell.locator(".jp-OutputArea-output")

    def save(self) -> None:
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")

    def reload(self) -> None:
        self.page.reload()
        self._ready()

    def restart_kernel(self) -> None:
        # Until it answers. Its state may stay "starting": that is sometimes heard after "idle".
        self.page.evaluate(
            """async () => {
              const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
              await kernel.restart();
              await kernel.requestKernelInfo();
            }"""
        )

    def close(self) -> None:
        """Close the page and end its kernel."""
        self.page.evaluate("jupyterapp.shell.currentWidget?.sessionContext.shutdown()")
        self.page.context.close()

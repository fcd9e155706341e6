"""Make docs/panel.png, the picture in the README: python tests/browser/readme_picture.py"""

from __future__ import annotations

import tempfile
from pathlib import Path

from chromium import ARGUMENTS, find
from lab import ROOT, Lab, Notebook
from panel import Panel
from playwright.sync_api import sync_playwright

PICTURE = ROOT / "docs" / "panel.png"
WIDTH = 1190  # of the window, so that the panel has about 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
        lab = Lab(Path(folder))
        try:
            source = ROOT / "notebooks" / "02_superposition.ipynb"
            (lab.work / source.name).write_bytes(source.read_bytes())
            context = browser.new_context(viewport={"width": WIDTH, "height": 900})
            notebook = Notebook(context.new_page(), lab, source.name)
            notebook.run_cell("start(")
            notebook.page.evaluate("jupyterapp.shell.collapseLeft()")
            output = notebook.run_cell("superposition_panel(retrain)")
            panel = Panel(notebook.page)
            panel.press("sparsity", "End")
            panel.sparsity.blur()
            PICTURE.parent.mkdir(exist_ok=True)
            output.last.screenshot(path=PICTURE)
            notebook.close()
        finally:
            lab.close()
            browser.close()


if __name__ == "__main__":
    main()

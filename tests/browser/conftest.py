"""Browser tests need a Chromium: CHROMIUM=path, or one that is installed."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from chromium import ARGUMENTS, find
from lab import ROOT, Lab, Notebook
from playwright.sync_api import sync_playwright

MISSING = "No Chromium: install Chromium, Chrome or Edge, or set CHROMIUM to its path."


def pytest_runtest_setup():
    """Not in a fixture: from here, pytest reports all skipped tests together, in one line."""
    if find() is None:
        # Where nobody looks, a skip would go unseen.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)


# For a module, not for the session: Playwright keeps an event loop running while it is there, and
# the tests that run notebooks without a browser want one of their own.
@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def opened(browser, lab):
    """`with opened(path, theme, width, height) as notebook`: in a fresh page and kernel."""

    @contextmanager
    def open_one(path: Path, theme: str = "light", width: int = 1280, height: int = 900):
        lab.set_theme(theme)
        lab.forget()
        # In a folder of its own: pages of one file share a kernel.
        folder = Path(tempfile.mkdtemp(dir=lab.work))
        (folder / path.name).write_bytes(path.read_bytes())
        context = browser.new_context(viewport={"width": width, "height": height})
        notebook = Notebook(context.new_page(), lab, f"{folder.name}/{path.name}")
        try:
            yield notebook
        finally:
            notebook.close()

    return open_one


STEMS = sorted(path.stem for path in (ROOT / "source").glob("*.py"))


# Ordered by this parameter, so that each notebook is opened once in a module.
@pytest.fixture(scope="module", params=STEMS)
def finished(request, opened):
    """A student notebook after all its cells have run."""
    with opened(ROOT / "notebooks" / f"{request.param}.ipynb") as notebook:
        notebook.run()
        # The last figures are drawn a moment later; one that is would miss a change of the window.
        drawn = "[...document.querySelectorAll('.js-plotly-plot')].every((g) => g.clientHeight)"
        notebook.page.wait_for_function(drawn, timeout=20_000)
        notebook.page.wait_for_timeout(500)
        yield notebook

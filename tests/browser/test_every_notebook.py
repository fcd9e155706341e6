"""Each notebook as a learner meets it, all its cells run: no error, few bytes, and controls that
everyone can use."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from lab import ROOT
from looks import PICTURES, change_theme, faults_of, resize
from playwright.sync_api import expect

MOST_BYTES = 8e6
CONTROLS = "input, button, textarea, select, summary, a[href], [tabindex='0']"


@pytest.fixture
def notebook(finished):
    return finished


@pytest.fixture
def controls(notebook):
    notebook.page.keyboard.press("Escape")
    return notebook.page.locator(".jp-OutputArea-output").locator(CONTROLS)


def test_every_cell_runs_without_an_error(notebook):
    wrong = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type*='stderr']"
    assert notebook.page.locator(wrong).all_inner_texts() == []
    assert notebook.errors == []


def test_every_output_is_drawn_as_what_it_is(notebook):
    page = notebook.page
    cells = nbformat.read(ROOT / "notebooks" / notebook.name, as_version=4).cells
    # At least so many: one in a loop is shown several times.
    written = sum(len(re.findall(r"^ *show\(", cell.source, re.M)) for cell in cells)
    assert page.locator(".js-plotly-plot").count() >= written > 0
    assert page.get_by_text("Loading widget").count() == 0
    assert page.get_by_text(re.compile("Error displaying widget|Failed to load")).count() == 0


def test_the_browser_is_sent_little(notebook, record_property):
    sent = notebook.websocket_bytes
    line = f"bytes to the browser, {notebook.name}: {sent / 1e6:.2f} MB of {MOST_BYTES / 1e6:g}"
    record_property("budget", line)
    assert 1e5 < sent <= MOST_BYTES


def test_every_control_has_a_name_and_is_reached_by_tab(notebook, controls):
    rubrics = notebook.page.get_by_role("button", name="Compare with the rubric")
    for k in reversed(range(rubrics.count())):
        rubrics.nth(k).click()  # shows the rest
    assert controls.count() > 20
    for control in controls.all():
        expect(control).to_have_accessible_name(re.compile(r"\S"))
        assert control.evaluate("node => node.tabIndex") == 0


def test_no_two_controls_share_an_id(controls):
    ids = [name for name in controls.evaluate_all("nodes => nodes.map((n) => n.id)") if name]
    assert len(ids) == len(set(ids))


def test_no_figure_or_control_is_wider_than_its_output(notebook):
    too_wide = """nodes => nodes.filter((node) => node.scrollWidth > node.clientWidth + 1)
        .map((node) => node.outerHTML.slice(0, 200))"""
    assert notebook.page.locator(".jp-OutputArea-output").evaluate_all(too_wide) == []


# Looks


# The theme changes colours, not where things are: dark once.
@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
)
def test_every_picture_can_be_read(notebook, width, theme):
    """COURSE_SCREENSHOTS=FOLDER keeps a picture of each, to look at."""
    page = notebook.page
    page.evaluate("jupyterapp.shell.collapseLeft()")
    change_theme(page, theme)
    resize(page, width)
    pictures = page.locator(PICTURES).all()
    assert len(pictures) >= 8
    faults = []
    for k, picture in enumerate(pictures):
        picture.scroll_into_view_if_needed()
        faults += [f"picture {k}: {fault}" for fault in faults_of(picture)]
        if folder := os.environ.get("COURSE_SCREENSHOTS"):
            picture.screenshot(
                path=Path(folder) / f"{notebook.name[:2]}-{theme}-{width}-{k:02}.png"
            )
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_in_pictures_has_the_colour_of_the_theme(notebook, theme):
    page = notebook.page
    change_theme(page, theme)
    colors = page.locator(f"{PICTURES} >> text").evaluate_all(
        "all => [...new Set(all.map((text) => getComputedStyle(text).fill))]"
    )
    assert (
        colors == {"light": ["rgba(0, 0, 0, 0.87)"], "dark": ["rgba(255, 255, 255, 0.87)"]}[theme]
    )

"""What the pictures of a notebook look like: nothing cut off, no text on other text, none tiny.

COURSE_SCREENSHOTS=FOLDER keeps a picture of each, to look at.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

PICTURES = (
    ".js-plotly-plot, .course-model svg, .course-polytope svg, "
    ".course-circuit svg[role=application], .course-neurons svg"
)
SMALLEST = 10  # pixels from the top of the line to its bottom

# The faults of one picture. Turned text counts with its upright box.
FAULTS = """(picture, smallest) => {
  const shown = (text) => text.textContent.trim() && text.getAttribute("opacity") !== "0";
  const texts = [...picture.querySelectorAll("text")].filter(shown)
    .map((text) => ({ words: text.textContent, box: text.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0);
  const edge = picture.getBoundingClientRect();
  const faults = [];
  texts.forEach(({ words, box }, i) => {
    const inside = box.left > edge.left - 1 && box.right < edge.right + 1 &&
      box.top > edge.top - 1 && box.bottom < edge.bottom + 1;
    if (!inside) faults.push(`${words} is cut off`);
    if (Math.min(box.width, box.height) < smallest && words.length > 1)
      faults.push(`${words} is tiny`);
    for (const other of texts.slice(0, i)) {
      const { left, right, top, bottom } = other.box;
      const width = Math.min(box.right, right) - Math.max(box.left, left);
      const height = Math.min(box.bottom, bottom) - Math.max(box.top, top);
      if (width > 2 && height > 4) faults.push(`${words} lies on ${other.words}`);
    }
  });
  return faults;
}"""


@pytest.fixture
def notebook(finished):
    finished.page.evaluate("jupyterapp.shell.collapseLeft()")
    return finished


def change_theme(page, theme: str) -> None:
    page.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme.title()}",
    )
    light = str(theme == "light").lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light, timeout=30_000)


def faults_of(picture) -> list[str]:
    """The faults that stay: figures follow the window with a delay, longer on a busy machine."""
    for _ in range(8):
        picture.page.wait_for_timeout(300)
        # One that was still being drawn when the window changed missed that.
        picture.page.evaluate("dispatchEvent(new Event('resize'))")
        if not (faults := picture.evaluate(FAULTS, SMALLEST)):
            break
    return faults


# The theme changes colours, not where things are: dark once.
@pytest.mark.parametrize(
    ("width", "theme"), [(800, "light"), (1280, "light"), (1280, "dark"), (1920, "light")]
)
def test_every_picture_can_be_read(notebook, width, theme):
    page = notebook.page
    page.set_viewport_size({"width": width, "height": 1000})
    change_theme(page, theme)
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

"""What pictures must look like: nothing cut off, no text on other text, none tiny."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

PICTURES = (
    ".js-plotly-plot, .course-model svg, .course-polytope svg, "
    ".course-circuit svg[role=application], .course-tuning svg, .course-universality svg, "
    ".course-privileged svg, .course-neurons svg, .course-semicolons svg, "
    ".course-pair-lab svg:visible, .course-sweep svg, .course-steering svg"
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

# Figures follow the window with a delay.
FOLLOWED = """() => [...document.querySelectorAll(".js-plotly-plot")].every((figure) =>
  !figure._fullLayout.autosize || Math.abs(figure._fullLayout.width - figure.clientWidth) < 1
)"""


def change_theme(page: Any, theme: str) -> None:
    page.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme.title()}",
    )
    light = str(theme == "light").lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light, timeout=30_000)


def resize(page: Any, width: int) -> None:
    """Give the window this width, and wait until every figure that follows it has done so."""
    page.set_viewport_size({"width": width, "height": 1000})
    page.wait_for_timeout(300)
    # One that was still being drawn when the window changed missed that.
    page.evaluate("dispatchEvent(new Event('resize'))")
    page.wait_for_function(FOLLOWED, timeout=20_000)


def faults_of(picture: Any) -> list[str]:
    """The faults that stay: what is drawn may come a moment later, more so on a busy machine."""
    for _ in range(8):
        if not (faults := picture.evaluate(FAULTS, SMALLEST)):
            break
        picture.page.wait_for_timeout(300)
        picture.page.evaluate("dispatchEvent(new Event('resize'))")
    return faults

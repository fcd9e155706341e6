"""The central panel of notebook 02 in a page: its controls, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Every redraw is one batch of changes in the picture. A time is taken two frames after it, when
# it is surely on the screen, and counted from the key that caused it.
WATCH = """() => {
  const svg = document.querySelector(".course-model svg");
  const seen = (window.seen = { redraws: 0, key: null, milliseconds: [] });
  addEventListener("keydown", (event) => { seen.key = event.timeStamp; }, true);
  new MutationObserver(() => {
    seen.redraws += 1;
    const began = seen.key;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      seen.milliseconds.push(performance.now() - began);
    }));
  }).observe(svg, { attributes: true, childList: true, characterData: true, subtree: true });
}"""

DRAWN = """() => {
  const svg = document.querySelector(".course-model svg");
  const all = (name) => [...svg.querySelectorAll(name)];
  const at = (node, name) => Number(node.getAttribute(name));
  return {
    unit: at(svg.querySelector("circle.guide"), "r"),
    arrows: all(".shaft").map((s) => [at(s, "x2") - at(s, "x1"), at(s, "y1") - at(s, "y2")]),
    colors: all(".head").map((head) => head.getAttribute("fill")),
    cells: all("rect.cell + text.number").map((text) => Number(text.textContent)),
    words: svg.getAttribute("aria-label"),
  };
}"""


class Panel:
    """`after(action)` does something and waits for the redraw that it causes."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.picture = page.locator(".course-model svg")
        self.picture.scroll_into_view_if_needed()
        self.sparsity = page.get_by_role("slider", name="Sparsity S")
        self.decay = page.get_by_role("slider", name="Importance decay")
        self.button = page.get_by_role("button", name="New random start")
        page.evaluate(WATCH)

    def after(self, action: Callable[[], Any]) -> None:
        before = self.page.evaluate("seen.milliseconds.length")
        action()
        self.page.wait_for_function(f"seen.milliseconds.length > {before}", timeout=10_000)

    def W(self) -> np.ndarray:
        """The arrows as they are drawn, (2, n_features), in units of the dotted circle."""
        drawn = self.page.evaluate(DRAWN)
        return np.array(drawn["arrows"]).T / drawn["unit"]

    def cells(self) -> np.ndarray:
        """The numbers written in WᵀW and b, (n_features, n_features + 1)."""
        cells = np.array(self.page.evaluate(DRAWN)["cells"])
        n = int(np.sqrt(len(cells)))
        return cells.reshape(n, n + 1)

    def words(self) -> str:
        return self.page.evaluate(DRAWN)["words"]

    def milliseconds(self) -> list[float]:
        return self.page.evaluate("seen.milliseconds")

"""What all figures share: colours, template, and the sentence in words that each carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

# Found by a search: a contrast of at least 3 on white and on JupyterLab's dark #111111, and far
# apart also for the colour-blind (tests/test_plots.py says how far). Labels say the same again.
PALETTE = ("#5276ec", "#cc5239", "#3ca487", "#9d8ab7", "#ce8203", "#914f84", "#f52371", "#4f5ea7")
# In JupyterLab `widgets.STYLE` gives all text the theme's own colour. This grey is for elsewhere:
# the best that one colour can do on both backgrounds, 4.3 to 1.
TEXT = "#777777"
GRID = "rgba(128,128,128,0.25)"
LINE = "rgba(128,128,128,0.8)"
# From negative over nothing to positive. Transparent in the middle, and never so strong that the
# theme's text is hard to read on it. A value of STRONGEST or more has the full colour.
NEGATIVE, POSITIVE, OPACITY, STRONGEST = "213,94,0", "15,127,196", 0.65, 1.3
DIVERGING = [
    [0.0, f"rgba({NEGATIVE},{OPACITY})"],
    [0.5, f"rgba({NEGATIVE},0)"],
    [0.5, f"rgba({POSITIVE},0)"],
    [1.0, f"rgba({POSITIVE},{OPACITY})"],
]
SEQUENTIAL = [[0.0, "rgba(15,127,196,0)"], [1.0, "rgba(15,127,196,0.9)"]]

TEMPLATE = go.layout.Template(
    layout=go.Layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": TEXT, "size": 13, "family": "system-ui, sans-serif"},
        colorway=PALETTE,
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
        hovermode="closest",
        xaxis={"gridcolor": GRID, "zerolinecolor": LINE, "linecolor": LINE, "ticks": "outside"},
        # automargin: long numbers push the title outwards
        yaxis={
            "gridcolor": GRID, "zerolinecolor": LINE, "linecolor": LINE, "ticks": "outside",
            "automargin": True,
        },
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
)  # fmt: skip


DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")


def alt_text(figure: Any) -> str:
    """The figure in words."""
    return figure.layout.meta["alt"]


def feature_color(i: int) -> str:
    """The colour of feature i, the same in every figure; from feature 8 on they repeat."""
    return PALETTE[i % len(PALETTE)]


def as_array(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=float)


def feature_names(n: int) -> list[str]:
    return [f"x{i}" for i in range(n)]


def feature_colors(n: int) -> list[str]:
    return [feature_color(i) for i in range(n)]


def diverging(value: float) -> str:
    """The colour of DIVERGING for one value."""
    share = min(abs(value) / STRONGEST, 1)
    return f"rgba({NEGATIVE if value < 0 else POSITIVE},{OPACITY * share:.3f})"


def number(value: float) -> str:
    """Two decimals, the same for all that are 3/8 but for rounding, no minus sign before a zero."""
    return f"{round(value, 5):.2f}".replace("-0.00", "0.00")


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def finished(traces: Sequence[Any], alt: str, height: int = 360, **layout: Any) -> go.Figure:
    figure = go.Figure(list(traces))
    return figure.update_layout(template=TEMPLATE, height=height, meta={"alt": alt}, **layout)

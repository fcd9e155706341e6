"""A plotly figure in a notebook: as plain data, in the theme's colours, and in words."""

from __future__ import annotations

import html
import json

import plotly.graph_objects as go
from IPython.display import HTML, display

from course_utils import plots

# All figure text in the theme's own colour, so that it is legible on light and on dark. On a wide
# screen a figure stays in shape.
STYLE = (
    "<style>.jp-RenderedPlotly{max-width:1100px}"
    ".js-plotly-plot .main-svg text{fill:var(--jp-ui-font-color1,#777)!important}"
    ".js-plotly-plot .hoverlayer text{fill:#fff!important}</style>"
)
# No tool bar: a dozen stops of the Tab key for every figure, one of which sends data away.
CONFIG = {"displayModeBar": False, "responsive": True}
MIMETYPE = "application/vnd.plotly.v1+json"


def show(figure: go.Figure) -> None:
    """Display a figure as plain data (a few KB, not a widget), and in words below it."""
    words = plots.alt_text(figure)
    data = json.loads(figure.to_json()) | {"config": CONFIG}
    display({MIMETYPE: data, "text/plain": words}, raw=True)
    display(HTML(f"{STYLE}<details><summary>In words</summary>{html.escape(words)}</details>"))

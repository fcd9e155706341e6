"""Activations and codes: a bar for each number, whatever it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from course_utils.plots.theme import TEMPLATE, as_array, feature_color

SHOWN = 0.005  # what is smaller can't be seen as a bar


def code_bars(rows: Mapping[str, Any]) -> go.Figure:
    """Lists of numbers below each other, a bar a number; each list may have a length of its own.

    All have the same scale, so that heights can be compared.

    Raises:
        ValueError: there is no list, or one is not a list of numbers.
    """
    arrays = {name: as_array(values) for name, values in rows.items()}
    if not arrays or any(y.ndim != 1 or not len(y) for y in arrays.values()):
        raise ValueError("rows must be at least one list of numbers, each with a name.")
    low = min(0.0, *(float(y.min()) for y in arrays.values()))
    high = max(float(y.max()) for y in arrays.values())
    margin = 0.08 * ((high - low) or 1)
    figure = make_subplots(
        rows=len(arrays), cols=1, subplot_titles=list(arrays), vertical_spacing=0.5 / len(arrays)
    )
    said = []
    for k, (name, y) in enumerate(arrays.items(), start=1):
        bars = go.Bar(
            x=np.arange(len(y)), y=y, marker={"color": feature_color(k - 1), "line": {"width": 0}},
            showlegend=False, hovertemplate="number %{x}: %{y:.2f}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(bars, row=k, col=1)
        figure.update_xaxes(range=[-1, len(y)], row=k, col=1)
        seen = np.abs(y) > SHOWN
        said.append(f"{name}: {len(y)} numbers, {int(seen.sum())} of them not 0")
    figure.update_yaxes(range=[low - margin, high + margin], title="value")
    figure.update_xaxes(showgrid=False, zeroline=False, title="number")
    alt = f"Numbers as bars. {'; '.join(said)}."
    return figure.update_layout(
        template=TEMPLATE, height=70 + 180 * len(arrays), bargap=0.15, meta={"alt": alt}
    )

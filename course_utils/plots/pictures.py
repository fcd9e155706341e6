"""Small pictures in rows: stimuli, filters, patches, what a unit would like to see."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from course_utils.plots.theme import TEMPLATE, as_array

SHARPEST = 96  # a picture of fewer pixels is enlarged, so that its pixels stay squares


def pictures(
    images: Mapping[str, Any], *, columns: int = 8, size: int = 110, what: str = "Pictures"
) -> go.Figure:
    """Pictures with a title each: grey (h, w) or (1, h, w), or RGB (3, h, w), from 0 to 1.

    `size` is the height of one in pixels of the page; `what` begins the figure's alternative text.
    """
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=list(images),
        horizontal_spacing=0.1 / columns, vertical_spacing=0.28 / rows,
    )  # fmt: skip
    for k, (name, image) in enumerate(images.items()):
        figure.add_trace(
            go.Image(source=as_png(as_array(image)), name=name, hoverinfo="skip"),
            row=k // columns + 1,
            col=k % columns + 1,
        )
    # A frame, for a white picture on a white page.
    frame = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(**frame, showline=True, mirror=True, constrain="domain")
    figure.update_yaxes(**frame, showline=True, mirror=True, constrain="domain")
    figure.update_annotations(font_size=12)
    alt = f"{what}: {', '.join(name.replace('<br>', ', ') for name in images)}."
    return figure.update_layout(
        template=TEMPLATE, height=rows * (size + 32) + 20, meta={"alt": alt},
        margin={"l": 10, "r": 10, "t": 34, "b": 8},
    )  # fmt: skip


def filters(weights: Mapping[str, Any], **rest: Any) -> go.Figure:
    """Filters (h, w) as pictures: 0 is grey, white positive, black negative, each to its scale."""
    scaled = {}
    for name, w in weights.items():
        w = as_array(w)
        scaled[name] = 0.5 + w / (2 * max(float(np.abs(w).max()), 1e-12))
    return pictures(scaled, **({"what": "Filters, white positive and black negative"} | rest))


def as_png(image: np.ndarray) -> str:
    """A picture as the text that a page can show: (h, w), (1, h, w) or (3, h, w), from 0 to 1."""
    values = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    values = values[0] if values.ndim == 3 and len(values) == 1 else values
    values = values.transpose(1, 2, 0) if values.ndim == 3 else values
    times = max(1, round(SHARPEST / max(values.shape[:2])))
    values = values.repeat(times, axis=0).repeat(times, axis=1)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

"""Arrays in, plotly figures out, all in one visual language. Nothing here trains or shows.

Feature i has the same colour and the same label, "xi", in every figure. Every figure carries
one sentence in words, computed from its data: `alt_text(figure)`. `theme` has what all share,
`superposition` the pictures of one toy model, `plane` and `space` what the panels of notebook 03
show, `shapes` its figures, `charts` the rest.
"""

from course_utils.plots.charts import (
    activity_grids,
    cosine_strip,
    line_chart,
    norms_vs_sparsity,
    phase_diagram,
)
from course_utils.plots.plane import drag_state
from course_utils.plots.shapes import (
    dimensionality_levels,
    leverage_scatter,
    shapes_in_plane,
)
from course_utils.plots.space import Look, polytope_state
from course_utils.plots.superposition import (
    gram_heatmap,
    superposition_figure,
    superposition_state,
)
from course_utils.plots.theme import PALETTE, TEMPLATE, alt_text, feature_color

__all__ = [
    "PALETTE",
    "TEMPLATE",
    "Look",
    "activity_grids",
    "alt_text",
    "cosine_strip",
    "dimensionality_levels",
    "drag_state",
    "feature_color",
    "gram_heatmap",
    "leverage_scatter",
    "line_chart",
    "norms_vs_sparsity",
    "phase_diagram",
    "polytope_state",
    "shapes_in_plane",
    "superposition_figure",
    "superposition_state",
]

"""Arrays in, plotly figures out, all in one visual language. Nothing here trains or shows.

Feature i has the same colour and the same label, "xi", in every figure. Every figure carries
one sentence in words, computed from its data: `alt_text(figure)`. `theme` has what all share,
`superposition` the pictures of one toy model, `charts` the rest.
"""

from course_utils.plots.charts import (
    activity_grids,
    cosine_strip,
    loss_lines,
    norms_vs_sparsity,
    phase_diagram,
)
from course_utils.plots.superposition import (
    gram_heatmap,
    superposition_figure,
    superposition_state,
)
from course_utils.plots.theme import PALETTE, TEMPLATE, alt_text, feature_color

__all__ = [
    "PALETTE",
    "TEMPLATE",
    "activity_grids",
    "alt_text",
    "cosine_strip",
    "feature_color",
    "gram_heatmap",
    "loss_lines",
    "norms_vs_sparsity",
    "phase_diagram",
    "superposition_figure",
    "superposition_state",
]

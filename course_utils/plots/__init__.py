"""Arrays in, plotly figures out, all in one visual language. Nothing here trains or shows.

Feature i has the same colour and the same label, "xi", in every figure. Every figure carries
one sentence in words, computed from its data: `alt_text(figure)`. `theme` has what all share,
`superposition` the pictures of one toy model, `plane` and `space` what the panels of notebook 03
show, `shapes` its figures; `tuning`, `circuit` and `universality` what those of notebook 01 show;
`privileged` those of notebook 04; `codes`, `sweep` and `steering` those of notebook 05; `pictures`
small images, `charts` the rest.
"""

from course_utils.plots.charts import (
    activity_grids,
    cosine_strip,
    dot_columns,
    line_chart,
    norms_vs_sparsity,
    phase_diagram,
)
from course_utils.plots.circuit import CircuitDiagram, circuit_drawing, circuit_state
from course_utils.plots.codes import code_bars
from course_utils.plots.pictures import as_png, filters, pictures
from course_utils.plots.plane import drag_state
from course_utils.plots.privileged import contribution_bars, neuron_bars, privileged_state
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
from course_utils.plots.sweep import sweep_drawing, sweep_state
from course_utils.plots.sweep_figures import SweepFigures, latent_kinds
from course_utils.plots.theme import PALETTE, TEMPLATE, alt_text, feature_color
from course_utils.plots.tuning import LayerTuning, TuningCurves
from course_utils.plots.universality import NetworkSimilarities

__all__ = [
    "PALETTE",
    "TEMPLATE",
    "CircuitDiagram",
    "LayerTuning",
    "Look",
    "NetworkSimilarities",
    "SweepFigures",
    "TuningCurves",
    "activity_grids",
    "alt_text",
    "as_png",
    "circuit_drawing",
    "circuit_state",
    "code_bars",
    "contribution_bars",
    "cosine_strip",
    "dimensionality_levels",
    "dot_columns",
    "drag_state",
    "feature_color",
    "filters",
    "gram_heatmap",
    "latent_kinds",
    "leverage_scatter",
    "line_chart",
    "neuron_bars",
    "norms_vs_sparsity",
    "phase_diagram",
    "pictures",
    "polytope_state",
    "privileged_state",
    "shapes_in_plane",
    "superposition_figure",
    "superposition_state",
    "sweep_drawing",
    "sweep_state",
]

"""How feature directions share a space, and what sharing costs.

W has shape (d_hidden, n_features): column i, written W_i, is the direction that the model gives
to feature i. Leading dimensions, where there are any, are separate models.

`gram` has lengths and angles, `dimensionality` the share of a dimension that each feature has,
`polytopes` the shapes, `packing` how far apart directions can be, and `phases` and `leading` what
small models lose, in closed form.

Source: Elhage et al., "Toy Models of Superposition" (2022).
"""

from course_utils.geometry.dimensionality import (
    dimensions_per_feature,
    feature_dimensionality,
    leverage_scores,
)
from course_utils.geometry.gram import (
    count_represented,
    feature_norms,
    interference,
    represented,
)
from course_utils.geometry.leading import (
    interference_alone,
    leading_loss,
    pair_loss,
)
from course_utils.geometry.packing import (
    coherence,
    cosines,
    thomson_points,
    welch_bound,
)
from course_utils.geometry.phases import (
    crossover_probability,
    loss_antipodal,
    loss_ignoring_second,
    phase_losses,
)
from course_utils.geometry.polytopes import (
    name_groups,
    name_polytope,
    polytope_faces,
    regular_polygon,
    simplex,
    square_antiprism,
    tegum_product,
)

__all__ = [
    "coherence",
    "cosines",
    "count_represented",
    "crossover_probability",
    "dimensions_per_feature",
    "feature_dimensionality",
    "feature_norms",
    "interference",
    "interference_alone",
    "leading_loss",
    "leverage_scores",
    "loss_antipodal",
    "loss_ignoring_second",
    "name_groups",
    "name_polytope",
    "pair_loss",
    "phase_losses",
    "polytope_faces",
    "regular_polygon",
    "represented",
    "simplex",
    "square_antiprism",
    "tegum_product",
    "thomson_points",
    "welch_bound",
]

"""How feature directions share a space, and what sharing costs.

W has shape (d_hidden, n_features): column i, written W_i, is the direction that the model gives
to feature i. Leading dimensions, where there are any, are separate models.

`gram` has lengths and angles, `phases` the losses of two features in one dimension.

Source: Elhage et al., "Toy Models of Superposition" (2022).
"""

from course_utils.geometry.gram import (
    count_represented,
    feature_norms,
    interference,
    represented,
)
from course_utils.geometry.phases import (
    crossover_probability,
    loss_antipodal,
    loss_ignoring_second,
    phase_losses,
)

__all__ = [
    "count_represented",
    "crossover_probability",
    "feature_norms",
    "interference",
    "loss_antipodal",
    "loss_ignoring_second",
    "phase_losses",
    "represented",
]

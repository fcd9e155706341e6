"""Networks that see: two to look into, and ways to look.

`small_cnn` is a network that trains in seconds, `efficientnet` a published one, `handmade` one
without training. `layers` listens to units; `tuning` says what angle and radius they prefer;
`photographs` finds what drives them in real images, `visualise` makes images that do; `circuits`
switches connections off.
"""

from course_utils.vision.circuits import (
    ABLATIONS,
    Circuit,
    Trace,
    detection,
    most_needed_units,
    recovered,
)
from course_utils.vision.efficientnet import EfficientNetLite0, load_efficientnet, prepare
from course_utils.vision.handmade import (
    EDGE_ANGLES,
    TASK_KINDS,
    edge_filter,
    edge_maps,
    square_task,
    strongest,
)
from course_utils.vision.layers import activations, receptive_field
from course_utils.vision.photographs import Patches, photographs, top_patches
from course_utils.vision.small_cnn import CNNConfig, SmallCNN, accuracy_by_class, train_cnn
from course_utils.vision.tuning import (
    curve_preference,
    orientation_responses,
    preferred_angle,
    radius_responses,
    selectivity,
    shuffled_selectivity,
)
from course_utils.vision.visualise import (
    Ascent,
    Visualisation,
    best_of_random,
    unit_objective,
    visualise,
)

__all__ = [
    "ABLATIONS",
    "EDGE_ANGLES",
    "TASK_KINDS",
    "Ascent",
    "CNNConfig",
    "Circuit",
    "EfficientNetLite0",
    "Patches",
    "SmallCNN",
    "Trace",
    "Visualisation",
    "accuracy_by_class",
    "activations",
    "best_of_random",
    "curve_preference",
    "detection",
    "edge_filter",
    "edge_maps",
    "load_efficientnet",
    "most_needed_units",
    "orientation_responses",
    "photographs",
    "preferred_angle",
    "prepare",
    "radius_responses",
    "receptive_field",
    "recovered",
    "selectivity",
    "shuffled_selectivity",
    "square_task",
    "strongest",
    "top_patches",
    "train_cnn",
    "unit_objective",
    "visualise",
]

"""What a neuron is about, as far as texts of known classes can tell.

`classes` has the numbers: in how many classes a neuron is active, what that would be if labels
meant nothing, and how far it would change with other texts. `survey` puts together what a reader
needs to judge one neuron alone: those numbers, how often it is active, and texts, the strongest and
random ones. `directions` has the control that nothing marks out.

It does not matter whose activations they are: neurons, latents of a dictionary, random directions.
"""

from course_utils.neurons.classes import (
    class_means,
    class_shares,
    effective_classes,
    interval,
    shuffled,
    text_means,
)
from course_utils.neurons.detection import (
    Detectors,
    best_detectors,
    detector_difference,
    detector_interval,
    f1,
)
from course_utils.neurons.directions import random_directions
from course_utils.neurons.joining import joined_f1
from course_utils.neurons.survey import Context, Histogram, Look, Survey, histogram

__all__ = [
    "Context",
    "Detectors",
    "Histogram",
    "Look",
    "Survey",
    "best_detectors",
    "class_means",
    "class_shares",
    "detector_difference",
    "detector_interval",
    "effective_classes",
    "f1",
    "histogram",
    "interval",
    "joined_f1",
    "random_directions",
    "shuffled",
    "text_means",
]

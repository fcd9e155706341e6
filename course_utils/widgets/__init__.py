"""What moves: controls that everyone can use, and the panels. State and callbacks only; the
numerics are passed in, so that every panel can be tested without a browser.

`figures` shows a static figure, `controls` has what panels share, and each panel is a module with
the JavaScript that draws it beside it.
"""

from course_utils.widgets.circuit import CircuitPanel, CircuitView, circuit_panel
from course_utils.widgets.controls import RadioKeys, Slider
from course_utils.widgets.drag import DragPanel, drag_panel
from course_utils.widgets.figures import MIMETYPE, show
from course_utils.widgets.neurons import NeuronPanel, NeuronView, neuron_panel
from course_utils.widgets.pair_lab import pair_lab
from course_utils.widgets.polytope import (
    PolytopePanel,
    PolytopeView,
    polytope_panel,
    polytope_view,
)
from course_utils.widgets.privileged import PrivilegedPanel, PrivilegedView, privileged_panel
from course_utils.widgets.semicolons import semicolon_panel
from course_utils.widgets.steering import SteeringPanel, SteeringView, steering_panel
from course_utils.widgets.superposition import ModelView, SuperpositionPanel, superposition_panel
from course_utils.widgets.sweep import SweepPanel, SweepView, sweep_panel
from course_utils.widgets.tuning import TuningPanel, TuningView, tuning_panel
from course_utils.widgets.universality import (
    UniversalityPanel,
    UniversalityView,
    universality_panel,
)

__all__ = [
    "MIMETYPE",
    "CircuitPanel",
    "CircuitView",
    "DragPanel",
    "ModelView",
    "NeuronPanel",
    "NeuronView",
    "PolytopePanel",
    "PolytopeView",
    "PrivilegedPanel",
    "PrivilegedView",
    "RadioKeys",
    "Slider",
    "SteeringPanel",
    "SteeringView",
    "SuperpositionPanel",
    "SweepPanel",
    "SweepView",
    "TuningPanel",
    "TuningView",
    "UniversalityPanel",
    "UniversalityView",
    "circuit_panel",
    "drag_panel",
    "neuron_panel",
    "pair_lab",
    "polytope_panel",
    "polytope_view",
    "privileged_panel",
    "semicolon_panel",
    "show",
    "steering_panel",
    "superposition_panel",
    "sweep_panel",
    "tuning_panel",
    "universality_panel",
]

"""Toy models of superposition: n features squeezed through m < n dimensions and out again.

Read `model` first: the equation, the loss, the loop that trains by autograd, and the gradients by
hand. `config` says what can be asked. `fast` trains the same models several times as fast. In
`privileged` the hidden layer has neurons, in `absolute` it computes, and `motif` looks at how.

Source: Elhage et al., "Toy Models of Superposition" (2022).
"""

from course_utils.toy_models.absolute import (
    ABSOLUTE_RECIPE,
    AbsoluteNetwork,
    absolute_errors,
    exact_absolute_value,
    exact_floor,
    train_absolute,
)
from course_utils.toy_models.config import (
    FAST_RECIPE,
    PUBLISHED_RECIPE,
    Recipe,
    ToyConfig,
    importance_decay,
)
from course_utils.toy_models.fast import descend, train
from course_utils.toy_models.model import (
    Sampler,
    ToyModel,
    best_bias,
    expected_loss,
    gradients,
    importance_weighted_loss,
    initial_weights,
    linear_floor,
    reconstruct,
    train_plain,
    training_step,
)
from course_utils.toy_models.motif import additions, interference_left, lopsided_pairs
from course_utils.toy_models.privileged import (
    CAREFUL_RECIPE,
    QUICK_RECIPE,
    NeuronModels,
    features_per_neuron,
    polysemantic_share,
    reconstruct_with_neurons,
    train_neurons,
)

__all__ = [
    "ABSOLUTE_RECIPE",
    "CAREFUL_RECIPE",
    "FAST_RECIPE",
    "PUBLISHED_RECIPE",
    "QUICK_RECIPE",
    "AbsoluteNetwork",
    "NeuronModels",
    "Recipe",
    "Sampler",
    "ToyConfig",
    "ToyModel",
    "absolute_errors",
    "additions",
    "best_bias",
    "descend",
    "exact_absolute_value",
    "exact_floor",
    "expected_loss",
    "features_per_neuron",
    "gradients",
    "importance_decay",
    "importance_weighted_loss",
    "initial_weights",
    "interference_left",
    "linear_floor",
    "lopsided_pairs",
    "polysemantic_share",
    "reconstruct",
    "reconstruct_with_neurons",
    "train",
    "train_absolute",
    "train_neurons",
    "train_plain",
    "training_step",
]

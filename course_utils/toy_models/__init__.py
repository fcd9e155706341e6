"""Toy models of superposition: n features squeezed through m < n dimensions and out again.

Read `model` first: the equation, the loss, the loop that trains by autograd, and the gradients by
hand. `config` says what can be asked. `fast` trains the same models several times as fast.

Source: Elhage et al., "Toy Models of Superposition" (2022).
"""

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

__all__ = [
    "FAST_RECIPE",
    "PUBLISHED_RECIPE",
    "Recipe",
    "Sampler",
    "ToyConfig",
    "ToyModel",
    "best_bias",
    "descend",
    "expected_loss",
    "gradients",
    "importance_decay",
    "importance_weighted_loss",
    "initial_weights",
    "linear_floor",
    "reconstruct",
    "train",
    "train_plain",
    "training_step",
]

"""Checks of notebook 04. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from course_utils.checks.notebook_04_polysemanticity import (
    absolute,
    counting,
    effective,
    groups,
    model,
    neurons,
    semicolons,
    shared_neurons,
)

__all__ = [
    "absolute",
    "counting",
    "effective",
    "groups",
    "model",
    "neurons",
    "semicolons",
    "shared_neurons",
]

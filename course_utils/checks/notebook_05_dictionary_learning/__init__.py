"""Checks of notebook 05. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from course_utils.checks.notebook_05_dictionary_learning import (
    acting,
    detection,
    explained,
    forward,
    largest,
    norms,
    partners,
    pursuit,
    recovery,
    shrinkage,
)

__all__ = [
    "acting",
    "detection",
    "explained",
    "forward",
    "largest",
    "norms",
    "partners",
    "pursuit",
    "recovery",
    "shrinkage",
]

"""Checks of notebook 01: features, circuits, universality."""

from course_utils.checks.notebook_01_features_circuits_universality import (
    circuits,
    features,
    preference,
    square,
    tuning,
    universality,
)

__all__ = ["circuits", "features", "preference", "square", "tuning", "universality"]

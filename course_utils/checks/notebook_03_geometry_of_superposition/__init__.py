"""Checks of notebook 03. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from course_utils.checks.notebook_03_geometry_of_superposition import (
    dimensionality,
    packing,
    pair,
    polygons,
    solids,
    theorem,
)

__all__ = ["dimensionality", "packing", "pair", "polygons", "solids", "theorem"]

"""Checks of notebook 02. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from course_utils.checks.notebook_02_superposition import counting, model, phases, sampling
from course_utils.checks.notebook_02_superposition.reading import picture

__all__ = ["counting", "model", "phases", "picture", "sampling"]

"""Deciding between the right value and the values of known mistakes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from course_utils.checks.guard import Mistake
from course_utils.checks.words import describe


def close(value: Tensor | float, target: float, margin: float) -> bool:
    """Whether one number is within a margin that leaves room for chance."""
    return abs(float(value) - target) <= margin


def same(got: Tensor, want: Tensor | float, tolerance: float = 1e-4) -> bool:
    """Equal within an absolute and relative tolerance that float32 can meet."""
    want = torch.as_tensor(want, dtype=torch.float64)
    return got.shape == want.shape and torch.allclose(
        got.double(), want, rtol=tolerance, atol=tolerance
    )


def expect(
    got: Tensor,
    want: Tensor | float,
    *,
    tried: str,
    why: str,
    mistakes: Mapping[str, tuple[Tensor | float, str]] | None = None,
    tolerance: float = 1e-4,
) -> None:
    """Raise `Mistake` unless `got` is `want`.

    `mistakes` maps a slug to the value that the mistake gives and a message. A value that
    nobody foresaw is reported with what was tried, what was expected and why: so try inputs
    small enough to be read.
    """
    if same(got, want, tolerance):
        return
    for slug, (value, message) in (mistakes or {}).items():
        if same(got, value, tolerance):
            raise Mistake(slug, message)
    raise unforeseen(tried=tried, want=describe(want), why=why, got=describe(got))


def unforeseen(*, tried: str, want: str, why: str, got: str) -> Mistake:
    """The report on a mistake that has no name."""
    return Mistake(None, f"Tried: {tried}.\nExpected: {want}, because {why}.\nYours gave: {got}.")

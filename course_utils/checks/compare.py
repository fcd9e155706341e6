"""Deciding between the right value and the values of known mistakes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from course_utils.checks.guard import Mistake
from course_utils.checks.words import describe


def same(got: Tensor, want: Tensor, tolerance: float = 1e-4) -> bool:
    """Equal within an absolute and relative tolerance that float32 can meet."""
    return got.shape == want.shape and torch.allclose(
        got.double(), want.double(), rtol=tolerance, atol=tolerance
    )


def expect(
    got: Tensor,
    want: Tensor,
    *,
    tried: str,
    why: str,
    mistakes: Mapping[str, tuple[Tensor, str]] | None = None,
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

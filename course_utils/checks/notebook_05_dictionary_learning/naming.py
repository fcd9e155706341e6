"""One mistake may give several values: a slug for all of them, and a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake

Foreseen = Mapping[str, tuple[list[Any], str]]


def expect_named(
    got: Tensor, want: Tensor | float, *, tried: str, why: str, foreseen: Foreseen
) -> None:
    """As `expect`, with a list of values for each mistake.

    Values are tensors or numbers, of any shape. One that is the right value too does not count.
    """
    if not same(got, want):
        for slug, (values, message) in foreseen.items():
            if any(same(got, value) for value in values):
                raise Mistake(slug, message)
    expect(got, want, tried=tried, why=why)


def dividing_by_zero(call: Callable[[], Tensor], slug: str, message: str) -> Tensor:
    """What `call` returns; a `Mistake` of this name if it divides by zero or returns NaN."""
    try:
        return call()
    except Mistake as mistake:
        divides = mistake.diagnosis == "raises" and "ZeroDivisionError" in mistake.message
        if mistake.diagnosis == "not-finite" or divides:
            raise Mistake(slug, message) from None
        raise

"""What a training says while it goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from course_utils.progress_bar import progress_bar


class Progress(NamedTuple):
    """After `step` of `steps`: the figures of the last batch, in the unit of training.

    loss: the error and all penalties. l0: active latents a sample. fvu: the fraction of variance
    unexplained. dead: how many latents count as dead.
    """

    step: int
    steps: int
    loss: float
    l0: float
    fvu: float
    dead: int


Show = bool | Callable[[Progress], None]


@contextmanager
def shown(show: Show, start: int, steps: int) -> Iterator[Callable[[Progress], None]]:
    """Gives a function to be called after each step: a bar with the figures, or your own."""
    if callable(show):
        yield show
        return
    with progress_bar("Training", steps, start=start, show=show) as done:
        yield lambda now: done(
            1, f"loss {now.loss:.4g}, L0 {now.l0:.1f}, FVU {now.fvu:.3f}, dead {now.dead:,}"
        )

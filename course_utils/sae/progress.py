"""What a training says while it goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tqdm import tqdm

PERIOD = 0.25  # seconds between two pictures


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
def progress_bar(show: Show, start: int, steps: int) -> Iterator[Callable[[Progress], None]]:
    """Gives a function to be called after each step: a line of text on stderr, or your own."""
    if show is False:
        yield lambda now: None
        return
    if show is not True:
        yield show
        return
    with tqdm(desc="Training", initial=start, total=steps, unit="step") as bar:
        drawn = 0.0

        def draw(now: Progress) -> None:
            nonlocal drawn
            if now.step < steps and time.monotonic() - drawn < PERIOD:
                return
            drawn = time.monotonic()
            bar.set_postfix_str(
                f"loss {now.loss:.4g}, L0 {now.l0:.1f}, FVU {now.fvu:.3f}, dead {now.dead}",
                refresh=False,
            )
            bar.update(now.step - bar.n)

        yield draw

"""A bar for work that takes longer than a second."""

import html
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0  # seconds before a bar is shown; what is done by then needs none
PERIOD = 0.25  # seconds between two pictures of it


@contextmanager
def progress_bar(
    label: str, total: int | None, *, start: int = 0, show: bool = True
) -> Iterator[Callable[..., None]]:
    """Gives a function to be called with how many more are done.

        with progress_bar("Reading texts", len(texts)) as done:
            for text in texts:
                ...
                done(1)  # or done(1, "loss 0.31"), to say more

    In a notebook it is the browser's own bar: a few hundred bytes each time, read out by screen
    readers, and in the colours of the page. In a terminal it is a line, elsewhere nothing. When
    the work is over it says how long that took.

    Args:
        label: what is being done.
        total: how many there are; None if nobody knows.
        start: how many were done before.
        show: False shows nothing.
    """
    picture = _picture() if show else None
    began = drawn = time.monotonic()
    count, shown, more = start, False, ""

    def done(n: int, says: str = "") -> None:
        nonlocal count, drawn, shown, more
        count, more = count + n, f"; {says}" if says else ""
        now = time.monotonic()
        if picture is None or now - began < PATIENCE or now - drawn < PERIOD:
            return
        drawn, shown = now, True
        new = count - start
        left = f", {(now - began) * (total - count) / new:.0f} s left" if total and new else ""
        picture(label, count, total, f"{count:,}{f' of {total:,}' if total else ''}{left}{more}")

    try:
        yield done
    finally:
        if picture is not None and shown:
            picture(label, count, None, f"{count:,} in {time.monotonic() - began:.0f} s{more}")
            if picture is _line:
                sys.stderr.write("\n")


Picture = Callable[[str, int, int | None, str], None]


def _picture() -> Picture | None:
    """How to draw it where we are."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if hasattr(get_ipython(), "kernel"):
            return _in_notebook()
    return _line if sys.stderr.isatty() else None


def _in_notebook() -> Picture:
    from IPython.display import display

    handle = None

    def draw(label: str, count: int, total: int | None, says: str) -> None:
        nonlocal handle
        bar = f' <progress value="{count}" max="{total}"></progress>' if total else ""
        picture = {
            "text/html": f"<label>{html.escape(label)}:{bar} {says}</label>",
            "text/plain": f"{label}: {says}",
        }
        if handle is None:
            handle = display(picture, display_id=True, raw=True)
        else:
            handle.update(picture, raw=True)

    return draw


def _line(label: str, count: int, total: int | None, says: str) -> None:
    sys.stderr.write(f"\r{label}: {says}".ljust(79))
    sys.stderr.flush()

"""Run code that a learner wrote without letting it hurt the notebook.

`run` calls something in a thread of its own: it ends in time, its output is bounded, and
what it changes for everybody else (random states, the default dtype, warnings, torch's own
functions, the working directory) is put back. `Answer`, in the module beside this one, hands the
learner's function to a check.

Two things cannot be done from inside a process. A single call into C, such as
`time.sleep(1000)`, goes on in its thread until it returns to the interpreter, and so may loops
within loops that catch everything; the learner is then told to restart the kernel. And a process
that is ended from below (`os._exit`, all memory taken) is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import itertools
import os
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch

TIME_LIMIT = 5.0  # seconds for one check; an honest answer takes milliseconds
OUTPUT_LIMIT = 2_000  # characters of what the learner's code prints
PATIENCE = 1.0  # seconds for a thread to end once it has been told to

# Mistakes that the engine tells apart in any exercise, beside those of the check itself.
GENERAL_DIAGNOSES = (
    "changes-input",
    "never-ends",
    "not-a-function",
    "not-finite",
    "raises",
    "returns-a-generator",
    "returns-nothing",
    "wrong-device",
    "wrong-shape",
    "wrong-type",
)


class NotAttempted(Exception):
    """The stub is still in place."""


class Mistake(Exception):
    """The answer is wrong in a way that can be said in words.

    `diagnosis` is a short stable slug, or None for a mistake nobody foresaw.
    """

    def __init__(self, diagnosis: str | None, message: str) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis
        self.message = message


class Stopped(SystemExit):
    """Raised inside the learner's code when its time is up; `except Exception` misses it.

    A SystemExit, because a thread that ends with one ends silently.
    """

    def __init__(self) -> None:
        """Made in the learner's thread: there, the next line of a running function raises it again.

        So a loop that catches it is left from inside its `except`, in every Python.
        """
        super().__init__()
        sys.settrace(lambda *_: None)  # on, but not for functions called from now on
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != __file__:
            frame.f_trace = _stop_again
            frame = frame.f_back


def _stop_again(*_: Any) -> None:
    raise Stopped


class _Beginning(io.RawIOBase):
    """Keeps the first bytes written and drops the rest, so a million prints are harmless."""

    def __init__(self) -> None:
        self.kept = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if len(self.kept) < 4 * OUTPUT_LIMIT:  # a character has at most four bytes
            self.kept += bytes(data[: 4 * OUTPUT_LIMIT])
        return len(data)

    def text(self) -> str:
        return self.kept.decode("utf-8", "ignore")[:OUTPUT_LIMIT]


@contextlib.contextmanager
def _global_state_kept() -> Iterator[None]:
    """Put back what belongs to the whole notebook, whatever happens in between."""
    states = torch.get_rng_state(), numpy.random.get_state(), random.getstate()
    dtype, folder = torch.get_default_dtype(), os.getcwd()
    functions = {module: dict(vars(module)) for module in (torch, torch.nn.functional)}
    try:
        yield
    finally:
        for module, before in functions.items():
            for name, value in before.items():
                if vars(module).get(name) is not value:
                    setattr(module, name, value)
        torch.set_rng_state(states[0])
        numpy.random.set_state(states[1])
        random.setstate(states[2])
        torch.set_default_dtype(dtype)
        os.chdir(folder)


@contextlib.contextmanager
def _no_way_out() -> Iterator[None]:
    """Make IPython's `exit()` and `quit()` raise SystemExit instead of ending the kernel."""

    def refuse() -> None:
        raise SystemExit

    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        yield
        return
    shell.ask_exit = refuse
    try:
        yield
    finally:
        del shell.ask_exit  # the class's own is back


@dataclass(frozen=True)
class Outcome:
    """What came of a guarded call: a value or an error, and what was printed."""

    value: Any
    error: BaseException | None
    printed: str


def run(decide: Callable[[], Any], time_limit: float = TIME_LIMIT) -> Outcome:
    """Call `decide()` in a thread of its own, for at most `time_limit` seconds.

    Raises nothing: an exception of `decide` is in the outcome, and so is
    `Mistake("never-ends")` when the time was up.
    """
    value: Any = None
    error: BaseException | None = None
    over = threading.Event()

    def work() -> None:
        nonlocal value, error
        try:
            try:
                try:
                    value = decide()
                finally:
                    sys.settrace(None)  # `Stopped` may have set one
            except BaseException as caught:  # SystemExit and the like must not end the kernel
                error = caught
        finally:
            over.set()

    def work_quietly() -> None:
        # One more `Stopped` may fall between the end of the answer and that of its thread.
        with contextlib.suppress(BaseException):
            work()

    printed = _Beginning()
    stream = io.TextIOWrapper(io.BufferedWriter(printed), "utf-8", "backslashreplace", "\n")
    worker = threading.Thread(target=work_quietly, daemon=True)
    with (
        _global_state_kept(),
        _no_way_out(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        warnings.simplefilter("default")  # a warning is printed, and is no error
        warnings.showwarning = _print_warning
        worker.start()
        ended = _ended(worker)
        try:
            ended.wait(time_limit)
        finally:  # also when the learner interrupts the kernel
            late = not ended.is_set()
            if late:
                _stop(worker, ended, over)
    with contextlib.suppress(ValueError):  # the learner's code may have closed it
        stream.flush()
    if late:
        advice = "so it was stopped. Look for a loop whose end is never reached."
        if not ended.is_set():
            advice = (
                "and could not be stopped. Look for a loop whose end is never reached, or a long "
                "sleep, and change it; then restart the kernel, or it goes on in the background."
            )
        if len(printed.text()) == OUTPUT_LIMIT:
            advice += " It also prints very much, which takes time by itself."
        return Outcome(
            None,
            Mistake(
                "never-ends",
                f"Your code was still running after {time_limit:g} seconds, {advice}",
            ),
            printed.text(),
        )
    return Outcome(value, error, printed.text())


def _print_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    print(f"{category.__name__}: {message}")


def _ended(worker: threading.Thread) -> threading.Event:
    """An event for the end of a thread.

    To wait with `join` in the main thread is not safe: after an interrupt, Python before 3.13
    takes the thread that was waited for to have ended (bpo-45274).
    """
    ended = threading.Event()

    def watch() -> None:
        worker.join()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    return ended


def _stop(worker: threading.Thread, ended: threading.Event, over: threading.Event) -> None:
    """Raise `Stopped` in the thread until it ends; wait for that no longer than patience lasts.

    A loop that catches everything swallows it, but only while it is inside of its `try`: so
    it is raised often, from a thread that gets its turn quickly, and on and on if need be, until
    it falls beside. Not once the answer is `over`: it would hit the thread on its way out.
    """
    turn = sys.getswitchinterval()

    def keep_raising() -> None:
        # As a rule the first one is enough, and a second would disturb it on its way out.
        pauses = itertools.chain([0.2], itertools.repeat(0.0003, 5000), itertools.repeat(0.05))
        while not over.is_set():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(worker.ident or 0), ctypes.py_object(Stopped)
            )
            over.wait(next(pauses))

    threading.Thread(target=keep_raising, daemon=True).start()
    sys.setswitchinterval(1e-5)
    try:
        ended.wait(PATIENCE)
    finally:
        sys.setswitchinterval(turn)

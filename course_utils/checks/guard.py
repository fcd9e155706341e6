"""Run code that a learner wrote without letting it hurt the notebook.

A check calls the learner's function through `Answer`. Whatever the function does, the
check gets either a value that it can trust or one of two exceptions: `NotAttempted`
(the stub is still there) or `Mistake` (with a message for the learner).

One thing cannot be stopped from inside a process: a single call into C that never
releases the interpreter, such as `sum(range(10**15))`. Python's own interrupt has the
same limit.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import inspect
import io
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from course_utils.checks.wording import describe, explain, parameter_name

TIME_LIMIT = 5.0  # seconds for one check; an honest answer takes milliseconds
OUTPUT_LIMIT = 2_000  # characters of what the learner's code prints


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


class _Stopped(BaseException):
    """Raised inside the learner's code when its time is up; `except Exception` misses it."""


class _BoundedOutput(io.StringIO):
    """Keeps the first characters written and drops the rest, so a million prints are harmless."""

    def write(self, text: str) -> int:
        room = OUTPUT_LIMIT - self.tell()
        if room > 0:
            super().write(str(text)[:room])
        return len(text)


@contextlib.contextmanager
def _global_state_kept() -> Iterator[None]:
    """Put back random states and the default dtype, whatever happens in between."""
    states = torch.get_rng_state(), numpy.random.get_state(), random.getstate()
    dtype = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        numpy.random.set_state(states[1])
        random.setstate(states[2])
        torch.set_default_dtype(dtype)


@dataclass
class Outcome:
    """What came of a guarded call: a value or an error, and what was printed."""

    value: Any = None
    error: BaseException | None = None
    printed: str = ""


def run(decide: Callable[[], Any], time_limit: float = TIME_LIMIT) -> Outcome:
    """Call `decide()` in a thread of its own, for at most `time_limit` seconds.

    Raises nothing: an exception of `decide` is in the outcome, and so is
    `Mistake("never-ends")` when the time was up.
    """
    outcome = Outcome()

    def work() -> None:
        try:
            outcome.value = decide()
        except BaseException as error:  # SystemExit and the like must not end the kernel
            outcome.error = error

    printed = _BoundedOutput()
    worker = threading.Thread(target=work, daemon=True)
    with (
        _global_state_kept(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        worker.start()
        try:
            worker.join(time_limit)
        finally:
            stopped = worker.is_alive()
            if stopped:
                _stop(worker)
    error = outcome.error
    if stopped:
        error = Mistake(
            "never-ends",
            f"Your code was still running after {time_limit:g} seconds, so it was stopped. "
            "Look for a loop whose end is never reached.",
        )
    return Outcome(outcome.value, error, printed.getvalue())


def _stop(worker: threading.Thread) -> None:
    """Raise `_Stopped` in the thread until it ends. A thread that swallows it is left behind."""
    for _ in range(10):
        if not worker.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(worker.ident or 0), ctypes.py_object(_Stopped)
        )
        worker.join(0.1)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        # The graph is cut but a leaf stays a leaf: a training step needs its parameters.
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, torch.Generator):
        twin = torch.Generator(device=value.device)
        twin.set_state(value.get_state())
        return twin
    return copy.deepcopy(value)


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        same = before.shape == after.shape and before.dtype == after.dtype
        return not (same and torch.equal(before, after))
    return isinstance(before, (list, dict, set)) and before != after


class Answer:
    """The learner's function, safe to call from a check.

    Calling it hands over copies of the arguments, so that nothing of the check can be
    changed, and turns every misbehaviour into a `Mistake`. Raises `NotAttempted` when
    the function is still the stub.
    """

    def __init__(self, function: Any) -> None:
        if function is None or function is Ellipsis or function is NotImplemented:
            raise NotAttempted
        if not callable(function):
            raise Mistake(
                "not-a-function",
                f"The check needs your function, but got {describe(function)}. "
                "Hand over its name without brackets after it.",
            )
        self.function = function

    def __call__(self, *args: Any, may_change: tuple[int, ...] = (), **kwargs: Any) -> Any:
        """Return the function's result; arguments at the positions `may_change` are shared."""
        given = [a if i in may_change else _copied(a) for i, a in enumerate(args)]
        named = {name: _copied(value) for name, value in kwargs.items()}
        dtype = torch.get_default_dtype()
        try:
            value = self.function(*given, **named)
        except _Stopped:
            raise
        except BaseException as error:  # SystemExit too
            if isinstance(error, NotImplementedError) and not error.args:
                raise NotAttempted from None  # the stub's; torch's own come with a message
            raise Mistake("raises", explain(error)) from None
        finally:
            torch.set_default_dtype(dtype)
        if inspect.isgenerator(value) or inspect.iscoroutine(value) or inspect.isasyncgen(value):
            if inspect.iscoroutine(value):
                value.close()  # else Python warns that nobody awaited it
            raise Mistake(
                "returns-a-generator",
                f"Your function gave back {describe(value)}, not a value. "
                "Use `return` and not `yield` or `async`.",
            )
        for position, (before, after) in enumerate(zip(args, given)):
            if position not in may_change and _differs(before, after):
                name = parameter_name(self.function, position)
                raise Mistake(
                    "changes-input",
                    f"Your function changed its argument {name}. Whoever passed it in still "
                    "needs it: make a new tensor instead. Methods that end in an underscore, "
                    "`+=` and assignments like `x[...] = 0` all write in place.",
                )
        return value

    def tensor(
        self,
        *args: Any,
        shape: tuple[int, ...],
        meaning: str = "",
        may_change: tuple[int, ...] = (),
        **kwargs: Any,
    ) -> Tensor:
        """Call, and return the result as a detached float64 tensor of the given shape.

        A shape of () also admits a Python number. Raises `Mistake` for another type,
        shape or device, for integers where fractions are needed, and for NaN or infinity.
        """
        value = self(*args, may_change=may_change, **kwargs)
        return as_tensor(value, shape=shape, meaning=meaning)


def as_tensor(value: Any, *, shape: tuple[int, ...], meaning: str = "") -> Tensor:
    """`value` as a detached float64 copy of the given shape, or a `Mistake` that says why not."""
    of_what = f" ({meaning})" if meaning else ""
    if value is None:
        raise Mistake("returns-nothing", "Your function returned None. Is the `return` missing?")
    if shape == () and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = torch.tensor(float(value), dtype=torch.float64)
    if shape == () and isinstance(value, numpy.generic):
        value = torch.tensor(float(value), dtype=torch.float64)
    if not isinstance(value, Tensor):
        kind = "a number" if shape == () else "a torch tensor"
        raise Mistake("wrong-type", f"Expected {kind}{of_what}, but got {describe(value)}.")
    if value.device.type != "cpu":
        raise Mistake(
            "wrong-device",
            f"Your tensor is on the device {str(value.device)!r}. This course runs on the CPU: "
            "leave out `device=` or move it with `.cpu()`.",
        )
    if tuple(value.shape) != shape:
        raise Mistake(
            "wrong-shape",
            f"Expected the shape {shape}{of_what}, but got {tuple(value.shape)}.",
        )
    if value.is_complex() or value.dtype == torch.bool:
        raise Mistake("wrong-type", f"Expected real numbers{of_what}, but got {value.dtype}.")
    value = value.detach().to(torch.float64, copy=True)
    if not torch.isfinite(value).all():
        bad = "NaN (not a number)" if torch.isnan(value).any() else "infinity"
        raise Mistake(
            "not-finite",
            f"The result{of_what} contains {bad}. Look for a division by zero, or a square "
            "root or logarithm of something that is not positive.",
        )
    return value

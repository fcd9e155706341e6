"""The learner's function, as a check may call it without fear."""

from __future__ import annotations

import copy
import inspect
import itertools
from numbers import Real
from typing import Any

import numpy
import torch
from torch import Tensor

from course_utils.checks.guard import Mistake, NotAttempted, Stopped
from course_utils.checks.words import describe, explain


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
        try:
            value = self.function(*given, **named)
        except Stopped:
            raise
        except BaseException as error:
            if isinstance(error, NotImplementedError) and not error.args:
                raise NotAttempted from None  # the stub's; torch's own say what is not there
            raise Mistake("raises", explain(error)) from None
        if value is None:
            raise Mistake("returns-nothing", "Your function returned None. Is `return` missing?")
        if inspect.isgenerator(value) or inspect.iscoroutine(value) or inspect.isasyncgen(value):
            if not inspect.isasyncgen(value):
                value.close()
            raise Mistake(
                "returns-a-generator",
                f"Your function gave back {describe(value)}, not a value. "
                "Use `return` and not `yield` or `async`.",
            )
        for position, (before, after) in enumerate(zip(args, given)):
            if position not in may_change and _differs(before, after):
                name = _parameter_name(self.function, position)
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
        """Call, and return the result as `as_tensor` does."""
        value = self(*args, may_change=may_change, **kwargs)
        return as_tensor(value, shape=shape, meaning=meaning)


def as_tensor(value: Any, *, shape: tuple[int, ...], meaning: str = "") -> Tensor:
    """`value` as a detached float64 copy of the given shape, or a `Mistake` that says why not.

    A shape of () also admits a Python or numpy number, and only there may numbers be whole.
    Raises `Mistake` for another type, shape or device, and for NaN or infinity.
    """
    of_what = f" ({meaning})" if meaning else ""
    if shape == () and isinstance(value, numpy.ndarray) and value.ndim == 0:
        value = value[()]  # what `loss.detach().numpy()` gives
    if shape == () and isinstance(value, Real) and not isinstance(value, bool):
        try:
            value = torch.tensor(float(value), dtype=torch.float64)
        except OverflowError:
            raise Mistake("not-finite", f"The result{of_what} is beyond all bounds.") from None
    if not isinstance(value, Tensor):
        kind = "a number" if shape == () else "a torch tensor"
        raise Mistake("wrong-type", f"Expected {kind}{of_what}, but got {describe(value)}.")
    with torch._C.DisableTorchFunctionSubclass():  # a subclass may have methods of its own
        value = value.detach()
        if value.layout != torch.strided:
            raise Mistake("wrong-type", f"Expected an ordinary tensor{of_what}, not a sparse one.")
        value = value.as_subclass(Tensor)
    if value.device.type != "cpu":
        raise Mistake(
            "wrong-device",
            f"Your tensor is on the device {str(value.device)!r}. This course runs on the CPU: "
            "leave out `device=` or move it with `.cpu()`.",
        )
    if tuple(value.shape) != shape:
        wanted = f"the shape {shape}" if shape else "a single number"
        raise Mistake(
            "wrong-shape",
            f"Expected {wanted}{of_what}, but got the shape {tuple(value.shape)}.",
        )
    if value.is_complex() or value.dtype == torch.bool:
        raise Mistake("wrong-type", f"Expected real numbers{of_what}, but got {value.dtype}.")
    if shape and not value.is_floating_point():
        raise Mistake(
            "wrong-type",
            f"Your tensor has the dtype {value.dtype}, which holds whole numbers only. The result"
            f"{of_what} has fractions, which are lost: keep to floating point.",
        )
    value = value.to(torch.float64, copy=True)
    if not torch.isfinite(value).all():
        bad = "NaN (not a number)" if torch.isnan(value).any() else "infinity"
        raise Mistake(
            "not-finite",
            f"The result{of_what} contains {bad}. Look for a division by zero, or a square "
            "root or logarithm of something that is not positive.",
        )
    return value


def as_list(value: Any, wanted: str) -> list[Any]:
    """What a list, tuple, set, tensor or the like holds, or a `Mistake` that says what is wanted.

    At most its first hundred items: some iterators have no end.
    """
    try:
        if not isinstance(value, (str, bytes)):
            return list(itertools.islice(value, 100))
    except TypeError:
        pass
    raise Mistake("wrong-type", f"Expected {wanted}, but got {describe(value)}.")


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
    """Whether a copy was changed in place."""
    if isinstance(before, (Tensor, numpy.ndarray)):
        if before.shape != after.shape or before.dtype != after.dtype:
            return True
        both_nan = (before != before) & (after != after)
        return not bool(((before == after) | both_nan).all())
    if isinstance(before, (list, tuple)):
        return len(before) != len(after) or any(map(_differs, before, after))
    if isinstance(before, dict):
        return before.keys() != after.keys() or any(_differs(before[k], after[k]) for k in before)
    if isinstance(before, set):
        return before != after
    return type(before) in (bool, int, float, str) and before is not after and before != after


def _parameter_name(function: Any, position: int) -> str:
    try:
        return f"`{list(inspect.signature(function).parameters)[position]}`"
    except (TypeError, ValueError, IndexError):
        return f"number {position + 1}"

"""Values and errors in words that help a learner."""

from __future__ import annotations

import linecache
import sys
import traceback
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.guard import Stopped

SHOWN_VALUES = 16  # of a tensor; of a larger one only the shape is told
LONGEST_LINE = 120
_COURSE = str(Path(__file__).resolve().parents[1])  # course_utils


def describe(value: Any) -> str:
    """A value in a few words, whatever it is."""
    try:
        if value is None:
            return "None"
        if isinstance(value, Tensor):
            return _tensor(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"{value:.5g}"
        text = " ".join(repr(value).split())
    except Stopped:
        raise
    except BaseException:
        return f"{_kind(value)}, which cannot be printed"
    text = text if len(text) <= 80 else text[:77] + "..."
    return f"{_kind(value)} {text}"


def _kind(value: Any) -> str:
    return type(value).__name__[:80]


def _tensor(value: Tensor) -> str:
    value = value.detach()
    usual = value.dtype in (torch.float32, torch.float64, torch.int64)
    dtype = "" if usual else f" of dtype {str(value.dtype).removeprefix('torch.')}"
    if value.device.type != "cpu" or value.is_complex() or value.numel() > SHOWN_VALUES:
        return f"a tensor of shape {tuple(value.shape)}{dtype}"
    if value.ndim == 0:
        return f"{value.item():.5g}{dtype}"
    return shown(value) + dtype


def shown(value: Tensor) -> str:
    """All values of a small tensor, as nested lists."""
    if value.ndim == 0:
        return f"{value.item() + 0.0:.4g}"  # adding 0 turns -0 into 0
    return "[" + ", ".join(shown(part) for part in value) + "]"


def first_line(error: BaseException) -> str:
    """The first line of an error's text, without its full stop."""
    try:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    except Stopped:
        raise
    except BaseException:
        first = "an error whose text cannot be printed"
    return first[:300].rstrip(".: ")


def explain(error: BaseException) -> str:
    """One or two sentences on an exception in the learner's code, with its line."""
    first = first_line(error)
    line = line_of(error)
    where = f" (line `{line}`)" if line else ""
    name = type(error).__name__[:80]
    if isinstance(error, ModuleNotFoundError):
        missing = f"imports `{error.name}`, which" if error.name else "imports something that"
        return (
            f"Your code {missing} is not installed here{where}. "
            "Everything this exercise needs is imported in the notebook's first cell."
        )
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return (
            f"{first}{where}. Either it is misspelt, or an import is missing: run the "
            "notebook's first cell, or add the import."
        )
    if isinstance(error, RecursionError):
        return f"Your code ran out of room: it calls itself without an end{where}."
    if isinstance(error, MemoryError) or "can't allocate memory" in first:
        return (
            f"Your code ran out of room: it asks for more memory than there is{where}. "
            "Which shapes do its tensors have?"
        )
    if isinstance(error, TypeError) and "argument" in first and _outside(error):
        return (
            f"Your function could not be called as the exercise says: {first}. Compare its first "
            "line with the one in the exercise."
        )
    return f"Your code stopped with {name}{': ' * bool(first)}{first}{where}."


def _outside(error: BaseException) -> bool:
    """Whether the call itself failed, before any line of the learner's function."""
    frames = traceback.walk_tb(error.__traceback__)
    return not any(_is_learners(frame.f_code) for frame, _ in frames)


def _is_learners(code: CodeType) -> bool:
    """Whether code is the learner's own: not Python's, not installed, not the course's."""
    file = code.co_filename
    return not (
        "site-packages" in file
        or "dist-packages" in file
        or file.startswith((sys.base_prefix + "/lib", sys.base_prefix + "\\", "<frozen", _COURSE))
    )


def line_of(error: BaseException) -> str:
    """The learner's own line that failed, or "" when its text is not known."""
    line = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if _is_learners(frame.f_code):
            line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return line[:LONGEST_LINE].replace("`", "'")

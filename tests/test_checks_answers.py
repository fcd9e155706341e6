"""Every check against what learners write: right answers of all kinds pass, and each mistake
that it claims to know is called by its name."""

from __future__ import annotations

import ast
import importlib
import itertools
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import numpy
import pytest
import torch

from course_utils.checks import CheckResult, grade, guard, index, inputs, registry

CHECKS = registry()
WRITTEN = [
    importlib.import_module(f"answers.notebook_{number}")
    for number in sorted({f"{int(identifier.split('.')[0]):02}" for identifier in CHECKS})
]
RIGHT: dict[str, list[Any]] = {i: a for module in WRITTEN for i, a in module.RIGHT.items()}
WRONG: dict[str, list[Any]] = {i: a for module in WRITTEN for i, a in module.WRONG.items()}
PICTURES: set[str] = set().union(*(module.PICTURES for module in WRITTEN))
SLOW: list[Any] = [answer for module in WRITTEN for answer in module.SLOW]  # written with loops
DRAWN = [i for i, check in CHECKS.items() if "ignores-generator" in check.diagnoses]
ROOT = Path(__file__).resolve().parent.parent


def name(answer: Any) -> str:
    return getattr(answer, "__name__", type(answer).__name__)


def each(table: dict[str, list[Any]], wanted: Any = lambda entry: True) -> Any:
    """Parametrise over exercises and their entries."""
    cases = [(i, entry) for i, entries in table.items() for entry in entries if wanted(entry)]
    labels = []
    for number, (identifier, entry) in enumerate(cases):
        slug = f"{entry[0]}-" if isinstance(entry, tuple) else ""
        answer = entry[1] if isinstance(entry, tuple) else entry
        unnamed = f"-{number}" if "lambda" in name(answer) else ""
        labels.append(f"{identifier}-{slug}{name(answer)}{unnamed}")
    return pytest.mark.parametrize(("exercise", "entry"), cases, ids=labels)


def assert_readable(result: CheckResult) -> None:
    assert 20 < len(result.message) < 1000, result.message
    assert result.message[0].isupper() or result.message[0] in "`0123456789"
    assert result.message[-1] in ".?!)", result.message
    assert "Traceback" not in result.message


def test_every_check_has_answers_and_every_answer_a_check():
    assert set(RIGHT) == set(WRONG) == set(CHECKS)


# Right -----------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", CHECKS)
def test_what_the_library_does_passes(exercise):
    fallback = CHECKS[exercise].fallback
    result = grade(exercise, lambda *args, **kwargs: fallback(*args, **kwargs))
    assert result.status == "passed", result.message
    assert result.diagnosis is None
    assert_readable(result)


@pytest.mark.parametrize("exercise", CHECKS)
def test_the_library_itself_is_no_answer(exercise):
    assert grade(exercise, CHECKS[exercise].fallback).status == "not_attempted"


def notebook_names(exercise: str) -> dict[str, Any]:
    """What a cell of the notebook finds: the imports of its first cell, and the library's version
    of every exercise."""
    stem = index.exercise(exercise)["notebook"]
    (first, *_) = (cell.source for cell in student_notebook(stem).cells if is_code(cell))
    imports = [n for n in ast.parse(first).body if isinstance(n, (ast.Import, ast.ImportFrom))]
    names: dict[str, Any] = {}
    exec(ast.unparse(imports), names)
    for entry in index.of_notebook(stem):
        if entry["id"] in CHECKS:
            names[entry["name"]] = CHECKS[entry["id"]].fallback
    return names


def student_notebook(stem: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)


def is_code(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code"


@pytest.mark.parametrize("exercise", CHECKS)
def test_the_solution_in_the_notebook_passes(exercise):
    entry, names = index.exercise(exercise), notebook_names(exercise)
    exec(entry["solution"], names)
    assert names[entry["name"]] is not CHECKS[exercise].fallback
    result = grade(exercise, names[entry["name"]])
    assert result.status == "passed", result.message


def test_two_other_right_answers_each():
    assert all(len(answers) >= 2 for answers in RIGHT.values())


@each(RIGHT)
def test_a_right_answer_passes(exercise, entry):
    result = grade(exercise, entry)
    assert result.status == "passed", (result.diagnosis, result.message)


# The stub --------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", CHECKS)
def test_the_stub_in_the_notebook_is_not_attempted(exercise):
    entry, names = index.exercise(exercise), notebook_names(exercise)
    (source,) = (
        cell.source
        for cell in student_notebook(entry["notebook"]).cells
        if is_code(cell) and cell.metadata.get("exercise") == exercise
    )
    *stub, check_line = ast.parse(source).body
    assert "check(" in ast.unparse(check_line)
    exec(compile(ast.Module(stub, []), "stub", "exec"), names)
    assert names[entry["name"]] is not CHECKS[exercise].fallback
    result = grade(exercise, names[entry["name"]])
    assert (result.status, result.diagnosis) == ("not_attempted", None)
    assert "raise NotImplementedError" in result.message


# Wrong -----------------------------------------------------------------------------------


def test_at_least_three_mistakes_each_and_a_wrong_answer_for_each_mistake():
    for identifier, check in CHECKS.items():
        assert len(set(check.diagnoses)) == len(check.diagnoses) >= 3
        made = {slug for slug, _ in WRONG[identifier]} - {None, *guard.GENERAL_DIAGNOSES}
        assert made == set(check.diagnoses), identifier
        assert not set(check.diagnoses) & set(guard.GENERAL_DIAGNOSES)


@each(WRONG)
def test_a_wrong_answer_is_called_by_its_name(exercise, entry):
    slug, answer = entry
    result = grade(exercise, answer)
    assert (result.status, result.diagnosis) == ("failed", slug), result.message
    assert_readable(result)


@each(WRONG, lambda entry: entry[0] is None)
def test_a_mistake_without_a_name_is_shown_in_numbers(exercise, entry):
    message = grade(exercise, entry[1]).message
    if exercise in PICTURES:  # there what is expected would give the answer away
        assert message.startswith("Your `") and "` is " in message
        return
    tried, expected, got = message.split("\n")
    assert tried.startswith("Tried: ")
    assert expected.startswith("Expected: ") and ", because " in expected
    assert got.startswith("Yours gave: ")
    said = got.removeprefix("Yours gave: ")
    assert any(sign.isdigit() for sign in said)
    assert said[:-1] != expected.removeprefix("Expected: ").partition(", because")[0]


ALL_NAMED = {"4.7", "4.9"}  # every mistake has a name


def test_every_unforeseen_kind_is_tried():
    for exercise, answers in WRONG.items():
        assert any(slug is None for slug, _ in answers) != (exercise in ALL_NAMED), exercise


# Odd -------------------------------------------------------------------------------------


class NotEven(dict):
    def __getitem__(self, key):
        raise KeyError(key)


KEYS = ("not_represented", "opposite_pairs", "alone", "dimensions")  # of exercise 2.7
NAN = float("nan")
ODD = [
    *(3, -1, 10**400, NAN, 1j, True, "x", b"x", (), [], {}, ..., object(), int, print),
    *((1,), (1, 2, 3), ("a", "b"), (None, None), (1, NAN), (1, 10**400), (1j, 1j)),
    *(Fraction(10**400), Decimal("1.5"), range(10**12), itertools.repeat(1), map(str, [1, 2])),
    *(torch.zeros(0), torch.tensor(NAN), torch.ones(1, 2), torch.zeros(2, dtype=torch.bool)),
    *(torch.ones(2, 3, dtype=torch.float16), torch.zeros(2, 3).to_sparse(), torch.zeros(2, 3) * 1j),
    *(torch.zeros(2, device="meta"), torch.zeros((), device="meta"), torch.full((4000, 6), NAN)),
    *(torch.zeros(4000, 6), torch.ones(4000, 6), torch.zeros(4000, 6, dtype=torch.int32)),
    *(numpy.array(1.5), numpy.zeros((2, 3)), numpy.array([None, print])),
    *(dict.fromkeys(KEYS, v) for v in (None, 3, -7, "x", [], [NAN], [[1, [2]]], [()], [(-1, -7)])),
    *(dict.fromkeys(KEYS, v) for v in (torch.zeros(2, 2), 10**400, Fraction(10**400))),
    {"not_represented": [4], "opposite_pairs": [(-1, -7)], "alone": [2], "dimensions": 3},
    NotEven.fromkeys(KEYS, 1),
]


@pytest.mark.parametrize("exercise", CHECKS)
def test_an_odd_result_gets_a_sentence_too(exercise):
    for value in ODD:
        result = grade(exercise, lambda *args, value=value, **kwargs: value)
        assert result.status == "failed", value
        assert_readable(result)
        if not isinstance(value, NotEven):
            assert "could not make sense" not in result.message, result.message


# Luck ------------------------------------------------------------------------------------


def other_luck(monkeypatch, seed: int) -> None:
    """Other inputs, other draws from the generator and other draws beside it."""
    monkeypatch.setattr(
        inputs, "generator", lambda n: torch.Generator().manual_seed(1000 * (seed + 1) + n)
    )
    torch.manual_seed(seed)


@each(RIGHT, lambda answer: answer not in SLOW)
def test_passing_is_not_luck(exercise, entry, monkeypatch):
    for seed in range(20 if exercise in DRAWN else 5):
        other_luck(monkeypatch, seed)
        result = grade(exercise, entry)
        assert result.status == "passed", (seed, result.message)


@each({exercise: WRONG[exercise] for exercise in DRAWN})
def test_nor_is_the_name_of_a_mistake(exercise, entry, monkeypatch):
    slug, answer = entry
    for seed in range(5):
        other_luck(monkeypatch, seed)
        result = grade(exercise, answer)
        assert (result.status, result.diagnosis) == ("failed", slug), (seed, result.message)


@each({i: RIGHT[i] + WRONG[i] for i in CHECKS}, lambda entry: entry not in SLOW)
def test_the_default_dtype_changes_nothing(exercise, entry):
    slug, answer = entry if isinstance(entry, tuple) else ("", entry)
    try:
        torch.set_default_dtype(torch.float64)
        result = grade(exercise, answer)
    finally:
        torch.set_default_dtype(torch.float32)
    if slug == "":
        assert result.status == "passed", result.message
    else:
        assert (result.status, result.diagnosis) == ("failed", slug), result.message

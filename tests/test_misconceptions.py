"""Each misconception that a notebook names is refuted in it by an experiment with an assertion."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from course_utils.checks.misconceptions import MISCONCEPTIONS

ROOT = Path(__file__).parents[1]
INDEX = json.loads((ROOT / "course_utils" / "exercises.json").read_text(encoding="utf-8"))
NAMED = sorted({(e["notebook"], slug) for e in INDEX["exercises"] for slug in e["misconceptions"]})


@pytest.mark.parametrize(("notebook", "slug"), NAMED)
def test_a_named_misconception_has_its_experiment(notebook, slug):
    solved = nbformat.read(ROOT / "solutions" / f"{notebook}.ipynb", 4)
    tag = f"refutes:{slug}"
    cells = [cell for cell in solved.cells if tag in cell.metadata.get("tags", [])]
    assert cells, f"no cell of {notebook} is tagged {tag}"
    for cell in cells:
        assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))


def test_every_tag_names_a_known_misconception():
    for path in sorted((ROOT / "solutions").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            for tag in cell.metadata.get("tags", []):
                if tag.startswith("refutes:"):
                    assert tag.removeprefix("refutes:") in MISCONCEPTIONS


@pytest.mark.parametrize(
    ("notebook", "slugs"),
    [
        (
            "01_features_circuits_universality",
            {"operations-are-understanding", "universality-is-one-circuit"},
        ),
        (
            "02_superposition",
            {
                "superposition-is-a-neuron",
                "features-are-a-basis",
                "correlation-makes-superposition",
            },
        ),
        (
            "04_polysemanticity",
            {"superposition-is-a-neuron", "polysemanticity-allows-superposition"},
        ),
        (
            "05_dictionary_learning",
            {"dictionary-learning-reduces", "low-error-means-found"},
        ),
    ],
)
def test_the_rows_that_belong_to_a_notebook_are_there(notebook, slugs):
    assert slugs <= {slug for name, slug in NAMED if name == notebook}

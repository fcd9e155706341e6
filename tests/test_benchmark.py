"""The benchmark of the toy models keeps its promises. Ratios of one run, never absolute times."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.quiet


@pytest.fixture(scope="module")
def result():
    command = [sys.executable, str(ROOT / "benchmarks" / "toy_models.py"), "--quick"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_prints_the_figures(result, record_property):
    figures = (
        *("reference_seconds", "ours_seconds", "ratio", "reference_loss", "ours_loss"),
        *("same_recipe_seconds", "same_recipe_ratio"),
    )
    for key in figures:
        assert isinstance(result[key], float), key
        assert result[key] > 0, key
    for ratio, least in (("ratio", 150), ("same_recipe_ratio", 3)):
        record_property("budget", f"benchmark {ratio}: {result[ratio]:.1f}, at least {least}")
    assert result["ratio"] == pytest.approx(result["reference_seconds"] / result["ours_seconds"])
    expected = pytest.approx(result["same_recipe_seconds"] / result["ours_seconds"])
    assert result["same_recipe_ratio"] == expected


def test_the_recipe_reaches_a_lower_loss_in_far_less_time(result):
    assert result["ours_loss"] <= result["reference_loss"]
    assert result["ratio"] >= 150


def test_the_same_recipe_is_faster_by_hand(result):
    assert result["same_recipe_ratio"] >= 3
    fast, plain = result["losses_by_seed"]["ours"], result["losses_by_seed"]["same_recipe"]
    assert fast == pytest.approx(plain, rel=0.03)  # as good, though from other starts

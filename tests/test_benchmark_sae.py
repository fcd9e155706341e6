"""The benchmark of the autoencoders, on our side: SAELens is not here. Ratios, never times."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
SIZES = ("8x", "16x")
# What the whole benchmark says of every size; the last ones only with SAELens.
OURS = ("ours_seconds", "dense_product_seconds", "ours_loss", "ours_peak_mb")
THEIRS = ("saelens_seconds", "ratio", "saelens_loss", "saelens_peak_mb")


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module
    for name in ("sae", "sae_trainings"):
        sys.modules.pop(name, None)


def good():
    """A result with which all is as it should be."""
    size = dict.fromkeys((*OURS, *THEIRS), 1.0) | {"files": {"ours": 1e-6, "saelens": 1e-6}}
    return {
        "topk": {name: size | {"ratio": 8.0} for name in SIZES},
        "relu": {name: size | {"ratio": 1.5} for name in SIZES},
    }


def test_nothing_is_missed_when_all_is_as_it_should_be(module):
    assert list(module("sae").missed(good())) == []


@pytest.mark.parametrize(
    ("kind", "changed", "sentence"),
    [
        ("topk", {"ratio": 7.96}, "topk 16x: 7.96 times SAELens's speed, not 8.0"),
        ("relu", {"ratio": 1.4}, "relu 16x: 1.40 times SAELens's speed, not 1.5"),
        ("relu", {"ours_loss": 1.01}, "relu 16x: the loss is 1.01, not 1"),
        ("topk", {"ours_peak_mb": 2.0}, "topk 16x: 2 MB, not 1"),
        (
            "topk",
            {"files": {"ours": 1e-6, "saelens": 2e-5}},
            "topk 16x: the file of saelens is read differently, by 2e-05",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_said(module, kind, changed, sentence):
    result = good()
    result[kind]["16x"] |= changed
    assert list(module("sae").missed(result)) == [sentence]


def test_the_data_are_the_same_for_all_and_scaled(module):
    planted = module("sae_trainings").planted
    x = planted(1500, seed=1)
    assert x.shape == (1500, 512)
    assert x.equal(planted(1500, seed=1))
    assert not x.equal(planted(1500, seed=2))
    assert x.norm(dim=1).mean().item() == pytest.approx(512**0.5)
    assert x.mean(0).norm() > 3  # off centre, as activations are


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    command = [sys.executable, str(ROOT / "benchmarks" / "sae.py"), "--quick", "--steps", "5"]
    command += ["--without-saelens", "--cache", str(tmp_path_factory.mktemp("cache"))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.quiet
def test_it_prints_the_figures_of_our_side(result, record_property):
    for kind in ("topk", "relu"):
        found = result[kind]["8x"]
        for key in OURS:
            assert isinstance(found[key], float), key
            assert found[key] > 0, key
        products = found["ours_seconds"] / found["dense_product_seconds"]
        assert found["ours_in_products"] == pytest.approx(products)
        assert found["ours_loss"] < 512  # what x_hat = 0 has
        record_property("budget", f"{kind} step: {products:.1f} dense encoder products")
    assert result["about"]["steps"] == 5
    assert result["missed"] == []


@pytest.mark.quiet
def test_a_step_of_topk_costs_little_more_than_the_encoder_that_all_need(result):
    assert result["topk"]["8x"]["ours_in_products"] <= 4  # SAELens: about 10


def test_the_peak_of_a_process_is_its_own(module):
    """Not that of the process that started it, as Linux's getrusage says."""
    large = torch.ones(100 * 2**18)  # 100 MB
    code = "import sae_trainings; print(sae_trainings.peak_mb())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "benchmarks")},
        check=True,
    )
    here = module("sae_trainings").peak_mb()
    assert len(large) and float(done.stdout) < here - 80

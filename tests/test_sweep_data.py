"""The stored expansion sweep: whole, made as the tool makes it, and it shows what it is for."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import sweep_expansion
import torch

from course_utils.plots import SweepFigures, sweep_state
from course_utils.sae import Recipe, load_sweep
from course_utils.sae import sweep as sweep_module

COMPARED = ("recovered", "dead", "explained", "duplicated", "l0")


@pytest.fixture(scope="module")
def figures():
    return SweepFigures(**load_sweep())  # which checks that all of it belongs together


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_file_was_made_with_the_settings_of_the_tool(figures):
    written = json.loads(sweep_module.SWEEP.read_text("utf-8"))["settings"]
    settings = sweep_expansion.SETTINGS | {"series": sweep_expansion.SERIES}
    # What recipes have got since then has its default there, which changes nothing.
    written["recipe"] = asdict(Recipe(**written["recipe"]))
    assert {key: written[key] for key in settings} == json.loads(json.dumps(settings))
    assert figures.names == tuple(sweep_expansion.SERIES)
    assert figures.expansions == sweep_expansion.EXPANSIONS
    assert figures.n_seeds == 3 and figures.n_features == 128 and figures.d_in == 32
    assert figures.true_l0 == pytest.approx(128 * 0.02)
    assert sweep_module.SWEEP.stat().st_size < 300_000


def test_a_small_penalty_explains_almost_all_and_finds_almost_nothing(figures):
    series = figures.names.index("ReLU, L1 = 0.01")
    large = np.array(figures.expansions) >= 4
    assert (figures.explained[series, large] >= 0.9).all()
    assert (figures.recovered[series, large] <= 0.1).all()


@pytest.mark.parametrize("name", ["ReLU, L1 = 0.2", "TopK, k = 3"])
def test_a_sparse_code_finds_almost_all_once_there_are_latents_enough(figures, name):
    series = figures.names.index(name)
    latents = np.array(figures.expansions) * figures.d_in
    assert (figures.recovered[series, latents >= 2 * figures.n_features] >= 0.9).all()
    # A latent for each feature is not to be had with fewer latents than features.
    few = latents < figures.n_features
    assert (figures.recovered[series, few] * figures.n_features <= latents[few, None]).all()


@pytest.mark.parametrize("name", ["ReLU, L1 = 0.2", "TopK, k = 3"])
def test_what_is_larger_than_needed_wastes_latents_and_costs_more(figures, name):
    series = figures.names.index(name)
    wasted = (figures.dead + figures.duplicated)[series].mean(-1)
    at = figures.expansions.index
    assert wasted[at(4)] < 0.1 < 0.4 < wasted[at(16)]
    cost = figures.cost[series].mean(-1)
    assert cost[at(16)] > 1.5 * cost[at(1)]


def test_each_place_has_a_sentence_of_its_own(figures):
    said = {
        sweep_state(figures, series, k)["summary"]
        for series in range(len(figures.names))
        for k in range(len(figures.expansions))
    }
    assert len(said) == len(figures.names) * len(figures.expansions)


def test_training_it_again_gives_what_is_stored(figures, one_thread):
    name, expansion, seed = "TopK, k = 3", 2, figures.seed
    found = sweep_expansion.run(name, expansion, seed)
    at = figures.names.index(name), figures.expansions.index(expansion)
    stored = {part: getattr(figures, part)[(*at, seed)] for part in COMPARED}
    # The order in which a processor adds moves some latents of 64 to other features.
    room = {"recovered": 0.08, "dead": 0.02, "explained": 0.03, "duplicated": 0.02, "l0": 0.25}
    for part, value in stored.items():
        assert found[part] == pytest.approx(value, abs=room[part]), part
    np.testing.assert_allclose(
        np.quantile(found["cosines"], [0.1, 0.5, 0.9]),
        np.quantile(figures.cosines[at], [0.1, 0.5, 0.9]),
        atol=0.08,
    )


def test_without_the_file_a_sentence_says_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sweep_module, "SWEEP", tmp_path / "none.json")
    with pytest.raises(ValueError, match=r"there is no file .*; run tools/sweep_expansion\.py"):
        load_sweep()

"""Geometry: the Gram matrix, norms, and the two closed forms of the phase diagram."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils import geometry
from course_utils.features import sample_features
from course_utils.toy_models import importance_weighted_loss, reconstruct

sizes = st.tuples(st.integers(1, 4), st.integers(1, 7))
unit = st.floats(0, 1)


@given(sizes, st.integers(0, 2**32))
def test_the_gram_matrix_holds_all_dot_products(size, seed):
    W = torch.randn(*size, generator=Generator().manual_seed(seed))
    gram = geometry.interference(W)
    for i in range(size[1]):
        for j in range(size[1]):
            assert gram[i, j].item() == pytest.approx(float(W[:, i] @ W[:, j]), abs=1e-5)
    assert torch.allclose(gram.diagonal(), geometry.feature_norms(W) ** 2, atol=1e-5)
    assert torch.linalg.matrix_rank(gram) <= size[0]


def test_instances_are_kept_apart():
    W = torch.randn(3, 2, 2, 5, generator=Generator().manual_seed(0))
    assert geometry.interference(W).shape == (3, 2, 5, 5)
    assert torch.allclose(geometry.interference(W)[2, 1], geometry.interference(W[2, 1]))
    assert torch.allclose(geometry.feature_norms(W)[2, 1], geometry.feature_norms(W[2, 1]))
    assert geometry.represented(W).shape == (3, 2, 5)


def test_represented_means_longer_than_the_threshold():
    W = torch.tensor([[1.0, 0.0, 0.3, 0.0], [0.0, 0.5, 0.4, 0.0]])
    assert geometry.represented(W).tolist() == [True, False, False, False]
    assert geometry.represented(W, threshold=0.4).tolist() == [True, True, True, False]
    assert geometry.represented(W, threshold=0).tolist() == [True, True, True, False]
    for threshold in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="use 0 or more"):
            geometry.represented(W, threshold)


def test_count_represented():
    pentagon = torch.tensor([[torch.tensor(2 * torch.pi * i / 5).cos() for i in range(5)]] * 2)
    assert geometry.count_represented(torch.eye(3)) == 3
    assert geometry.count_represented(torch.zeros(2, 5)) == 0
    assert geometry.count_represented(pentagon, threshold=0.0) == 5


@pytest.mark.parametrize("p", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("r", [0.0, 0.3, 1.0])
def test_the_closed_forms_are_the_losses_of_the_models_they_name(p, r):
    x = sample_features(1_000_000, 2, p, generator=Generator().manual_seed(0)).double()
    importance = torch.tensor([1.0, r], dtype=torch.float64)

    def measured(W, b):
        W, b = torch.tensor([W], dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
        return importance_weighted_loss(x, reconstruct(x, W, b), importance).item()

    ignoring = geometry.loss_ignoring_second(p, r)
    antipodal = geometry.loss_antipodal(p, r)
    assert measured([1.0, 0.0], [0.0, p / 2]) == pytest.approx(ignoring, rel=0.04, abs=1e-9)
    assert measured([1.0, -1.0], [0.0, 0.0]) == pytest.approx(antipodal, rel=0.04)
    assert geometry.phase_losses(p, r) == (ignoring, antipodal)
    for wrong_bias in (p / 2 - 0.05, p / 2 + 0.05):
        assert measured([1.0, 0.0], [0.0, wrong_bias]) >= ignoring * 0.99


@given(st.floats(0.01, 5))
def test_the_closed_forms_cross_once_at_the_crossover(r):
    p = geometry.crossover_probability(r)
    assert 0 < p < 0.8
    assert geometry.loss_ignoring_second(p, r) == pytest.approx(geometry.loss_antipodal(p, r))
    assert geometry.loss_ignoring_second(p / 2, r) > geometry.loss_antipodal(p / 2, r)
    above = (p + 1) / 2
    assert geometry.loss_ignoring_second(above, r) < geometry.loss_antipodal(above, r)


@given(unit, unit)
def test_the_closed_forms_take_tensors_too(p, r):
    for formula in (geometry.loss_ignoring_second, geometry.loss_antipodal):
        whole = formula(torch.tensor([p, p], dtype=torch.float64), r)
        assert whole.tolist() == pytest.approx([formula(p, r)] * 2)
        assert formula(p, r) >= 0
    several = geometry.crossover_probability(torch.tensor([r], dtype=torch.float64))
    assert several.tolist() == pytest.approx([geometry.crossover_probability(r)])


def test_degenerate_cases_of_the_closed_forms():
    assert geometry.loss_ignoring_second(0.0, 1.0) == 0
    assert geometry.loss_ignoring_second(0.5, 0.0) == 0
    assert geometry.loss_antipodal(0.0, 1.0) == 0
    assert geometry.crossover_probability(0.0) == 0
    assert geometry.crossover_probability(1.0) == pytest.approx(4 / 7)


@pytest.mark.parametrize("formula", [geometry.loss_ignoring_second, geometry.loss_antipodal])
@pytest.mark.parametrize(
    ("p", "r", "advice"),
    [
        (-0.1, 1.0, "between 0 and 1"),
        (1.1, 1.0, "between 0 and 1"),
        (float("nan"), 1.0, "between 0 and 1"),
        (0.5, -1.0, "0 or more"),
        (0.5, float("nan"), "0 or more"),
    ],
)
def test_values_out_of_range_are_refused(formula, p, r, advice):
    with pytest.raises(ValueError, match=advice):
        formula(p, r)


def test_a_negative_importance_has_no_crossover():
    with pytest.raises(ValueError, match="0 or more"):
        geometry.crossover_probability(-0.5)

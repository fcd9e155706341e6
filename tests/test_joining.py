"""Several units as one detector: against trying all, and where one unit cannot do."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils.neurons import best_detectors, f1, joined_f1

FRACTIONS = (0, 0.25)


def layer(seed: int, n: int = 24, units: int = 5):
    """Activations, two classes, and which tokens choose; both classes are on both sides."""
    dice = Generator().manual_seed(seed)
    x = torch.rand(n, units, generator=dice) * (torch.rand(n, units, generator=dice) < 0.5)
    order = torch.randperm(n, generator=dice)
    return x, (torch.arange(n) % 2)[order], (torch.arange(n) // 2 % 2 == 0)[order]


def by_loops(x, classes, train, n_units):
    """F1 on the other tokens, after each unit that helps most on the train tokens."""
    found = []
    for c in range(2):
        yes, scores = torch.zeros(len(x), dtype=torch.bool), []
        for _ in range(n_units):
            tries = [
                yes | (x[:, i] > fraction * x[train, i].max())
                for fraction in FRACTIONS
                for i in range(x.shape[1])
            ]
            yes = max(tries, key=lambda says: f1(says[train], classes[train] == c))
            scores.append(f1(yes[~train], classes[~train] == c))
        found.append(scores)
    return torch.tensor(found, dtype=torch.float64).T


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_units_are_added_as_by_trying_all(seed, n_units):
    x, classes, train = layer(seed)
    found = joined_f1(lambda: [x], classes, train, n_units, FRACTIONS)
    torch.testing.assert_close(found, by_loops(x, classes, train, n_units))


@given(st.integers(0, 2**32))
def test_the_first_is_the_best_single_unit(seed):
    x, classes, train = layer(seed)
    found = joined_f1(lambda: [x], classes, train, 1, (0,))
    torch.testing.assert_close(found[0], best_detectors([x], classes, train, (0,)).f1_test)


def test_blocks_change_nothing():
    x, classes, train = layer(1, n=200, units=20)
    whole = joined_f1(lambda: [x], classes, train, 3, (0,))
    parts = joined_f1(lambda: x.split(3, dim=1), classes, train, 3, (0,))
    torch.testing.assert_close(whole, parts)


def test_a_class_of_three_parts_needs_three_units():
    """Three units, each perfect for a third of the class: recall 1/3, 2/3, 1."""
    part = torch.arange(120) % 12
    classes = (part < 3).long()
    x = torch.stack([(part == k).float() for k in range(3)], dim=1)
    found = joined_f1(lambda: [x], classes, torch.arange(120) < 60, 4)[:, 1]
    torch.testing.assert_close(found, torch.tensor([1 / 2, 4 / 5, 1, 1], dtype=torch.float64))


def test_impossible_arguments_are_refused():
    x, classes, train = layer(0)
    join = inspect.unwrap(joined_f1)  # without the check of shapes
    with pytest.raises(ValueError, match="n_units is 0; use at least 1"):
        join(lambda: [x], classes, train, 0)
    with pytest.raises(ValueError, match="use numbers from 0 to below 1"):
        join(lambda: [x], classes, train, 1, (1,))
    with pytest.raises(ValueError, match="there is no unit"):
        join(lambda: [], classes, train, 1)
    with pytest.raises(ValueError, match="class 1 has no other token"):
        join(lambda: [x], classes, train | (classes == 1), 1)

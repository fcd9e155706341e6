"""Units as detectors: F1 and the best unit against loops; intervals against what they promise."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from course_utils import neurons
from course_utils.neurons import best_detectors, detector_difference, detector_interval, f1

seeds = st.integers(0, 2**32)


def dice(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def yes(n: int, rate: float, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, generator=dice(seed)) < rate


# F1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(pairs):
    says, truth = torch.tensor(pairs, dtype=torch.bool).reshape(-1, 2).unbind(1)
    tp = sum(s and t for s, t in pairs)
    want = 0.0
    if tp:
        precision, recall = tp / sum(s for s, _ in pairs), tp / sum(t for _, t in pairs)
        want = 2 / (1 / precision + 1 / recall)
    assert f1(says, truth) == pytest.approx(want)
    assert f1(truth, says) == f1(says, truth)


def test_f1_of_a_unit_that_always_says_no_is_zero_however_rare_the_truth():
    no, truth = torch.zeros(1000, dtype=torch.bool), torch.arange(1000) == 7
    assert (no == truth).double().mean() > 0.99
    assert f1(no, truth) == f1(no, no) == 0
    assert f1(truth, truth) == 1
    assert f1(~no, truth) == pytest.approx(2 / 1001)


# The best unit


def by_loops(x, classes, train, fractions):
    """(unit, threshold, F1 on train tokens, F1 on the others) for each class."""
    found = []
    for c in range(int(classes.max()) + 1):
        best = (-1.0,)
        for unit in range(x.shape[1]):
            top = max(0.0, float(x[train, unit].max()))
            for fraction in fractions:
                says = x[:, unit] > fraction * top
                score = f1(says[train], classes[train] == c)
                if score > best[0]:
                    test = f1(says[~train], classes[~train] == c)
                    best = (score, unit, fraction * top, test)
        found.append(best)
    return found


def some(n: int, units: int, n_classes: int, seed: int):
    """Random units, some of which know something, and tokens of every class on both sides."""
    g = dice(seed)
    classes = torch.arange(n) % n_classes
    train = torch.arange(n) // n_classes % 2 == 0
    x = torch.rand(n, units, generator=g, dtype=torch.float64) - 0.3
    return x + (classes[:, None] == torch.arange(units)) * torch.rand(units, generator=g), (
        classes,
        train,
    )


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), seeds)
def test_the_best_unit_is_found_as_by_trying_all(units, n_classes, width, seed):
    x, (classes, train) = some(6 * n_classes + 3, units, n_classes, seed)
    fractions = (0, 0.2, 0.5)
    found = best_detectors(x.split(width, dim=1), classes, train, fractions)
    for c, (score, unit, threshold, test) in enumerate(by_loops(x, classes, train, fractions)):
        assert int(found.unit[c]) == unit
        assert float(found.threshold[c]) == pytest.approx(threshold)
        assert float(found.f1_train[c]) == pytest.approx(score)
        assert float(found.f1_test[c]) == pytest.approx(test)


@pytest.mark.parametrize("width", [1, 7, 50])
@pytest.mark.parametrize("rows", [1, 10, 2048])
def test_blocks_and_chunks_change_nothing(width, rows, monkeypatch):
    x, labels = some(64, 50, 4, seed=3)
    x = x.float()
    x[:, 20] = x[:, 2]  # as good: the first of the two is taken
    whole = best_detectors([x], *labels)
    monkeypatch.setattr("course_utils.neurons.detection.ROWS", rows)
    parts = best_detectors((block for block in x.split(width, dim=1)), *labels)
    assert 20 not in whole.unit.tolist()
    for name in ("unit", "threshold", "f1_train", "f1_test"):
        assert torch.equal(getattr(whole, name), getattr(parts, name)), name


def test_only_train_tokens_choose():
    x, (classes, train) = some(60, 8, 3, seed=1)
    before = best_detectors([x], classes, train)
    x[~train] = 100 * torch.rand(30, 8, generator=dice(), dtype=torch.float64)
    after = best_detectors([x], classes, train)
    for name in ("unit", "threshold", "f1_train"):
        assert torch.equal(getattr(before, name), getattr(after, name))


def test_the_best_of_many_units_that_know_nothing_looks_good_only_where_it_was_chosen():
    classes = (torch.arange(400) % 20).clamp_max(1)  # one token in 20 is of class 0
    train = torch.arange(400) < 200
    x = torch.rand(400, 2000, generator=dice()) * (torch.rand(400, 2000, generator=dice(1)) < 0.1)
    found = best_detectors(x.split(500, dim=1), classes, train)
    assert found.f1_train[0] > 0.3
    assert found.f1_test[0] < 0.2


def test_a_perfect_detector_is_seen_and_its_threshold_is_an_activation():
    classes = torch.arange(40) % 4
    x = torch.rand(40, 3, generator=dice())
    x[:, 1] = 0.38 * (classes == 2) + 0.12
    found = best_detectors([x], classes, torch.arange(40) < 20)
    assert int(found.unit[2]) == 1
    assert float(found.f1_train[2]) == float(found.f1_test[2]) == 1
    assert float(found.threshold[2]) == pytest.approx(0.3 * 0.5)  # 0.1, 0.2 of the largest say more


def test_units_that_are_never_above_zero_detect_nothing():
    classes, train = torch.arange(12) % 2, torch.arange(12) < 6
    found = best_detectors([torch.zeros(12, 2), -torch.ones(12, 2)], classes, train)
    assert found.f1_train.tolist() == found.f1_test.tolist() == [0, 0]


# The interval


@given(seeds)
def test_the_interval_is_of_f1_over_texts_drawn_again(seed):
    """One text with everything right, one with nothing: as many of each as chance gives."""
    text = torch.tensor([4, 4, 4, 9, 9])
    truth = torch.tensor([True, True, False, True, False])
    says = torch.tensor([True, True, False, False, True])
    low, high = detector_interval(says, truth, text, n=400, generator=dice(seed))
    # Twice the first, once each, twice the second: each of four draws has one of these.
    assert (low, high) == pytest.approx((f1(says[3:], truth[3:]), f1(says[:3], truth[:3])))
    low, high = detector_interval(says, truth, text, n=400, level=0.2, generator=dice(seed))
    assert low == high == pytest.approx(f1(says, truth))


def test_alike_tokens_of_a_text_make_it_wider():
    """Ten tokens of a text that are all the same say no more than one."""
    truth, says = yes(60, 0.5), yes(60, 0.5) ^ yes(60, 0.2, 1)
    alone = detector_interval(says, truth, torch.arange(60), generator=dice())
    truth, says = truth.repeat_interleave(10), says.repeat_interleave(10)
    texts = detector_interval(says, truth, torch.arange(60).repeat_interleave(10), generator=dice())
    tokens = detector_interval(says, truth, torch.arange(600), generator=dice())
    assert texts == pytest.approx(alone)
    assert tokens[1] - tokens[0] < 0.5 * (texts[1] - texts[0])


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # Of what is true half is seen, and a tenth of what is not: TP 0.1, FP 0.08, FN 0.1.
    want, covered = 0.2 / 0.38, 0
    for seed in range(0, 300, 3):
        truth = yes(400, 0.2, seed)
        says = torch.where(truth, yes(400, 0.5, seed + 1), yes(400, 0.1, seed + 2))
        low, high = detector_interval(says, truth, torch.arange(400), n=200, generator=dice(seed))
        covered += low <= want <= high
    assert covered >= 88  # 95 of 100, less about three standard errors


def test_degenerate_intervals():
    no, text = torch.zeros(6, dtype=torch.bool), torch.arange(6)
    assert detector_interval(no, no, text, generator=dice()) == (0, 0)
    truth = yes(6, 0.5)
    low, high = detector_interval(~no, truth, 0 * text, generator=dice())
    assert low == high == pytest.approx(f1(~no, truth))


def test_a_difference_on_the_same_texts_shows_what_two_intervals_hide():
    """Of two detectors one finds a little more in every text, and texts differ much."""
    text = torch.arange(40).repeat_interleave(20)
    truth = torch.arange(800) % 20 < 10
    found = text % 10  # so many of a text's ten
    first, second = ((torch.arange(800) % 20 < found + more) & truth for more in (1, 0))
    a, b = (detector_interval(says, truth, text, generator=dice()) for says in (first, second))
    low, high = detector_difference(first, second, truth, text, generator=dice())
    assert b[1] > a[0] and 0 < low < high < 0.2
    assert detector_difference(second, first, truth, text, generator=dice()) == pytest.approx(
        (-high, -low)
    )
    assert detector_difference(first, first, truth, text, generator=dice()) == (0, 0)


def test_the_generator_decides_and_the_global_state_is_left_alone():
    truth, says, before = yes(50, 0.4), yes(50, 0.4, 1), torch.get_rng_state()
    first, again, other = (
        detector_interval(says, truth, torch.arange(50), generator=dice(k)) for k in (1, 1, 2)
    )
    assert first == again != other
    assert torch.equal(before, torch.get_rng_state())


# What is refused


def test_impossible_arguments_are_refused():
    x, (classes, train) = some(20, 3, 2, seed=0)
    best = inspect.unwrap(best_detectors)  # without the check of shapes
    for fractions in ((), (0.5, 1), (-0.1,), (float("nan"),)):
        with pytest.raises(ValueError, match="use numbers from 0 to below 1"):
            best([x], classes, train, fractions)
    for blocks in ([], [x[:, :0]]):
        with pytest.raises(ValueError, match="there is no unit"):
            best(blocks, classes, train)
    with pytest.raises(ValueError, match="a block has 19 rows; 20 tokens"):
        best([x[1:]], classes, train)
    for side in (train | (classes == 1), train & (classes == 0)):
        with pytest.raises(ValueError, match=r"class 1 has no (train|other) token"):
            best([x], classes, side)
    with pytest.raises(ValueError, match="there is no other token"):
        best([x], classes, train | True)
    with pytest.raises(ValueError, match="count classes from 0"):
        best([x], classes - 1, train)
    interval = inspect.unwrap(neurons.detector_interval)
    with pytest.raises(ValueError, match="there is no token"):
        interval(train[:0], train[:0], classes[:0])
    with pytest.raises(ValueError, match="n is 0"):
        interval(train, train, classes, n=0)
    for level in (0.0, 1.0, 95):
        with pytest.raises(ValueError, match=r"such as 0\.95"):
            interval(train, train, classes, level=level)

"""The small CNN and its circuits: switching off, held against hooks on the running network."""

import copy
import math

import pytest
import torch
from torch import Generator

from course_utils import stimuli
from course_utils.vision.circuits import (
    ABLATIONS,
    Circuit,
    Trace,
    detection,
    most_needed_units,
    recovered,
)
from course_utils.vision.small_cnn import CNNConfig, SmallCNN, accuracy_by_class, train_cnn

pytestmark = pytest.mark.together("trained circuits")
each_ablation = pytest.mark.parametrize("ablation", ABLATIONS)


def shapes(n, seed, **rest):
    return stimuli.sample_shapes(n, generator=Generator().manual_seed(seed), **rest)


@pytest.fixture(scope="module")
def small():
    """An untrained network and its trace: what is switched off does not ask what was learned."""
    model = SmallCNN(CNNConfig(channels=(3, 4), kernels=(3, 5)), seed=1)
    model.requires_grad_(False)
    for weight in (model.conv1.weight, model.conv2.weight, model.fc.weight):
        weight.mul_(5)
    model.conv1.bias.fill_(0.5)  # so that no unit is silent, and each one makes a difference
    images, labels = shapes(12, 0, size=12)
    return model, images, Trace(model, images, labels, seed=3)


@pytest.fixture(scope="module")
def trained():
    """As the notebook trains it, on a third of the images and in half of the steps."""
    return train_cnn(*shapes(2000, 0), seed=0, n_steps=200)


# The network


def test_training_finds_the_shapes_and_an_untrained_network_does_not(trained):
    images, labels = shapes(600, 1)
    assert accuracy_by_class(trained(images), labels).mean() > 0.93
    untrained = accuracy_by_class(SmallCNN(seed=0)(images).detach(), labels)
    assert untrained.mean() < 0.35


def test_the_seed_decides_on_everything():
    data = shapes(40, 0, size=12)
    config = CNNConfig(channels=(2, 3))
    first, again, other = (train_cnn(*data, config, seed=s, n_steps=3) for s in (5, 5, 6))
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    train_cnn(*data, config, seed=5, n_steps=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(first.conv2.weight, again.conv2.weight)
    assert not torch.allclose(first.conv2.weight, other.conv2.weight, atol=1e-3)


def test_accuracy_is_counted_class_by_class():
    logits = torch.eye(3)[[0, 0, 1, 2, 1]]
    accuracy = accuracy_by_class(logits, torch.tensor([0, 1, 1, 1, 1]))
    assert accuracy[:2].tolist() == [1, 0.5] and math.isnan(accuracy[2])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_classes": 1}, "at least 2"),
        ({"channels": (0, 4)}, "at least one unit"),
        ({"kernels": (4, 7)}, "odd"),
    ],
)
def test_a_config_out_of_range_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        CNNConfig(**change)


def test_training_refuses_what_it_cannot_learn_from():
    images, labels = shapes(6, 0, size=12)
    with pytest.raises(ValueError, match="use 0 to n_classes - 1, which is 1"):
        train_cnn(images, labels, CNNConfig(n_classes=2), n_steps=1)
    with pytest.raises(ValueError, match="at least one of each"):
        train_cnn(images[:0], labels[:0])
    with pytest.raises(ValueError, match="n_steps is 0"):
        train_cnn(images, labels, n_steps=0)


# Switching off


def test_with_everything_on_it_is_the_network(small):
    model, images, trace = small
    for ablation in ABLATIONS:
        logits = trace.logits(Circuit.of_units(model), ablation)
        assert torch.allclose(logits, model(images), atol=1e-5)


def replaced(maps, unit, ablation, other):
    """The maps of a layer with one unit's replaced."""
    maps = maps.clone()
    maps[:, unit] = {
        "zero": torch.zeros_like(maps[:, unit]),
        "mean": maps[:, unit].mean(0).expand_as(maps[:, unit]),
        "resample": maps[other, unit],
    }[ablation]
    return maps


@each_ablation
@pytest.mark.parametrize("unit", range(3))
def test_a_unit_of_conv1_is_switched_off_as_by_a_hook(small, ablation, unit):
    """A hook on what conv2 gets, so after the pooling."""
    model, images, trace = small
    hook = model.conv2.register_forward_pre_hook(
        lambda _, given: (replaced(given[0], unit, ablation, trace.other),)
    )
    try:
        wanted = model(images)
    finally:
        hook.remove()
    off = Circuit.of_units(model).without([("conv1", unit)])
    assert torch.allclose(trace.logits(off, ablation), wanted, atol=1e-5)
    assert not torch.allclose(wanted, model(images), atol=1e-3)
    others = [i for i in range(3) if i != unit]
    same = Circuit.of_units(model, conv1=others)
    assert torch.allclose(trace.logits(same, ablation), wanted, atol=1e-5)


@each_ablation
def test_a_unit_of_conv2_is_switched_off_as_by_a_hook(small, ablation):
    model, images, trace = small
    hook = model.fc.register_forward_pre_hook(
        lambda _, given: (replaced(given[0], 2, ablation, trace.other),)
    )
    try:
        wanted = model(images)
    finally:
        hook.remove()
    off = Circuit.of_units(model).without([("conv2", 2)])
    assert torch.allclose(trace.logits(off, ablation), wanted, atol=1e-5)
    same = Circuit.of_units(model, conv2=[0, 1, 3])
    assert torch.allclose(trace.logits(same, ablation), wanted, atol=1e-5)


def test_one_connection_at_zero_is_a_weight_at_zero(small):
    model, images, trace = small
    changed = copy.deepcopy(model)
    changed.conv2.weight[3, 1] = 0
    changed.fc.weight[5, 2] = 0
    off = Circuit.of_units(model).without(
        connections=[("conv1", 1, 3), ("conv2", 2, 5)],
    )
    assert torch.allclose(trace.logits(off, "zero"), changed(images), atol=1e-5)


@each_ablation
def test_with_everything_off_nothing_of_the_image_comes_through(small, ablation):
    model, _, trace = small
    logits = trace.logits(~Circuit.of_units(model), ablation)
    wanted = {
        "zero": model.fc.bias.expand_as(logits),
        "mean": (model.fc(trace.fired).mean(0)).expand_as(logits),
        "resample": model.fc(trace.fired)[trace.other],
    }[ablation]
    assert torch.allclose(logits, wanted, atol=1e-5)


def test_a_circuit_and_the_rest_share_no_connection_and_miss_none(small):
    model, _, _ = small
    part = Circuit.of_units(model, conv1=[0, 2], conv2=[1])
    for name in ("conv2", "fc"):
        assert (getattr(part, name) ^ getattr(~part, name)).all()
    assert part.conv2.nonzero().tolist() == [[1, 0], [1, 2]]
    assert part.fc.sum(0).tolist() == [0, 6, 0, 0]
    assert Circuit.of_units(model).conv2.all()  # switching off makes a new circuit
    with pytest.raises(ValueError, match="conv2 has no unit 4; use 0 to 3"):
        Circuit.of_units(model, conv2=[4])


def test_an_unknown_ablation_is_refused(small):
    model, _, trace = small
    with pytest.raises(ValueError, match="use one of zero, mean, resample"):
        trace.logits(Circuit.of_units(model), "noise")


def test_strengths_add_up_to_what_the_units_get(small):
    model, images, trace = small
    found = trace.strengths()
    peak = trace.total.amax((2, 3)).mean(0)
    assert torch.allclose(found["conv1"].sum(1) + model.conv2.bias, peak, atol=1e-5)
    assert torch.allclose(found["conv2"].sum(1) + model.fc.bias, model(images).mean(0), atol=1e-5)


# Scores


def test_detection_is_blind_to_how_many_targets_there_are():
    labels = torch.tensor([0] * 10 + [1] * 90)
    always, never = torch.tensor([[1.0, 0.0]] * 100), torch.tensor([[0.0, 1.0]] * 100)
    right = torch.nn.functional.one_hot(labels).float()
    half = right.clone()
    half[:5] = torch.tensor([0.0, 1.0])  # misses half of the targets
    assert [detection(x, labels, 0) for x in (always, never, right)] == [0.5, 0.5, 1.0]
    assert detection(half, labels, 0) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="one kind alone"):
        detection(right[:10], labels[:10], 0)


def test_recovered_is_one_for_the_whole_and_zero_for_nothing():
    assert recovered(0.98, 0.98, 0.5) == 1
    assert recovered(0.5, 0.98, 0.5) == 0
    assert recovered(0.74, 0.98, 0.5) == pytest.approx(0.5)
    assert math.isnan(recovered(0.5, 0.5, 0.5))


def test_the_search_finds_the_only_units_that_matter():
    """A class that hears two units alone: they come first, whatever the others do."""
    model = SmallCNN(CNNConfig(n_classes=2, channels=(3, 6)), seed=0).requires_grad_(False)
    images, _ = shapes(80, 0, size=12)
    model.fc.weight.zero_()
    model.fc.weight[1, [4, 1]] = torch.tensor([5.0, 2.0])
    fired = Trace(model, images, torch.zeros(80, dtype=torch.long)).fired
    score = fired @ model.fc.weight[1]
    model.fc.bias.copy_(torch.tensor([float(score.median()), 0.0]))
    trace = Trace(model, images, (score > score.median()).long())
    for ablation in ("mean", "resample"):
        assert set(most_needed_units(trace, 1, ablation)[:2]) == {4, 1}


def test_the_circuit_of_a_trained_network_beats_random_ones_of_its_size(trained):
    trace = Trace(trained, *shapes(300, 1))
    held_out = Trace(trained, *shapes(300, 2))

    def score(circuit):
        return detection(held_out.logits(circuit), held_out.labels, 0)

    whole, nothing = (score(c) for c in (Circuit.of_units(trained), ~Circuit.of_units(trained)))
    circuit = Circuit.of_units(trained, conv2=most_needed_units(trace, 0)[:8])
    inside, outside = (recovered(score(c), whole, nothing) for c in (circuit, ~circuit))
    generator = Generator().manual_seed(0)
    random = [
        Circuit.of_units(trained, conv2=torch.randperm(16, generator=generator)[:8].tolist())
        for _ in range(20)
    ]
    as_faithful = sum(recovered(score(c), whole, nothing) >= inside for c in random)
    as_complete = sum(recovered(score(~c), whole, nothing) <= outside for c in random)
    assert as_faithful <= 1 and as_complete <= 1
    assert inside > 0.6 > 0.3 > outside

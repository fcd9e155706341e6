"""Feature visualisation: against networks whose favourite image is known, and its controls."""

import numpy as np
import pytest
import torch
from torch import Generator, nn

from course_utils.vision.efficientnet import load_efficientnet, prepare
from course_utils.vision.photographs import photographs
from course_utils.vision.small_cnn import SmallCNN
from course_utils.vision.visualise import (
    Ascent,
    as_image,
    best_of_random,
    colour_mixing,
    unit_objective,
    visualise,
)

PLAIN = {"fourier": False, "colours": False, "jitter": 0}
seeded = Generator().manual_seed


class Filters(nn.Module):
    """Two linear units that see 5 x 5 pixels: noise of weights, and its negative; then a ReLU."""

    def __init__(self, channels=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2, 5, bias=False)
        weight = torch.randn(1, channels, 5, 5, generator=seeded(3))
        self.conv.weight.data = torch.cat([weight, -weight])
        self.relu = nn.ReLU6()
        self.requires_grad_(False)
        self.hooks = {"conv": self.conv, "relu": self.relu}
        self.shown = 0

    def forward(self, x):
        self.shown += len(x)
        return self.relu(self.conv(x))


def random_numbers(config, channels, n, seed=0):
    size = config.size
    shape = (size, size // 2 + 1, 2) if config.fourier else (size, size)
    return torch.randn(n, channels, *shape, generator=seeded(seed))


# The objective


def test_the_objective_is_the_unit_in_the_middle_or_the_mean_of_its_map():
    model, images = Filters(), torch.rand(3, 1, 11, 11, generator=seeded(0))
    maps = model.conv(images).detach()[:, 1]  # 7 x 7
    for layer in ("conv", "relu"):  # before the ReLU6 alike
        middle = unit_objective(model, layer, 1)(images)
        assert torch.allclose(middle, maps[:, 3, 3])
        mean = unit_objective(model, layer, 1, at="mean")(images)
        assert torch.allclose(mean, maps.mean((1, 2)), atol=1e-6)
    doubled = unit_objective(model, "conv", 1, prepare=lambda x: 2 * x)(images)
    assert torch.allclose(doubled, 2 * maps[:, 3, 3])


# The ascent


@pytest.mark.parametrize("fourier", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_linear_unit_gets_white_where_its_weight_is_positive_and_black_elsewhere(
    channels, fourier
):
    model = Filters(channels)
    config = Ascent(size=5, n_steps=150, rate=0.2, jitter=0, fourier=fourier, colours=False)
    weight = model.conv.weight.data[0]
    for unit, sign in ((0, 1), (1, -1)):
        found = visualise(model, "relu", unit, config)
        assert found.image.shape == (channels, 5, 5)
        strong = weight.abs() > 0.3
        assert bool(((found.image > 0.5) == (sign * weight > 0))[strong].all())
        most = float((sign * weight).clamp_min(0).sum())  # what no image from 0 to 1 exceeds
        assert 0.9 * most < found.value < most


def test_pixels_that_the_unit_does_not_see_stay_as_they_were():
    config = Ascent(size=15, n_steps=60, **PLAIN)
    image = visualise(Filters(), "conv", 0, config).image[0]
    outside = torch.ones(15, 15, dtype=torch.bool)
    outside[5:10, 5:10] = False  # the 5 x 5 pixels in the middle
    assert (image[outside] - 0.5).abs().max() < 0.15
    assert (image[5:10, 5:10] - 0.5).abs().mean() > 0.3


def test_the_value_is_that_of_the_image_without_shifts():
    config = Ascent(size=15, n_steps=40, jitter=5)
    model = Filters()
    for found in (visualise(model, "conv", 0, config), best_of_random(model, "conv", 0, config)):
        assert found.image.min() >= 0 and found.image.max() <= 1
        assert found.value == pytest.approx(float(model.conv(found.image[None])[0, 0, 5, 5]))
        assert found.history.shape == (40,) and not found.image.requires_grad


def test_shifts_make_an_image_that_still_works_when_shifted():
    """Over all shifts that the ascent makes, it is better on average than one made without."""
    model = Filters()
    means = []
    for jitter in (0, 2):
        image = visualise(model, "conv", 0, Ascent(size=15, n_steps=200, jitter=jitter)).image
        shifted = [image.roll((i, j), (1, 2)) for i in range(-2, 3) for j in range(-2, 3)]
        means.append(float(model.conv(torch.stack(shifted))[:, 0, 5, 5].mean().detach()))
    assert means[1] > means[0]


def test_the_seed_decides_and_the_global_state_is_left_alone():
    model, state = Filters(), torch.get_rng_state()
    config = Ascent(size=15, n_steps=10)
    images = [visualise(model, "conv", 0, config, seed=s).image for s in (0, 0, 1)]
    assert torch.equal(images[0], images[1]) and not torch.equal(images[0], images[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_unit_that_a_rectification_silences_or_saturates_is_driven_too():
    model = Filters()
    model.conv.bias = nn.Parameter(torch.tensor([-50.0, 50.0]))
    for unit in (0, 1):
        found = visualise(model, "relu", unit, Ascent(size=9, n_steps=60, jitter=0))
        assert found.value > found.history[0] + 1


def test_a_unit_that_is_never_driven_leaves_the_image_grey():
    model = Filters()
    model.conv.weight.data.zero_()
    found = visualise(model, "conv", 0, Ascent(size=9, n_steps=20))
    assert found.value == 0 and (found.image - 0.5).abs().max() < 0.2


def test_the_model_is_left_as_it_was():
    model = SmallCNN().train()
    visualise(model, "conv2", 3, Ascent(size=16, n_steps=3))
    best_of_random(model, "conv2", 3, Ascent(size=16, n_steps=3))
    assert model.training
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("at", ["centre", "mean"])
@pytest.mark.parametrize("layer", ["stem", "block2"])
def test_ascent_beats_as_many_random_images_in_the_published_network(layer, at):
    """And in the untrained one as well: an image that is found does not show what was learned."""
    config = Ascent(size=33, n_steps=48, at=at, jitter=0)
    for trained in (True, False):
        model = load_efficientnet(trained=trained)
        for unit in (3, 7):
            found = visualise(model, layer, unit, config, prepare=prepare)
            best = best_of_random(model, layer, unit, config, prepare=prepare)
            assert found.value > best.value
            assert found.image.shape == (3, 33, 33)


# The control


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_random_images_are_as_many_as_steps_and_the_best_is_returned(batch_size):
    config = Ascent(size=15, n_steps=20)
    model = Filters()
    found = best_of_random(model, "conv", 0, config, batch_size=batch_size)
    assert model.shown == 20
    assert found.value == pytest.approx(float(found.history.max()))
    assert found.value == pytest.approx(float(unit_objective(model, "conv", 0)(found.image[None])))
    model.shown = 0
    visualise(model, "conv", 0, config)
    assert model.shown == 20 + 1  # the last one is for the value


def test_more_random_images_are_never_worse():
    few, many = (
        best_of_random(Filters(), "conv", 0, Ascent(size=9, n_steps=n), batch_size=5).value
        for n in (10, 200)
    )
    assert many >= few


# How images are made


@pytest.mark.parametrize("size", [64, 65])
@pytest.mark.parametrize("channels", [1, 3])
def test_random_numbers_give_waves_as_strong_as_they_are_long_in_all_directions(size, channels):
    """By another Fourier transform: power times squared frequency is the same everywhere."""
    config = Ascent(size=size, colours=False)
    z = as_image(random_numbers(config, channels, 200), config).logit()
    assert z.var() == pytest.approx(1, abs=0.15)
    power = (np.abs(np.fft.fft2(z.double().numpy())) ** 2).mean((0, 1))
    f = np.fft.fftfreq(size)
    frequency = np.hypot(f[:, None], f)
    flat = (power * frequency**2)[frequency > 0]
    for part in (frequency < 0.1, frequency > 0.5, np.abs(f)[:, None] < np.abs(f),
                 np.abs(f)[:, None] > np.abs(f), (f == 0) & (frequency > 0)):  # fmt: skip
        chosen = (power * frequency**2)[part & (frequency > 0)]
        assert chosen.mean() == pytest.approx(flat.mean(), rel=0.15)


def test_plain_pixels_are_the_sigmoid_of_the_numbers():
    config = Ascent(size=6, **PLAIN)
    numbers = random_numbers(config, 3, 2)
    assert torch.allclose(as_image(numbers, config), 1 / (1 + (-numbers).exp()))


def test_random_colours_vary_together_as_those_of_photographs():
    """By numpy, from the photographs themselves; a scale is left free."""
    coloured = [im for im in photographs(128).values() if not torch.equal(im[0], im[1])]
    assert len(coloured) == 8
    C = sum(np.cov(im.flatten(1).double().numpy()) for im in coloured)
    for config in (Ascent(size=24), Ascent(size=24, fourier=False)):
        z = as_image(random_numbers(config, 3, 3000), config).logit()
        found = np.cov(z.transpose(0, 1).flatten(1).double().numpy())
        assert np.allclose(found / np.trace(found), C / np.trace(C), atol=0.02)


def test_the_axes_of_colour_are_brightness_first_and_then_two_between_colours():
    M = colour_mixing()
    assert torch.equal(M.norm(dim=0).sort(descending=True).indices, torch.arange(3))
    assert (M.T @ M - (M.T @ M).diag().diag()).abs().max() < 1e-5  # at right angles
    assert float((M**2).sum()) == pytest.approx(3)
    brightness = M[:, 0] / M[:, 0].norm()
    assert float(brightness.sum() / 3**0.5) > 0.95
    assert all(column.min() < 0 < column.max() for column in M.T[1:])


def test_grey_images_do_not_ask_for_colours():
    config = Ascent(size=8)
    numbers = random_numbers(config, 1, 2)
    assert torch.equal(as_image(numbers, config), as_image(numbers, Ascent(size=8, colours=False)))


# Refusals


@pytest.mark.parametrize(
    "wrong", [{"size": 1}, {"n_steps": 0}, {"rate": 0.0}, {"rate": float("nan")}, {"jitter": -1}]
)
def test_refusals_of_numbers(wrong):
    with pytest.raises(ValueError, match="use at least 2, 1, a rate above 0"):
        Ascent(**wrong)


def test_refusals_of_names():
    with pytest.raises(ValueError, match='use "centre" or "mean"'):
        Ascent(at="everywhere")
    for find in (visualise, best_of_random):
        with pytest.raises(ValueError, match='"conv" has 0 to 1'):
            find(Filters(), "conv", 2, Ascent(size=9, n_steps=2))
        with pytest.raises(ValueError, match="use one of conv, relu"):
            find(Filters(), "fc", 0, Ascent(size=9, n_steps=2))

"""Photographs from the packages, and where in them a unit is driven most, by search and by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Generator, nn
from torch.nn import functional as F

from course_utils.vision.efficientnet import STAGES, load_efficientnet, prepare
from course_utils.vision.photographs import drive, photographs, receptive_pixels, top_patches
from course_utils.vision.small_cnn import CNNConfig, SmallCNN

ROOT = Path(__file__).resolve().parent.parent
GREY = {"brick", "camera", "coins", "grass", "gravel", "moon"}
seeded = Generator().manual_seed


@pytest.fixture(scope="module")
def pictures():
    return photographs()


@pytest.fixture(scope="module")
def untrained():
    return load_efficientnet(trained=False)


class Corner(nn.Module):
    """One unit, 1 where the image goes from black to white in a 3 x 3 square; nothing is padded."""

    def __init__(self, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, stride=stride, bias=False)
        self.conv.weight.data = torch.tensor([[[[1.0, 0, -1], [0, 0, 0], [-1, 0, 1]]]])
        self.relu = nn.ReLU(inplace=True)
        self.hooks = {"conv": self.conv, "relu": self.relu}

    def forward(self, x):
        return self.relu(self.conv(x))


# The photographs


def test_photographs_are_rgb_from_0_to_1_and_grey_ones_have_equal_channels(pictures):
    assert len(pictures) == 14
    for name, image in pictures.items():
        assert image.shape[0] == 3 and 300 <= min(image.shape[1:]) <= max(image.shape[1:]) <= 741
        assert image.min() >= 0 and 0.7 < image.max() <= 1
        assert bool((image[0] == image[1]).all() and (image[1] == image[2]).all()) == (name in GREY)


def test_photographs_are_the_right_way_up_and_their_colours_in_order(pictures):
    """The sky above the temple is brighter than what is below; the coffee table is red."""
    china = pictures["china"]
    assert china[:, :60].mean() > china[:, -60:].mean() + 0.2
    red, _, blue = pictures["coffee"].mean((1, 2))
    assert red > blue + 0.2


def test_a_size_gives_the_square_in_the_middle(pictures):
    small = photographs(64)
    stack = torch.stack(list(small.values()))
    assert stack.shape == (14, 3, 64, 64) and stack.min() >= 0 and stack.max() <= 1
    # camera is 512 pixels square: eight by eight become one; the filter looks a little further
    blocks = F.avg_pool2d(pictures["camera"], 8)
    assert (small["camera"] - blocks).abs().mean() < 0.03
    # china is wider than high: what is left of the square must not show
    wide = pictures["china"]
    left = (wide.shape[2] - wide.shape[1]) // 2
    square = wide[:, :, left : left + wide.shape[1]]
    assert (small["china"].mean((1, 2)) - square.mean((1, 2))).abs().max() < 0.01
    with pytest.raises(ValueError, match="use at least 1 pixel"):
        photographs(0)


def test_photographs_need_no_network():
    code = "from course_utils.vision.photographs import photographs; print(len(photographs()))"
    paths = [str(ROOT / "tests" / "network_block"), str(ROOT)]
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.strip() == "14", found.stderr


# Drive


def test_drive_is_the_output_or_what_enters_a_relu():
    """Also where the ReLU overwrites its input."""
    model, images = Corner(), torch.rand(2, 1, 6, 7, generator=seeded(0))
    kernel = model.conv.weight.data
    expected = F.conv2d(images, kernel)
    assert (expected < 0).any()
    for layer in ("conv", "relu"):
        found = drive(model, layer, images)
        model(images)
        assert torch.allclose(found, expected)


def test_layers_after_it_do_not_run_and_no_hook_stays(untrained):
    later = []
    hook = untrained.blocks[2].register_forward_hook(lambda *_: later.append(1))
    for layer in ("stem", "block1.expand", "block1"):
        drive(untrained, layer, torch.rand(1, 3, 33, 33))
    assert not later
    hook.remove()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in untrained.modules())
    with pytest.raises(ValueError, match="use one of stem, block0"):
        drive(untrained, "block99", torch.rand(1, 3, 33, 33))


# Receptive fields


def by_kernels_and_strides():
    """(layer, reach, stride) of each layer of EfficientNet-Lite0, added up along the way."""
    reach, stride = 3, 2
    found, i = [("stem", reach, stride)], 0
    for kernel, first, _, _, repeats in STAGES:
        for repeat in range(repeats):
            if i:
                found.append((f"block{i}.expand", reach, stride))
            reach += (kernel - 1) * stride
            stride *= 1 if repeat else first
            found.append((f"block{i}", reach, stride))
            i += 1
    return [*found, ("head", reach, stride)]


@pytest.mark.parametrize(("layer", "reach", "stride"), by_kernels_and_strides())
def test_the_reach_is_what_kernel_sizes_and_strides_say(untrained, layer, reach, stride):
    field = receptive_pixels(untrained, layer, 97, share=1.0, prepare=prepare)
    assert (field.reach, field.size, field.stride) == (reach, reach, stride)
    assert field.centre == 0  # images of 1 + 32 k pixels are padded evenly


@pytest.mark.parametrize("length", [300, 301, 384, 427, 481])
@pytest.mark.parametrize("layer", ["stem", "block1", "block3"])
def test_the_place_is_right_for_every_length_however_it_is_padded(untrained, layer, length):
    """Against a changed pixel: the unit sees its first and its last one, and none beyond."""
    field = receptive_pixels(untrained, layer, length, share=1.0, prepare=prepare)
    i = 5
    start = int(field.start(torch.tensor(i)))
    noise = torch.rand(1, 3, 65, length, generator=seeded(0))
    before = drive(untrained, layer, prepare(noise))[0, :, :, i]
    for column in (start - 1, start, start + field.reach - 1, start + field.reach):
        changed = noise.clone()
        changed[..., column] = 1 - changed[..., column]
        after = drive(untrained, layer, prepare(changed))[0, :, :, i]
        seen = 0 <= column - start < field.reach
        assert bool((after != before).any()) == seen, column


@pytest.mark.parametrize("kernels", [(5, 7), (3, 3)])
def test_pooling_counts_too(kernels):
    model = SmallCNN(CNNConfig(kernels=kernels))
    first, second = kernels
    field = receptive_pixels(model, "conv2", 32, share=1.0)
    assert (field.reach, field.stride) == (first + 1 + 2 * (second - 1), 2)
    assert field.centre == 0.5  # unit 0 looks between the first two pixels
    field = receptive_pixels(model, "conv1", 33, share=1.0)
    assert (field.reach, field.stride, field.centre) == (first, 1, 0)


def test_the_part_that_matters_of_a_planted_field():
    """Weights that fall off as a Gaussian: 95 % of their squares are within 1.96 deviations."""
    model = Corner()
    model.conv = nn.Conv2d(1, 1, (1, 61), bias=False)
    at = torch.arange(61) - 30.0
    sd = 8.0
    model.conv.weight.data = (-(at**2) / (4 * sd**2)).exp()[None, None, None]
    model.hooks = {"conv": model.conv}
    field = receptive_pixels(model, "conv", share=0.95)
    assert field.reach == 61
    assert field.size == pytest.approx(2 * 1.96 * sd, abs=2)
    smaller = receptive_pixels(model, "conv", share=0.5)
    assert smaller.size == pytest.approx(2 * 0.674 * sd, abs=2)
    assert smaller.centre == field.centre == 30


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ({"share": 0.0}, "a share above 0"),
        ({"share": 1.1}, "a share above 0"),
        ({"length": 0}, "at least 1 for the others"),
        ({"n_probes": 0}, "at least 1 for the others"),
    ],
)
def test_refusals_of_a_field(rest, said):
    with pytest.raises(ValueError, match=said):
        receptive_pixels(Corner(), "conv", **rest)


def test_a_layer_that_sees_nothing_is_refused():
    model = Corner()
    model.conv.weight.data.zero_()
    with pytest.raises(ValueError, match="reach more than 2048 pixels, or none"):
        receptive_pixels(model, "conv")


# Patches


@pytest.mark.parametrize("stride", [1, 2])
def test_patches_are_the_ones_that_a_search_of_every_square_finds(stride):
    model = Corner(stride)
    images = {n: torch.rand(1, h, w, generator=seeded(h)) for n, h, w in
              (("a", 12, 9), ("b", 7, 20), ("c", 3, 3))}  # fmt: skip
    squares = [
        (float((image[0, i : i + 3, j : j + 3] * model.conv.weight.data[0, 0]).sum()), name, i, j)
        for name, image in images.items()
        for i in range(0, image.shape[1] - 2, stride)
        for j in range(0, image.shape[2] - 2, stride)
    ]
    expected = []
    for value, name, i, j in sorted(squares, reverse=True):
        same = [e for e in expected if e[1] == name]
        if len(same) < 2 and all(abs(e[2] - i) >= 3 or abs(e[3] - j) >= 3 for e in same):
            expected.append((value, name, i, j))
    found = top_patches(model, "relu", 0, images, k=9)
    assert len(expected) == 5 == len(found.values)  # there are no more
    assert found.values.tolist() == pytest.approx([e[0] for e in expected], abs=1e-6)
    assert list(found.names) == [e[1] for e in expected]
    assert found.corners.tolist() == [[e[2], e[3]] for e in expected]
    for patch, (_, name, i, j) in zip(found.images, expected):
        assert torch.equal(patch, images[name][:, i : i + 3, j : j + 3])


def test_near_duplicates_do_not_fill_the_list():
    """A texture of the pattern everywhere, and one example of it elsewhere, weaker."""
    pattern = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 0, 1]])
    faint = torch.zeros(1, 9, 9)
    faint[0, 3:6, 3:6] = 0.6 * pattern
    images = {"texture": pattern.tile(5, 5)[None], "faint": faint}
    names = top_patches(Corner(), "relu", 0, images, k=3).names
    assert names == ("texture", "texture", "faint")
    assert top_patches(Corner(), "relu", 0, images, k=3, per_image=5).names == ("texture",) * 3


def test_the_patch_drives_the_unit_as_much_when_it_is_alone(untrained, pictures):
    """Where all pixels are shown that the unit sees, nothing else matters, padding neither."""
    some = {name: pictures[name] for name in ("chelsea", "coins", "flower")}
    for layer in ("stem", "block1", "block3"):
        found = top_patches(untrained, layer, 2, some, k=4, share=1.0, prepare=prepare)
        side = found.images.shape[-1]
        field = receptive_pixels(untrained, layer, 129, share=1.0, prepare=prepare)
        assert side == field.reach
        alone = torch.rand(4, 3, 129, 129, generator=seeded(0))
        i = 64 // field.stride
        start = int(field.start(torch.tensor(i)))
        alone[:, :, start : start + side, start : start + side] = found.images
        values = drive(untrained, layer, prepare(alone))[:, 2, i, i]
        assert torch.allclose(values, found.values, rtol=1e-3, atol=1e-4)


def test_several_units_at_once_and_a_side_of_ones_own(untrained, pictures):
    some = {name: pictures[name] for name in ("chelsea", "coins")}
    together = top_patches(untrained, "block2", [3, 1], some, k=3, side=40, prepare=prepare)
    assert list(together) == [3, 1]
    for unit, patches in together.items():
        alone = top_patches(untrained, "block2", unit, some, k=3, side=40, prepare=prepare)
        assert alone.images.shape == (3, 3, 40, 40)
        assert torch.equal(alone.images, patches.images) and alone.names == patches.names


@pytest.mark.parametrize(
    ("units", "rest", "said"),
    [
        (1, {}, "has 0 to 0"),
        ([], {}, "at least one unit"),
        (0, {"k": 0}, "at least 1"),
        (0, {"per_image": 0}, "at least 1"),
        (0, {"side": 0}, "at least 1"),
        (0, {"side": 13}, "no image has room for 13 x 13"),
    ],
)
def test_refusals_of_patches(units, rest, said):
    with pytest.raises(ValueError, match=said):
        top_patches(Corner(), "relu", units, {"a": torch.rand(1, 12, 12)}, **rest)

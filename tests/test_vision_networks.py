"""The published network, and the one made by hand."""

import pytest
import skimage.data
import torch
from torch import Generator
from torch.nn import functional as F

from course_utils import assets, stimuli, vision

ESPRESSO, EGYPTIAN_CAT = 967, 285  # of ImageNet's classes


@pytest.fixture(scope="module")
def published():
    if assets.state("efficientnet-lite0") != "ready":  # `course.py test` fetches it
        assets.fetch("efficientnet-lite0")
    return vision.load_efficientnet()


def square_crop(image):
    picture = torch.tensor(image).permute(2, 0, 1)[None].float() / 255
    side = min(picture.shape[2:])
    top, left = ((extent - side) // 2 for extent in picture.shape[2:])
    picture = picture[:, :, top : top + side, left : left + side]
    return F.interpolate(picture, (224, 224), mode="bicubic", antialias=True).clamp(0, 1)


@pytest.mark.parametrize(("name", "label"), [("chelsea", EGYPTIAN_CAT), ("coffee", ESPRESSO)])
def test_the_published_network_recognises_photographs(published, name, label):
    picture = vision.prepare(square_crop(getattr(skimage.data, name)()))
    assert published(picture).argmax().item() == label
    untrained = vision.load_efficientnet(trained=False)(picture).softmax(1)
    assert untrained[0, label] < 0.1


def test_untrained_networks_differ_by_seed_and_leave_the_global_state_alone():
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    stems = [
        vision.load_efficientnet(trained=False, seed=seed).conv_stem.weight for seed in (0, 0, 1)
    ]
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(stems[0], stems[1]) and not torch.allclose(stems[0], stems[2])


def test_the_names_of_layers_are_in_the_order_of_computing(published):
    names = list(published.hooks)
    assert names[:4] == ["stem", "block0", "block1.expand", "block1"] and names[-1] == "head"
    image = torch.rand(1, 3, 64, 64, generator=Generator().manual_seed(0))
    found = vision.activations(published, vision.prepare(image), names)
    assert [found[n].shape[1] for n in ("stem", "block5.expand", "block5", "head")] == [
        32, 240, 80, 1280,
    ]  # fmt: skip
    for name, maps in found.items():
        bounded = name in ("stem", "head") or name.endswith("expand")  # by ReLU6
        assert bounded == (0 <= maps.min() and maps.max() <= 6), name


def test_images_are_scaled_as_the_network_was_trained():
    grey = torch.tensor([0.0, 127 / 255, 1.0]).reshape(3, 1, 1, 1)
    ready = vision.prepare(grey)
    assert ready.shape == (3, 3, 1, 1)
    assert torch.allclose(ready[:, 0, 0, 0], torch.tensor([-127 / 128, 0, 1.0]))
    with pytest.raises(ValueError, match="2 channels; use 1"):
        vision.prepare(torch.zeros(1, 2, 4, 4))


# By hand


@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_an_edge_filter_answers_its_edge_most(angle):
    angles = torch.arange(0, 360, 15)
    weights = vision.edge_filter(float(angle))
    answers = F.conv2d(stimuli.edge(angles, size=5) - 0.5, weights[None, None]).flatten()
    assert angles[answers.argmax()] == angle
    assert answers.max() == pytest.approx(0.5, abs=0.05)  # half of the contrast
    assert weights.sum().item() == pytest.approx(0, abs=1e-6)


def test_each_map_shows_one_side_of_a_square():
    square = stimuli.shape("square", radius=6.0, polarity=1.0)
    above, left, below, right = vision.edge_maps(square)[0]
    rows, columns = torch.arange(32.0)[:, None], torch.arange(32.0)
    # White above an edge: the lower rim of the lines at the top and at the bottom.
    for maps, axis in ((above, rows), (below, 31 - rows), (left, columns), (right, 31 - columns)):
        assert (maps * axis).sum() / maps.sum() > 15.5 + 0.5


def test_square_task_is_the_same_whatever_the_default_dtype_is():
    usual = vision.square_task(70, generator=Generator().manual_seed(0))
    torch.set_default_dtype(torch.float64)
    try:
        other = vision.square_task(70, generator=Generator().manual_seed(0))
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(map(torch.allclose, usual, other))
    assert other[0].dtype == torch.float32


def test_square_task_has_every_kind_whole_and_in_all_places():
    images, kinds = vision.square_task(700, noise=0.0, generator=Generator().manual_seed(0))
    assert torch.bincount(kinds).tolist() == [100] * len(vision.TASK_KINDS)
    ink = (images - 0.5).abs()
    assert (ink[:, :, [0, -1]].amax((1, 2, 3)) == 0).all()
    assert (ink[:, :, :, [0, -1]].amax((1, 2, 3)) == 0).all()
    rows = torch.arange(32.0)[:, None]
    middle = (ink[:, 0] * rows).sum((1, 2)) / ink.sum((1, 2, 3))
    assert middle.min() < 11 and middle.max() > 20
    again = vision.square_task(700, noise=0.0, generator=Generator().manual_seed(0))
    assert torch.equal(images, again[0]) and torch.equal(kinds, again[1])


def test_a_unit_made_by_hand_tells_squares_and_one_that_counts_edges_does_not():
    images, kinds = vision.square_task(700, generator=Generator().manual_seed(0))
    maps = vision.edge_maps(images)
    placed = torch.zeros(4, 19, 19)
    side = slice(3, 16)
    for rows in (15, 16, 17):
        placed[0, rows, side] = placed[1, side, rows] = 1
        placed[2, 18 - rows, side] = placed[3, side, 18 - rows] = 1

    def worst(weights):
        """The worst class at the best threshold."""
        answers = vision.strongest(maps, weights)
        said = answers[:, None] > torch.linspace(0, float(answers.max()), 400)
        right = said == (kinds == 0)[:, None]
        return torch.stack([right[kinds == k].float().mean(0) for k in range(7)]).amin(0).max()

    assert worst(placed) > 0.95
    assert worst(torch.ones(4, 19, 19)) < 0.6
    assert (vision.strongest(maps, placed, -1e3) == 0).all()

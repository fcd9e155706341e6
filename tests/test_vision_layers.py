"""What units do, and where they look: against a network that is written out by hand."""

import pytest
import torch
from torch import Generator, nn

from course_utils import stimuli
from course_utils.vision.efficientnet import load_efficientnet, prepare
from course_utils.vision.layers import activations, receptive_field

LAYERS = ["first", "second", "third"]
REDUCTIONS = ["everywhere", "centre", "max", "mean"]
seeded = Generator().manual_seed


class Three(nn.Module):
    """Three layers that count how often they run."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.first, self.second = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 4, 3, stride=2)
        self.third = nn.Tanh()
        self.hooks = {"first": self.first, "second": self.second, "third": self.third}
        self.runs = dict.fromkeys(self.hooks, 0)

    def forward(self, x):
        for name, layer in (("first", self.first), ("second", self.second), ("third", self.third)):
            self.runs[name] += 1
            x = layer(x)
        return x


def by_hand(model, images):
    """All three layers, with nothing hooked."""
    first = model.first(images)
    second = model.second(first)
    return {"first": first, "second": second, "third": second.tanh()}


@pytest.fixture
def model():
    return Three()


@pytest.fixture
def images():
    return torch.rand(7, 1, 12, 9, generator=seeded(1))  # maps of 10 x 7 and 4 x 3


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
@pytest.mark.parametrize("layers", [LAYERS, ["third", "first"], ["second"]])
def test_activations_are_what_the_layers_compute_in_the_order_of_the_images(
    model, images, layers, batch_size
):
    found = activations(model, images, layers, batch_size=batch_size)
    expected = by_hand(model, images)
    assert list(found) == layers
    for name in layers:
        assert torch.allclose(found[name], expected[name], atol=1e-6)
        assert not found[name].requires_grad


def test_each_reduction_of_a_map(model, images):
    maps = by_hand(model, images)["first"]
    found = {at: activations(model, images, ["first"], at=at)["first"] for at in REDUCTIONS}
    for image in range(7):
        for unit in range(3):
            values = maps[image, unit].flatten().tolist()
            assert found["max"][image, unit].item() == pytest.approx(max(values))
            assert found["mean"][image, unit].item() == pytest.approx(sum(values) / 70, abs=1e-6)
            # 10 rows have no middle one: the lower of the two; of 7 columns it is the fourth
            assert found["centre"][image, unit].item() == pytest.approx(values[5 * 7 + 3])


def test_layers_after_the_last_one_asked_for_do_not_run(model, images):
    activations(model, images, ["second"], batch_size=2)
    assert model.runs == {"first": 4, "second": 4, "third": 0}
    activations(model, images, ["third", "first"], batch_size=7)
    assert model.runs == {"first": 5, "second": 5, "third": 1}


@pytest.mark.parametrize("look", [activations, receptive_field])
def test_the_model_is_left_as_it_was(model, images, look):
    """Also after a failure on the way: no hook stays, no gradient is left, training goes on."""
    names = ["second"] if look is activations else "second"
    look(model, images, names)
    with pytest.raises(RuntimeError):
        look(model, images[:, :, :2, :2], names)  # too small for the filters
    for module in model.modules():
        assert not module._forward_hooks
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    model(images).sum().backward()
    assert images.grad is None and not images.requires_grad
    assert model.first.weight.grad is not None


def test_one_module_under_two_names(model, images):
    model.hooks["again"] = model.first
    found = activations(model, images, ["first", "again"])
    assert torch.equal(found["first"], found["again"])


def test_what_was_kept_does_not_change_later(images):
    """A rectification that works in place must not reach what was kept before it."""

    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift, self.rectify = nn.Identity(), nn.ReLU(inplace=True)
            self.hooks = {"before": self.shift, "after": self.rectify}

        def forward(self, x):
            return self.rectify(self.shift(x - 0.5))

    for at, reduced in (("everywhere", images), ("centre", images[..., 6, 4])):
        found = activations(InPlace(), images, ["before", "after"], at=at)
        assert torch.allclose(found["before"], reduced - 0.5)
        assert torch.allclose(found["after"], (reduced - 0.5).relu())


@pytest.mark.parametrize(
    ("layers", "rest", "said"),
    [
        (["fourth"], {}, "use some of first, second, third"),
        (["first", "fourth"], {}, "use some of"),
        ([], {}, "use some of"),
        (["first"], {"at": "middle"}, "use one of everywhere, centre, max, mean"),
    ],
)
def test_refusals(model, images, layers, rest, said):
    with pytest.raises(ValueError, match=said):
        activations(model, images, layers, **rest)
    assert not model.first._forward_hooks


# Where units look


class Spot(nn.Module):
    """One unit, the sum of the image under a Gaussian; its place is known."""

    def __init__(self, x, y, sd, size):
        super().__init__()
        at = torch.arange(size) - (size - 1) / 2
        w = (-((at - x) ** 2 + (-at[:, None] - y) ** 2) / (2 * sd**2)).exp()
        self.out = nn.Conv2d(1, 1, size, bias=False)
        self.out.weight.data = w[None, None]
        self.hooks = {"spot": self.out}

    def forward(self, images):
        return self.out(images)


@pytest.mark.parametrize(("x", "y", "sd"), [(0.0, 0.0, 3.0), (-7.0, 4.5, 2.0), (10.0, -3.0, 4.0)])
def test_a_planted_receptive_field_is_found(x, y, sd):
    """The square of a Gaussian is narrower by the root of 2."""
    for images in (torch.zeros(1, 1, 61, 61), torch.rand(3, 1, 61, 61, generator=seeded(0))):
        centre, spread = receptive_field(Spot(x, y, sd, 61), images, "spot")
        assert centre.tolist() == pytest.approx([x, y], abs=0.02)
        assert spread == pytest.approx(sd / 2**0.5, rel=0.02)


def test_the_receptive_field_is_where_a_changed_pixel_changes_the_units(model):
    """Without gradients: the three by three layers see 5 x 5 pixels, around a known place."""
    images = torch.rand(1, 1, 13, 13, generator=seeded(2))
    before = activations(model, images, ["second"], at="centre")["second"]
    w = torch.zeros(13, 13)
    for row in range(13):
        for column in range(13):
            changed = images.clone()
            changed[0, 0, row, column] += 1
            after = activations(model, changed, ["second"], at="centre")["second"]
            w[row, column] = (after - before).square().sum()
    assert int((w > 1e-9).sum()) == 25
    x = torch.arange(13) - 6.0
    expected = [float((w.sum(0) * x).sum() / w.sum()), float(-(w.sum(1) * x).sum() / w.sum())]
    centre, _ = receptive_field(model, images, "second", n_probes=400, generator=seeded(0))
    assert centre.tolist() == pytest.approx(expected, abs=0.05)


def test_a_unit_sees_a_dot_best_that_is_drawn_where_it_looks():
    """The two conventions of places agree: x to the right, y upwards."""
    model = Spot(-8.0, 5.0, 2.0, 41)
    centre, _ = receptive_field(model, torch.zeros(1, 1, 41, 41), "spot")
    places = torch.tensor([[-8.0, 5.0], [8.0, 5.0], [-8.0, -5.0], [5.0, -8.0], [0.0, 0.0]])
    dots = stimuli.bar(0.0, size=41, length=3.0, width=3.0, centre=places)
    seen = activations(model, dots, ["spot"], at="centre")["spot"].flatten()
    nearest = (places - centre).norm(dim=1).argmin()
    assert seen.argmax() == nearest == 0


def test_the_middle_unit_of_a_padded_network_looks_at_the_middle_of_images_of_1_plus_32_k():
    """In even sizes the padding is uneven, and the middle unit is right and below the middle.

    Asked of what has any influence, not of how much: so the weights do not matter.
    """
    net = load_efficientnet(trained=False)
    for layer, stride in {"stem": 2, "block1": 4, "block3": 8}.items():
        for size, off in ((97, 0.0), (128, stride - 0.5)):
            images = torch.rand(1, 1, size, size, generator=seeded(0), requires_grad=True)
            kept = []
            hook = net.hooks[layer].register_forward_hook(lambda *call, k=kept: k.append(call[2]))
            net(prepare(images))
            hook.remove()
            middle = kept[0].shape[-1] // 2
            kept[0][0, :, middle, middle].square().sum().backward()
            rows, columns = images.grad[0, 0].abs().nonzero().T
            assert rows.min() > 0 and columns.min() > 0  # else it sees all that there is
            assert (columns.min() + columns.max()) / 2 - (size - 1) / 2 == off
            assert (rows.min() + rows.max()) / 2 - (size - 1) / 2 == off


def test_refusals_of_the_receptive_field(model, images):
    with pytest.raises(ValueError, match="use one of first, second, third"):
        receptive_field(model, images, "fourth")
    with pytest.raises(ValueError, match="at least 1 probe"):
        receptive_field(model, images, "first", n_probes=0)
    model.second.weight.data.zero_()
    with pytest.raises(ValueError, match="no pixel has any influence"):
        receptive_field(model, images, "second")

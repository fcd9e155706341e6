"""Tuning: curves of known form have the selectivity on paper; planted filters are found again."""

import inspect
import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, nn

from course_utils import stimuli
from course_utils.vision import tuning
from course_utils.vision.efficientnet import load_efficientnet, prepare
from course_utils.vision.layers import activations
from course_utils.vision.tuning import preferred_angle, selectivity, shuffled_selectivity

seeds = st.integers(0, 2**32)
periods = st.sampled_from([180.0, 360.0])
each_period = pytest.mark.parametrize("period", [180.0, 360.0])
measures = pytest.mark.parametrize("measure", [selectivity, preferred_angle, shuffled_selectivity])


def spread(n, period=180.0):
    return torch.arange(n, dtype=torch.float64) * period / n


def random_responses(seed, *shape):
    return torch.rand(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def apart(a, b, period=180.0):
    """The largest distance between angles, the short way round."""
    difference = torch.as_tensor(a - b)
    return float(((difference + period / 2) % period - period / 2).abs().max())


# Curves of known form


@given(st.integers(3, 40), periods, st.floats(0, 1), st.floats(-400, 400), st.floats(1e-3, 1e6))
def test_a_cosine_on_a_pedestal(n, period, m, preferred, height):
    """Its selectivity is half the modulation, and the preference lies between shown angles."""
    angles = spread(n, period)
    curve = height * (1 + m * (2 * math.pi * (angles - preferred) / period).cos())
    curve = curve.relu()[:, None]  # 1 + cos(180 degrees) may come out a little below 0
    assert selectivity(curve, angles, period=period).item() == pytest.approx(m / 2, abs=1e-6)
    if m > 1e-3:
        found = preferred_angle(curve, angles, period=period)
        assert apart(found, preferred, period) < 1e-4
        assert 0 <= found.item() < period + 1e-9


@each_period
@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (lambda a: a.cos().relu(), math.pi / 4),  # a rectified linear unit: half of a cosine
        (lambda a: a.cos().relu() ** 2, 8 / (3 * math.pi)),
        (lambda a: (2 * a.cos()).exp(), 1.5906368546 / 2.2795853023),  # von Mises: I_1(2) / I_0(2)
        (lambda a: (a.cos() > 0.999999).double(), 1.0),  # one angle only
        (lambda a: (2 * a).cos() + 1, 0.0),  # two opposite peaks cancel
    ],
    ids=["half cosine", "its square", "von Mises", "one angle", "two peaks"],
)
def test_selectivities_known_on_paper(curve, expected, period):
    angles = spread(360, period)
    responses = curve(2 * math.pi * (angles - angles[70]) / period)[:, None]
    found = selectivity(responses, angles, period=period)
    assert found.item() == pytest.approx(expected, abs=2e-4)


@given(st.integers(3, 30), st.integers(1, 4), periods, seeds)
def test_the_definition_one_unit_at_a_time(n, units, period, seed):
    responses, angles = random_responses(seed, n, units), spread(n, period)
    found = selectivity(responses, angles, period=period)
    preferred = preferred_angle(responses, angles, period=period)
    for unit in range(units):
        r = responses[:, unit].tolist()
        a = [math.radians(angle) * 360 / period for angle in angles.tolist()]
        x = sum(rk * math.cos(ak) for rk, ak in zip(r, a)) / sum(r)
        y = sum(rk * math.sin(ak) for rk, ak in zip(r, a)) / sum(r)
        assert found[unit].item() == pytest.approx(math.hypot(x, y), abs=1e-12)
        if math.hypot(x, y) > 1e-3:
            expected = math.degrees(math.atan2(y, x)) * period / 360
            assert apart(preferred[unit], expected, period) < 1e-6


# What must not matter, and what must


@given(st.integers(3, 30), periods, st.floats(-720, 720), seeds)
def test_turning_the_stimuli_turns_the_preference_and_nothing_else(n, period, turn, seed):
    responses, angles = random_responses(seed, n, 3), spread(n, period)
    turned = angles + turn
    before = selectivity(responses, angles, period=period)
    after = selectivity(responses, turned, period=period)
    assert torch.allclose(before, after, atol=1e-9)
    clear = before > 1e-3
    a = preferred_angle(responses, angles, period=period)[clear]
    b = preferred_angle(responses, turned, period=period)[clear]
    assert not clear.any() or apart(b, a + turn, period) < 1e-5


@given(st.integers(3, 30), periods, st.floats(-30, 30), seeds)
def test_the_scale_of_the_responses_does_not_matter(n, period, exponent, seed):
    responses, angles = random_responses(seed, n, 3) + 0.01, spread(n, period)
    for measure in (selectivity, preferred_angle):
        before = measure(responses, angles, period=period)
        after = measure(10**exponent * responses, angles, period=period)
        assert torch.allclose(before, after, atol=1e-9, equal_nan=True)


def test_responses_near_the_largest_float_do_not_overflow():
    huge = torch.tensor([3e38, 3e38, 0.0, 0.0])[:, None]
    assert selectivity(huge, spread(4)).item() == pytest.approx(math.sqrt(0.5))
    assert selectivity(huge / 3e38 * 1e-44, spread(4)).item() == pytest.approx(math.sqrt(0.5))


@given(st.integers(3, 20), st.floats(0.1, 10), seeds)
def test_a_constant_response_on_top_lowers_the_selectivity_and_keeps_the_preference(n, more, seed):
    """By the share that the curve has in the whole: so subtract what a grey image gives."""
    responses, angles = random_responses(seed, n, 1), spread(n)
    before, after = selectivity(responses, angles), selectivity(responses + more, angles)
    share = responses.mean() / (responses.mean() + more)
    assert torch.allclose(after, before * share, atol=1e-9)
    if before > 1e-3:
        a, b = preferred_angle(responses, angles), preferred_angle(responses + more, angles)
        assert apart(a, b) < 1e-4


@given(st.integers(3, 20), periods, st.integers(2, 4), seeds)
def test_angles_over_several_periods_are_as_good_as_over_one(n, period, times, seed):
    responses, angles = random_responses(seed, n, 2), spread(n, period)
    again = torch.cat([angles + k * period for k in range(times)])
    expected = selectivity(responses, angles, period=period)
    found = selectivity(responses.repeat(times, 1), again, period=period)
    assert torch.allclose(found, expected, atol=1e-9)


def test_units_may_be_laid_out_in_any_shape():
    responses, angles = random_responses(0, 12, 2, 3, 4), spread(12)
    for measure in (selectivity, preferred_angle):
        flat = measure(responses.flatten(1), angles)
        assert torch.equal(measure(responses, angles).flatten(), flat)
    assert selectivity(responses[:, 0, 0, 0], angles).shape == ()
    assert selectivity(responses.float(), angles).dtype == torch.float32


def test_units_without_any_tuning():
    silent_and_constant = torch.stack([torch.zeros(7), torch.full((7,), 0.1)], dim=1)
    for dtype in (torch.float32, torch.float64):
        flat = silent_and_constant.to(dtype)
        assert selectivity(flat, spread(7)).tolist() == pytest.approx([0, 0], abs=1e-7)
        assert preferred_angle(flat, spread(7)).isnan().all()
        assert shuffled_selectivity(flat, spread(7), n_shuffles=3).amax().item() < 1e-7


# The null


def test_shuffles_keep_the_values_of_each_unit_and_lose_its_angles():
    """With three angles there are three ways apart from rotations; |.| sees only one value."""
    responses, angles = random_responses(0, 3, 4), spread(3)
    null = shuffled_selectivity(responses, angles, n_shuffles=20)
    assert torch.allclose(null, selectivity(responses, angles).expand(20, 4))


def test_each_unit_is_shuffled_on_its_own():
    same = random_responses(0, 8, 1).expand(8, 5).contiguous()
    null = shuffled_selectivity(same, spread(8), n_shuffles=5, generator=Generator().manual_seed(0))
    assert (null != null[:, :1]).any(dim=0)[1:].all()


def test_every_order_is_equally_likely():
    """One of four responses twice as large as the rest, one three times: opposite or beside?"""
    responses = torch.tensor([1.0, 1.0, 0.0, 0.0])[:, None]
    null = shuffled_selectivity(
        responses, spread(4), n_shuffles=3000, generator=Generator().manual_seed(1)
    )
    opposite = float((null < 1e-6).double().mean())  # 2 of the 6 pairs of places
    assert opposite == pytest.approx(1 / 3, abs=0.03)
    assert null.amax().item() == pytest.approx(math.sqrt(0.5))


def test_p_values_are_uniform_for_noise_and_small_for_a_flat_but_smooth_curve():
    angles, generator = spread(12), Generator().manual_seed(2)
    noise = random_responses(3, 12, 2000)
    smooth = 1 + 0.01 * (2 * angles.deg2rad()).cos()[:, None]
    for responses, is_noise in ((noise, True), (smooth, False)):
        null = shuffled_selectivity(responses, angles, n_shuffles=199, generator=generator)
        p = (1 + (null >= selectivity(responses, angles)).sum(0)) / 200
        if is_noise:
            for level in (0.05, 0.25, 0.5):
                assert float((p <= level).double().mean()) == pytest.approx(level, abs=0.035)
        else:
            assert p.item() == pytest.approx(1 / 200)


def test_the_generator_decides_and_nothing_global_moves():
    responses, angles = random_responses(0, 9, 2), spread(9)
    state = torch.get_rng_state()
    draws = [
        shuffled_selectivity(
            responses, angles, n_shuffles=4, generator=Generator().manual_seed(seed)
        )
        for seed in (5, 5, 6)
    ]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(state, torch.get_rng_state())


# Curves against bars


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), seeds)
def test_one_curve_must_beat_every_bar_in_every_condition(n_conditions, n_curved, n_straight, seed):
    """The definition, in loops."""
    curved = random_responses(seed, n_conditions, n_curved, 2)
    straight = random_responses(seed + 1, n_conditions, n_straight, 2)
    found = tuning.curve_preference(curved, straight)
    for unit in range(2):
        worst = []
        for k in range(n_curved):
            contrasts = []
            for c in range(n_conditions):
                x, y = curved[c, k, unit].item(), max(straight[c, :, unit].tolist())
                contrasts.append((x - y) / (x + y))
            worst.append(min(contrasts))
        assert found[unit].item() == pytest.approx(max(worst))
    assert torch.allclose(tuning.curve_preference(1e-3 * curved, 1e-3 * straight), found)


def test_each_condition_with_a_curve_of_its_own_is_no_preference():
    """Each time another curve is best: what is common to all conditions counts."""
    curved = torch.tensor([[3.0, 0.0], [0.0, 3.0]])[..., None]
    straight = torch.ones(2, 1, 1)
    assert tuning.curve_preference(curved, straight).item() == -1
    for condition in ([0], [1]):
        assert tuning.curve_preference(curved[condition], straight[condition]).item() == 0.5


def test_a_condition_without_any_response_counts_0():
    curved = torch.tensor([[3.0], [0.0]])[..., None]
    assert tuning.curve_preference(curved, torch.zeros(2, 1, 1)).item() == 0


# Planted filters


class Planted(nn.Module):
    """Filters that we chose, as a network of one layer: grey in, rectified responses out."""

    def __init__(self, filters):
        super().__init__()
        n, size = filters.shape[0], filters.shape[-1]
        self.conv, self.relu = nn.Conv2d(1, n, size, padding=size // 2, bias=False), nn.ReLU()
        self.conv.weight.data = filters[:, None].float()
        self.hooks = {"planted": self.relu}

    def forward(self, images):
        return self.relu(self.conv(images - 0.5))


def grid(size):
    x = torch.arange(size) - (size - 1) / 2
    return x.expand(size, size), -x[:, None].expand(size, size)


def gabors(angles, *, frequency=0.15, phase=0.0, size=21, sd=4.0):
    """Written from the definition: a wave across the angle under a round Gaussian."""
    x, y = grid(size)
    across = [
        y * math.cos(math.radians(a)) - x * math.sin(math.radians(a)) for a in angles.tolist()
    ]
    waves = (2 * math.pi * frequency * torch.stack(across) - math.radians(phase)).cos()
    filters = waves * (-(x**2 + y**2) / (2 * sd**2)).exp()
    return filters - filters.mean((1, 2), keepdim=True)


PLANTED = torch.tensor([0.0, 11.0, 27.0, 45.0, 63.0, 90.0, 101.0, 135.0, 154.0, 177.0])
GRATINGS = {"frequency": (0.1, 0.15, 0.2), "phase": tuple(range(0, 360, 30))}
BARS = {"length": (15.0,), "width": (3.0,), "polarity": (-1.0, 1.0)}


@pytest.mark.parametrize("over", ["max", "mean"])
@pytest.mark.parametrize("phase", [0.0, 90.0, 200.0])
@pytest.mark.parametrize("kind", ["grating", "bar"])
def test_the_orientation_of_a_planted_gabor_is_found_within_2_degrees(kind, phase, over):
    model, angles = Planted(gabors(PLANTED, phase=phase)), spread(16)
    draw, variants = {
        "grating": (stimuli.grating, GRATINGS),
        # A bar in the middle leaves a filter cold that is odd about it: shift it too.
        "bar": (
            lambda angle, shift, **rest: stimuli.bar(angle, centre=sideways(angle, shift), **rest),
            {**BARS, "shift": (-2.0, 0.0, 2.0)},
        ),
    }[kind]
    responses = tuning.orientation_responses(
        model, "planted", angles, size=33, draw=draw, over=over, **variants
    )
    assert apart(preferred_angle(responses, angles), PLANTED) < 2
    assert float(selectivity(responses, angles).min()) > 0.3
    p = shuffled_selectivity(responses, angles, generator=Generator().manual_seed(0))
    assert ((p >= selectivity(responses, angles)).sum(0) <= 5).all()


def sideways(angle, shift):
    a = angle.deg2rad()
    return torch.stack([-shift * a.sin(), shift * a.cos()], dim=1)


def test_the_direction_of_a_planted_edge_is_found_over_360_degrees():
    directions = torch.tensor([0.0, 30.0, 95.0, 180.0, 220.0, 315.0])
    odd = gabors(directions, frequency=0.05, phase=90.0)  # bright on the left, as `edge` is
    angles = spread(24, 360.0)
    responses = tuning.orientation_responses(
        Planted(odd), "planted", angles, size=33, draw=stimuli.edge
    )
    assert apart(preferred_angle(responses, angles, period=360.0), directions, 360.0) < 2


def test_an_isotropic_filter_has_no_orientation():
    x, y = grid(21)
    r = x**2 + y**2
    spot = (-r / 8).exp() - 0.25 * (-r / 32).exp()  # a centre against its surround
    model, angles = Planted(spot[None]), spread(16)
    responses = tuning.orientation_responses(
        model, "planted", angles, size=33, frequency=(0.05, 0.08), phase=(0.0,)
    )
    assert responses.min() > 0
    assert selectivity(responses, angles).item() < 0.01


def test_one_phase_alone_makes_a_unit_look_silent():
    model, angles = Planted(gabors(PLANTED)), spread(16)
    shown = partial(tuning.orientation_responses, model, "planted", angles, size=33)
    every = shown(**GRATINGS)
    wrong = shown(frequency=GRATINGS["frequency"], phase=(180.0,))
    assert wrong.amax() < 0.2 * every.amax(0).min()


def test_the_responses_are_those_to_each_picture_less_the_grey_one():
    """Against one image at a time, for units that are active when nothing is shown."""
    model, angles = Planted(gabors(PLANTED[:3])), torch.tensor([10.0, 50.0])
    resting = torch.tensor([0.0, 1.0, 5.0])
    model.conv.bias = nn.Parameter(resting)
    shown = partial(tuning.orientation_responses, model, "planted", angles, size=33)
    found = {
        over: shown(over=over, frequency=(0.1, 0.2), phase=(0, 180))
        for over in ("max", "mean", "each")
    }
    conditions = [(f, p) for f in (0.1, 0.2) for p in (0, 180)]
    for k, angle in enumerate(angles.tolist()):
        one_by_one = []
        for frequency, phase in conditions:
            image = stimuli.grating(angle, frequency, phase, size=33)
            more = activations(model, image, ["planted"])["planted"][0, :, 16, 16] - resting
            one_by_one.append(more.clamp_min(0))
        one_by_one = torch.stack(one_by_one)
        assert torch.allclose(found["each"][:, k], one_by_one, atol=1e-5)
        assert torch.allclose(found["max"][k], one_by_one.amax(0), atol=1e-5)
        assert torch.allclose(found["mean"][k], one_by_one.mean(0), atol=1e-5)
    assert found["each"].shape == (4, 2, 3)
    assert (found["each"] == 0).any(0).all()  # each unit is silenced by some of the stripes
    assert torch.equal(shown(frequency=(0.1,)), shown(frequency=(0.1,), over="mean"))


def test_a_unit_that_saturates_keeps_its_tuning_at_low_contrast_only():
    model, angles = Planted(50 * gabors(PLANTED)), spread(16)
    model.relu = model.hooks["planted"] = nn.ReLU6()
    faint, full = (
        selectivity(
            tuning.orientation_responses(
                model, "planted", angles, size=33, polarity=(polarity,), **GRATINGS
            ),
            angles,
        )
        for polarity in (0.002, 1.0)
    )
    assert (full < 0.7 * faint).all() and full.median() < 0.4 * faint.median()


def arc(direction, radius, size=33, length=20.0, sd=1.2):
    """A filter that likes one arc: a bright line, from points along it, in a dark surround."""
    x, y = grid(size)
    s = torch.linspace(-length / 2, length / 2, 60) / radius
    along, left = radius * s.sin(), radius * (1 - s.cos())
    a = math.radians(direction)
    px, py = along * math.cos(a) - left * math.sin(a), along * math.sin(a) + left * math.cos(a)
    d = (x - px[:, None, None]) ** 2 + (y - py[:, None, None]) ** 2
    line = (-d / (2 * sd**2)).exp().sum(0)
    return line / line.norm() - 1.3 * line.mean() / line.norm()


def test_the_radius_and_direction_of_a_planted_arc_are_found():
    planted = [
        (0.0, 8.0),
        (50.0, 8.0),
        (165.0, 12.0),
        (270.0, 12.0),
        (333.0, 8.0),
        (20.0, math.inf),
    ]
    filters = torch.stack([arc(a, r if math.isfinite(r) else 1e5) for a, r in planted])
    angles, radii = spread(24, 360.0), (5.0, 8.0, 12.0, 20.0, math.inf)
    responses = tuning.radius_responses(
        Planted(filters), "planted", angles, radii, size=47, length=(20.0,), width=(2.0, 2.5)
    )
    assert responses.shape == (5, 24, len(planted))
    best = responses.amax(1).argmax(0)
    assert [radii[k] for k in best] == [r for _, r in planted]
    at_best = responses[best, :, torch.arange(len(planted))].T
    directions = torch.tensor([a for a, _ in planted])
    found = preferred_angle(at_best, angles, period=360.0)
    assert apart(found[:5], directions[:5], 360.0) < 2
    each = tuning.radius_responses(
        Planted(filters), "planted", angles, radii, size=47, over="each",
        length=(20.0,), width=(2.0, 2.5), centre=((0.0, 0.0), (1.0, 0.0)),
    )  # fmt: skip
    assert each.shape == (4, 5, 24, len(planted))
    prefers = tuning.curve_preference(each[:, :-1].flatten(1, 2), each[:, -1])
    assert (prefers[:5] > 0.05).all() and prefers[5] < 0
    bar = preferred_angle(responses[-1, :, 5:], angles)
    assert apart(bar, directions[5:]) < 2


# A network for photographs


def test_what_is_seen_from_outside_agrees_with_the_weights():
    """The largest response to stripes of any phase is the filter's Fourier amplitude."""
    net, angles, frequency = load_efficientnet(trained=False), spread(24), 0.15
    found = tuning.orientation_responses(
        net, "stem", angles.float(), size=33, prepare=prepare,
        frequency=(frequency,), phase=range(0, 360, 5),
    )  # fmt: skip
    filters = net.conv_stem.weight.sum(1).flatten(1).double()  # grey: the same in three colours
    y, x = (t.flatten().double() for t in torch.meshgrid(*[torch.arange(3.0)] * 2, indexing="ij"))
    a = angles.deg2rad()[:, None]
    across = -y * a.cos() - x * a.sin()
    waves = torch.polar(torch.ones_like(across), 2 * math.pi * frequency * across)
    amplitudes = (waves @ (filters.T + 0j)).abs()
    assert torch.allclose(
        selectivity(found, angles).double(), selectivity(amplitudes, angles), atol=0.02
    )
    clear = selectivity(amplitudes, angles) > 0.1
    assert clear.sum() > 5
    seen, planted = (preferred_angle(r, angles)[clear] for r in (found, amplitudes))
    assert apart(seen, planted) < 2


# Refusals


@measures
@pytest.mark.parametrize(
    ("responses", "angles", "said"),
    [
        (-torch.ones(4, 1), spread(4), "relu"),
        (torch.tensor([1.0, math.nan, 1.0])[:, None], spread(3), "relu"),
        (torch.tensor([1.0, math.inf, 1.0])[:, None], spread(3), "relu"),
        (torch.ones(4, 1), spread(4) / 2, "torch.arange"),  # half of the period
        (torch.ones(2, 1), spread(2), "torch.arange"),  # 45 degrees could not be seen
        (torch.ones(4, 1), torch.tensor([0.0, 0.0, 90.0, 90.0]), "torch.arange"),
        (torch.ones(3, 1), torch.tensor([0.0, math.nan, 90.0]), "torch.arange"),
        (torch.ones(0, 1), spread(0), "at least one"),
    ],
)
def test_one_sentence_says_what_to_do(measure, responses, angles, said):
    with pytest.raises(ValueError, match=said):
        measure(responses, angles)


@measures
@pytest.mark.parametrize("period", [0.0, -180.0, math.nan, math.inf])
def test_a_period_is_above_0(measure, period):
    with pytest.raises(ValueError, match="use 180"):
        measure(torch.ones(4, 1), spread(4), period=period)


def test_other_refusals():
    model, angles = Planted(gabors(PLANTED[:1])), spread(4)
    shown = partial(tuning.orientation_responses, model, "planted", angles, size=9)
    with pytest.raises(ValueError, match='use "max", "mean" or "each"'):
        shown(over="median", frequency=(0.1,))
    with pytest.raises(ValueError, match="at least one value"):
        shown(frequency=())
    with pytest.raises(ValueError, match="planted"):
        tuning.orientation_responses(model, "stem", angles, size=9, frequency=(0.1,))
    with pytest.raises(ValueError, match="radii is empty"):
        tuning.radius_responses(model, "planted", angles, (), size=9)
    with pytest.raises(ValueError, match="at least 1"):
        shuffled_selectivity(torch.ones(4, 1), angles, n_shuffles=0)
    with pytest.raises(ValueError, match="relu"):
        tuning.curve_preference(torch.ones(1, 2, 1), -torch.ones(1, 2, 1))
    without_shapes = inspect.unwrap(tuning.curve_preference)  # as in a notebook
    with pytest.raises(ValueError, match="same conditions"):
        without_shapes(torch.ones(2, 2, 1), torch.ones(1, 2, 1))

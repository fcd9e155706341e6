"""Stimuli: what was asked for is measured again, from the pixels alone."""

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from course_utils import stimuli

DRAWN = {  # every function, as a picture at an angle
    "bar": stimuli.bar,
    "edge": stimuli.edge,
    "grating": lambda angle, **rest: stimuli.grating(angle, 0.1, 30.0, **rest),
    "curve": lambda angle, **rest: stimuli.curve(angle, 8.0, **rest),
    **{
        kind: lambda angle, kind=kind, **rest: stimuli.shape(kind, rotation=angle, **rest)
        for kind in stimuli.KINDS
    },
}
each_drawn = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())
each_kind = pytest.mark.parametrize("kind", stimuli.KINDS)
angles = st.floats(-720, 720)
tensor_sizes = st.integers(1, 40)
CLOSED = ("square", "triangle", "circle")


# Measuring


def coordinates(size):
    """x to the right and y upwards, of every pixel: the convention, once more."""
    x = torch.tensor([[column - (size - 1) / 2 for column in range(size)]] * size)
    y = torch.tensor([[(size - 1) / 2 - row] * size for row in range(size)])
    return x, y


def ink(image):
    """What departs from the grey background, 1 where it is all white or all black."""
    return 2 * (image[0, 0] - 0.5).abs().double()


def middle(image):
    x, y = coordinates(image.shape[-1])
    i = ink(image)
    return float((i * x).sum() / i.sum()), float((i * y).sum() / i.sum())


def axis_by_moments(image):
    """The direction in which the ink is spread most, in degrees, from 0 to 180."""
    x, y = coordinates(image.shape[-1])
    mx, my = middle(image)
    i, x, y = ink(image), x - mx, y - my
    two_xy, xx_yy = 2 * float((i * x * y).sum()), float((i * (x**2 - y**2)).sum())
    return math.degrees(math.atan2(two_xy, xx_yy) / 2) % 180


def axis_by_structure_tensor(image):
    """The direction along which grey changes least, in degrees, from 0 to 180."""
    g = image[0, 0].double()
    gx = (g[1:-1, 2:] - g[1:-1, :-2]).flatten()
    gy = (g[:-2, 1:-1] - g[2:, 1:-1]).flatten()
    across = math.degrees(math.atan2(float(2 * gx @ gy), float(gx @ gx - gy @ gy)) / 2)
    return (across + 90) % 180


def apart(a, b, period):
    return abs((a - b + period / 2) % period - period / 2)


def parts(mask):
    """The connected parts of a mask, as a list of sets of pixels; diagonal neighbours connect."""
    left, found = set(map(tuple, mask.nonzero().tolist())), []
    while left:
        part, ahead = set(), {min(left)}
        while ahead:
            part |= ahead
            near = {(r + i, c + j) for r, c in ahead for i in (-1, 0, 1) for j in (-1, 0, 1)}
            ahead = (near & left) - part
        found.append(part)
        left -= part
    return found


def fitted_circle(image):
    """Centre and radius of the circle with the least squared distance from the ink."""
    x, y = (z.double().flatten() for z in coordinates(image.shape[-1]))
    i = ink(image).flatten()
    A = torch.stack([2 * x, 2 * y, torch.ones_like(x)], dim=1)
    a, b, c = torch.linalg.solve(A.T @ (i[:, None] * A), A.T @ (i * (x**2 + y**2)))
    found = torch.stack([a, b, (c + a**2 + b**2).sqrt()])  # near it: a thick line biases this one
    for _ in range(20):  # Gauss and Newton
        away = torch.hypot(x - found[0], y - found[1])
        A = torch.stack([(found[0] - x) / away, (found[1] - y) / away, -torch.ones_like(x)], dim=1)
        found = found - torch.linalg.solve(A.T @ (i[:, None] * A), A.T @ (i * (away - found[2])))
    return found.tolist()


def supersampled(inside, size, fine=8):
    """The share of each pixel for whose points (x, y) `inside` is true."""
    x, y = coordinates(size * fine)
    covered = inside(x / fine, y / fine).double()
    return covered.reshape(size, fine, size, fine).mean((1, 3))


# All of them


@each_drawn
def test_one_image_and_a_batch(draw):
    assert draw(0.0).shape == (1, 1, 32, 32)
    many = draw(torch.arange(7) * 30, size=19)  # whole numbers will do
    assert many.shape == (7, 1, 19, 19)
    assert many.dtype == torch.float32
    for k in range(7):
        assert torch.allclose(many[k], draw(30.0 * k, size=19)[0], atol=1e-5)
    assert draw(30, polarity=torch.tensor([1.0, 0.5, -1.0])).shape == (3, 1, 32, 32)


@given(st.sampled_from(sorted(DRAWN)), angles, tensor_sizes, st.floats(-1, 1))
def test_values_are_between_black_and_white(name, angle, size, polarity):
    image = DRAWN[name](angle, size=size, polarity=polarity)
    assert ((image >= 0) & (image <= 1)).all()
    opposite = DRAWN[name](angle, size=size, polarity=-polarity)
    assert torch.allclose(image + opposite, torch.ones(()), atol=1e-6)
    assert (DRAWN[name](angle, size=size, polarity=0.0) == 0.5).all()


@each_drawn
@pytest.mark.parametrize("size", [16, 17, 32])
def test_a_quarter_turn_is_counter_clockwise(draw, size):
    for angle in (0.0, 17.0, 130.0):
        turned = torch.rot90(draw(angle, size=size), 1, (2, 3))  # torch's is counter-clockwise
        assert torch.allclose(draw(angle + 90, size=size), turned, atol=2e-4)


@each_drawn
def test_a_small_change_of_the_angle_is_a_small_change_of_the_image(draw):
    a = torch.linspace(0, 90, 31)
    assert (draw(a + 0.1) - draw(a)).abs().max() < 0.1


@pytest.mark.parametrize("name", ["bar", "curve", *stimuli.KINDS])
def test_the_background_is_grey_and_the_ink_is_as_said(name):
    white, black = DRAWN[name](5.0), DRAWN[name](5.0, polarity=-1)
    assert (white[0, 0, 0, :] == 0.5).all()
    assert white.min() == 0.5 and white.max() > 0.99
    assert black.max() == 0.5 and black.min() < 0.01


# Bars


@given(angles, st.floats(2.5, 5), st.floats(1, 2))
def test_the_orientation_of_a_bar_is_found_again(angle, ratio, width):
    image = stimuli.bar(angle, width=width, length=8 * ratio / 2)
    assert apart(axis_by_moments(image), angle, 180) < 2
    assert middle(image) == pytest.approx((0, 0), abs=1e-3)


def test_angles_are_counter_clockwise_as_seen():
    image = stimuli.bar(45.0)[0, 0]
    assert image[12, 19] > 0.9  # row 12 is above the middle, column 19 right of it
    assert image[19, 12] > 0.9
    assert image[12, 12] == image[19, 19] == 0.5


@settings(max_examples=30)
@given(angles, st.floats(0.3, 4), st.floats(4, 20))
def test_a_bar_covers_each_pixel_as_a_rectangle_does(angle, width, length):
    a = math.radians(angle)

    def inside(x, y):
        along, aside = x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)
        return (along.abs() <= length / 2) & (aside.abs() <= width / 2)

    drawn, exact = ink(stimuli.bar(angle, width=width, length=length)), supersampled(inside, 32)
    assert float(drawn.sum()) == pytest.approx(width * length, abs=2.5)
    assert (drawn - exact).abs().max() < 0.2
    assert (drawn - exact).abs().sum() < 0.1 * length * max(width, 2)


@given(st.floats(-6, 6), st.floats(-6, 6), angles)
def test_centre_says_where(x, y, angle):
    image = stimuli.bar(angle, length=12.0, centre=(x, y))
    assert middle(image) == pytest.approx((x, y), abs=0.15)
    at = torch.tensor([[x, y], [0.0, 0.0]])
    assert torch.allclose(stimuli.bar(angle, length=12.0, centre=at)[:1], image)
    assert torch.allclose(
        stimuli.bar(angle, length=12.0, centre=at)[1:], stimuli.bar(angle, length=12)
    )


def test_an_infinite_bar_crosses_the_image():
    image = ink(stimuli.bar(0.0, length=math.inf))
    assert (image[15:17] == 1).all() and image.sum() == 64


# Edges and gratings


@given(angles, st.floats(1, 12))
def test_the_orientation_of_an_edge_is_found_again(angle, softness):
    image = stimuli.edge(angle, softness=softness, size=33)
    # Only a disc counts, because the corners of the image would pull at long ramps.
    x, y = coordinates(33)
    disc = torch.where(x**2 + y**2 < 15**2, image[0, 0], 0.5)
    mx, my = ((disc - 0.5) * x).sum(), ((disc - 0.5) * y).sum()
    to_white = math.degrees(math.atan2(my, mx))
    assert apart(to_white, angle + 90, 360) < 1  # white is on the left
    if softness >= 3:  # differences of pixels see the steps of a narrower ramp
        assert apart(axis_by_structure_tensor(image), angle, 180) < 2
    assert image[0, 0, 16, 16].item() == pytest.approx(0.5)
    assert image.mean().item() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("softness", [1.0, 4.0, 8.0])
def test_softness_is_the_width_of_the_ramp(softness):
    column = stimuli.edge(0.0, softness=softness)[0, 0, :, 0]
    assert (column.diff() <= 0).all()  # white above, black below
    assert ((column > 0) & (column < 1)).sum() == (softness if softness > 1 else 0)


def test_polarity_turns_an_edge_around():
    a = torch.arange(0, 360, 20)
    assert torch.allclose(stimuli.edge(a, polarity=-1), stimuli.edge(a + 180), atol=1e-4)


@given(angles, st.floats(0.08, 0.3), st.floats(-360, 360))
def test_the_orientation_of_a_grating_is_found_again(angle, frequency, phase):
    image = stimuli.grating(angle, frequency, phase, size=64)
    # Differences of neighbours see fine stripes less, so the tensor is of the exact frequency.
    across = (
        torch.tensor(math.radians(angle + 90)).cos(),
        torch.tensor(math.radians(angle + 90)).sin(),
    )
    x, y = coordinates(64)
    wave = torch.exp(-2j * math.pi * frequency * (x * across[0] + y * across[1]))
    window = torch.exp(-(x**2 + y**2) / 200)
    answer = (window * (image[0, 0] - 0.5) * wave).sum() / window.sum()
    assert abs(answer) == pytest.approx(0.25, abs=0.01)
    assert apart(math.degrees(-answer.angle()), phase, 360) < 2
    if frequency < 0.12:
        assert apart(axis_by_structure_tensor(image), angle, 180) < 2


def test_stripes_repeat_and_move_to_the_left():
    column = stimuli.grating(0.0, 1 / 8)[0, 0, :, 0]
    assert torch.allclose(column[8:], column[:-8], atol=1e-5)
    moved = stimuli.grating(0.0, 1 / 8, 90.0)[0, 0, :, 0]  # a quarter of eight pixels, upwards
    assert torch.allclose(moved[:-2], column[2:], atol=1e-5)
    assert (stimuli.grating(0.0, 0.0) == 1).all()


# Curves


@given(angles, st.floats(3, 60), st.floats(0.8, 2.5), st.floats(6, 20))
def test_ink_is_length_times_width_for_every_radius(angle, radius, width, length):
    image = stimuli.curve(angle, radius, width=width, length=length, size=48)
    expected = min(length, 2 * math.pi * radius) * width
    assert float(ink(image).sum()) == pytest.approx(expected, abs=1.2)  # pixels


@settings(max_examples=50)
@given(angles, st.floats(5, 20), st.floats(1.5, 4))
def test_radius_direction_and_length_of_an_arc_are_found_again(angle, radius, bend):
    length = min(bend * radius, 30.0)
    image = stimuli.curve(angle, radius, length=length, width=1.5, size=64)
    a, b, r = fitted_circle(image)
    assert r == pytest.approx(radius, rel=0.12)
    # The middle of the arc is in the middle of the image, and its circle lies to the left.
    assert math.hypot(a, b) == pytest.approx(r, abs=0.3)
    assert apart(math.degrees(math.atan2(b, a)), angle + 90, 360) < 2
    # How far the ink reaches around that circle, to either side of the middle of the arc.
    x, y = coordinates(64)
    around = torch.atan2(y - b, x - a) - math.atan2(-b, -a)
    around = (around + math.pi) % (2 * math.pi) - math.pi
    reach = around[ink(image) >= 0.4]
    assert float(reach.max() - reach.min()) * r == pytest.approx(length, abs=3)


@settings(max_examples=30)
@given(angles, st.floats(3, 20), st.floats(0.5, 2.5), st.floats(4, 50))
def test_an_arc_covers_each_pixel_as_a_sector_of_a_ring_does(angle, radius, width, length):
    a = math.radians(angle)

    def inside(x, y):
        along, left = x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)
        turned = torch.atan2(along, radius - left).abs()
        ring = (torch.hypot(along, radius - left) - radius).abs() <= width / 2
        return ring & (turned <= length / radius / 2)

    drawn = ink(stimuli.curve(angle, radius, width=width, length=length))
    exact = supersampled(inside, 32)
    assert (drawn - exact).abs().sum() < 0.1 * exact.sum() + 2


@given(angles, st.floats(1, 30), st.floats(0.5, 4))
def test_a_straight_bar_is_the_limit_of_large_radii(angle, length, width):
    bar = stimuli.bar(angle, length=length, width=width)
    both = torch.tensor([math.inf, -math.inf])
    exact = stimuli.curve(angle, both, length=length, width=width)
    assert torch.equal(exact, torch.cat([bar, bar]))
    for radius, off in ((1e3, 0.2), (1e5, 2e-3), (1e9, 1e-4), (1e30, 1e-4)):
        for signed in (radius, -radius):
            curve = stimuli.curve(angle, signed, length=length, width=width)
            assert (curve - bar).abs().max() < off


@given(angles, st.floats(2, 40), st.floats(2, 40))
def test_the_other_side_is_a_negative_radius_or_half_a_turn(angle, radius, length):
    draw = stimuli.curve
    right = draw(angle, -radius, length=length)
    assert torch.allclose(right, draw(angle + 180, radius, length=length), atol=2e-3)
    mirrored = draw(-angle, radius, length=length).flip(2)  # upside down
    assert torch.allclose(right, mirrored, atol=2e-3)


def test_a_long_curve_closes_the_circle():
    for length in (2 * math.pi * 8, 60.0, math.inf):
        closed = stimuli.curve(0.0, 8.0, length=length, centre=(0.0, -8.0))
        circle = stimuli.shape("circle", radius=8.0)
        assert torch.allclose(closed, circle, atol=1e-4)


# Outlines


def white(kind, **rest):
    return ink(stimuli.shape(kind, **rest)) > 0.5


@each_kind
@pytest.mark.parametrize(("size", "radius"), [(16, 4.0), (32, 8.0), (32, 6.3), (64, 15.0)])
@pytest.mark.parametrize("rotation", [0.0, 5.0, 30.0])
def test_outlines_are_one_piece_and_the_broken_square_is_four(kind, size, radius, rotation):
    mask = white(kind, size=size, radius=radius, rotation=rotation, width=1.5)
    pieces = parts(mask)
    assert len(pieces) == (4 if kind == "broken square" else 1)
    # Outside, a neighbour is one at a side: a white diagonal is a wall.
    grey = torch.ones(size + 2, size + 2, dtype=torch.bool)
    grey[1:-1, 1:-1] = ~mask
    reached, ahead = set(), {(0, 0)}
    while ahead:
        reached |= ahead
        near = {(r + i, c + j) for r, c in ahead for i, j in ((0, 1), (1, 0), (0, -1), (-1, 0))}
        ahead = {(r, c) for r, c in near - reached if 0 <= r <= size + 1 >= c >= 0 and grey[r, c]}
    encloses = len(reached) < int(grey.sum())
    assert encloses == (kind in CLOSED)


@given(st.floats(0, 90), st.floats(3, 10), st.floats(0.5, 2))
def test_the_broken_square_has_the_edges_of_a_square_without_its_corners(rotation, radius, width):
    """As much ink, but for round ends instead of shared corners; and gaps of 0.8 radii."""
    broken, square = (
        stimuli.shape(kind, radius=radius, rotation=rotation, width=width, size=48)
        for kind in ("broken square", "square")
    )
    assert float(ink(broken).sum()) == pytest.approx(
        float(ink(square).sum()), abs=4 * width**2 + 16
    )
    assert middle(broken) == pytest.approx((0, 0), abs=1e-3)
    edges = stimuli.OUTLINES["broken square"]
    points = [
        torch.lerp(torch.tensor(a), torch.tensor(b), torch.linspace(0, 1, 201)[:, None])
        for a, b in edges
    ]
    for i in range(4):
        assert math.dist(*edges[i]) == pytest.approx(2)
        for j in range(i):
            assert torch.cdist(points[i], points[j]).min() >= 0.8 - 1e-5


@pytest.mark.parametrize(
    ("kind", "to_the_sides", "upwards"),
    [
        ("square", 8, 8),
        ("circle", 8, 8),
        ("cross", 8, 8),
        ("L", 8, 8),
        ("triangle", 8, 8 * math.sqrt(3) / 2),
        ("broken square", 11.2, 11.2),
    ],
)
def test_a_shape_reaches_as_far_as_its_radius(kind, to_the_sides, upwards):
    x, y = coordinates(64)
    i = ink(stimuli.shape(kind, size=64, radius=8.0, width=2.0)) >= 0.5
    # The middle of the line is one pixel further in than its rim.
    for z, reach in ((x[i], to_the_sides), (y[i], upwards)):
        assert z.max().item() + 0.5 - 1 == pytest.approx(reach, abs=0.55)
        assert z.min().item() - 0.5 + 1 == pytest.approx(-reach, abs=0.55)


def test_mirror_symmetry():
    for kind in ("square", "circle", "cross", "triangle"):
        image = stimuli.shape(kind)
        assert torch.allclose(image, image.flip(3), atol=1e-5)  # left and right
    for kind in ("square", "circle", "cross"):
        image = stimuli.shape(kind)
        assert torch.allclose(image, image.flip(2), atol=1e-5)
    for kind in ("triangle", "L", "broken square"):
        image = stimuli.shape(kind)
        assert (image - image.flip(2)).abs().max() > 0.4
    assert torch.allclose(
        stimuli.shape("L"), stimuli.shape("L").transpose(2, 3).flip(2, 3), atol=1e-5
    )


def test_which_way_up():
    x, y = coordinates(32)
    triangle, corner = ink(stimuli.shape("triangle")), ink(stimuli.shape("L"))
    assert (triangle * (y > 0)).sum() < (triangle * (y < 0)).sum()  # stands on a side
    assert (corner * (x < -5)).sum() > 3 * (
        corner * (x > 5)
    ).sum()  # its corner is at the lower left
    assert (corner * (y < -5)).sum() > 3 * (corner * (y > 5)).sum()


@given(st.sampled_from(stimuli.KINDS), st.integers(-5, 5), st.integers(-5, 5))
def test_position_moves_a_shape_by_that_many_pixels(kind, x, y):
    moved = stimuli.shape(kind, size=48, radius=8.0, position=(float(x), float(y)))
    still = stimuli.shape(kind, size=48, radius=8.0)
    assert torch.allclose(moved, still.roll((-y, x), (2, 3)), atol=1e-4)


@pytest.mark.parametrize("kind", ["square", "cross", "circle", "broken square"])
def test_a_quarter_turn_leaves_these_as_they_are(kind):
    assert torch.allclose(stimuli.shape(kind, rotation=90.0), stimuli.shape(kind), atol=1e-4)


# The data set


@given(st.integers(1, 40), st.integers(1, 6), st.sampled_from([16, 32]), st.integers(0, 2**32))
def test_samples_are_balanced_images(n, n_kinds, size, seed):
    kinds = stimuli.KINDS[:n_kinds]
    images, labels = stimuli.sample_shapes(
        n, kinds=kinds, size=size, generator=Generator().manual_seed(seed)
    )
    assert images.shape == (n, 1, size, size)
    assert ((images >= 0) & (images <= 1)).all()
    assert labels.dtype == torch.int64
    counts = labels.bincount(minlength=n_kinds)
    assert len(counts) == n_kinds and counts.max() - counts.min() <= 1


@pytest.mark.parametrize("size", [16, 32])
def test_every_outline_is_whole_and_has_its_label(size):
    images, labels = stimuli.sample_shapes(
        600, size=size, noise=0.0, generator=Generator().manual_seed(0)
    )
    rim = torch.ones(size, size, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    # The rim of the broken square may touch the border, by less than its middle line.
    assert (images[:, 0, rim].amax(1) - 0.5 < 0.5 * (images.amax((1, 2, 3)) - 0.5) + 1e-3).all()
    far, _ = stimuli.sample_shapes(
        600,
        kinds=stimuli.KINDS[:5],
        size=size,
        noise=0.0,
        shift=size / 6,
        generator=Generator().manual_seed(0),
    )
    assert (far[:, 0, rim].amax(1) - 0.5 < 0.5 * (far.amax((1, 2, 3)) - 0.5) + 1e-3).all()
    if size == 32:
        for image, label in zip(images[:120], labels[:120]):
            i = ink(image[None])
            pieces = len(parts(i > 0.45 * i.max()))
            assert pieces == (4 if stimuli.KINDS[label] == "broken square" else 1)


def test_positions_contrasts_and_noise_vary_as_said():
    options = {"kinds": ("square",), "shift": 4.0, "generator": Generator().manual_seed(0)}
    clean, _ = stimuli.sample_shapes(2000, noise=0.0, **options)
    middles = torch.tensor([middle(image[None]) for image in clean[:500]])
    assert middles.abs().max() < 4.05 and (middles.amax(0) > 3.8).all()
    assert middles.std(0).tolist() == pytest.approx([4 / math.sqrt(3)] * 2, rel=0.1)
    contrast = 2 * clean.amax((1, 2, 3)) - 1
    assert 0.3 < contrast.min() and contrast.max() < 0.81 and contrast.std() > 0.08
    noisy, _ = stimuli.sample_shapes(500, noise=0.1, **options)
    assert noisy[:, 0, :2, :].std().item() == pytest.approx(0.1, rel=0.02)


def test_the_same_seed_with_another_kind_changes_nothing_else():
    def draw(kind):
        return stimuli.sample_shapes(
            50, kinds=(kind,), noise=0.0, shift=2.0, generator=Generator().manual_seed(3)
        )[0]

    square, broken = draw("square"), draw("broken square")
    for one, other in zip(square, broken):
        assert middle(one[None]) == pytest.approx(middle(other[None]), abs=0.1)
        assert one.max().item() == pytest.approx(other.max().item(), abs=0.1)


def test_the_generator_decides_and_the_global_state_is_left_alone():
    before = torch.get_rng_state()
    first, again, other = (
        stimuli.sample_shapes(9, generator=Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_pixels_tell_a_square_from_a_broken_one_but_size_alone_does_not():
    squares, broken = (
        stimuli.sample_shapes(
            200, kinds=(kind,), noise=0.0, shift=0.0, generator=Generator().manual_seed(0)
        )[0]
        for kind in ("square", "broken square")
    )
    reach = [(images.amax(2) > 0.6).sum((1, 2)) for images in (squares, broken)]
    assert reach[1].min() < reach[0].max() - 2  # the smallest broken ones are smaller


@pytest.mark.quiet
def test_a_batch_costs_much_less_than_its_images_one_by_one(record_property):
    a = torch.linspace(0, 180, 500)

    def seconds(call):
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
        return best

    together = seconds(lambda: stimuli.curve(a, 9.0))
    one_by_one = 10 * seconds(lambda: [stimuli.curve(float(angle), 9.0) for angle in a[:50]])
    record_property("budget", f"500 curves: {together / one_by_one:.2f} of 0.7 x one by one")
    assert together < 0.7 * one_by_one


# What is refused

NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: stimuli.bar(NAN), "angle is nan; use a finite number of degrees"),
        (lambda: stimuli.bar(math.inf), "angle is inf; use a finite"),
        (lambda: stimuli.bar(0.0, size=0), "size is 0; use at least 1 pixel"),
        (lambda: stimuli.bar(0.0, length=0.0), "length is 0.0; use one above 0"),
        (lambda: stimuli.bar(0.0, width=-1.0), "width is -1.0; use one above 0"),
        (lambda: stimuli.bar(0.0, width=NAN), "width is nan; use one above 0"),
        (lambda: stimuli.bar(0.0, polarity=1.1), r"polarity is 1.1; use -1 \(black\)"),
        (lambda: stimuli.bar(0.0, polarity=torch.tensor([1.0, NAN])), "use -1"),
        (lambda: stimuli.curve(0.0, 0.0), "radius is 0.0; use at least the width, 2,"),
        (lambda: stimuli.curve(0.0, 1.9), "radius is 1.9; use at least the width"),
        (lambda: stimuli.curve(0.0, torch.tensor([9.0, NAN])), "use at least the width"),
        (lambda: stimuli.edge(0.0, softness=0.0), "softness is 0.0; use one above 0"),
        (lambda: stimuli.grating(0.0, 0.51), "0 to 0.5 cycles per pixel"),
        (lambda: stimuli.grating(0.0, -0.1), "0 to 0.5 cycles per pixel"),
        (lambda: stimuli.grating(0.0, 0.1, NAN), "phase is nan"),
        (lambda: stimuli.shape("pentagon"), 'kind is "pentagon"; use one of square, triangle'),
        (lambda: stimuli.shape("square", radius=0.0), "radius is 0.0; use one above 0"),
        (lambda: stimuli.sample_shapes(0), "use at least one"),
        (lambda: stimuli.sample_shapes(3, kinds=()), "use at least one"),
        (lambda: stimuli.sample_shapes(3, kinds=("star",)), 'kind is "star"'),
        (lambda: stimuli.sample_shapes(3, noise=-0.1), "use 0 or more"),
        (lambda: stimuli.sample_shapes(3, noise=NAN), "use 0 or more"),
        (lambda: stimuli.sample_shapes(3, shift=-1.0), "use 0 or more"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_advice(call, advice):
    with pytest.raises(ValueError, match=advice):
        call()

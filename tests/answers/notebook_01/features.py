"""What learners write for exercises 1.1 to 1.4: right answers of different kinds, wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
import torch
from answers.tables import Tables
from torch.nn import functional as F

from course_utils import stimuli

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 1.1 An edge filter by hand --------------------------------------------------------------


def places():
    """y and x of the 25 pixels, y upwards."""
    return torch.meshgrid(torch.arange(2.0, -3, -1), torch.arange(-2.0, 3), indexing="ij")


def left_of(angle):
    """How far each pixel is to the left of the line, and how far along it."""
    (y, x), a = places(), math.radians(angle)
    return y * math.cos(a) - x * math.sin(a), x * math.cos(a) + y * math.sin(a)


def scaled(w):
    return w / w.abs().sum()


@right("1.1")
def distance_to_the_left(angle):
    y, x = places()
    a = torch.tensor(angle).deg2rad()
    n = y * a.cos() - x * a.sin()
    return n / n.abs().sum()


@right("1.1")
def with_two_loops(angle):
    w = [[0.0] * 5 for _ in range(5)]
    for row in range(5):
        for column in range(5):
            turned = complex(column - 2, 2 - row) / cmath.exp(1j * math.radians(angle))
            w[row][column] = turned.imag
    size = sum(abs(v) for row in w for v in row)
    return torch.tensor([[v / size for v in row] for row in w])


@right("1.1")
def under_a_bell(angle):
    n, t = left_of(angle)
    return scaled(n * torch.exp(-(n**2 + t**2) / 4)).double()


@right("1.1")
def signs_only(angle):
    n, _ = left_of(angle)
    return scaled(n.sign() * (n.abs() > 1e-6))


@right("1.1")
def signs_with_rounding_errors(angle):
    return scaled(left_of(angle)[0].sign())


@right("1.1")
def a_steered_sobel_filter(angle):
    upright = torch.outer(torch.tensor([1.0, 2, 0, -2, -1]), torch.tensor([1.0, 4, 6, 4, 1]))
    a = math.radians(angle)
    return scaled(upright * math.cos(a) + upright.T * math.sin(a))


@right("1.1")
def prewitt_in_the_middle(angle):
    upright = torch.tensor([[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]])
    a = math.radians(angle)
    return scaled(F.pad(upright * math.cos(a) + upright.T * math.sin(a), (1, 1, 1, 1)))


@right("1.1")
def the_edge_itself(angle):
    w = stimuli.edge(angle, size=5)[0, 0] - 0.5
    return w / w.abs().sum()


@right("1.1")
class OfNumpy:
    def __call__(self, angle):
        x, y = np.meshgrid(np.arange(-2, 3), np.arange(2, -3, -1))
        a = np.deg2rad(angle)
        n = np.tanh(y * np.cos(a) - x * np.sin(a))
        return torch.from_numpy(n / np.abs(n).sum()).requires_grad_()


@wrong("1.1", "divides-by-sum")
def by_its_own_sum(angle):
    n, _ = left_of(angle)
    return n / n.sum()


@wrong("1.1", "same-for-all-angles")
def horizontal_only(angle):
    return scaled(places()[0])


@wrong("1.1", "same-for-all-angles")
def all_ones(angle):
    return torch.ones(5, 5)


@wrong("1.1", "only-positive")
def white_side_only(angle):
    return scaled(left_of(angle)[0].clamp_min(0))


@wrong("1.1", "only-positive")
def a_picture_of_the_edge(angle):
    return stimuli.edge(angle, size=5)[0, 0]


@wrong("1.1", "not-zero-sum")
def the_line_is_positive(angle):
    return scaled(torch.where(left_of(angle)[0] > -1e-6, 1.0, -1.0))


@wrong("1.1", "not-zero-sum")
def shifted_by_one(angle):
    return scaled(left_of(angle)[0] + 1)


@wrong("1.1", "length-for-sizes")
def of_length_one(angle):
    n, _ = left_of(angle)
    return n / n.norm()


@wrong("1.1", "not-normalised")
def as_it_is(angle):
    return left_of(angle)[0]


@wrong("1.1", "not-normalised")
def largest_is_one(angle):
    n, _ = left_of(angle)
    return n / n.abs().max()


@wrong("1.1", "not-normalised")
def mean_size_is_one(angle):
    n, _ = left_of(angle)
    return n / n.abs().mean()


@wrong("1.1", "line-filter")
def distance_without_a_side(angle):
    n = left_of(angle)[0].abs()
    return scaled(n - n.mean())


@wrong("1.1", "black-on-left")
def to_the_right(angle):
    return -scaled(left_of(angle)[0])


@wrong("1.1", "turned-by-90")
def along_the_line(angle):
    return scaled(left_of(angle)[1])


@wrong("1.1", "turned-by-90")
def against_the_line(angle):
    return -scaled(left_of(angle)[1])


@wrong("1.1", "y-downwards")
def rows_count_y(angle):
    y, x = torch.meshgrid(torch.arange(-2.0, 3), torch.arange(-2.0, 3), indexing="ij")
    a = math.radians(angle)
    return scaled(y * math.cos(a) - x * math.sin(a))


@wrong("1.1", "clockwise")
def plus_the_sine(angle):
    (y, x), a = places(), math.radians(angle)
    return scaled(y * math.cos(a) + x * math.sin(a))


@wrong("1.1", "axes-swapped")
def columns_count_y(angle):
    return scaled(left_of(angle)[0].T)


@wrong("1.1", "axes-swapped")
def sine_for_cosine(angle):
    (y, x), a = places(), math.radians(angle)
    return scaled(y * math.sin(a) - x * math.cos(a))


@wrong("1.1", "degrees-as-radians")
def cosine_of_degrees(angle):
    y, x = places()
    return scaled(y * math.cos(angle) - x * math.sin(angle))


@wrong("1.1", "degrees-as-radians")
def converted_the_wrong_way(angle):
    (y, x), a = places(), math.degrees(angle)
    return scaled(y * math.cos(a) - x * math.sin(a))


@wrong("1.1", "angle-rounded")
def one_of_eight(angle):
    return scaled(left_of(45 * round(angle / 45))[0])


@wrong("1.1", "angle-rounded")
def one_of_four(angle):
    return scaled(left_of(90 * round(angle / 90))[0])


@wrong("1.1", "same-for-opposite")
def within_half_a_turn(angle):
    return scaled(left_of(angle % 180)[0])


@wrong("1.1", "wrong-shape")
def as_conv2d_takes_it(angle):
    return scaled(left_of(angle)[0])[None, None]


@wrong("1.1", "wrong-shape")
def only_three_rows(angle):
    return scaled(left_of(angle)[0][1:4, 1:4])


@wrong("1.1", "wrong-type")
def rounded_to_integers(angle):
    return left_of(angle)[0].round().long()


@wrong("1.1", "wrong-type")
def as_numpy(angle):
    return scaled(left_of(angle)[0]).numpy()


@wrong("1.1", "not-finite")
def not_a_number(angle):
    return left_of(angle)[0].sqrt()


@wrong("1.1", None)
def half_a_turn_is_enough(angle):
    return scaled(left_of(angle / 2)[0])


@wrong("1.1", None)
def a_bit_too_far(angle):
    return scaled(left_of(angle + 30)[0])


@wrong("1.1", None)
def nothing_at_all(angle):
    return torch.zeros(5, 5) if angle else scaled(left_of(0)[0])


@wrong("1.1", None)
def stripes_finer_than_the_edge(angle):
    n, _ = left_of(angle)
    return scaled(torch.sin(1.6 * math.pi * n))


@wrong("1.1", None)
def against_the_middle(angle):
    w = left_of(angle)[0].clamp_min(0)
    w[2, 2] = -w.sum()
    return scaled(w)


# 1.2 A tuning curve ----------------------------------------------------------------------


def table_of(respond, angles, phases, frequency=1 / 8):
    """Responses, a row for each angle."""
    return torch.stack([respond(stimuli.grating(float(a), frequency, phases)) for a in angles])


@right("1.2")
def stacks_the_largest(respond, angles, phases):
    curve = []
    for angle in angles:
        curve.append(respond(stimuli.grating(float(angle), 1 / 8, phases)).max())
    return torch.stack(curve)


@right("1.2")
def one_image_at_a_time(respond, angles, phases):
    curve = torch.zeros(len(angles))
    for i, angle in enumerate(angles.tolist()):
        best = -math.inf
        for phase in phases.tolist():
            response = respond(stimuli.grating(angle, 0.125, phase)).item()
            if response > best:
                best = response
        curve[i] = best
    return curve


@right("1.2")
def all_images_at_once(respond, angles, phases):
    each = stimuli.grating(angles.repeat_interleave(len(phases)), 1 / 8, phases.repeat(len(angles)))
    return respond(each).view(len(angles), len(phases)).max(dim=1).values


@right("1.2")
class DrawsItself:
    def __call__(self, respond, angles, phases):
        x = torch.arange(32).double() - 15.5
        a, p = (v.double().deg2rad().view(-1, 1, 1) for v in (angles, phases))
        curves = []
        for one in a:
            n = -x[:, None] * one.cos() - x * one.sin()
            images = 0.5 + 0.5 * torch.cos(2 * math.pi / 8 * n - p)
            curves.append(respond(images[:, None].float()).amax().double())
        return torch.stack(curves)


@right("1.2")
def sorts_in_numpy(respond, angles, phases):
    columns = [respond(stimuli.grating(angles, 1 / 8, float(p))).numpy() for p in phases]
    return torch.from_numpy(np.sort(np.stack(columns), axis=0)[-1].copy())


@wrong("1.2", "wrong-frequency")
def eight(respond, angles, phases):
    return table_of(respond, angles, phases, 8).amax(1)


@wrong("1.2", "wrong-frequency")
def sixteen_pixels(respond, angles, phases):
    return table_of(respond, angles, phases, 1 / 16).amax(1)


@wrong("1.2", "wrong-frequency")
def eight_in_the_image(respond, angles, phases):
    return table_of(respond, angles, phases, 8 / 32).amax(1)


@wrong("1.2", "wrong-frequency")
def divides_whole_numbers(respond, angles, phases):
    return table_of(respond, angles, phases, 1 // 8).amax(1)


@wrong("1.2", "list-for-tensor")
def forgets_to_stack(respond, angles, phases):
    return list(table_of(respond, angles, phases).amax(1))


@wrong("1.2", "list-for-tensor")
def plain_numbers(respond, angles, phases):
    return table_of(respond, angles, phases).amax(1).tolist()


@wrong("1.2", "values-and-places")
def max_of_a_dimension(respond, angles, phases):
    return table_of(respond, angles, phases).max(dim=1)


@wrong("1.2", "one-number")
def largest_of_all(respond, angles, phases):
    return table_of(respond, angles, phases).max()


@wrong("1.2", "place-for-value")
def which_phase(respond, angles, phases):
    return table_of(respond, angles, phases).argmax(1)


@wrong("1.2", "place-for-value")
def the_best_phase(respond, angles, phases):
    return phases[table_of(respond, angles, phases).argmax(1)]


@wrong("1.2", "one-phase")
def first_phase(respond, angles, phases):
    return table_of(respond, angles, phases)[:, 0]


@wrong("1.2", "one-phase")
def without_phases(respond, angles, phases):
    return respond(stimuli.grating(angles, 1 / 8))


@wrong("1.2", "mean-for-maximum")
def on_average(respond, angles, phases):
    return table_of(respond, angles, phases).mean(1)


@wrong("1.2", "mean-for-maximum")
def all_together(respond, angles, phases):
    return table_of(respond, angles, phases).sum(1)


@wrong("1.2", "smallest")
def least(respond, angles, phases):
    return table_of(respond, angles, phases).amin(1)


@wrong("1.2", "size-for-value")
def strongest_either_way(respond, angles, phases):
    return table_of(respond, angles, phases).abs().amax(1)


@wrong("1.2", "starts-at-zero")
def largest_so_far(respond, angles, phases):
    curve = torch.zeros(len(angles))
    for i, row in enumerate(table_of(respond, angles, phases)):
        for response in row:
            curve[i] = max(curve[i], response)
    return curve


@wrong("1.2", "maximum-over-angles")
def along_the_other_axis(respond, angles, phases):
    return table_of(respond, angles, phases).amax(0)


@wrong("1.2", "angles-as-phases")
def phase_before_angle(respond, angles, phases):
    return torch.stack([respond(stimuli.grating(phases, 1 / 8, float(a))).max() for a in angles])


@wrong("1.2", "angles-as-phases")
def loops_over_phases(respond, angles, phases):
    return table_of(respond, phases, angles).amax(1)


@wrong("1.2", "pairs-up")
def both_at_once(respond, angles, phases):
    return respond(stimuli.grating(angles, 1 / 8, phases))


@wrong("1.2", "radians")
def angles_in_radians(respond, angles, phases):
    return table_of(respond, angles.deg2rad(), phases).amax(1)


@wrong("1.2", "radians")
def phases_in_radians(respond, angles, phases):
    return table_of(respond, angles, phases.deg2rad()).amax(1)


@wrong("1.2", "stripes-across")
def angle_of_the_wave(respond, angles, phases):
    return table_of(respond, angles - 90, phases).amax(1)


@wrong("1.2", "raises")
def smaller_images(respond, angles, phases):
    return torch.stack(
        [respond(stimuli.grating(float(a), 1 / 8, phases, size=16)).max() for a in angles]
    )


@wrong("1.2", "raises")
def responds_to_angles(respond, angles, phases):
    return respond(angles)


@wrong("1.2", "wrong-shape")
def keeps_the_dimension(respond, angles, phases):
    return table_of(respond, angles, phases).amax(1, keepdim=True)


@wrong("1.2", "wrong-shape")
def returns_the_table(respond, angles, phases):
    return table_of(respond, angles, phases)


@wrong("1.2", "changes-input")
def turns_the_angles_in_place(respond, angles, phases):
    return table_of(respond, angles.deg2rad_(), phases).amax(1)


@wrong("1.2", None)
def largest_less_smallest(respond, angles, phases):
    table = table_of(respond, angles, phases)
    return table.amax(1) - table.amin(1)


@wrong("1.2", None)
def around_grey(respond, angles, phases):
    images = [stimuli.grating(float(a), 1 / 8, phases) - 0.5 for a in angles]
    return torch.stack([respond(each).max() for each in images])


@wrong("1.2", None)
def relative_to_the_best(respond, angles, phases):
    curve = table_of(respond, angles, phases).amax(1)
    return curve / curve.max()


# 1.3 Preferred angle and selectivity -----------------------------------------------------


def parts(curve, angles, times=2.0):
    """x and y of the sum of all arrows."""
    turned = (times * angles).deg2rad()
    return (curve * turned.cos()).sum(), (curve * turned.sin()).sum()


def preferred(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan2(y, x).rad2deg() / 2 % 180)


def selective(curve, angles):
    return float(torch.hypot(*parts(curve, angles)) / curve.sum().clamp_min(1e-12))


@right("1.3")
def adds_arrows(curve, angles):
    doubled = (2 * angles).deg2rad()
    x, y = (curve * doubled.cos()).sum(), (curve * doubled.sin()).sum()
    angle = torch.atan2(y, x).rad2deg() / 2 % 180
    return float(angle), float(torch.hypot(x, y) / curve.sum().clamp_min(1e-12))


@right("1.3")
def with_complex_numbers(curve, angles):
    total = sum(
        r * cmath.exp(2j * math.radians(a)) for r, a in zip(curve.tolist(), angles.tolist())
    )
    length = sum(curve.tolist())
    angle = math.degrees(cmath.phase(total)) / 2
    return [angle + 180 if angle < 0 else angle, abs(total) / length if length > 0 else 0]


@right("1.3")
class OfTensors:
    def __call__(self, curve, angles):
        x, y = parts(curve.double(), angles.double())
        return torch.stack(
            [torch.atan2(y, x).rad2deg() % 360 / 2, torch.hypot(x, y) / (curve.sum() + 1e-9)]
        )


@right("1.3")
def by_einsum_in_numpy(curve, angles):
    turned = np.deg2rad(2 * angles.numpy())
    x, y = np.einsum("a,ka->k", curve.numpy(), np.stack([np.cos(turned), np.sin(turned)]))
    share = np.sqrt(x**2 + y**2) / max(curve.numpy().sum(), 1e-12)
    return np.mod(np.rad2deg(np.arctan2(y, x)) / 2, 180), share


@right("1.3")
def no_angle_for_the_silent(curve, angles):
    if curve.max() == 0:
        return float("nan"), 0.0
    return preferred(curve, angles), selective(curve, angles)


@wrong("1.3", "pair-swapped")
def selectivity_first(curve, angles):
    return selective(curve, angles), preferred(curve, angles)


@wrong("1.3", "not-doubled")
def single_angles(curve, angles):
    x, y = parts(curve, angles, 1.0)
    return float(torch.atan2(y, x).rad2deg() % 180), float(torch.hypot(x, y) / curve.sum())


@wrong("1.3", "not-doubled")
def single_but_halved(curve, angles):
    x, y = parts(curve, angles, 1.0)
    return float(torch.atan2(y, x).rad2deg() / 2 % 180), float(torch.hypot(x, y) / curve.sum())


@wrong("1.3", "not-doubled")
def single_for_selectivity(curve, angles):
    x, y = parts(curve, angles, 1.0)
    return preferred(curve, angles), float(torch.hypot(x, y) / curve.sum())


@wrong("1.3", "degrees-as-radians")
def cosine_of_the_degrees(curve, angles):
    x, y = (curve * (2 * angles).cos()).sum(), (curve * (2 * angles).sin()).sum()
    return float(torch.atan2(y, x).rad2deg() / 2 % 180), float(torch.hypot(x, y) / curve.sum())


@wrong("1.3", "not-halved")
def still_doubled(curve, angles):
    return preferred(curve, angles) * 2, selective(curve, angles)


@wrong("1.3", "not-halved")
def doubled_within_180(curve, angles):
    return preferred(curve, angles) * 2 % 180, selective(curve, angles)


@wrong("1.3", "largest-response")
def argmax(curve, angles):
    return float(angles[curve.argmax()]), selective(curve, angles)


@wrong("1.3", "largest-response")
def index_of_the_largest(curve, angles):
    return int(curve.argmax()), selective(curve, angles)


@wrong("1.3", "averages-angles")
def mean_angle(curve, angles):
    return float((curve * angles).sum() / curve.sum()), selective(curve, angles)


@wrong("1.3", "angle-in-radians")
def radians(curve, angles):
    return math.radians(preferred(curve, angles)), selective(curve, angles)


@wrong("1.3", "angle-in-radians")
def radians_within_180(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan2(y, x) / 2 % 180), selective(curve, angles)


@wrong("1.3", "quarter-turn-off")
def atan(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan(y / x).rad2deg() / 2 % 180), selective(curve, angles)


@wrong("1.3", "quarter-turn-off")
def wraps_before_halving(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan2(y, x).rad2deg() % 180 / 2), selective(curve, angles)


@wrong("1.3", "swaps-sine-and-cosine")
def x_before_y(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan2(x, y).rad2deg() / 2 % 180), selective(curve, angles)


@wrong("1.3", "clockwise")
def minus_y(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan2(-y, x).rad2deg() / 2 % 180), selective(curve, angles)


@wrong("1.3", "not-wrapped")
def may_be_negative(curve, angles):
    x, y = parts(curve, angles)
    return float(torch.atan2(y, x).rad2deg() / 2), selective(curve, angles)


@wrong("1.3", "not-divided")
def length_of_the_sum(curve, angles):
    return preferred(curve, angles), float(torch.hypot(*parts(curve, angles)))


@wrong("1.3", "wrong-divisor")
def by_the_number_of_angles(curve, angles):
    return preferred(curve, angles), float(torch.hypot(*parts(curve, angles)) / len(angles))


@wrong("1.3", "wrong-divisor")
def by_the_largest(curve, angles):
    return preferred(curve, angles), float(torch.hypot(*parts(curve, angles)) / curve.max())


@wrong("1.3", "contrast")
def largest_against_smallest(curve, angles):
    low, high = curve.min(), curve.max()
    return preferred(curve, angles), float((high - low) / (high + low))


@wrong("1.3", "one-minus")
def circular_variance(curve, angles):
    return preferred(curve, angles), 1 - selective(curve, angles)


@wrong("1.3", "squared-length")
def without_the_root(curve, angles):
    x, y = parts(curve, angles)
    return preferred(curve, angles), float((x**2 + y**2) / curve.sum())


@wrong("1.3", "adds-components")
def x_plus_y(curve, angles):
    x, y = parts(curve, angles)
    return preferred(curve, angles), float((x + y) / curve.sum())


@wrong("1.3", "silent-unit")
def nan_for_the_silent(curve, angles):
    return preferred(curve, angles), float(torch.hypot(*parts(curve, angles)) / curve.sum())


@wrong("1.3", "silent-unit")
def divides_python_numbers(curve, angles):
    length = float(torch.hypot(*parts(curve, angles)))
    return preferred(curve, angles), length / float(curve.sum())


@wrong("1.3", "silent-unit")
def one_for_the_silent(curve, angles):
    return preferred(curve, angles), selective(curve, angles) if curve.any() else 1.0


@wrong("1.3", "wrong-type")
def angle_alone(curve, angles):
    return preferred(curve, angles)


@wrong("1.3", "wrong-type")
def three_numbers(curve, angles):
    return (*parts(curve, angles), selective(curve, angles))


@wrong("1.3", "wrong-shape")
def one_for_each_angle(curve, angles):
    return preferred(curve, angles), curve / curve.sum()


@wrong("1.3", "changes-input")
def normalises_in_place(curve, angles):
    curve /= curve.sum()
    return preferred(curve, angles), float(torch.hypot(*parts(curve, angles)))


@wrong("1.3", None)
def whole_degrees(curve, angles):
    return round(preferred(curve, angles)), selective(curve, angles)


@wrong("1.3", None)
def always_a_little_selective(curve, angles):
    return preferred(curve, angles), 0.1 + 0.9 * selective(curve, angles)


@wrong("1.3", None)
def never_below_a_tenth(curve, angles):
    return preferred(curve, angles), max(selective(curve, angles), 0.1 * bool(curve.any()))


# 1.4 One step uphill ---------------------------------------------------------------------


def gradient_of(objective, image):
    image = image.detach().clone().requires_grad_()
    return torch.autograd.grad(objective(image), image)[0]


@right("1.4")
def asks_autograd(objective, image, rate):
    image = image.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(image), image)
    return (image + rate * gradient / gradient.norm().clamp_min(1e-12)).detach()


@right("1.4")
def backward_on_a_copy(objective, image, rate):
    leaf = image.clone().detach().requires_grad_(True)
    objective(leaf).backward()
    with torch.no_grad():
        length = leaf.grad.norm()
        return leaf + rate * leaf.grad / length if length > 0 else image


@right("1.4")
def backward_and_clears(objective, image, rate):
    image.requires_grad_()
    image.grad = None
    objective(image).backward()
    gradient = image.grad.clone()
    image.grad = None
    return image.detach() + rate * F.normalize(gradient.flatten(), dim=0).view_as(gradient)


@right("1.4")
def a_parameter_in_float64(objective, image, rate):
    leaf = torch.nn.Parameter(image.detach().double())
    (-objective(leaf)).backward()
    step = -leaf.grad.numpy()
    return leaf.data + rate * torch.from_numpy(step / (np.linalg.norm(step) + 1e-9))


@right("1.4")
class OneNumberAtATime:
    def __call__(self, objective, image, rate):
        image = image.detach().double()
        gradient = torch.zeros_like(image)
        for i in range(image.numel()):
            nudge = torch.zeros_like(image)
            nudge.view(-1)[i] = 0.01
            gradient.view(-1)[i] = (objective(image + nudge) - objective(image - nudge)) / 0.02
        length = math.sqrt(sum(g * g for g in gradient.flatten().tolist()))
        return image + rate * gradient / max(length, 1e-12)


@wrong("1.4", "no-gradient-asked-for")
def image_as_it_comes(objective, image, rate):
    (gradient,) = torch.autograd.grad(objective(image), image)
    return image + rate * gradient / gradient.norm()


@wrong("1.4", "gradient-is-none")
def backward_returns_it(objective, image, rate):
    image = image.detach().requires_grad_()
    gradient = objective(image).backward()
    return image + rate * gradient / gradient.norm()


@wrong("1.4", "gradient-is-none")
def at_the_image_given(objective, image, rate):
    objective(image.clone().requires_grad_()).backward()
    return image + rate * image.grad


@wrong("1.4", "gradient-in-a-tuple")
def does_not_unpack(objective, image, rate):
    image = image.detach().requires_grad_()
    gradient = torch.autograd.grad(objective(image), image)
    return image + rate * gradient / gradient.norm()


@wrong("1.4", "gradient-in-a-tuple")
def gives_torch_a_tuple(objective, image, rate):
    image = image.detach().requires_grad_()
    gradient = torch.autograd.grad(objective(image), image)
    return image + rate * gradient / torch.linalg.norm(gradient)


@wrong("1.4", "gradient-in-a-tuple")
def multiplies_a_tuple(objective, image, rate):
    image = image.detach().requires_grad_()
    return image + rate * torch.autograd.grad(objective(image), image)


@wrong("1.4", "image-unchanged")
def forgets_to_add(objective, image, rate):
    gradient = gradient_of(objective, image)
    image.add(rate * gradient / gradient.norm())
    return image


@wrong("1.4", "downhill")
def descends(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image - rate * gradient / gradient.norm().clamp_min(1e-12)


@wrong("1.4", "downhill")
def descends_as_far_as_it_likes(objective, image, rate):
    return image - rate * gradient_of(objective, image)


@wrong("1.4", "only-the-step")
def the_step(objective, image, rate):
    gradient = gradient_of(objective, image)
    return rate * gradient / gradient.norm().clamp_min(1e-12)


@wrong("1.4", "only-the-step")
def the_gradient(objective, image, rate):
    return gradient_of(objective, image)


@wrong("1.4", "not-normalised")
def as_far_as_it_likes(objective, image, rate):
    return image + rate * gradient_of(objective, image)


@wrong("1.4", "forgets-rate")
def of_length_1(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + gradient / gradient.norm().clamp_min(1e-12)


@wrong("1.4", "sign-for-gradient")
def sign(objective, image, rate):
    return image + rate * gradient_of(objective, image).sign()


@wrong("1.4", "normalised-in-parts")
def normalises_rows(objective, image, rate):
    return image + rate * F.normalize(gradient_of(objective, image), dim=-1)


@wrong("1.4", "normalised-in-parts")
def normalises_channels(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / gradient.norm(dim=(2, 3), keepdim=True).clamp_min(1e-12)


@wrong("1.4", "other-norm")
def by_the_spread(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / (gradient.std() + 1e-12)


@wrong("1.4", "other-norm")
def by_the_largest_size(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / gradient.abs().max().clamp_min(1e-12)


@wrong("1.4", "other-norm")
def by_the_mean_size(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / gradient.abs().mean().clamp_min(1e-12)


@wrong("1.4", "other-norm")
def by_the_squared_length(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / gradient.square().sum().clamp_min(1e-12)


@wrong("1.4", "image-normalised")
def image_of_length_1(objective, image, rate):
    gradient = gradient_of(objective, image)
    stepped = image + rate * gradient / gradient.norm().clamp_min(1e-12)
    return stepped / stepped.norm()


@wrong("1.4", "clipped")
def within_0_and_1(objective, image, rate):
    gradient = gradient_of(objective, image)
    return (image + rate * gradient / gradient.norm().clamp_min(1e-12)).clamp(0, 1)


@wrong("1.4", "accumulates")
def never_clears_the_gradient(objective, image, rate):
    image.requires_grad_()
    objective(image).backward()
    return (image + rate * image.grad / image.grad.norm().clamp_min(1e-12)).detach()


@wrong("1.4", "zero-gradient")
def nan_where_it_is_flat(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / gradient.norm()


@wrong("1.4", "zero-gradient")
def divides_by_a_python_number(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + gradient * (rate / float(gradient.norm()))


@wrong("1.4", "zero-gradient")
def black_where_it_is_flat(objective, image, rate):
    gradient = gradient_of(objective, image)
    return (image + rate * gradient / gradient.norm()).nan_to_num(0.0)


@wrong("1.4", "keeps-the-graph")
def without_detach(objective, image, rate):
    image = image.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(image), image)
    return image + rate * gradient / gradient.norm().clamp_min(1e-12)


@wrong("1.4", "keeps-the-graph")
def ready_for_the_next_step(objective, image, rate):
    gradient = gradient_of(objective, image)
    return (image + rate * gradient / gradient.norm().clamp_min(1e-12)).requires_grad_()


@wrong("1.4", "changes-input")
def in_place(objective, image, rate):
    gradient = gradient_of(objective, image)
    image += rate * gradient / gradient.norm().clamp_min(1e-12)
    return image


@wrong("1.4", "changes-input")
def through_its_data(objective, image, rate):
    gradient = gradient_of(objective, image)
    image.data += rate * gradient / gradient.norm().clamp_min(1e-12)
    return image.clone()


@wrong("1.4", "wrong-shape")
def without_the_batch(objective, image, rate):
    return asks_autograd(objective, image, rate)[0]


@wrong("1.4", "wrong-type")
def with_the_value(objective, image, rate):
    return asks_autograd(objective, image, rate), objective(image)


@wrong("1.4", None)
def twice_as_far(objective, image, rate):
    return asks_autograd(objective, image, 2 * rate)


@wrong("1.4", "not-normalised")
def at_most_a_length_of_1(objective, image, rate):
    gradient = gradient_of(objective, image)
    return image + rate * gradient / gradient.norm().clamp_min(1)


@wrong("1.4", None)
def towards_the_middle(objective, image, rate):
    return 0.9 * asks_autograd(objective, image, rate)


@wrong("1.4", None)
def two_steps(objective, image, rate):
    once = asks_autograd(objective, image, rate / 2)
    return asks_autograd(objective, once, rate)


@wrong("1.4", None)
class RemembersTheFirst:
    """Each call goes on from the image of the first one of that shape."""

    def __init__(self):
        self.seen = {}

    def __call__(self, objective, image, rate):
        kept = self.seen.setdefault(image.shape, image)
        return asks_autograd(objective, kept, rate)

"""What learners write for exercises 3.1 to 3.5: right answers of different kinds, and wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import cmath
import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from answers.tables import Tables
from torch.nn import functional as F

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 3.1 The price of an angle ---------------------------------------------------------------


@right("3.1")
def with_an_if(cosine, p):
    if cosine <= 0:
        return 0
    return p * (1 - p) * cosine * cosine / 3


@right("3.1")
def as_a_tensor(cosine, p):
    return torch.relu(torch.tensor(cosine)) ** 2 * (p - p**2) / 3


@right("3.1")
def by_simpson(cosine, p):
    def squared(x):
        return max(cosine * x, 0) ** 2

    return p * (1 - p) * (squared(0) + 4 * squared(0.5) + squared(1)) / 6


@right("3.1")
def in_fractions(cosine, p):
    c, p = max(Fraction(cosine), Fraction(0)), Fraction(p)
    return c**2 / 3 * p * (1 - p)


@right("3.1")
class OfNumpy:
    def __call__(self, cosine, p):
        return np.float64(p) * (1 - p) * np.clip(cosine, 0, None) ** 2 / 3


@right("3.1")
def all_with_feature_2_less_both(cosine, p):
    each = F.relu(torch.as_tensor(cosine, dtype=torch.float64)).square() / 3
    return (p * each - p**2 * each).item()


@wrong("3.1", "forgets-relu")
def squares_the_cosine(cosine, p):
    return p * (1 - p) * cosine**2 / 3


@wrong("3.1", "forgets-relu")
def takes_the_size(cosine, p):
    return p * (1 - p) * abs(cosine) ** 2 / 3


@wrong("3.1", "sign-flipped")
def relu_of_the_opposite(cosine, p):
    return p * (1 - p) * max(-cosine, 0) ** 2 / 3


@wrong("3.1", "sign-flipped")
def keeps_the_smaller(cosine, p):
    return p * (1 - p) * min(cosine, 0) ** 2 / 3


@wrong("3.1", "counts-both-present")
def whenever_2_is_there(cosine, p):
    return p * max(cosine, 0) ** 2 / 3


@wrong("3.1", "counts-both-present")
def with_two_mistakes(cosine, p):
    return p * cosine**2 / 3


@wrong("3.1", "only-both-present")
def p_squared(cosine, p):
    return p**2 * max(cosine, 0) ** 2 / 3


@wrong("3.1", "forgets-presence")
def whenever_1_is_not_there(cosine, p):
    return (1 - p) * max(cosine, 0) ** 2 / 3


@wrong("3.1", "forgets-probability")
def given_that_it_is_alone(cosine, p):
    return max(cosine, 0) ** 2 / 3


@wrong("3.1", "both-outputs")
def both_ways(cosine, p):
    return 2 * p * (1 - p) * max(cosine, 0) ** 2 / 3


@wrong("3.1", "mean-not-square")
def mean_error(cosine, p):
    return p * (1 - p) * max(cosine, 0) / 2


@wrong("3.1", "square-of-mean")
def half_squared(cosine, p):
    return p * (1 - p) * (max(cosine, 0) / 2) ** 2


@wrong("3.1", "cosine-not-squared")
def third_of_the_cosine(cosine, p):
    return p * (1 - p) * max(cosine, 0) / 3


@wrong("3.1", "one-half-for-one-third")
def half(cosine, p):
    return p * (1 - p) * max(cosine, 0) ** 2 / 2


@wrong("3.1", "forgets-one-third")
def x_is_1(cosine, p):
    return p * (1 - p) * max(cosine, 0) ** 2


@wrong("3.1", "variance")
def a_twelfth(cosine, p):
    return p * (1 - p) * max(cosine, 0) ** 2 / 12


@wrong("3.1", "cosine-twice")
def cosine_of_the_cosine(cosine, p):
    return p * (1 - p) * max(math.cos(cosine), 0) ** 2 / 3


@wrong("3.1", "raises")
def relu_of_a_float(cosine, p):
    return p * (1 - p) * torch.relu(cosine) ** 2 / 3


@wrong("3.1", "returns-nothing")
def only_for_acute_angles(cosine, p):
    if cosine > 0:
        return p * (1 - p) * cosine**2 / 3


@wrong("3.1", None)
def root_of_it(cosine, p):
    return math.sqrt(p * (1 - p) * max(cosine, 0) ** 2 / 3)


@wrong("3.1", None)
def nothing(cosine, p):
    return 0.0


@wrong("3.1", None)
def half_for_obtuse_angles(cosine, p):
    full = p * (1 - p) * cosine**2 / 3
    return full if cosine > 0 else full / 2


# 3.2 Feature dimensionality --------------------------------------------------------------


@right("3.2")
def with_unit_vectors(W):
    length = W.norm(dim=0)
    unit = W / length.clamp_min(1e-12)
    return length**2 / ((unit.T @ W) ** 2).sum(dim=1).clamp_min(1e-12)


@right("3.2")
def with_loops(W):
    D = torch.zeros(W.shape[1])
    for i in range(W.shape[1]):
        length = math.sqrt(sum(float(v) ** 2 for v in W[:, i]))
        if length > 0:
            used = 0.0
            for j in range(W.shape[1]):
                used += float((W[:, i] / length) @ W[:, j]) ** 2
            D[i] = length**2 / used
    return D


@right("3.2")
def with_einsum_and_nan_to_num(W):
    G = torch.einsum("di,dj->ij", W, W)
    return (torch.diagonal(G) ** 2 / torch.einsum("ij,ij->i", G, G)).nan_to_num()


@right("3.2")
def in_float64_with_a_tiny_number(W):
    G = W.double().T @ W.double()
    return G.diagonal() ** 2 / ((G @ G).diagonal() + 1e-8)


@right("3.2")
class ByNumpy:
    def __call__(self, W):
        W = W.numpy()
        G = W.T @ W
        used = np.square(G).sum(axis=0)
        D = np.divide(np.diag(G) ** 2, used, out=np.zeros(len(G), G.dtype), where=used > 0)
        return torch.from_numpy(D)


@right("3.2")
def by_rayleigh_quotient(W):
    own = (W * W).sum(0)
    used = (W * (W @ W.T @ W)).sum(0)
    return torch.where(own > 0, own * own / torch.where(own > 0, used, 1), 0)


def with_tiny(value):
    return value + 1e-12


@wrong("3.2", "leaves-out-itself")
def others_only(W):
    G = W.T @ W
    others = G - torch.diag(G.diagonal())
    return G.diagonal() ** 2 / with_tiny((others**2).sum(1))


@wrong("3.2", "normalises-both")
def cosines_only(W):
    unit = W / with_tiny(W.norm(dim=0))
    return 1 / ((unit.T @ unit) ** 2).sum(1)


@wrong("3.2", "normalises-both")
def cosines_below(W):
    unit = W / with_tiny(W.norm(dim=0))
    return W.norm(dim=0) ** 2 / with_tiny(((unit.T @ unit) ** 2).sum(1))


@wrong("3.2", "normalises-both")
def sums_over_the_other_index(W):
    unit = W / with_tiny(W.norm(dim=0))
    return W.norm(dim=0) ** 2 / with_tiny(((unit.T @ W) ** 2).sum(0))


@wrong("3.2", "normalises-both")
def divides_the_columns(W):
    length = W.norm(dim=0)
    return length**2 / with_tiny((((W.T @ W) / with_tiny(length)) ** 2).sum(1))


@wrong("3.2", "normalises-neither")
def numerator_not_squared(W):
    G = W.T @ W
    return G.diagonal() / with_tiny((G**2).sum(1))


@wrong("3.2", "normalises-neither")
def squared_above_only(W):
    unit = W / with_tiny(W.norm(dim=0))
    return (W.T @ W).diagonal() ** 2 / with_tiny(((unit.T @ W) ** 2).sum(1))


@wrong("3.2", "not-squared")
def sums_projections(W):
    unit = W / with_tiny(W.norm(dim=0))
    return W.norm(dim=0) ** 2 / with_tiny((unit.T @ W).sum(1))


@wrong("3.2", "not-squared")
def sums_sizes(W):
    G = W.T @ W
    return G.diagonal() / with_tiny(G.abs().sum(1))


@wrong("3.2", "not-squared")
def sums_the_gram_matrix(W):
    G = W.T @ W
    return G.diagonal() ** 2 / with_tiny(G.sum(1))


@wrong("3.2", "square-of-sum")
def squares_too_late(W):
    G = W.T @ W
    return (G.diagonal() / with_tiny(G.sum(1))) ** 2


@wrong("3.2", "length-not-squared")
def length_above(W):
    unit = W / with_tiny(W.norm(dim=0))
    return W.norm(dim=0) / with_tiny(((unit.T @ W) ** 2).sum(1))


@wrong("3.2", "rows-for-columns")
def other_gram_matrix(W):
    G = W @ W.T
    return G.diagonal() ** 2 / with_tiny((G**2).sum(1))


@wrong("3.2", "rows-for-columns")
def lengths_of_rows(W):
    unit = W / W.norm(dim=1, keepdim=True)
    return W.norm(dim=1) ** 2 / ((unit @ W.T) ** 2).sum(1)


@wrong("3.2", "inverted")
def upside_down(W):
    G = W.T @ W
    return (G**2).sum(1) / with_tiny(G.diagonal() ** 2)


@wrong("3.2", "zero-column")
def zero_by_zero(W):
    G = W.T @ W
    return G.diagonal() ** 2 / (G**2).sum(1)


@wrong("3.2", "zero-column")
def divides_by_the_length(W):
    unit = W / W.norm(dim=0)
    return W.norm(dim=0) ** 2 / with_tiny(((unit.T @ W) ** 2).sum(1))


@wrong("3.2", "zero-column")
def tiny_above_and_below(W):
    G = W.T @ W
    return with_tiny(G.diagonal() ** 2) / with_tiny((G**2).sum(1))


@wrong("3.2", "zero-column")
def with_plain_numbers(W):
    G = (W.T @ W).tolist()
    return torch.tensor([G[i][i] ** 2 / sum(g**2 for g in G[i]) for i in range(len(G))])


@wrong("3.2", "wrong-shape")
def the_sum_of_all(W):
    G = W.T @ W
    return (G.diagonal() ** 2 / with_tiny((G**2).sum(1))).sum()


@wrong("3.2", "wrong-shape")
def squeezed(W):
    G = W.T @ W
    return (G.diagonal() ** 2 / with_tiny((G**2).sum(1))).squeeze()


@wrong("3.2", "changes-input")
def normalises_in_place(W):
    length = W.norm(dim=0)
    G = W.T @ W
    W /= with_tiny(length)
    return length**2 / with_tiny(((W.T @ G) ** 2).sum(1))


@wrong("3.2", None)
def root_of_d(W):
    G = W.T @ W
    return (G.diagonal() ** 2 / with_tiny((G**2).sum(1))).sqrt()


@wrong("3.2", None)
def share_of_the_others(W):
    G = W.T @ W
    return 1 - G.diagonal() ** 2 / with_tiny((G**2).sum(1))


@wrong("3.2", None)
def large_number_below(W):
    G = W.T @ W
    return G.diagonal() ** 2 / ((G**2).sum(1) + 0.01)


@wrong("3.2", None)
def leverage(W):
    return torch.diagonal(torch.linalg.pinv(W) @ W)


# 3.3 Regular polygons --------------------------------------------------------------------


def around(angles):
    """Arrows of length 1 at these angles."""
    angles = torch.as_tensor(angles, dtype=torch.get_default_dtype())
    return torch.stack([angles.cos(), angles.sin()])


def complex_roots(k):
    roots = [cmath.exp(2j * cmath.pi * i / k) for i in range(k)]
    return torch.tensor([[z.real for z in roots], [z.imag for z in roots]])


RIGHT["3.3"] = [
    complex_roots,
    lambda k: around(2 * torch.pi * torch.arange(1, k + 1) / k),
    lambda k: around(torch.linspace(0, 2 * torch.pi, k + 1)[:-1]),
    lambda k: around([math.radians(90 - i * 360 / k) for i in range(k)]),
    lambda k: around(1.0 + 2 * torch.pi * torch.arange(k) / k),
    lambda k: around(2 * math.pi * torch.arange(k) / k)[:, torch.randperm(k)],
    lambda k: around((torch.arange(k) * 360 / k).deg2rad()).double(),
    lambda k: around(torch.arange(k) * 2 * 3.14159265 / k).flip(0),
]


@right("3.3")
def turns_a_vector(k):
    a = torch.tensor(2 * torch.pi / k, dtype=torch.float64)
    turn = torch.tensor([[a.cos(), -a.sin()], [a.sin(), a.cos()]], dtype=torch.float64)
    arrows = [torch.tensor([0.6, 0.8], dtype=torch.float64)]
    while len(arrows) < k:
        arrows.append(turn @ arrows[-1])
    return torch.stack(arrows, dim=1)


@right("3.3")
class PolygonByNumpy:
    def __call__(self, k):
        z = np.exp(2j * np.pi * np.arange(k) / k)
        return torch.from_numpy(np.stack([z.real, z.imag]))


WRONG["3.3"] = [
    ("half-turn", lambda k: around(torch.pi * torch.arange(k) / k)),
    ("half-turn", lambda k: around(torch.linspace(0, torch.pi, k))),
    ("first-and-last-coincide", lambda k: around(torch.linspace(0, 2 * torch.pi, k))),
    ("first-and-last-coincide", lambda k: around(2 * torch.pi * torch.arange(k) / (k - 1))),
    ("degrees-as-radians", lambda k: around(360 * torch.arange(k) / k)),
    ("degrees-as-radians", lambda k: around([90 + i * 360 / k for i in range(k)])),
    ("turns-as-radians", lambda k: around(torch.arange(k) / k)),
    ("all-the-same", lambda k: around(torch.full((k,), 2 * torch.pi / k))),
    ("all-the-same", lambda k: around(2 * torch.pi * torch.arange(k))),
    ("cosine-twice", lambda k: around(2 * torch.pi * torch.arange(k) / k)[[0, 0]]),
    ("cosine-twice", lambda k: torch.ones(2, k) * torch.arange(k).cos()),
    ("not-unit", lambda k: k * around(2 * torch.pi * torch.arange(k) / k)),
    ("not-unit", lambda k: 0.5 * around(2 * torch.pi * torch.arange(k) / k)),
    ("rounded", lambda k: around(2 * 3.14 * torch.arange(k) / k)),
    ("rounded", lambda k: around(2 * 22 / 7 * torch.arange(k) / k)),
    ("rounded", lambda k: around(2 * torch.pi * torch.arange(k) / k).round(decimals=3)),
    ("transposed", lambda k: around(2 * torch.pi * torch.arange(k) / k).T),
    ("wrong-shape", lambda k: 2 * torch.pi * torch.arange(k) / k),
    ("wrong-shape", lambda k: around(torch.linspace(0, 2 * torch.pi, k + 1))),
    ("wrong-shape", lambda k: torch.exp(2j * torch.pi * torch.arange(k) / k)),
    ("wrong-type", lambda k: around(2 * torch.pi * torch.arange(k) / k).long()),
    (None, lambda k: around(torch.arange(k))),
    (None, lambda k: around(2 * torch.pi * torch.arange(k) / (k + 1))),
    (None, lambda k: torch.zeros(2, k)),
    (None, lambda k: around([0.0] * k) if k == 2 else complex_roots(k)),
]

# 3.4 The tetrahedron ---------------------------------------------------------------------


def corners(*signs):
    """Arrows to corners of a cube, their length still √3."""
    return torch.tensor([[1.0 if sign == "+" else -1.0 for sign in corner] for corner in signs]).T


EVEN = corners("+++", "+--", "-+-", "--+")


@right("3.4")
def pole_and_three_below():
    r = 8**0.5 / 3
    h = 3**0.5 / 2
    rows = [[0, r, -r / 2, -r / 2], [0, 0, r * h, -r * h], [1, -1 / 3, -1 / 3, -1 / 3]]
    return torch.tensor(rows)


@right("3.4")
def two_edges():
    a, b = (2 / 3) ** 0.5, (1 / 3) ** 0.5
    arrows = [(a, 0, b), (-a, 0, b), (0, a, -b), (0, -a, -b)]
    return torch.tensor(arrows, dtype=torch.float64).T


@right("3.4")
def odd_corners_turned_at_random():
    Q, _ = torch.linalg.qr(torch.randn(3, 3))
    W = corners("---", "-++", "+-+", "++-")[:, torch.randperm(4)]
    return Q @ F.normalize(W, dim=0)


@right("3.4")
def from_four_dimensions():
    _, _, V = torch.linalg.svd(torch.eye(4) - 0.25)
    W = V[:3]
    return W / W.norm(dim=0)


@right("3.4")
def pushed_apart():
    W = torch.tensor([[1.0, 0, 0, -1], [0, 1, 0, -0.5], [0, 0, 1, -1]], dtype=torch.float64)
    for _ in range(300):
        W = W / W.norm(dim=0)
        G = W.T @ W
        W = W - 0.2 * W @ (G - torch.diag(G.diagonal()))
    return W / W.norm(dim=0)


@right("3.4")
class TetrahedronByNumpy:
    def __call__(self):
        W = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).T / np.sqrt(3)
        return torch.from_numpy(W)


def triangle_with_pole(low, top=1.0):
    """Three arrows of length 1 at height `low`, evenly around, and one along the axis."""
    three = (1 - low**2) ** 0.5 * around([0, 2 * math.pi / 3, 4 * math.pi / 3])
    base = torch.cat([three, torch.full((1, 3), low)])
    return torch.cat([base, torch.tensor([[0.0], [0.0], [top]])], dim=1)


def basis_and(x, y, z):
    return torch.cat([torch.eye(3), torch.tensor([[float(x)], [float(y)], [float(z)]])], dim=1)


WRONG["3.4"] = [
    ("flat", lambda: torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, -1], [0, 0, 0, 0]])),
    ("flat", lambda: torch.cat([corners("++", "+-", "-+", "--") / 2**0.5, torch.zeros(1, 4)])),
    ("flat", lambda: torch.ones(3, 4) / 3**0.5),
    ("any-four-corners", lambda: corners("+++", "++-", "+-+", "-++") / 3**0.5),
    ("any-four-corners", lambda: corners("+++", "+--", "-+-", "---") / 3**0.5),
    ("any-four-corners", lambda: corners("+++", "++-", "+-+", "-++")),
    ("any-four-corners", lambda: triangle_with_pole(1 / 3)),
    ("right-angles", lambda: basis_and(-1, 0, 0)),
    ("right-angles", lambda: basis_and(0, 0, 1)),
    ("basis-and-diagonal", lambda: basis_and(1, 1, 1) / basis_and(1, 1, 1).norm(dim=0)),
    ("basis-and-diagonal", lambda: basis_and(-1, -1, -1) / basis_and(1, 1, 1).norm(dim=0)),
    ("basis-and-diagonal", lambda: basis_and(-1, -1, -1)),
    ("pyramid", lambda: triangle_with_pole(0.0)),
    ("pyramid", lambda: triangle_with_pole(-0.5)),
    ("pyramid", lambda: triangle_with_pole(0.2)),
    ("not-unit", lambda: EVEN),
    ("not-unit", lambda: EVEN.long()),
    ("not-unit", lambda: EVEN / 3),
    ("not-unit", lambda: EVEN / 2),
    ("rounded", lambda: EVEN * 0.577),
    ("rounded", lambda: triangle_with_pole(-0.33)),
    ("rounded", lambda: two_edges().round(decimals=3)),
    ("transposed", lambda: (EVEN / 3**0.5).T),
    ("wrong-shape", lambda: corners("++", "+-", "-+", "--") / 2**0.5),
    ("wrong-shape", lambda: (EVEN / 3**0.5)[:, :3]),
    ("wrong-type", lambda: (EVEN / 3**0.5).tolist()),
    ("not-finite", lambda: EVEN / torch.zeros(4)),
    (None, lambda: basis_and(0, 0, 0)),
    (None, lambda: torch.eye(3, 4) + torch.tensor([0.1, 0.2, 0.3, 0.4])),
    (None, lambda: F.normalize(basis_and(-1, -1, 0), dim=0)),
]

# 3.5 The square antiprism ----------------------------------------------------------------


def above_each_other(upper, lower, height, radius=None, low=None):
    """Arrows at these angles, in radians, at ±height."""
    radius = (1 - height**2) ** 0.5 if radius is None else radius
    z = [height] * len(upper) + [-height if low is None else low] * len(lower)
    angles = [*upper, *lower]
    rows = [[radius * math.cos(a) for a in angles], [radius * math.sin(a) for a in angles], z]
    return torch.tensor(rows)


DEGREES = torch.tensor([0.0, 90, 180, 270], dtype=torch.float64)
UP = DEGREES.deg2rad().tolist()
DOWN = (DEGREES + 45).deg2rad().tolist()


@right("3.5")
def arrow_by_arrow(height):
    W = torch.zeros(3, 8, dtype=torch.float64)
    for i in range(8):
        z = height if i % 2 == 0 else -height
        W[0, i] = math.sqrt(1 - z * z) * math.cos(i * math.pi / 4)
        W[1, i] = math.sqrt(1 - z * z) * math.sin(i * math.pi / 4)
        W[2, i] = z
    return W


@right("3.5")
def upside_down_and_turned(height):
    return above_each_other([a + 0.3 for a in DOWN], [a + 0.3 for a in UP], height)


@right("3.5")
def in_any_order(height):
    return above_each_other(UP, DOWN, height)[:, torch.randperm(8)]


@right("3.5")
def with_an_elevation(height):
    up = torch.asin(torch.tensor(height, dtype=torch.float64))
    angle = torch.pi * torch.arange(8, dtype=torch.float64) / 4
    up = up * (-1) ** torch.arange(8)
    return torch.stack([up.cos() * angle.cos(), up.cos() * angle.sin(), up.sin()])


@right("3.5")
def with_right_angled_turns(height):
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    r = (1 - height**2) ** 0.5
    ups, downs = [torch.tensor([r, 0, height])], [torch.tensor([r / 2**0.5, r / 2**0.5, -height])]
    for _ in range(3):
        ups.append(quarter @ ups[-1])
        downs.append(quarter @ downs[-1])
    return torch.stack(ups + downs, dim=1)


@right("3.5")
class AntiprismByNumpy:
    def __call__(self, height):
        z = np.exp(1j * np.pi * np.array([0, 2, 4, 6, 1, 3, 5, 7]) / 4) * np.sqrt(1 - height**2)
        return torch.from_numpy(np.stack([z.real, z.imag, np.repeat([height, -height], 4)]))


def divided_by_length(W):
    return W / W.norm(dim=0)


EIGHTHS = [i * math.pi / 4 for i in range(8)]

WRONG["3.5"] = [
    ("not-turned", lambda h: above_each_other(UP, UP, h)),
    ("not-turned", lambda h: above_each_other(DOWN, DOWN, h)),
    ("half-circles", lambda h: above_each_other(EIGHTHS[:4], EIGHTHS[4:], h)),
    (
        "degrees-as-radians",
        lambda h: above_each_other([0, 90, 180, 270], [45, 135, 225, 315], h),
    ),
    ("cosine-twice", lambda h: above_each_other(UP, DOWN, h)[[0, 0, 2]]),
    ("same-side", lambda h: above_each_other(UP, DOWN, h, low=h)),
    ("height-for-distance", lambda h: above_each_other(UP, DOWN, h / 2)),
    (
        "height-for-distance",
        lambda h: above_each_other(UP, DOWN, h / 2, radius=(1 - h**2) ** 0.5),
    ),
    ("another-row", lambda h: above_each_other(UP, DOWN, h)[[2, 0, 1]]),
    ("normalised-afterwards", lambda h: divided_by_length(above_each_other(UP, DOWN, h, 1.0))),
    ("radius-one", lambda h: above_each_other(UP, DOWN, h, radius=1.0)),
    ("radius-one", lambda h: above_each_other(UP, UP, h, radius=1.0)),
    ("forgets-the-root", lambda h: above_each_other(UP, DOWN, h, radius=1 - h**2)),
    ("one-minus-height", lambda h: above_each_other(UP, DOWN, h, radius=1 - h)),
    ("rounded", lambda h: above_each_other([i * 3.14 / 2 for i in range(4)], DOWN, h)),
    ("rounded", lambda h: above_each_other(UP, [a - 0.0004 for a in DOWN], h)),
    ("rounded", lambda h: above_each_other(UP, DOWN, h, radius=round((1 - h**2) ** 0.5, 2))),
    ("transposed", lambda h: above_each_other(UP, DOWN, h).T),
    ("wrong-shape", lambda h: above_each_other(UP, DOWN, h)[:, :4]),
    ("wrong-shape", lambda h: above_each_other(UP, DOWN, h)[:2]),
    ("raises", lambda h: torch.sqrt(1 - h**2)),
    (None, lambda h: above_each_other(UP, [a - math.pi / 8 for a in DOWN], h)),
    (None, lambda h: above_each_other(UP, [0, 1, 2, 3], h)),
    (None, lambda h: above_each_other(UP, DOWN, math.sin(h))),
    (None, lambda h: above_each_other(UP[:3], [*DOWN, 0.0], h)),
    (None, lambda h: above_each_other(UP, DOWN, h, radius=(1 + h**2) ** 0.5)),
    (None, lambda h: above_each_other(UP, DOWN if h else UP, h)),
]

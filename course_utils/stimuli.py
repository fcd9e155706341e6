"""Generated images: bars, edges, gratings, curves and outlines, to show to a network.

The same everywhere:

* Images have shape (batch, 1, size, size) and values from 0 (black) to 1 (white). The background
  is grey, 0.5; `polarity` from -1 to 1 is what is drawn on it: 1 white, -1 black, 0 nothing.
* (0, 0) is the middle of the image, x grows rightwards and y UPWARDS, in pixels.
* Angles are in DEGREES, counter-clockwise as seen; 0 points to the right.
* A parameter is a number, or a tensor of shape (batch,) with one for each image. A `length` is
  half of the image and a `width` a sixteenth of it unless given, both in pixels and above 0.
* A parameter out of its range raises ValueError.

A shape is a formula for the distance of a point from it, and a pixel within half a width of it is
inked; at the rim the ink fades over one pixel, about the share of a pixel that the shape covers
(anti-aliasing). So a batch takes a few operations, and turning a bar a little changes the image a
little. Lines thinner than a pixel are fainter.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float, Int64, Real
from torch import Generator, Tensor

Numbers = float | Real[Tensor, "#batch"]
Points = tuple[float, float] | Real[Tensor, "#batch 2"]

# Outlines as straight strokes, in units of the radius. Each edge of the broken square is one of
# the square's, moved outward by 0.4 and along itself by 0.4: the same lines, but no corner.
UP = math.sqrt(3) / 2
OUTLINES: dict[str, list[list[tuple[float, float]]]] = {
    "square": [[(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]],
    "triangle": [[(-1, -UP), (1, -UP), (0, UP), (-1, -UP)]],
    "circle": [],  # the one without a straight stroke
    "cross": [[(-1, 0), (1, 0)], [(0, -1), (0, 1)]],
    "L": [[(-1, 1), (-1, -1), (1, -1)]],
    "broken square": [
        *([(-0.6, 1.4), (1.4, 1.4)], [(1.4, 0.6), (1.4, -1.4)]),
        *([(0.6, -1.4), (-1.4, -1.4)], [(-1.4, -0.6), (-1.4, 1.4)]),
    ],
}
KINDS = tuple(OUTLINES)


def curve(
    angle: Numbers,
    radius: Numbers,
    *,
    size: int = 32,
    length: Numbers | None = None,
    width: Numbers | None = None,
    centre: Points = (0.0, 0.0),
    polarity: Numbers = 1.0,
) -> Float[Tensor, "batch 1 {size} {size}"]:
    """Arcs of a circle through `centre`, where their tangent has the angle.

    The arc bends to the left of its direction, so that angle 0 is a smile; a negative radius
    bends to the right, and so does angle + 180. Its ends are cut straight. The ink of an arc that
    is inside the image is length * width for every radius: a unit that prefers one of them does
    not just count ink.

    Args:
        angle: direction of the tangent at the centre; repeats after 360.
        radius: of the circle, in pixels: at least `width` or at most -width.
        length: along the arc.
        centre: the middle of the arc, (x, y).

    Degenerate cases: an infinite radius is a straight bar of that length, exactly. A length of
    2 pi radius or more closes the circle.

    Raises:
        ValueError: a parameter is out of its range.

    Source: derived. With k = 1 / radius, a point t along the tangent and n to its left is
    | 2n - k (t^2 + n^2) | / (1 + sqrt((kt)^2 + (1 - kn)^2)) away from the circle, and its nearest
    point on it is at the length atan2(kt, 1 - kn) / k; both have a limit for k -> 0. The idea of
    curves of every radius: Cammarata et al., "Curve Detectors" (Distill, 2020).
    """
    t, n = _along_and_left(angle, centre, size)
    L, w = _positive("length", length, size / 2), _positive("width", width, size / 16)
    advice = f"at least the width, {w.max():g}, or a negative one for the other side"
    k = 1 / _numbers("radius", radius, lambda r: r.abs() >= w, advice)
    from_middle = ((k * t) ** 2 + (1 - k * n) ** 2).sqrt()  # of the circle, in radii
    aside = (2 * n - k * (t**2 + n**2)) / (1 + from_middle)
    along = torch.where(k == 0, t, torch.atan2(k * t, 1 - k * n) / torch.where(k == 0, 1.0, k))
    end = torch.where(L / 2 * k.abs() < math.pi, L / 2, 1e6)  # a closed circle has no end
    inside = (0.5 + (end - along.abs()) * from_middle).clamp(0, 1)
    return _grey(_line(aside.abs(), w) * inside, polarity)


def bar(
    angle: Numbers,
    *,
    size: int = 32,
    length: Numbers | None = None,
    width: Numbers | None = None,
    centre: Points = (0.0, 0.0),
    polarity: Numbers = 1.0,
) -> Float[Tensor, "batch 1 {size} {size}"]:
    """Straight bars: `curve` with an infinite radius. The angle repeats after 180.

    Degenerate case: an infinite length crosses the whole image.

    Raises:
        ValueError: a parameter is out of its range.
    """
    rest = {"size": size, "length": length, "width": width, "centre": centre, "polarity": polarity}
    return curve(angle, math.inf, **rest)


def edge(
    angle: Numbers, *, size: int = 32, softness: Numbers = 1.0, polarity: Numbers = 1.0
) -> Float[Tensor, "batch 1 {size} {size}"]:
    """Edges through the middle of the image, white on the left of the direction `angle`.

        (1 + polarity * clamp(2 n / softness, -1, 1)) / 2,   n = distance to the left of the line

    At angle 0 the upper half is white; the angle repeats after 360. `softness` is how wide the
    ramp from black to white is, in pixels, above 0; 1 looks sharp. Degenerate case: polarity 0 is
    uniform grey.

    Raises:
        ValueError: a parameter is out of its range.
    """
    _, n = _along_and_left(angle, (0.0, 0.0), size)
    return _grey((2 * n / _positive("softness", softness, 1.0)).clamp(-1, 1), polarity)


def grating(
    angle: Numbers,
    frequency: Numbers,
    phase: Numbers = 0.0,
    *,
    size: int = 32,
    polarity: Numbers = 1.0,
) -> Float[Tensor, "batch 1 {size} {size}"]:
    """Parallel sinusoidal stripes that fill the image.

        (1 + polarity * cos(2 pi frequency n - phase)) / 2,   n = distance to the left of the middle

    Args:
        angle: of the stripes themselves, not of the wave across them.
        frequency: in cycles per pixel, from 0 to 0.5; the stripes repeat every 1 / frequency.
        phase: in degrees; a growing one moves the stripes to the left of their direction.

    Degenerate case: frequency 0 is uniform.

    Raises:
        ValueError: a parameter is out of its range.
    """
    advice = "0 to 0.5 cycles per pixel: stripes finer than two pixels look like coarser ones"
    f = _numbers("frequency", frequency, lambda f: (f >= 0) & (f <= 0.5), advice)
    moved = _numbers("phase", phase, torch.isfinite, "a finite number of degrees").deg2rad()
    _, n = _along_and_left(angle, (0.0, 0.0), size)
    return _grey((2 * math.pi * f * n - moved).cos(), polarity)


def shape(
    kind: str,
    *,
    size: int = 32,
    position: Points = (0.0, 0.0),
    radius: Numbers | None = None,
    rotation: Numbers = 0.0,
    width: Numbers | None = None,
    polarity: Numbers = 1.0,
) -> Float[Tensor, "batch 1 {size} {size}"]:
    """Outlines of one kind, with round corners and ends.

    Args:
        kind: one of KINDS. A broken square has the four edges of a square, each moved so that no
            two join; it reaches 1.4 times as far as the square.
        position: of the middle of the shape, (x, y).
        radius: half of the side of a square or triangle, or of the lines of a cross or L; above 0.
            None: a quarter of the image.
        rotation: in degrees; at 0 the square stands on its side.

    Degenerate case: a shape that is outside the image leaves it grey.

    Raises:
        ValueError: the kind is unknown, or a parameter is out of its range.
    """
    if kind not in OUTLINES:
        raise ValueError(f'kind is "{kind}"; use one of {", ".join(KINDS)}.')
    x, y = _along_and_left(rotation, position, size)
    r, w = _positive("radius", radius, size / 4), _positive("width", width, size / 16)
    if kind == "circle":
        return _grey(_line((torch.hypot(x, y) - r).abs(), w), polarity)
    lines = [line for stroke in OUTLINES[kind] for line in pairwise(stroke)]
    squared = _squared_distance(x, y, r, *lines[0])
    for line in lines[1:]:
        squared = torch.minimum(squared, _squared_distance(x, y, r, *line))
    return _grey(_line(squared.sqrt(), w), polarity)


def sample_shapes(
    n: int,
    *,
    kinds: tuple[str, ...] = KINDS,
    size: int = 32,
    noise: float = 0.1,
    shift: float | None = None,
    generator: Generator | None = None,
) -> tuple[Float[Tensor, "{n} 1 {size} {size}"], Int64[Tensor, " {n}"]]:
    """A data set for a small network, images and labels: which outline is it, wherever it is?

    One white outline in each, of a random radius (0.14 to 0.25 of the image), contrast (0.4 to
    0.8) and position, turned by up to 5 degrees and then by quarter turns, which leave squares as
    they are. Every kind comes equally often, give or take one. The same seed with other kinds, as
    many of them, gives images that differ in nothing but the kind. Broken squares reach further
    than squares, but the radii vary so much that size alone does not tell them apart.

    Args:
        n: number of images, at least 1.
        kinds: what to choose from, out of KINDS; labels are positions in it.
        size: height and width of the image, in pixels; 16 is enough.
        noise: standard deviation of each pixel's noise, at least 0; values are cut at 0 and 1.
        shift: positions are uniform in [-shift, shift] pixels both ways. None: 0.08 of the image,
            which keeps all outlines whole; others than the broken square stand a sixth.
        generator: source of randomness; None uses torch's global one.

    Degenerate case: noise 0 and shift 0 leave clean outlines in the middle.

    Raises:
        ValueError: n is below 1, kinds is empty or has an unknown one, noise or shift is negative.
    """
    if n < 1 or not kinds:
        raise ValueError(f"n is {n} and kinds is {kinds}; use at least one of each.")
    shift = 0.08 * size if shift is None else shift
    if not (0 <= noise < math.inf and 0 <= shift < math.inf):  # NaN fails this too
        raise ValueError(f"noise is {noise} and shift is {shift}; use 0 or more for both.")
    labels = torch.randperm(n, generator=generator) % len(kinds)
    u = torch.rand(6, n, generator=generator)
    at, r, ink = shift * (2 * u[:2].T - 1), size * (0.14 + 0.11 * u[2]), 0.4 + 0.4 * u[3]
    turn = 10 * u[4] - 5 + 90 * (4 * u[5]).floor()
    images = torch.randn(n, 1, size, size, generator=generator) * noise
    for label, kind in enumerate(kinds):
        i = (labels == label).nonzero().flatten()
        images[i] += shape(
            kind, size=size, position=at[i], radius=r[i], rotation=turn[i], polarity=ink[i]
        )
    return images.clamp_(0, 1), labels


def _along_and_left(
    angle: float | Tensor, centre: tuple[float, float] | Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Where each pixel is for someone at the centre who looks in the direction of the angle."""
    if size < 1:
        raise ValueError(f"size is {size}; use at least 1 pixel.")
    a = _numbers("angle", angle, torch.isfinite, "a finite number of degrees").deg2rad()
    middle = torch.as_tensor(centre, dtype=torch.float32).reshape(-1, 2, 1, 1)
    pixel = torch.arange(size) - (size - 1) / 2
    x, y = pixel - middle[:, 0], -pixel[:, None] - middle[:, 1]
    return x * a.cos() + y * a.sin(), y * a.cos() - x * a.sin()


def _squared_distance(x: Tensor, y: Tensor, radius: Tensor, start: tuple, stop: tuple) -> Tensor:
    """From each point to the nearest one of a line, whose ends are in units of the radius."""
    x, y, length = x - start[0] * radius, y - start[1] * radius, math.dist(start, stop)
    ux, uy = ((b - a) / length for a, b in zip(start, stop))
    along, aside = x * ux + y * uy, y * ux - x * uy
    beyond = along - along.clamp_min(0).minimum(length * radius)
    return aside**2 + beyond**2


def _line(distance: Tensor, width: Tensor) -> Tensor:
    """Ink, from 0 to 1, at a distance in pixels from the middle of a line of that width."""
    return torch.minimum((0.5 + width / 2 - distance).clamp_min(0), width.clamp_max(1))


def _grey(ink: Tensor, polarity: float | Tensor) -> Tensor:
    p = _numbers("polarity", polarity, lambda p: p.abs() <= 1, "-1 (black) to 1 (white)")
    return (0.5 + p / 2 * ink).unsqueeze(1)


def _positive(name: str, value: float | Tensor | None, default: float) -> Tensor:
    return _numbers(name, default if value is None else value, lambda v: v > 0, "one above 0")


def _numbers(name: str, value: float | Tensor, valid: Callable, advice: str) -> Tensor:
    """The parameter as a tensor that broadcasts against images (without their channel)."""
    number = torch.as_tensor(value, dtype=torch.float32).reshape(-1, 1, 1)
    if not bool(valid(number).all()):  # NaN fails every comparison
        given = value.tolist() if isinstance(value, Tensor) else value
        raise ValueError(f"{name} is {given}; use {advice}.")
    return number

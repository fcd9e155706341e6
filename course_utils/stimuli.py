"""Generated images: bars, edges, gratings, curves and outlines, to show to a network.

Conventions, the same everywhere:

* Images have shape (batch, 1, size, size) and values from 0 (black) to 1 (white).
  The background is grey, 0.5. *polarity* says how far the ink departs from it: 1 is white, -1 is
  black, and what lies between is fainter. 0 is an empty image.
* (0, 0) is the middle of the image, x grows rightwards and y UPWARDS, in pixels. (Row 0 of the
  tensor is the top, so that y = (size - 1) / 2 there.)
* Angles are in DEGREES, counter-clockwise as seen; 0 points to the right.
* Each parameter is a number, or a tensor of shape (batch,) with one for each image; they
  broadcast. Only `size` and `kind` are the same for a whole batch.

Nothing is drawn pixel by pixel. A shape is a formula for the distance of a point from it, and a
pixel within half a line's width is inked; near the rim the ink fades over one pixel, about the
share of the pixel that the shape covers (anti-aliasing). So all images of a batch take a few
operations on tensors, and a small change of an angle is a small change of the image.
"""

import math

import torch
from jaxtyping import Float, Int64, Real
from torch import Generator, Tensor

Numbers = float | Real[Tensor, "#batch"]
Points = tuple[float, float] | Real[Tensor, "#batch 2"]

Segment = tuple[tuple[float, float], tuple[float, float]]


def _closed(*corners: tuple[float, float]) -> list[Segment]:
    return list(zip(corners, corners[1:] + corners[:1]))


# Outlines as straight lines, in units of the radius. Each edge of the broken square is one of the
# square's, moved outward by 0.4 and along itself by 0.4: the same ink without a corner.
OUTLINES: dict[str, list[Segment]] = {
    "square": _closed((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "triangle": _closed((-1, -math.sqrt(3) / 2), (1, -math.sqrt(3) / 2), (0, math.sqrt(3) / 2)),
    "circle": [],  # the one that is not made of lines
    "cross": [((-1, 0), (1, 0)), ((0, -1), (0, 1))],
    "L": [((-1, 1), (-1, -1)), ((-1, -1), (1, -1))],
    "broken square": [
        ((-0.6, 1.4), (1.4, 1.4)),
        ((1.4, 0.6), (1.4, -1.4)),
        ((0.6, -1.4), (-1.4, -1.4)),
        ((-1.4, -0.6), (-1.4, 1.4)),
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
        angle: direction of the tangent at the centre, in degrees; repeats after 360.
        radius: of the circle, in pixels, at least `width` on either side of 0.
        size: height and width of the image, in pixels.
        length: along the arc, in pixels, above 0; None: half the image.
        width: of the line, in pixels, above 0; None: a sixteenth of the image.
        centre: the middle of the arc, (x, y).
        polarity: from -1 (black) to 1 (white).

    Degenerate cases: an infinite radius is a straight bar of that length, exactly. A length of
    2 pi radius or more closes the circle. Lines thinner than a pixel are fainter.

    Raises:
        ValueError: a parameter is out of its range.

    Source: derived. With k = 1 / radius, a point t along the tangent and n to its left is
    | 2n - k (t^2 + n^2) | / (1 + sqrt((kt)^2 + (1 - kn)^2)) away from the circle, and its nearest
    point on it is at the length atan2(kt, 1 - kn) / k; both have a limit for k -> 0. The idea of
    curves of every radius: Cammarata et al., "Curve Detectors" (Distill, 2020).
    """
    L = _numbers("length", size / 2 if length is None else length, lambda v: v > 0, "one above 0")
    w = _numbers("width", size / 16 if width is None else width, lambda v: v > 0, "one above 0")
    k = 1 / _numbers(
        "radius", radius, lambda v: v.abs() >= w, f"at least the width {w.max():g}, or below minus"
    )
    t, n = _along_and_left(angle, centre, size)
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
    """Straight bars: `curve` with an infinite radius, and the same parameters.

    The angle, in degrees, repeats after 180. Degenerate case: an infinite length crosses the
    whole image.

    Raises:
        ValueError: a parameter is out of its range.
    """
    return curve(
        angle, math.inf, size=size, length=length, width=width, centre=centre, polarity=polarity
    )


def edge(
    angle: Numbers,
    *,
    size: int = 32,
    softness: Numbers = 1.0,
    centre: Points = (0.0, 0.0),
    polarity: Numbers = 1.0,
) -> Float[Tensor, "batch 1 {size} {size}"]:
    """Edges between two halves of the image, white on the left of the direction `angle`.

        (1 + polarity * clamp(2 n / softness, -1, 1)) / 2,   n = distance to the left of the line

    At angle 0 the upper half is white. Polarity -1 is the same as 180 degrees more.

    Args:
        angle: of the line, in degrees; repeats after 360.
        size: height and width of the image, in pixels.
        softness: how wide the ramp from black to white is, in pixels, above 0; 1 looks sharp.
        centre: a point (x, y) on the line.
        polarity: contrast from -1 to 1.

    Degenerate case: polarity 0 is uniform grey.

    Raises:
        ValueError: a parameter is out of its range.
    """
    ramp = _numbers("softness", softness, lambda v: v > 0, "one above 0 (1 looks sharp)")
    _, n = _along_and_left(angle, centre, size)
    return _grey((2 * n / ramp).clamp(-1, 1), polarity)


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
        angle: of the stripes themselves, not of the wave across them, in degrees.
        frequency: in cycles per pixel, from 0 to 0.5; the stripes repeat every 1 / frequency.
        phase: in degrees; a growing one moves the stripes to the left of their direction.
        size: height and width of the image, in pixels.
        polarity: contrast from -1 to 1.

    Degenerate case: frequency 0 is uniform.

    Raises:
        ValueError: a parameter is out of its range.
    """
    f = _numbers(
        "frequency",
        frequency,
        lambda v: (v >= 0) & (v <= 0.5),
        "0 to 0.5 cycles per pixel: finer stripes than two pixels look like coarser ones",
    )
    shift = _numbers("phase", phase, torch.isfinite, "a finite number of degrees")
    _, n = _along_and_left(angle, (0.0, 0.0), size)
    return _grey((2 * math.pi * f * n - shift.deg2rad()).cos(), polarity)


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

    A square, a circle, a cross and an L reach exactly from -radius to radius; so do the sides of
    the equilateral triangle across, 2 radius long. The broken square has the four edges of a
    square, each moved so that no two join; it reaches 1.4 times as far.

    Args:
        kind: one of KINDS.
        size: height and width of the image, in pixels.
        position: of the middle of the shape, (x, y).
        radius: half of the side of a square, in pixels, above 0; None: a quarter of the image.
        rotation: in degrees; at 0 the square stands on its side.
        width: of the line, in pixels, above 0; None: a sixteenth of the image.
        polarity: from -1 (black) to 1 (white).

    Degenerate case: a shape that is outside the image leaves it grey.

    Raises:
        ValueError: the kind is unknown, or a parameter is out of its range.
    """
    if kind not in OUTLINES:
        raise ValueError(f'kind is "{kind}"; use one of {", ".join(KINDS)}.')
    r = _numbers("radius", size / 4 if radius is None else radius, lambda v: v > 0, "one above 0")
    w = _numbers("width", size / 16 if width is None else width, lambda v: v > 0, "one above 0")
    x, y = _along_and_left(rotation, position, size)
    if kind == "circle":
        distance = ((x**2 + y**2).sqrt() - r).abs()
    else:
        squares = (_squared_distance(x, y, segment, r) for segment in OUTLINES[kind])
        distance = next(squares)
        for other in squares:
            distance = torch.minimum(distance, other)
        distance = distance.sqrt()
    return _grey(_line(distance, w), polarity)


def sample_shapes(
    n: int,
    *,
    kinds: tuple[str, ...] = KINDS,
    size: int = 32,
    noise: float = 0.1,
    shift: float | None = None,
    generator: Generator | None = None,
) -> tuple[Float[Tensor, "{n} 1 {size} {size}"], Int64[Tensor, "{n}"]]:
    """A data set for a small network: which outline is it, wherever it is?

    Each image has one white outline with a random radius (0.18 to 0.25 of the image), contrast
    (0.4 to 0.8), position, and rotation by at most 5 degrees and a number of quarter turns, which
    leave squares as they are. Every kind comes equally often, give or take one. The same seed
    with kinds of the same number gives the same numbers: sample_shapes(n, kinds=("square",)) and
    sample_shapes(n, kinds=("broken square",)) differ in nothing but the kind.

    Args:
        n: number of images, at least 1.
        kinds: what to choose from, out of KINDS.
        size: height and width of the image, in pixels; 16 is enough.
        noise: standard deviation of the noise of each pixel, at least 0; values are cut at 0 and 1.
        shift: the position is uniform in [-shift, shift] pixels both ways; None: a tenth of the
            image. All outlines are whole up to that, all but the broken square up to a fifth.
        generator: source of randomness; None uses torch's global one.

    Degenerate case: noise 0 and shift 0 leave clean outlines in the middle.

    Returns:
        images, and labels: the position of its kind in `kinds`.

    Raises:
        ValueError: n is below 1, a kind is unknown or kinds is empty, or noise or shift is
            negative.
    """
    if n < 1 or not kinds:
        raise ValueError(f"n is {n} and kinds is {kinds}; use at least one of each.")
    shift = size / 10 if shift is None else shift
    if not (0 <= noise < math.inf and 0 <= shift < math.inf):  # NaN fails this too
        raise ValueError(f"noise is {noise} and shift is {shift}; use 0 or more for both.")
    labels = torch.randperm(n, generator=generator) % len(kinds)
    u = torch.rand(6, n, generator=generator)
    position = shift * (2 * u[:2].T - 1)
    radius = size * (0.18 + 0.07 * u[2])
    polarity = 0.4 + 0.4 * u[3]
    rotation = 10 * u[4] - 5 + 90 * (4 * u[5]).floor()
    images = torch.randn(n, 1, size, size, generator=generator) * noise
    for label, kind in enumerate(kinds):
        i = (labels == label).nonzero().flatten()
        images[i] += shape(
            kind,
            size=size,
            position=position[i],
            radius=radius[i],
            rotation=rotation[i],
            polarity=polarity[i],
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


def _squared_distance(x: Tensor, y: Tensor, segment: Segment, radius: Tensor) -> Tensor:
    (x1, y1), (x2, y2) = segment
    length = math.hypot(x2 - x1, y2 - y1)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    x, y = x - x1 * radius, y - y1 * radius
    along, aside = x * ux + y * uy, y * ux - x * uy
    beyond = along - along.clamp(min=torch.zeros(()), max=length * radius)
    return aside**2 + beyond**2


def _line(distance: Tensor, width: Tensor) -> Tensor:
    """Ink, from 0 to 1, at a distance in pixels from the middle of a line of that width."""
    return torch.minimum((0.5 + width / 2 - distance).clamp_min(0), width.clamp_max(1))


def _grey(ink: Tensor, polarity: float | Tensor) -> Tensor:
    p = _numbers("polarity", polarity, lambda v: v.abs() <= 1, "-1 (black) to 1 (white)")
    return (0.5 + p / 2 * ink).unsqueeze(1)


def _numbers(name: str, value: float | Tensor, valid, advice: str) -> Tensor:
    """The parameter as a tensor that broadcasts against images without channel."""
    number = torch.as_tensor(value, dtype=torch.float32).reshape(-1, 1, 1)
    if not bool(valid(number).all()):  # NaN fails every comparison
        given = value.tolist() if isinstance(value, Tensor) else value
        raise ValueError(f"{name} is {given}; use {advice}.")
    return number

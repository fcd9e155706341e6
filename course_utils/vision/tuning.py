"""What does a unit prefer: which orientation, which radius, and how sharply?

A tuning curve is what a unit does at each of some angles, spread evenly over a period, in DEGREES
and measured as in `stimuli`. The period is 180 for what looks the same upside down (bars,
gratings) and 360 for what does not (edges, curves). Two functions show stimuli to a network, the
others take the responses, of any network or animal.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import torch
from jaxtyping import Float, Real
from torch import Generator, Tensor, nn

from course_utils import stimuli
from course_utils.vision.layers import activations

Draw = Callable[..., Tensor]


def selectivity(
    responses: Float[Tensor, " n_angles *units"],
    angles: Real[Tensor, " n_angles"],
    *,
    period: float = 180.0,
) -> Float[Tensor, " *units"]:
    """How sharply the units are tuned, from 0 to 1: one minus the circular variance.

        | sum_k r_k exp(i a_k) | / sum_k r_k,   a_k = 2 pi angles_k / period

    1 if only one angle excites the unit; m / 2 for the curve 1 + m cos(a); 0 for one that is the
    same at all angles, or that has several peaks which cancel. A multiple of the responses has
    the same selectivity; a constant added to them, a lower one.

    Args:
        responses: 0 or more. Of units that may be negative take the `.relu()`.
        angles: in degrees, spread evenly over one period or several.
        period: 180 for bars and gratings, 360 for edges and curves.

    Degenerate case: 0 for a unit that never responds.

    Raises:
        ValueError: a response is negative or not finite, the angles are not spread evenly (at
            least three different ones), or the period is not above 0.

    Source: Ringach, Shapley and Hawken, "Orientation Selectivity in Macaque V1" (2002), eq. 1.
    """
    return _vector_average(responses, angles, period).abs().to(responses.dtype)


def preferred_angle(
    responses: Float[Tensor, " n_angles *units"],
    angles: Real[Tensor, " n_angles"],
    *,
    period: float = 180.0,
) -> Float[Tensor, " *units"]:
    """Where each unit's tuning curve points, in degrees from 0 to the period: its vector average.

        period / (2 pi) * arg sum_k r_k exp(i a_k),   a_k = 2 pi angles_k / period

    All angles count, so it lies between the angles that were shown, and finds the middle of a
    symmetric peak. It is not the middle of any peak if there are several.

    Degenerate case: NaN for a selectivity below 1e-6, as of a curve that is the same everywhere.

    Args and Raises: as for `selectivity`.

    Source: as for `selectivity`; the period 360 for curves, Cammarata et al., "Curve Detectors"
    (Distill, 2020).
    """
    average = _vector_average(responses, angles, period)
    preferred = (average.angle() / (2 * math.pi) * period) % period
    return preferred.masked_fill(average.abs() < 1e-6, math.nan).to(responses.dtype)


def shuffled_selectivity(
    responses: Float[Tensor, " n_angles *units"],
    angles: Real[Tensor, " n_angles"],
    *,
    period: float = 180.0,
    n_shuffles: int = 999,
    generator: Generator | None = None,
) -> Float[Tensor, " {n_shuffles} *units"]:
    """Selectivity when each unit's responses are put in random order: same values, no curve.

    The share (1 + #{shuffled >= selectivity}) / (1 + n_shuffles) is the p value of a unit whose
    response does not depend on the angle. It is small for every smooth curve, however flat, and
    of an untrained network too: it says that there is tuning, not that anybody learned it.

    Args:
        angles: over one period only; a repetition of it would count as evidence.
        n_shuffles: at least 1.
        generator: source of randomness; None uses torch's global one.

    Degenerate case: a unit that responds alike at all angles has 0, shuffled or not.

    Raises:
        ValueError: n_shuffles is below 1, or as for `selectivity`.
    """
    if n_shuffles < 1:
        raise ValueError(f"n_shuffles is {n_shuffles}; use at least 1.")
    _vector_average(responses, angles, period)  # its complaints, before the work
    null = responses.new_empty(n_shuffles, *responses.shape[1:])
    for shuffled in null:
        order = torch.rand(responses.shape, generator=generator).argsort(dim=0)
        shuffled.copy_(selectivity(responses.gather(0, order), angles, period=period))
    return null


def curve_preference(
    curved: Float[Tensor, " n_conditions n_curved *units"],
    straight: Float[Tensor, " n_conditions n_straight *units"],
) -> Float[Tensor, " *units"]:
    """Is there one curve that excites a unit more than every straight bar, in every condition?

        max_k min_c (curved_ck - s_c) / (curved_ck + s_c),   s_c = max_j straight_cj

    from -1 to 1. Above 0: the curve k beats all bars whatever the polarity, the width or the
    place. With one condition that says nothing: nearly every unit, also of an untrained network,
    has some curve that fits its quirks better than any bar does.

    Args:
        curved: 0 or more, the same curves in the same order in every condition. Of units that may
            be negative take the `.relu()`.
        straight: likewise, for bars of the same length and width.

    Degenerate case: a condition in which a unit responds to neither counts 0.

    Raises:
        ValueError: a response is negative or not finite, there is none, or the two differ in their
            conditions.
    """
    for responses in (curved, straight):
        _check_responses(responses)
    if curved.shape[:1] + curved.shape[2:] != straight.shape[:1] + straight.shape[2:]:
        raise ValueError(
            f"curved is {tuple(curved.shape)} and straight {tuple(straight.shape)}; use the same "
            "conditions and units for both."
        )
    s = straight.amax(1, keepdim=True)
    contrast = (curved - s) / (curved + s).clamp_min(torch.finfo(curved.dtype).tiny)
    return contrast.amin(0).amax(0)


def orientation_responses(
    model: nn.Module,
    layer: str,
    angles: Real[Tensor, " n_angles"],
    *,
    size: int,
    draw: Draw = stimuli.grating,
    over: str = "max",
    rectify: bool = True,
    prepare: Draw = lambda images: images,
    batch_size: int = 32,
    **variants: Sequence[object],
) -> Float[Tensor, " *conditions n_angles n_units"]:
    """How much more the middle unit of each channel does at each angle than for a grey image.

        orientation_responses(model, "stem", angles, size=33, prepare=prepare, polarity=(0.03,),
                              frequency=(1 / 4, 1 / 6, 1 / 8), phase=range(0, 360, 30))

    shows 36 gratings at each angle and takes each unit's largest response among them. So nobody
    is called silent, or broadly tuned, because the stripes were in the wrong place. Units that
    saturate, such as ReLU6, lose their tuning at full contrast: then show a polarity near 0.

    Args:
        model, layer: as for `activations`.
        size: of the images, in pixels. Middle units are not exactly in the middle of every size,
            nor do they always look there: see `layers.receptive_field`, and pass a `centre`.
        draw: a function of `stimuli` with an angle.
        over: "max" or "mean" over the conditions, or "each" for a dimension of them in front.
        rectify: False leaves what is below the grey image's response negative.
        prepare: from such images to what the model takes.
        variants: parameters of `draw`, each with some values. A condition is one combination.

    Returns:
        activations minus those for a uniform grey image; 0 where that is negative, if `rectify`.

    Degenerate case: without variants there is one condition.

    Raises:
        ValueError: `over` is none of the three, a variant has no values, or as for `draw` or
            `activations`.
    """
    if over not in ("max", "mean", "each"):
        raise ValueError(f'over is "{over}"; use "max", "mean" or "each".')
    if not all(len(values) for values in variants.values()):
        raise ValueError(f"variants are {variants}; give each at least one value.")

    def middle(images: Tensor) -> Tensor:
        shown = prepare(images)
        return activations(model, shown, [layer], batch_size=batch_size, at="centre")[layer]

    conditions = [dict(zip(variants, values)) for values in product(*variants.values())]
    grey = middle(torch.full((1, 1, size, size), 0.5))
    # Rectified before a mean: over all phases, the ups and downs of a linear unit cancel.
    each = torch.stack([middle(draw(angles, size=size, **c)) - grey for c in conditions])
    each = each.relu() if rectify else each
    return {"max": lambda: each.amax(0), "mean": lambda: each.mean(0), "each": lambda: each}[over]()


def radius_responses(
    model: nn.Module,
    layer: str,
    angles: Real[Tensor, " n_angles"],
    radii: Sequence[float],
    *,
    size: int,
    **rest: object,
) -> Float[Tensor, " *conditions n_radii n_angles n_units"]:
    """The same for curves of each radius and direction.

        radius_responses(model, "block4", angles, (6, 9, 13, 18, 27, math.inf), size=65,
                         prepare=prepare, length=(28,), width=(3,), polarity=(-1, 1))

    All curves of one length and width have the same ink, so a preference for one radius is not
    one for more of it; `math.inf` is the straight bar. For the curve of angle a the one bent to
    the other side is that of a + 180.

    Args:
        angles: over 360 degrees.
        radii: in pixels, each at least the width.
        size, rest: as for `orientation_responses`; the variants are those of `stimuli.curve`.

    Raises:
        ValueError: there is no radius, or as for `orientation_responses`.
    """
    if not radii:
        raise ValueError("radii is empty; give at least one, such as math.inf for a straight bar.")
    draws = [partial(stimuli.curve, radius=r) for r in radii]
    return torch.stack(
        [orientation_responses(model, layer, angles, size=size, draw=d, **rest) for d in draws],
        dim=-3,
    )


def _vector_average(responses: Tensor, angles: Tensor, period: float) -> Tensor:
    """The mean of exp(i a) weighted by the responses; 0 where there are none."""
    if not 0 < period < math.inf:  # NaN fails this too
        raise ValueError(f"period is {period}; use 180 for bars and gratings, 360 for edges.")
    _check_responses(responses)
    a = 2 * math.pi * angles.double() / period
    # Both must vanish for a curve 1 + m cos(a - a_0) to be measured without bias.
    harmonics = torch.stack([torch.polar(torch.ones_like(a), k * a).mean() for k in (1, 2)])
    if not bool((harmonics.abs() < 1e-4).all()):
        raise ValueError(
            f"angles are not spread evenly over {period:g} degrees; use torch.arange(n) * "
            f"{period:g} / n with n of 3 or more."
        )
    r = responses.double()
    r = r / r.amax(0).clamp_min(1e-300)  # sums of huge responses would overflow
    return torch.tensordot(torch.polar(torch.ones_like(a), a), r + 0j, 1) / r.sum(0).clamp_min(1)


def _check_responses(responses: Tensor) -> None:
    if not responses.shape[0]:
        raise ValueError("responses are empty; give at least one row.")
    if not bool((responses.isfinite() & (responses >= 0)).all()):
        raise ValueError(
            "a response is negative or not finite; use responses.relu() if the units may be "
            "negative, and leave out what is NaN."
        )

"""Exercises 1.7 and 1.8: switching a unit off, and judging a circuit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from course_utils.checks import inputs
from course_utils.checks.answer import Answer, as_list, as_tensor
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown
from course_utils.vision.circuits import Circuit, recovered

# 1.7 -------------------------------------------------------------------------------------

KINDS = ("zero", "mean", "resample")
ABLATIONS = {
    "unit-left-out": "Yours has one unit fewer than there were. The unit keeps its place in the "
    "layer: what changes is its map.",
    "only-the-unit": "You return the maps of this one unit. Return those of the whole layer: the "
    "others as they were, and this one changed.",
    "nothing-changes": 'For kind = "{kind}" you return the maps as they were. Change those of '
    "unit {unit} in a copy, and return the copy.",
    "all-units": "You switch off every unit. Only one of them should change: `maps[:, unit]` has "
    "its maps for all images.",
    "wrong-unit": "You switch off another unit than unit {unit}. Units are counted from 0, as "
    "indices are.",
    "image-for-unit": "You change image {unit}, with all its units. The first axis counts the "
    "images and the second the units: write `maps[:, unit]`.",
    "zero-instead": 'For kind = "{kind}" yours makes the map 0, which is the kind "zero". Look at '
    "the conditions: which branch is taken?",
    "kinds-exchanged": 'For kind = "{kind}" yours does what another kind should do. Look at the '
    "conditions: which branch is taken?",
    "mean-over-everything": "You put one number everywhere, the mean over images and places. Take "
    "the mean over the images alone, `.mean(0)`: it may differ from place to place.",
    "mean-over-places": "You take the mean over the places of each image. That still tells the "
    "images apart, so the unit is not off. Take the mean over the images: `.mean(0)`.",
    "mean-over-units": "Your mean takes in other units. Choose this unit's maps first, "
    "`maps[:, unit]`, and then average them over the images.",
    "reads-what-it-wrote": "Your loop replaces the maps one by one, and reads some that it has "
    "already replaced. Read from `maps`, and write into a copy.",
    "other-inverted": "You read `other` backwards. other[0] is {first}: image 0 gets the map of "
    "image {first}. Yours gives image {first} the map of image 0.",
    "shuffles-places": "You shuffle the places within the map of each image. Keep each map as it "
    "is, and give it to another image: `other` indexes the first axis.",
    "own-order": "You exchange the unit's maps among the images, but not as `other` says: image 0 "
    "gets the map of image {first}, and so on.",
}


def _replaced(maps: Tensor, unit: int, instead: Tensor) -> Tensor:
    """The maps in double precision, those of one unit replaced."""
    maps = maps.to(torch.float64, copy=True)
    maps[:, unit] = instead.double()
    return maps


def _ablate(maps: Tensor, unit: int, kind: str, other: Tensor) -> Tensor:
    own = maps[:, unit]
    values = {"zero": 0 * own, "mean": own.mean(0, keepdim=True), "resample": own[other]}
    return _replaced(maps, unit, values[kind]).to(maps.dtype)


@exercise("1.7", fallback=_ablate, diagnoses=tuple(ABLATIONS))
def ablate(answer: Answer) -> str:
    for shape, unit, order in (
        ((4, 3, 2, 5), 1, [2, 0, 3, 1]),
        ((6, 2, 3, 2), 0, [3, 5, 1, 4, 0, 2]),
        ((3, 4, 2, 2), 3, [1, 2, 0]),
    ):
        for kind in KINDS:
            maps = inputs.normal(*shape, seed=70 + unit)
            _judge_ablation(answer, maps, unit, kind, torch.tensor(order))
    return (
        "All three take away what the unit says about this image, and after resampling every map "
        "is still one that occurs."
    )


def _judge_ablation(answer: Answer, maps: Tensor, unit: int, kind: str, other: Tensor) -> None:
    try:
        value = answer(maps, unit, kind, other)
    except Mistake as mistake:
        if mistake.diagnosis not in ("raises", "returns-nothing"):
            raise
        raise Mistake(mistake.diagnosis, f'{mistake.message} (With kind = "{kind}".)') from None
    n, units, *size = maps.shape
    facts = {"kind": kind, "unit": unit, "first": int(other[0])}
    for slug, shape in (
        ("unit-left-out", (n, units - 1, *size)),
        ("only-the-unit", (n, *size)),
        ("only-the-unit", (n, 1, *size)),
    ):
        if _has_shape(value, shape):
            raise Mistake(slug, ABLATIONS[slug].format(**facts))
    got = as_tensor(value, shape=tuple(maps.shape), meaning="images, units, height, width")
    want = _ablate(maps, unit, kind, other)
    if same(got, want):
        return
    for slug, wrong in _foreseen(maps, unit, kind, other, got):
        if same(got, wrong):
            raise Mistake(slug, ABLATIONS[slug].format(**facts))
    # Show the unit itself first, then whatever else has changed.
    u = next(u for u in (unit, *range(units)) if not same(got[:, u], want[:, u]))
    i = next(i for i in range(n) if not same(got[i, u], want[i, u]))
    why = {
        "zero": "a unit that is off is 0 at every place",
        "mean": "it is the mean over the images, at the first place of "
        f"{shown(maps[:, unit, 0, 0])}",
        "resample": f"other[{i}] is {other[i]}, and image {other[i]} has this map",
    }
    named = f", other = {other.tolist()}" if kind == "resample" else ""
    raise unforeseen(
        tried=f'maps of shape {tuple(maps.shape)}, unit = {unit}, kind = "{kind}"{named}',
        want=f"for image {i} and unit {u} the map {shown(want[i, u])}",
        why=why[kind] if u == unit else f"only unit {unit} is switched off",
        got=f"the map {shown(got[i, u])}",
    )


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        as_tensor(value, shape=shape)
    except Mistake:
        return False
    return True


def _foreseen(
    maps: Tensor, unit: int, kind: str, other: Tensor, got: Tensor
) -> Iterator[tuple[str, Tensor]]:
    """What known mistakes give; for those that leave much open, `got` itself if it is one."""
    n, own = len(maps), maps[:, unit]
    yield "nothing-changes", maps
    every = {"zero": 0 * maps, "mean": maps.mean(0).expand_as(maps), "resample": maps[other]}
    yield "all-units", every[kind]
    for u in range(maps.shape[1]):
        if u != unit:
            yield "wrong-unit", _ablate(maps, u, kind, other)
    if unit < n:
        one = maps[unit]
        means = (maps.mean(0), one.mean(0).expand_as(one), one.mean().expand_as(one))
        wrong = {"zero": (0 * one,), "mean": means, "resample": (maps[other[unit]],)}
        for image in wrong[kind]:
            yield "image-for-unit", torch.cat([maps[:unit], image[None], maps[unit + 1 :]])
    for instead in KINDS:
        if instead != kind:
            slug = "zero-instead" if instead == "zero" else "kinds-exchanged"
            yield slug, _ablate(maps, unit, instead, other)
    in_turn = own.clone()
    for i in range(n):
        in_turn[i] = in_turn.mean(0) if kind == "mean" else in_turn[other[i]].clone()
    if kind == "mean":
        for slug, values in (
            ("mean-over-everything", (own.mean(), maps.mean())),
            ("mean-over-places", (own.mean((1, 2), keepdim=True),)),
            ("mean-over-units", (maps.mean(1), maps.mean((0, 1)))),
            ("reads-what-it-wrote", (in_turn,)),
        ):
            for value in values:
                yield slug, _replaced(maps, unit, value)
    elif kind == "resample":
        yield "reads-what-it-wrote", _replaced(maps, unit, in_turn)
        yield "other-inverted", _replaced(maps, unit, own[other.argsort()])
        mine = got[:, unit]
        others_stay = _replaced(maps, unit, mine)
        if same(mine.flatten(1).sort(1).values, own.double().flatten(1).sort(1).values):
            yield "shuffles-places", others_stay
        if all(any(same(m, o.double()) for o in own) for m in mine):
            yield "own-order", others_stay


# 1.8 -------------------------------------------------------------------------------------

VERDICTS = {
    "swapped": "You return the two in the wrong order: how faithful first, then how complete.",
    "share-of-rest": "Your second number is the share that the rest keeps. A circuit is complete "
    "when the rest keeps nothing, so take 1 minus that share.",
    "complement-of-faithful": "You take 1 minus the circuit's share for complete. That says "
    "nothing new: ask what the rest can do without the circuit, `score(rest)`.",
    "sets-exchanged": "You exchange the circuit and the rest. Faithful is about the circuit, "
    "complete about the rest.",
    "one-minus-misplaced": "You take 1 minus the circuit's share for faithful. The 1 minus "
    "belongs to the rest alone: a faithful circuit has a share near 1.",
    "not-normalised": "You use a score as it is. Scores have a scale of their own: put 0 at "
    "score(nothing) and 1 at score(everything).",
    "only-subtracted": "You subtract and do not divide. A share is a part of what there is to "
    "gain: divide by score(everything) − score(nothing).",
    "nothing-forgotten": "You leave out score(nothing) above or below the line. Even with nothing "
    "on, guessing gets a score: subtract it from both.",
    "drops-brackets": "Brackets are missing: `a - n / e - n` divides first. Write "
    "`(a - n) / (e - n)`.",
    "half-for-nothing": "You take ½ for the score of nothing. It may be another number: use "
    "`score(nothing)`.",
    "perfect-for-everything": "You take 1 for the score of everything. The whole network makes "
    "mistakes too: use `score(everything)`.",
    "upside-down": "Your fraction is upside down: what the circuit gains goes above, what the "
    "whole network gains below.",
    "in-percent": "Yours are in percent. A share of the whole is 1, not 100.",
    "clipped": "You cut the shares off at 0 or 1. A circuit can do better than the whole network, "
    "or worse than nothing, and the share should say so.",
}


def _judge(score: Any, circuit: Any, rest: Any, everything: Any, nothing: Any) -> tuple:
    e, n = score(everything), score(nothing)
    return recovered(score(circuit), e, n), 1 - recovered(score(rest), e, n)


@exercise("1.8", fallback=_judge, diagnoses=tuple(VERDICTS))
def judge(answer: Answer) -> str:
    # In the first two every known mistake shows; then a share is beyond 1 or below 0.
    for scores in (
        (0.85, 0.62, 0.95, 0.45),
        (0.7, 0.8, 0.9, 0.55),
        (0.97, 0.51, 0.88, 0.6),
        (0.4, 0.97, 0.9, 0.52),
        (0.3, 0.2, 0.8, 0.0),
    ):
        _judge_verdict(answer, *scores)
    return "Faithful: the circuit is enough. Complete: what is outside of it cannot do the same."


def _judge_verdict(answer: Answer, of_c: float, of_r: float, of_e: float, of_n: float) -> None:
    on, scores = torch.tensor([[True, False], [True, True]]), (of_c, of_r, of_e, of_n)
    circuit, everything = Circuit(on, on), Circuit(on | True, on | True)
    sets = (circuit, ~circuit, everything, ~everything)

    def score(c: Any) -> float:
        for one, value in zip(sets, scores):
            if isinstance(c, Circuit) and torch.equal(c.conv2, one.conv2):
                return value
        raise ValueError("score was given something else than one of the four sets")

    got = _pair(answer(score, *sets))
    whole, f, share = of_e - of_n, (of_c - of_n) / (of_e - of_n), (of_r - of_n) / (of_e - of_n)
    want = torch.tensor([f, 1 - share], dtype=torch.float64)
    if same(got, want):
        return
    for slug, *pair in _wrong_verdicts(*scores):
        if same(got, torch.tensor(pair, dtype=torch.float64)):
            raise Mistake(slug, VERDICTS[slug])
    raise unforeseen(
        tried="scores of {:g} for the circuit, {:g} for the rest, {:g} for everything and {:g} "
        "for nothing".format(*scores),
        want=shown(want),
        why=f"the circuit's share is {of_c - of_n:.4g} / {whole:.4g}, the rest's is "
        f"{of_r - of_n:.4g} / {whole:.4g}, and 1 minus the latter is {1 - share:.4g}",
        got=shown(got),
    )


def _wrong_verdicts(c: float, r: float, e: float, n: float) -> Iterator[tuple[str, float, float]]:
    f, share = (c - n) / (e - n), (r - n) / (e - n)
    yield "swapped", 1 - share, f
    yield "share-of-rest", f, share
    yield "complement-of-faithful", f, 1 - f
    yield "sets-exchanged", share, 1 - f
    yield "one-minus-misplaced", 1 - f, 1 - share
    yield "one-minus-misplaced", 1 - f, share
    wrong: tuple[tuple[str, Callable[[float], float]], ...] = (
        ("not-normalised", lambda s: s),
        ("only-subtracted", lambda s: s - n),
        ("only-subtracted", lambda s: e - s),
        ("nothing-forgotten", lambda s: s / e),
        ("nothing-forgotten", lambda s: (s - n) / e),
        ("nothing-forgotten", lambda s: s / (e - n)),
        ("drops-brackets", lambda s: s - n / e - n),
        ("drops-brackets", lambda s: (s - n) / e - n),
        ("drops-brackets", lambda s: s - n / (e - n)),
        ("half-for-nothing", lambda s: (s - 0.5) / (e - 0.5)),
        ("perfect-for-everything", lambda s: (s - n) / (1 - n)),
        ("upside-down", lambda s: (e - n) / (s - n)),
        ("in-percent", lambda s: 100 * (s - n) / (e - n)),
        ("clipped", lambda s: min(max((s - n) / (e - n), 0), 1)),
        ("clipped", lambda s: min((s - n) / (e - n), 1)),
        ("clipped", lambda s: max((s - n) / (e - n), 0)),
    )
    for slug, g in wrong:
        for first in (f, g(c)):
            for second in (1 - share, 1 - g(r), g(r), 100 - g(r)):
                yield slug, first, second


def _pair(value: Any) -> Tensor:
    wanted = "two numbers, how faithful and how complete"
    if isinstance(value, Tensor):
        return as_tensor(value, shape=(2,), meaning="faithful, complete")
    if isinstance(value, (set, frozenset, dict)):
        raise Mistake("wrong-type", f"Expected {wanted}, in this order, but got a set or dict.")
    numbers = as_list(value, wanted)
    if len(numbers) != 2:
        raise Mistake("wrong-shape", f"Expected {wanted}, but got {len(numbers)} values.")
    return torch.stack([as_tensor(x, shape=()) for x in numbers])

"""Exercises 4.8 and 4.9: a direction, and how sure one can be of a cosine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_utils import polysemanticity
from course_utils.checks import inputs
from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# 4.8 -------------------------------------------------------------------------------------


@exercise(
    "4.8",
    fallback=polysemanticity.direction,
    diagnoses=(
        "not-unit",
        "reversed",
        "sums",
        "normalises-each",
        "forgets-elsewhere",
        "squared-length",
        "largest-entry",
        "all-tokens",
    ),
)
def direction(answer: Answer) -> str:
    at_sign = torch.tensor([[3.0, 1.0, -2.0], [1.0, 2.0, 0.0]])
    elsewhere = torch.tensor([[0.5, 1.0, 1.0], [0.0, -1.0, 2.0], [1.0, 0.0, 0.0], [0.5, 2.0, 1.0]])
    _judge_direction(answer, at_sign, elsewhere)
    _judge_direction(answer, inputs.normal(5, 4, seed=1) + 1, inputs.normal(3, 4, seed=2) - 0.5)
    return "A feature's direction is where its tokens lie, seen from all others."


def _judge_direction(answer: Answer, at_sign: Tensor, elsewhere: Tensor) -> None:
    got = answer.tensor(
        at_sign, elsewhere, shape=(at_sign.shape[1],), meaning="one number for each unit"
    )
    x, o = at_sign.double(), elsewhere.double()
    d = x.mean(0) - o.mean(0)
    want = d / d.norm()
    sums, each = x.sum(0) - o.sum(0), x.mean(0) / x.mean(0).norm() - o.mean(0) / o.mean(0).norm()
    every = x.mean(0) - torch.cat([x, o]).mean(0)
    foreseen: dict[str, tuple[list[Tensor], str]] = {
        "not-unit": (
            [d],
            f"That is the difference of the means, and its length is {d.norm():.3g}. Divide it by "
            "its length.",
        ),
        "reversed": (
            [-want, -d],
            "Yours points the other way: from the signs to the other tokens. Take the mean of "
            "`elsewhere` away from that of `at_sign`.",
        ),
        "sums": (
            [sums, sums / sums.norm()],
            "You take sums and not means. There are more tokens elsewhere than signs, so their "
            "sum weighs more.",
        ),
        "normalises-each": (
            [each, each / each.norm()],
            "You give both means the length 1 before you subtract. That changes where the "
            "difference points: subtract first, then divide by the length.",
        ),
        "forgets-elsewhere": (
            [x.mean(0), x.mean(0) / x.mean(0).norm()],
            "You use `at_sign` only. Its mean has everything that all tokens have in common: take "
            "away the mean of `elsewhere`.",
        ),
        "squared-length": (
            [d / (d @ d)],
            "You divide by the squared length. Divide by its square root, the length.",
        ),
        "largest-entry": (
            [d / d.abs().max(), d / d.abs().sum()],
            "You divide by the largest entry, or by the sum of their sizes. The length is the root "
            "of the sum of the squares.",
        ),
        "all-tokens": (
            [every],
            "You compare with the mean of all tokens, the signs among them. Compare with "
            "`elsewhere` only, and divide by the length.",
        ),
    }
    for slug, (values, message) in foreseen.items():
        if any(same(got, value) for value in values):
            raise Mistake(slug, message)
    expect(
        got,
        want,
        tried=f"at_sign = {shown(at_sign)}, elsewhere = {shown(elsewhere)}",
        why=f"the difference of the means is {shown(d)} and has the length {d.norm():.4g}",
    )


# 4.9 -------------------------------------------------------------------------------------

# That one of k rows never comes by chance has a probability below k (1 - 1/k)^(k N_DRAWS), which is
# 4e-13 for all four sides together.
N_DRAWS = 30


@exercise(
    "4.9",
    fallback=polysemanticity.bootstrap,
    diagnoses=(
        "draws-nothing",
        "without-replacement",
        "same-draws",
        "one-side-only",
        "another-number",
        "draws-numbers",
        "draws-once",
        "never-draws-some",
        "forgets-statistic",
        "ignores-generator",
    ),
)
def bootstrap(answer: Answer) -> str:
    # As many in both first: there, the same draws for both can be seen.
    for k_first, k_second in ((8, 8), (7, 9)):
        first = torch.arange(1.0, k_first + 1)[:, None] * torch.tensor([1.0, 0.01, -3.0])
        second = torch.arange(1.0, k_second + 1)[:, None] * torch.tensor([-2.0, 0.1, 5.0])
        _judge_draws(answer, first, second)
    return "An interval over texts says how far the cosine would go with other texts."


def _judge_draws(answer: Answer, first: Tensor, second: Tensor) -> None:
    runs = []
    for _ in range(2):
        given: list[tuple[Any, Any]] = []
        values: list[float] = []
        got = answer.tensor(
            _recorder(given, values), first, second, N_DRAWS, inputs.generator(3),
            shape=(N_DRAWS,), meaning="the statistic of each draw",
        )  # fmt: skip
        runs.append((got, given[-N_DRAWS:], values[-N_DRAWS:]))
    got, given, values = runs[0]
    if len(given) < N_DRAWS:
        raise Mistake(
            "forgets-statistic" if not given else "draws-once",
            f"You call `statistic` {len(given)} times for n = {N_DRAWS}. Call it once for each "
            "draw.",
        )
    places = [[_places(x, rows) for x, rows in zip(pair, (first, second))] for pair in given]
    _judge_places(places, (len(first), len(second)))
    if not same(got, torch.tensor(values, dtype=torch.float64)):
        raise Mistake(
            "forgets-statistic",
            "The values that you return are not those of `statistic`. Keep what it gives for each "
            "draw, one after the other.",
        )
    again = [[_places(x, rows) for x, rows in zip(pair, (first, second))] for pair in runs[1][1]]
    if again != places:
        raise Mistake(
            "ignores-generator",
            "The same generator gave other draws the second time. Pass it on to every draw: "
            "`torch.randint(..., generator=generator)`.",
        )


def _recorder(
    given: list[tuple[Any, Any]], values: list[float]
) -> Callable[[Any, Any], torch.Tensor]:
    """A statistic that keeps what it is given. A function, as others would be copied."""

    def statistic(first: Any, second: Any) -> torch.Tensor:
        given.append((first, second))
        values.append(0.37 * len(given) % 1)
        return torch.tensor(values[-1])

    return statistic


def _places(drawn: Any, rows: Tensor) -> list[int] | None:
    """Which rows these are; None if they are none."""
    if not isinstance(drawn, Tensor) or drawn.ndim != 2 or drawn.shape[1] != rows.shape[1]:
        return None
    alike = (drawn.detach().double()[:, None] - rows.double()).abs().amax(-1) < 1e-4
    return alike.int().argmax(1).tolist() if bool(alike.any(1).all()) else None


def _judge_places(places: list[list[list[int] | None]], sizes: tuple[int, int]) -> None:
    sides = list(zip(*places))
    if any(drawn is None for side in sides for drawn in side):
        raise Mistake(
            "draws-numbers",
            "What you give to `statistic` are not rows of `first` and of `second`, in this order. "
            "Draw whole rows, each of them a text: `first[places]`.",
        )
    for side, size, name in zip(sides, sizes, ("first", "second")):
        if any(len(drawn) != size for drawn in side):
            counts = sorted({len(drawn) for drawn in side})
            raise Mistake(
                "another-number",
                f"You draw {counts[0]} rows of `{name}`, which has {size}. Draw as many as there "
                "are: a mean of fewer texts is less sure, and the interval would be too wide.",
            )
    still = [all(drawn == list(range(size)) for drawn in side) for side, size in zip(sides, sizes)]
    if all(still):
        raise Mistake(
            "draws-nothing",
            "You give `statistic` all rows as they are, each time. Draw rows with "
            "`torch.randint(len(first), (len(first),), generator=generator)`.",
        )
    if any(still):
        raise Mistake(
            "one-side-only",
            f"You draw from one side only; `{'first' if still[0] else 'second'}` is the same each "
            "time. Its texts are a sample too: draw from both.",
        )
    if any(all(drawn == side[0] for drawn in side) for side in sides):
        raise Mistake(
            "draws-once",
            "All your draws are the same. Draw anew for each of the n values, inside the loop.",
        )
    for side, name in zip(sides, ("first", "second")):
        if all(len(set(drawn)) == len(drawn) for drawn in side):
            raise Mistake(
                "without-replacement",
                f"Each of your draws has every row of `{name}` exactly once, in another order, and "
                "a mean does not care for order. Draw with replacement: `torch.randint`.",
            )
    if sizes[0] == sizes[1] and all(a == b for a, b in places):
        raise Mistake(
            "same-draws",
            "You take the same places from `first` and from `second`. Row 3 of one has nothing to "
            "do with row 3 of the other: draw places for each.",
        )
    for side, size, name in zip(sides, sizes, ("first", "second")):
        _judge_missing(sorted(set(range(size)).difference(*side)), size, name)


def _judge_missing(missing: list[int], size: int, name: str) -> None:
    """Raise if there are rows that never came."""
    if not missing:
        return
    which = f"Row {missing[0]} of `{name}` never comes"
    if len(missing) > 1:
        rows = ", ".join(map(str, missing[:-1])) + f" and {missing[-1]}"
        which = f"Rows {rows} of `{name}` never come"
    advice = (
        f"The end of `torch.randint(n, ...)` is left out already: use n = len({name})."
        if missing == [size - 1]
        else f"Its rows have the places 0 to {size - 1}: `torch.randint(len({name}), ...)` draws "
        "from all of them."
    )
    raise Mistake("never-draws-some", f"{which}, in {N_DRAWS} draws. {advice}")

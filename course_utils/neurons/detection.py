"""Units as detectors: which one tells the tokens of a class from all others, and how well?

A unit says yes where its activation is above a threshold. How well that fits a class is F1: unlike
the share of right answers, it is 0 for one that always says no. Among thousands of units, the best
one is good by chance. So unit and threshold are chosen on some tokens, and judged on others.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

FRACTIONS = (0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
ROWS = 2_048  # tokens compared with thresholds at a time


@dataclass(frozen=True)
class Detectors:
    """For each class the best unit: it says yes where its activation is above `threshold`.

    `f1_train` is where it was chosen, and so is too good; `f1_test` is on the other tokens.
    """

    unit: Int[Tensor, " n_classes"]
    threshold: Float[Tensor, " n_classes"]
    f1_train: Float[Tensor, " n_classes"]
    f1_test: Float[Tensor, " n_classes"]


def f1(says: Bool[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float:
    """How well yes and no fit the truth, from 0 to 1.

        2 TP / (2 TP + FP + FN)

    the harmonic mean of precision TP / (TP + FP) and recall TP / (TP + FN). That both say no does
    not count: of rare things, nearly everything would be right.

    Degenerate case: 0 if nothing is right, also if nothing is said and nothing true.

    Source: van Rijsbergen, "Information Retrieval" (1979), chapter 7, where it is 1 - E.
    """
    both, either = int((says & truth).sum()), int(says.sum()) + int(truth.sum())
    return 2 * both / either if both else 0.0


def best_detectors(
    blocks: Iterable[Float[Tensor, "n_tokens _"]],
    classes: Int[Tensor, " n_tokens"],
    train: Bool[Tensor, " n_tokens"],
    fractions: tuple[float, ...] = FRACTIONS,
) -> Detectors:
    """For every class the unit that detects its tokens best.

    A unit says yes where its activation is above a fraction of its largest one on the train tokens.
    Unit and fraction are those with the largest F1 there; of equal ones, the first unit, and of its
    fractions the first.

    Args:
        blocks: the activations of some units at a time, counted on from block to block. Only one
            block is held: give a generator, and thousands of units need no more room than some.
        classes: the class of each token, from 0 on.
        train: which tokens choose; the others judge. Keep the tokens of a text together.
        fractions: from 0 to below 1.

    Degenerate case: a unit that is never above 0 on the train tokens says yes to none of them.

    Raises:
        ValueError: there is no unit, a fraction is out of range, blocks are of another number of
            tokens, or a class has no token among the train ones or among the others.
    """
    check_classes(classes, train, fractions)
    rows, truth = train.nonzero().flatten(), torch.nn.functional.one_hot(classes)
    best, first = None, 0
    for block in blocks:
        if len(block) != len(classes):
            raise ValueError(f"a block has {len(block)} rows; {len(classes)} tokens have a class.")
        if block.shape[1]:
            found = _best_of_block(block, rows, truth, train, fractions)
            best, first = _better(best, found, first), first + block.shape[1]
    if best is None:
        raise ValueError("there is no unit; give at least one block with a column.")
    return best


def detector_interval(
    says: Bool[Tensor, " n_tokens"],
    truth: Bool[Tensor, " n_tokens"],
    text: Int[Tensor, " n_tokens"],
    *,
    n: int = 1_000,
    level: float = 0.95,
    generator: Generator | None = None,
) -> tuple[float, float]:
    """How far F1 would go with other texts: low, high.

    A bootstrap: n times, as many texts are drawn from those that there are, with replacement, each
    with all its tokens, which are alike. The interval leaves out (1 - level) / 2 of the values on
    each side. Use tokens that did not choose the unit.

    Args:
        text: a number for each text; not all numbers need be there.
        n: how often, at least 1.
        level: between 0 and 1.
        generator: source of randomness; None uses torch's global one.

    Degenerate case: no width for a single text.

    Raises:
        ValueError: there is no token, n is below 1, or level is not between 0 and 1.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), the percentile
    interval.
    """
    return _middle(_drawn_f1([says], truth, text, n, generator)[0], level)


def detector_difference(
    says: Bool[Tensor, " n_tokens"],
    other: Bool[Tensor, " n_tokens"],
    truth: Bool[Tensor, " n_tokens"],
    text: Int[Tensor, " n_tokens"],
    *,
    n: int = 1_000,
    level: float = 0.95,
    generator: Generator | None = None,
) -> tuple[float, float]:
    """How far F1 of one detector minus F1 of another would go with other texts: low, high.

    As `detector_interval`, but both are judged on the same drawn texts each time: what makes a text
    hard for both is no difference between them. Two intervals that overlap can hide a difference
    that this one shows. Neither is better, as far as can be told, where it has 0 inside.

    Args and Raises: as for `detector_interval`.

    Degenerate case: (0, 0) if both say the same.
    """
    first, second = _drawn_f1([says, other], truth, text, n, generator)
    return _middle(first - second, level)


def _drawn_f1(
    detectors: list[Tensor], truth: Tensor, text: Tensor, n: int, generator: Generator | None
) -> list[Tensor]:
    """F1 of each on the same texts, drawn n times with replacement."""
    if not len(truth):
        raise ValueError("there is no token; at least 1 is needed.")
    if n < 1:
        raise ValueError(f"n is {n}; use at least 1.")
    numbers, place = text.unique(return_inverse=True)
    drawn = torch.randint(len(numbers), (n, len(numbers)), generator=generator)
    found = []
    for says in detectors:
        counts = torch.stack([2 * (says & truth), says.long() + truth.long()], dim=1).double()
        counts = counts.new_zeros(len(numbers), 2).index_add_(0, place, counts)
        right, all_ = counts[drawn].sum(1).unbind(1)
        found.append(right / all_.clamp_min(1))
    return found


def _middle(values: Tensor, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; use a share between 0 and 1, such as 0.95.")
    low, high = values.quantile(values.new_tensor([(1 - level) / 2, (1 + level) / 2])).tolist()
    return low, high


def _best_of_block(
    block: Tensor, rows: Tensor, truth: Tensor, train: Tensor, fractions: tuple[float, ...]
) -> Detectors:
    """The best detectors among the units of one block; `rows` are the train tokens."""
    chunks = rows.split(ROWS)
    top = torch.stack([block[some].amax(0) for some in chunks]).amax(0).clamp_min(0)
    limits = [fraction * top for fraction in fractions]
    # Single precision counts exactly up to 16 million, and multiplies fastest.
    size = len(fractions), truth.shape[1], block.shape[1]
    hits = torch.zeros(size, dtype=torch.float32)
    for some in chunks:
        values, of_class = block[some], truth[some].float().T
        for total, limit in zip(hits, limits):
            total.addmm_(of_class, (values > limit).float())
    hits = hits.double()
    f1s = 2 * hits / (hits.sum(1, keepdim=True) + truth[rows].sum(0)[:, None])
    f1s = f1s.permute(1, 2, 0).flatten(1)  # (classes, units times fractions)
    place = f1s.argmax(1)  # of equal ones the first
    unit, which = place // len(fractions), place % len(fractions)
    f1_train, threshold = f1s.gather(1, place[:, None])[:, 0], torch.stack(limits)[which, unit]
    test = ~train
    says, is_class = block[:, unit][test] > threshold, truth[test].bool()
    right = (says & is_class).sum(0).double()
    f1_test = 2 * right / (says.sum(0) + is_class.sum(0))
    return Detectors(unit, threshold.double(), f1_train, f1_test)


def _better(old: Detectors | None, new: Detectors, first: int) -> Detectors:
    """For each class the better one; the units of the new ones are counted from `first` on."""
    new = Detectors(new.unit + first, new.threshold, new.f1_train, new.f1_test)
    if old is None:
        return new
    wins = new.f1_train > old.f1_train
    names = ("unit", "threshold", "f1_train", "f1_test")
    return Detectors(*(torch.where(wins, getattr(new, f), getattr(old, f)) for f in names))


def check_classes(classes: Tensor, train: Tensor, fractions: tuple[float, ...]) -> None:
    """Raise ValueError unless every class can choose a unit and judge it."""
    if not fractions or not all(0 <= fraction < 1 for fraction in fractions):
        raise ValueError(f"fractions are {fractions}; use numbers from 0 to below 1.")
    for name, some in (("train", classes[train]), ("other", classes[~train])):
        _check_classes(some, int(classes.max()) if len(classes) else 0, name)


def _check_classes(classes: Tensor, largest: int, name: str) -> None:
    if not len(classes) or int(classes.min()) < 0:
        raise ValueError(
            f"there is no {name} token, or one has a class below 0; count classes from 0."
        )
    counts = classes.bincount(minlength=largest + 1)
    if not bool(counts.all()):
        raise ValueError(f"class {int(counts.argmin())} has no {name} token; leave it out.")

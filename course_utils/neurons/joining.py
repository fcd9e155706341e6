"""Several units as one detector: it says yes where any of them does.

A class may be several things to a network. Then no single unit detects it, but a few together do.
"""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_utils.neurons.detection import check_classes

JOINED_FRACTIONS = (0, 0.1, 0.3)  # fewer than for single units: each is tried for each unit added


def joined_f1(
    blocks: Callable[[], Iterable[Float[Tensor, "n_tokens _"]]],
    classes: Int[Tensor, " n_tokens"],
    train: Bool[Tensor, " n_tokens"],
    n_units: int,
    fractions: tuple[float, ...] = JOINED_FRACTIONS,
) -> Float[Tensor, "{n_units} n_classes"]:
    """F1 of the best unit for each class, of it and the one that helps most, and so on.

    Greedy: in each turn the unit and threshold are added with which the whole has the largest F1 on
    the train tokens. F1 is judged on the others. Row k is for k + 1 units; nothing keeps it from
    falling, as on other tokens one more unit may do harm.

    Args:
        blocks: gives the activations of some units at a time, anew each time it is called.
        classes: the class of each token, from 0 on.
        train: which tokens choose. Keep the tokens of a text together.
        n_units: how many are joined, at least 1.
        fractions: a unit says yes above such a fraction of its largest activation on the train
            tokens; from 0 to below 1.

    Raises:
        ValueError: n_units is below 1, a fraction is out of range, there is no unit, or a class has
            no token among the train ones or among the others.
    """
    if n_units < 1:
        raise ValueError(f"n_units is {n_units}; use at least 1.")
    check_classes(classes, train, fractions)
    truth = torch.nn.functional.one_hot(classes).bool()
    yes, found = torch.zeros_like(truth), []
    for _ in range(n_units):
        yes |= _helps_most(blocks(), truth, yes, train, fractions)
        says, is_class = yes[~train], truth[~train]
        both = (says & is_class).sum(0).double()
        found.append(2 * both / (says.sum(0) + is_class.sum(0)))
    return torch.stack(found)


def _helps_most(
    blocks: Iterable[Tensor], truth: Tensor, yes: Tensor, train: Tensor, fractions: tuple
) -> Tensor:
    """Where the unit says yes that is best to add, a column a class."""
    is_class, known = truth[train], yes[train]
    new, right = (~known).float(), (~known & is_class).float()
    base = torch.stack([(known & is_class).sum(0), known.sum(0) + is_class.sum(0)])[..., None]
    best, added = torch.full((truth.shape[1],), -1.0, dtype=torch.float64), torch.zeros_like(truth)
    for block in blocks:
        some = block[train]
        top = some.amax(0).clamp_min(0)
        for fraction in fractions:
            says = (some > fraction * top).float()
            # Single precision counts exactly up to 16 million.
            both, either = base + torch.stack([right.T @ says, new.T @ says]).double()
            value, unit = (2 * both / either).max(1)
            better = value > best
            best = torch.where(better, value, best)
            unit = unit[better]
            added[:, better] = block[:, unit] > fraction * top[unit]
    if bool((best < 0).any()):
        raise ValueError("there is no unit; give at least one block with a column.")
    return added

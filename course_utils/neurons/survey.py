"""All that a reader needs to judge one neuron: numbers, and texts in which to see it at work."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from course_utils.neurons.classes import (
    class_means,
    effective_classes,
    interval,
    shuffled,
    text_means,
)

AROUND = 9  # tokens shown on each side of the one that a context is about
MIDDLE = (0.025, 0.975)  # of the null


@dataclass(frozen=True)
class Context:
    """Some tokens of a text in order, and how active a neuron is at each.

    `pieces[at]` is the token that it is about. Tokens that share a character (a Chinese one may be
    three) are one piece, with the largest of their activations.
    """

    name: str  # of the text's class
    pieces: tuple[str, ...]
    values: tuple[float, ...]
    at: int


@dataclass(frozen=True)
class Histogram:
    """counts[i] values are in edges[i] to edges[i + 1]; `zeros` is the share that is exactly 0.

    Zeros are in no bin.
    """

    edges: Float[Tensor, " ends"]
    counts: Int[Tensor, " bins"]
    zeros: float


@dataclass(frozen=True)
class Look:
    """What is known of one neuron. `low`, `high` and `null` are of the middle 95 %.

    `means` (n_classes,) is its mean activation in each class, and `band` (2, n_classes) from where
    to where that goes if labels are shuffled. `largest` is its largest activation.
    """

    neuron: int
    names: tuple[str, ...]
    means: Float[Tensor, " n_classes"]
    band: Float[Tensor, "2 n_classes"]
    effective: float
    low: float
    high: float
    null: tuple[float, float]
    largest: float
    histogram: Histogram
    strongest: tuple[Context, ...]
    active: tuple[Context, ...]
    random: tuple[Context, ...]


def histogram(
    values: Float[Tensor, " n"], *, bins: int = 24, log: bool = False, top: float | None = None
) -> Histogram:
    """How often which activation, from 0 to the largest, in bins of equal width.

    Args:
        bins: at least 1.
        log: bins of equal width in the logarithm, from a thousandth of the largest on; what is
            smaller is in the first one.
        top: where the last bin ends; None: at the largest value.

    Degenerate case: if nothing is above 0, all counts are 0, and bins go up to 1.

    Raises:
        ValueError: there is no value, one is negative or not finite, top is below the largest, or
            bins is below 1.
    """
    if not len(values) or not bool(values.isfinite().all()) or bool((values < 0).any()):
        raise ValueError("a value is negative or not finite, or there is none; use activations.")
    largest = float(values.max())
    top = (largest or 1.0) if top is None else top
    if bins < 1 or top < largest or not top > 0:
        raise ValueError(
            f"bins is {bins} and top {top}; use at least 1, and {largest:.3g} or more."
        )
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64) * top
    if log:
        edges = top * torch.logspace(-3, 0, bins + 1, dtype=torch.float64)
    positive = values[values > 0].double()
    which = torch.bucketize(positive, edges[1:-1])
    zeros = 1 - len(positive) / len(values)
    return Histogram(edges, which.bincount(minlength=bins), zeros)


@dataclass(frozen=True)
class Survey:
    """The neurons of a layer, reading texts of known classes. Made once; `look` is quick.

    Args:
        activations: one row for each token, in the order of the texts and within them; 0 or more.
        text: to which text a token belongs.
        spans: the characters that it stands for, (start, end) in that text.
        texts: all of them.
        classes: of each text, from 0 on.
        names: of the classes.
        seed: of the null, the intervals and what is drawn at random.

    `effective`, `low`, `high` and `null` (2, n_neurons) are computed from them: the index of each
    neuron, its interval, and where it would be if the labels were shuffled.

    Memory: a copy of the activations, in which each neuron's lie together.

    Raises:
        ValueError: these do not belong together, or as for `effective_classes`.
    """

    activations: Float[Tensor, "rows n_neurons"]
    text: Int[Tensor, " rows"]
    spans: Int[Tensor, "rows 2"]
    texts: Sequence[str]
    classes: Int[Tensor, " n_texts"]
    names: Sequence[str]
    seed: int = 0
    means: Tensor = field(init=False, repr=False)
    band: Tensor = field(init=False, repr=False)
    effective: Tensor = field(init=False, repr=False)
    low: Tensor = field(init=False, repr=False)
    high: Tensor = field(init=False, repr=False)
    null: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_texts, rows = len(self.texts), len(self.text)
        if len(self.classes) != n_texts or len(self.activations) != rows or n_texts == 0:
            raise ValueError(
                f"there are {n_texts} texts, {len(self.classes)} classes of texts, {rows} tokens "
                f"and {len(self.activations)} rows of activations; use a class for each text and a "
                "row for each token."
            )
        if rows == 0 or bool((self.text.diff() < 0).any()) or int(self.text[-1]) != n_texts - 1:
            raise ValueError("rows must come in the order of the texts, and every text have some.")
        if len(self.names) != int(self.classes.max()) + 1:
            raise ValueError(f"there are {len(self.names)} names; use one for each class.")
        by_text = text_means(self.activations, self.text)
        low, high = interval(by_text, self.classes, generator=self._dice(0))
        null = shuffled(effective_classes, by_text, self.classes, generator=self._dice(1))
        band = shuffled(class_means, by_text, self.classes, generator=self._dice(2))
        quantiles = torch.tensor(MIDDLE, dtype=torch.float64)
        made = {
            "activations": self.activations.T.contiguous().T,  # now a neuron lies in one piece
            "texts": tuple(self.texts),
            "names": tuple(self.names),
            "means": class_means(by_text, self.classes),
            "band": band.double().quantile(quantiles, dim=0),
            "effective": effective_classes(by_text, self.classes),
            "low": low,
            "high": high,
            "null": null.quantile(quantiles, dim=0),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """How many neurons there are."""
        return self.activations.shape[1]

    def order(self, by: str = "number") -> list[int]:
        """All neurons: by "number", or with the "fewest" or "most" effective classes first.

        Those that are never active come last.

        Raises:
            ValueError: it is another word.
        """
        if by not in ("number", "fewest", "most"):
            raise ValueError(f'by is "{by}"; use "number", "fewest" or "most".')
        if by == "number":
            return list(range(len(self)))
        key = self.effective if by == "fewest" else -self.effective
        return key.where(self.effective > 0, torch.inf).argsort(stable=True).tolist()

    def look(self, neuron: int, *, n: int = 5) -> Look:
        """One neuron, with at most n contexts of each kind, no two of the same text:

        strongest: the largest activations of the texts in which it is most active;
        active: random tokens from the upper half of its activations above 0;
        random: random tokens of all.

        Strongest ones alone mislead: below them, a neuron is often about something else.

        Degenerate case: one that is never active has only random contexts.

        Raises:
            ValueError: there is no such neuron.
        """
        if not 0 <= neuron < len(self):
            raise ValueError(f"neuron is {neuron}; use 0 to {len(self) - 1}.")
        values, dice = self.activations[:, neuron], self._dice(3 + neuron)
        positive = values[values > 0]
        half = positive.median() if len(positive) else torch.inf
        every = torch.randperm(len(values), generator=dice)
        upper = every[values[every] >= half]
        strongest = values.argsort(descending=True, stable=True)[: int((values > 0).sum())]

        def contexts(rows: Tensor) -> tuple[Context, ...]:
            return tuple(self._context(values, row) for row in self._apart(rows, n))

        return Look(
            neuron=neuron,
            names=tuple(self.names),
            means=self.means[:, neuron],
            band=self.band[:, :, neuron],
            effective=float(self.effective[neuron]),
            low=float(self.low[neuron]),
            high=float(self.high[neuron]),
            null=(float(self.null[0, neuron]), float(self.null[1, neuron])),
            largest=float(values.max()),
            histogram=histogram(values),
            strongest=contexts(strongest),
            active=contexts(upper),
            random=contexts(every),
        )

    def _apart(self, rows: Tensor, n: int) -> list[int]:
        """The first n of the rows that are of different texts."""
        found: dict[int, int] = {}
        for row, text in zip(rows.tolist(), self.text[rows].tolist()):
            if len(found) == n:
                break
            found.setdefault(text, row)
        return list(found.values())

    def _context(self, values: Tensor, row: int) -> Context:
        number = int(self.text[row])
        first = max(0, row - AROUND)
        rows = first + (self.text[first : row + AROUND + 1] == number).nonzero().flatten()
        text, at, end = self.texts[number], 0, -1
        pieces: list[str] = []
        found: list[float] = []
        for r, value, (start, stop) in zip(
            rows.tolist(), values[rows].tolist(), self.spans[rows].tolist()
        ):
            if pieces and start < end:  # another part of the same character
                pieces[-1] += text[end:stop]
                found[-1] = max(found[-1], value)
            else:
                pieces.append(text[start:stop])
                found.append(value)
            end = max(end, stop)
            if r == row:
                at = len(pieces) - 1
        name = self.names[int(self.classes[number])]
        return Context(name, tuple(pieces), tuple(found), at)

    def _dice(self, stream: int) -> Generator:
        return Generator().manual_seed(1000 * self.seed + stream)

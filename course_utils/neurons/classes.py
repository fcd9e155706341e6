"""In how many classes of text is a neuron active? An index of polysemanticity, with its null.

Activations are (n_texts, n_neurons), 0 or more: the mean over the tokens of each text, see
`text_means`. Tokens of one text are alike, so that texts and not tokens are what can be shuffled or
drawn again. `classes` (n_texts,) says to which class a text belongs, from 0 on.

What the index can say: that a neuron is active in texts which have nothing in common that we know
of. What it cannot say:

- That it is about several things. A neuron for "anything but English" is active in many classes,
  and is about one thing. Look at which classes they are.
- That it is about one thing. Within a class it may have several meanings: the index sees classes.
- That a neuron active everywhere is polysemantic. A dense one may be about one thing that all texts
  have, such as the place in the text. It is near its null: it does not tell classes apart.
- That a small number is due to training. A direction that is active at few tokens is active in few
  classes, whatever it is. Compare with random directions that are active as rarely.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

Statistic = Callable[[Tensor, Tensor], Tensor]


def text_means(
    activations: Float[Tensor, "rows n_neurons"], text: Int[Tensor, " rows"]
) -> Float[Tensor, "n_texts n_neurons"]:
    """The mean activation in each text; row r of `activations` is a token of text text[r].

    Raises:
        ValueError: there is no row, or a text below the largest number has none.
    """
    counts = _counts(text, "text")
    sums = activations.new_zeros(len(counts), activations.shape[1])
    return sums.index_add_(0, text, activations) / counts[:, None].to(activations.dtype)


def class_means(
    activations: Float[Tensor, "n_texts n_neurons"], classes: Int[Tensor, " n_texts"]
) -> Float[Tensor, "n_classes n_neurons"]:
    """m_c, the mean over the texts of each class. So classes count alike, whatever their size.

    Raises:
        ValueError: there is no text, or a class below the largest number has none.
    """
    counts = _counts(classes, "class")
    of_class = torch.nn.functional.one_hot(classes, len(counts)).to(activations.dtype)
    return of_class.T @ activations / counts[:, None].to(activations.dtype)


def class_shares(
    activations: Float[Tensor, "n_texts n_neurons"], classes: Int[Tensor, " n_texts"]
) -> Float[Tensor, "n_classes n_neurons"]:
    """q_c = m_c / (m_1 + ... + m_k): which class a neuron's activation is in. A column sums to 1.

    Degenerate case: all 0 for a neuron that is never active.

    Raises:
        ValueError: an activation is negative or not finite, or as for `class_means`.
    """
    if not bool(activations.isfinite().all()) or bool((activations < 0).any()):
        raise ValueError(
            "an activation is negative or not finite; shares are of what is 0 or more, such as "
            "activations after a ReLU."
        )
    means = class_means(activations.double(), classes)
    return means / means.sum(0).clamp_min(torch.finfo(torch.float64).tiny)


def effective_classes(
    activations: Float[Tensor, "n_texts n_neurons"], classes: Int[Tensor, " n_texts"]
) -> Float[Tensor, " n_neurons"]:
    """The effective number of classes in which each neuron is active.

        exp(H),   H = -sum_c q_c log q_c,   q_c the shares of `class_shares`, 0 log 0 = 0

    From 1 (one class has all of it) to k (all k classes alike); s if s classes have it in equal
    parts and the others nothing.

    Degenerate case: 0 for a neuron that is never active.

    Raises:
        ValueError: as for `class_shares`.

    Source: Hill, "Diversity and Evenness" (1973): the number of order 1.
    """
    return _effective(class_shares(activations, classes))


def shuffled(
    f: Statistic,
    activations: Float[Tensor, "n_texts n_neurons"],
    classes: Int[Tensor, " n_texts"],
    *,
    n_permutations: int = 200,
    generator: Generator | None = None,
) -> Float[Tensor, "{n_permutations} ..."]:
    """f(activations, classes) with the labels in random order: if a class were just some texts.

    It is below k for `effective_classes`, and the further, the fewer texts have most of a neuron's
    activation: the null says how few classes it would seem to be in by chance.

    Args:
        f: such as `effective_classes` or `class_means`.
        n_permutations: at least 1.
        generator: source of randomness; None uses torch's global one.

    Raises:
        ValueError: n_permutations is below 1, or as f does.
    """
    _check_count("n_permutations", n_permutations)
    found = None
    for k in range(n_permutations):
        some = f(activations, classes[torch.randperm(len(classes), generator=generator)])
        if found is None:  # one tensor: small ones between large temporaries would split the heap
            found = some.new_empty(n_permutations, *some.shape)
        found[k] = some
    return found


def interval(
    activations: Float[Tensor, "n_texts n_neurons"],
    classes: Int[Tensor, " n_texts"],
    *,
    n: int = 200,
    level: float = 0.95,
    generator: Generator | None = None,
) -> tuple[Float[Tensor, " n_neurons"], Float[Tensor, " n_neurons"]]:
    """How far `effective_classes` would go with other texts of the same classes: low, high.

    A bootstrap: n times, as many texts of each class are drawn from those that there are, with
    replacement. Drawn again, shares are less even, and the number is smaller, by about as much as
    it is too small already for lack of texts. So the quantiles e of what is drawn are turned round
    the value E that was found: from 2 E - e_high to 2 E - e_low, kept between 1 and k. Where few
    texts have all of a neuron's activation, even that is too low and too narrow. The classes
    themselves are not drawn: with others, the number is another one.

    Args:
        n: how often, at least 1.
        level: between 0 and 1.
        generator: source of randomness; None uses torch's global one.

    Degenerate cases: 0 to 0 for a neuron that is never active; no width for classes of one text.

    Raises:
        ValueError: n is below 1, level is not between 0 and 1, or as for `effective_classes`.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), the basic interval.
    """
    _check_count("n", n)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; use a share between 0 and 1, such as 0.95.")
    found = effective_classes(activations, classes)
    groups = [activations[classes == c].double() for c in range(int(classes.max()) + 1)]
    means = []
    for group in groups:
        size = len(group)
        picks = torch.randint(size, (n, size), generator=generator)
        times = torch.zeros(n, size, dtype=group.dtype).scatter_add_(
            1, picks, torch.ones(n, size, dtype=group.dtype)
        )
        means.append(times @ group / size)
    shares = torch.stack(means)  # (class, draw, neuron)
    drawn = _effective(shares / shares.sum(0).clamp_min(torch.finfo(shares.dtype).tiny))
    ends = drawn.quantile(drawn.new_tensor([(1 + level) / 2, (1 - level) / 2]), dim=0)
    low, high = (2 * found - ends).clamp(1, len(groups)) * (found > 0)
    return low, high


def _effective(shares: Tensor) -> Tensor:
    """exp(H) over the first dimension; 0 where all shares are 0."""
    return torch.special.entr(shares).sum(0).exp() * (shares.sum(0) > 0)


def _counts(numbers: Tensor, what: str) -> Tensor:
    if not len(numbers) or int(numbers.min()) < 0:
        raise ValueError(f"there is no {what}, or one has a number below 0; count them from 0.")
    counts = numbers.bincount()
    if not bool(counts.all()):
        raise ValueError(f"{what} {int(counts.argmin())} has no row; number them without a gap.")
    return counts


def _check_count(name: str, count: int) -> None:
    if count < 1:
        raise ValueError(f"{name} is {count}; use at least 1.")

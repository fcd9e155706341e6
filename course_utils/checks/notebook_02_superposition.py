"""Checks of notebook 02. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from course_utils import features, geometry, toy_models
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe, shown


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _random(*shape: int, seed: int) -> Tensor:
    """Normal numbers with one decimal, so that a message can show them."""
    return torch.randn(*shape, generator=_generator(seed)).round(decimals=1)


def _features(*shape: int, seed: int) -> Tensor:
    """Numbers from 0 to 1 with one decimal."""
    return torch.rand(*shape, generator=_generator(seed)).round(decimals=1)


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _close(value: Tensor | float, target: float, margin: float) -> bool:
    return abs(float(value) - target) <= margin


# 2.1 -------------------------------------------------------------------------------------


@exercise(
    "2.1",
    fallback=features.sample_features,
    diagnoses=(
        "sparsity-for-probability",
        "one-coin-per-sample",
        "one-coin-per-feature",
        "values-squeezed",
        "all-ones",
        "outside-0-1",
        "ignores-generator",
    ),
)
def sample_features(answer: Answer) -> str:
    # Enough samples for chance to stay five standard deviations inside every margin below, few
    # enough for an answer written with loops.
    batch, n, p = 4_000, 6, 0.2
    of_what = "batch_size, n_features"
    x = answer.tensor(batch, n, p, shape=(batch, n), meaning=of_what, generator=_generator(0))
    on = x != 0
    share = on.double().mean()
    if x.min() < 0 or x.max() > 1:
        raise Mistake(
            "outside-0-1",
            f"A feature that is on has a value between 0 and 1. Yours run from {x.min():.2f} "
            f"to {x.max():.2f}: `torch.rand` draws what you need, `torch.randn` does not.",
        )
    if torch.equal(on.any(1), on.all(1)):
        raise Mistake(
            "one-coin-per-sample",
            "In each sample either every feature is on or none is. Features are independent: "
            "toss one coin for each sample and each feature, so the mask has the same shape as "
            "the result.",
        )
    if torch.equal(on.any(0), on.all(0)):
        raise Mistake(
            "one-coin-per-feature",
            "The same features are on in every sample. Toss one coin for each sample and each "
            "feature, so the mask has the same shape as the result.",
        )
    if _close(share, 1 - p, 0.02):
        raise Mistake(
            "sparsity-for-probability",
            f"With feature_probability = {p} a share of {share:.2f} of your values is on. That "
            f"is the sparsity S = 1 − p = {1 - p:g}. The feature probability p says how often a "
            "feature is on.",
        )
    if not _close(share, p, 0.02):
        raise unforeseen(
            tried=f"{batch:,} samples with feature_probability = {p}",
            want=f"a share of {p} of all values that is not 0",
            why="each feature is on with that probability",
            got=f"a share of {share:.3f}",
        )
    values = x[on]
    if torch.all(values == 1):
        raise Mistake(
            "all-ones",
            "Every feature that is on has the value 1. How strongly a feature is present also "
            "varies: multiply the mask by values drawn evenly between 0 and 1.",
        )
    if values.max() <= p + 1e-6 or values.min() >= 1 - p - 1e-6:
        raise Mistake(
            "values-squeezed",
            f"Your values that are on run only from {values.min():.2f} to {values.max():.2f}. "
            "That happens when one draw decides both whether a feature is on and how strong it "
            "is. Draw twice.",
        )
    if not (_close(values.mean(), 0.5, 0.025) and _close(values.var(), 1 / 12, 0.01)):
        raise unforeseen(
            tried=f"{batch:,} samples with feature_probability = {p}",
            want="values with mean 0.5 and variance 0.083 where a feature is on",
            why="they are drawn evenly between 0 and 1",
            got=f"values with mean {values.mean():.3f} and variance {values.var():.3f}",
        )
    together = torch.corrcoef(on.double().T) - torch.eye(n)
    if not together.abs().max() < 0.1:
        i, j = divmod(int(together.abs().argmax()), n)
        raise unforeseen(
            tried=f"{batch:,} samples with feature_probability = {p}",
            want="no correlation between features being on",
            why="each feature has a coin of its own in each sample",
            got=f"a correlation of {together[i, j]:.2f} between features {i} and {j}",
        )
    for q in (1.0, 0.6):
        share = (answer.tensor(500, n, q, shape=(500, n), generator=_generator(1)) != 0).double()
        if not _close(share.mean(), q, 0.06):
            raise unforeseen(
                tried=f"500 samples with feature_probability = {q}",
                want=f"a share of {q} of all values that is not 0",
                why="each feature is on with the probability that was asked for",
                got=f"a share of {share.mean():.3f}",
            )
    _follows_generator(
        lambda seed: answer.tensor(9, n, p, shape=(9, n), generator=_generator(seed))
    )
    return "The probability p says how often a feature is on; the sparsity is S = 1 − p."


def _follows_generator(draw: Callable[[int], Tensor]) -> None:
    first, again, other = draw(0), draw(0), draw(1)
    if not torch.equal(first, again) or torch.equal(first, other):
        raise Mistake(
            "ignores-generator",
            "Called twice with generators in the same state, your function should draw the same "
            "numbers, and other numbers with another state. Pass `generator=generator` to every "
            "draw.",
        )


# 2.2 -------------------------------------------------------------------------------------


@exercise(
    "2.2",
    fallback=toy_models.reconstruct,
    diagnoses=(
        "missing-relu",
        "missing-bias",
        "bias-after-relu",
        "relu-on-hidden",
        "rows-for-columns",
        "samples-as-columns",
        "stops-at-hidden",
    ),
)
def reconstruct(answer: Answer) -> str:
    relu = torch.relu
    # A square W first: there W Wᵀ runs as well as Wᵀ W, so that mistake can be named.
    for batch, n, d in ((2, 3, 3), (2, 4, 2)):
        x, W, b = _features(batch, n, seed=0), _random(d, n, seed=1), _random(n, seed=2)
        tried = f"x = {shown(x)}, W = {shown(W)}, b = {shown(b)}"
        try:
            y = answer(x, W, b)
        except Mistake as mistake:
            if mistake.diagnosis == "raises" and "shapes cannot be multiplied" in mistake.message:
                raise Mistake(
                    "samples-as-columns",
                    f"Here x has the shape (batch, n_features) = {(batch, n)} and W has the shape "
                    f"(d_hidden, n_features) = {(d, n)}. A sample is a row of x, so it stands on "
                    f"the left: it meets Wᵀ first, and W after that. {mistake.message}",
                ) from None
            raise
        if isinstance(y, Tensor) and tuple(y.shape) == (batch, d) and d != n:
            raise Mistake(
                "stops-at-hidden",
                f"You returned the hidden vector, of shape {(batch, d)}. The model then tries to "
                "get the features back out: apply Wᵀ to the hidden vector.",
            )
        x64, W64, b64 = x.double(), W.double(), b.double()
        z = x64 @ W64.T @ W64
        wrong = {
            "missing-relu": (z + b64, "The ReLU is missing: put it around all of WᵀW x + b."),
            "missing-bias": (relu(z), "The bias b is missing: add it inside the ReLU."),
            "bias-after-relu": (
                relu(z) + b64,
                "You add b after the ReLU. It goes inside: its work is to push small "
                "interference below zero, so that the ReLU can remove it.",
            ),
            "relu-on-hidden": (
                relu(relu(x64 @ W64.T) @ W64 + b64),
                "You also apply a ReLU to the hidden vector. In this model the hidden layer is "
                "linear; the only ReLU is at the output.",
            ),
        }
        if d == n:
            wrong["rows-for-columns"] = (
                relu(x64 @ W64 @ W64.T + b64),
                "You multiply by W first and by Wᵀ second: that is W Wᵀ, which mixes rows. Each "
                "feature is a column of W, so the product is Wᵀ W.",
            )
            wrong["stops-at-hidden"] = (
                x64 @ W64.T,
                "You returned the hidden vector W x. The model then tries to get the features "
                "back out: apply Wᵀ to it.",
            )
        expect(
            as_tensor(y, shape=(batch, n), meaning="batch, n_features"),
            relu(z + b64),
            tried=tried,
            why="each row is ReLU(WᵀW x + b) for that row of x",
            mistakes=wrong,
        )
    return "The hidden layer has d_hidden numbers, and yet all n_features come out again."


# 2.3 -------------------------------------------------------------------------------------


@exercise(
    "2.3",
    fallback=toy_models.importance_weighted_loss,
    diagnoses=(
        "mean-over-features",
        "sum-over-batch",
        "ignores-importance",
        "importance-squared",
        "absolute-error",
        "square-root",
    ),
)
def importance_weighted_loss(answer: Answer) -> str:
    for batch, n, seed in ((2, 3, 0), (4, 2, 1)):
        x, x_hat = _features(batch, n, seed=seed), _features(batch, n, seed=seed + 10)
        importance = torch.tensor([1.0, 0.6, 0.3])[:n]
        error, weight = (x - x_hat).double(), importance.double()
        want = (weight * error**2).sum(1).mean()
        expect(
            answer.tensor(x, x_hat, importance, shape=(), meaning="one loss for the batch"),
            want,
            tried=f"x = {shown(x)}, x_hat = {shown(x_hat)}, importance = {shown(importance)}",
            why="it is the mean over the batch of Σ_i I_i (x_i − x̂_i)²",
            mistakes={
                "mean-over-features": (
                    want / n,
                    "You take the mean over the features too. Sum over features, and take the "
                    "mean over the batch only. (The best model is the same; the number is not, "
                    "and formulas later in this notebook need it.)",
                ),
                "sum-over-batch": (
                    want * batch,
                    "You sum over the batch. Take its mean, so that the loss does not grow with "
                    "the batch.",
                ),
                "ignores-importance": (
                    (error**2).sum(1).mean(),
                    "The importance has no effect on your loss: multiply each feature's squared "
                    "error by I_i.",
                ),
                "importance-squared": (
                    ((weight * error) ** 2).sum(1).mean(),
                    "You square the importance along with the error. Square first, then multiply "
                    "by I_i.",
                ),
                "absolute-error": (
                    (weight * error.abs()).sum(1).mean(),
                    "You take the absolute error. This loss takes the square: `(x - x_hat) ** 2`.",
                ),
                "square-root": (
                    want.sqrt(),
                    "You take a square root at the end. This loss has none: leave it out.",
                ),
            },
        )
    return "A feature with a larger I_i costs more when it is lost, so it is kept first."


# 2.4 -------------------------------------------------------------------------------------


@exercise(
    "2.4",
    fallback=toy_models.training_step,
    diagnoses=(
        "no-zero-grad",
        "no-backward",
        "zero-grad-too-late",
        "no-step",
        "uphill",
        "loss-after-step",
        "keeps-graph",
    ),
)
def training_step(answer: Answer) -> str:
    rate, steps = 0.05, 3
    importance = torch.tensor([1.0, 0.7, 0.4])
    batches = [_features(16, 3, seed=10 + i) for i in range(steps)]
    start_W, start_b = _random(2, 3, seed=3) * 0.5, torch.full((3,), 0.3)

    W, b = start_W.clone().requires_grad_(), start_b.clone().requires_grad_()
    optimizer = torch.optim.SGD([W, b], lr=rate)
    differentiated = []
    W.register_post_accumulate_grad_hook(lambda _: differentiated.append(True))
    losses = []
    for x in batches:
        loss = answer(W, b, x, importance, optimizer, may_change=(0, 1, 4))
        if isinstance(loss, Tensor) and loss.requires_grad:
            raise Mistake(
                "keeps-graph",
                "You return a tensor that still carries the whole computation with it, so memory "
                "grows while you collect losses. Return a plain number: `loss.item()`.",
            )
        losses.append(as_tensor(loss, shape=(), meaning="the loss of this batch"))
    got = torch.cat([W.detach().flatten(), b.detach()])
    before = torch.cat([start_W.flatten(), start_b])
    if same(got, before, 1e-7):
        if differentiated and (W.grad is None or not W.grad.any()):
            raise Mistake(
                "zero-grad-too-late",
                "The gradients are computed, and forgotten before they are used: so W and b did "
                "not change. Call `optimizer.zero_grad()` first, before `backward()`.",
            )
        if not differentiated:
            raise Mistake(
                "no-backward",
                "W and b did not change, and they hold no gradients. `loss.backward()` computes "
                "them; `optimizer.step()` then uses them.",
            )
        raise Mistake(
            "no-step",
            "The gradients are there, but W and b did not change. `optimizer.step()` is missing.",
        )

    def walk(sign: float = 1.0, keep: float = 0.0) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Gradient descent by the formulas; `keep` is the share of old gradient kept."""
        w, c = start_W.double(), start_b.double()
        old_w, old_c = torch.zeros_like(w), torch.zeros_like(c)
        at_start, at_end = [], []
        for x in batches:
            v = x.double()

            def loss_at(w: Tensor, c: Tensor, v: Tensor = v) -> Tensor:
                y = torch.relu(v @ w.T @ w + c)
                return (importance.double() * (y - v) ** 2).sum(1).mean()

            w, c = w.requires_grad_(), c.requires_grad_()
            value = loss_at(w, c)
            grad_w, grad_c = torch.autograd.grad(value, (w, c))
            old_w, old_c = keep * old_w + grad_w, keep * old_c + grad_c
            w, c = (w - sign * rate * old_w).detach(), (c - sign * rate * old_c).detach()
            at_start.append(value.detach())
            at_end.append(loss_at(w, c))
        return torch.cat([w.flatten(), c]), at_start, at_end

    want, at_start, at_end = walk()
    expect(
        got,
        want,
        tried=f"{steps} steps with `torch.optim.SGD([W, b], lr={rate})` on {steps} random batches, "
        f"from W = {shown(start_W)} and b = {shown(start_b)}, importance = {shown(importance)}",
        why="each step moves W (the first six numbers) and b (the last three) against the gradient "
        "of this batch's loss",
        mistakes={
            "no-zero-grad": (
                walk(keep=1.0)[0],
                "The first step is right, the next ones are not: PyTorch adds each new gradient "
                "to the old one. Call `optimizer.zero_grad()` in every step.",
            ),
            "uphill": (
                walk(sign=-1.0)[0],
                "Your step goes uphill: the loss grows. Is there a minus sign too many?",
            ),
        },
    )
    expect(
        torch.stack(losses),
        torch.stack(at_start),
        tried=f"{steps} steps, and looked at the {steps} losses that you returned",
        why="each is the loss of the batch before the step",
        mistakes={
            "loss-after-step": (
                torch.stack(at_end),
                "W and b move as they should, but you return the loss computed after the step. "
                "Return the loss that you called `backward()` on; it costs nothing extra.",
            )
        },
    )
    return "Four lines train every model in this notebook: forget, measure, differentiate, move."


# 2.5 -------------------------------------------------------------------------------------


@exercise(
    "2.5",
    fallback=toy_models.linear_floor,
    diagnoses=(
        "forgets-the-bias",
        "dense-variance",
        "keeps-the-first",
        "keeps-the-least",
        "counts-the-kept",
        "sparsity-for-probability",
    ),
)
def linear_floor(answer: Answer) -> str:
    cases = (([0.5, 1.0, 0.2, 0.8, 0.1], 0.3, 2), ([0.3, 0.9, 0.6], 0.7, 1))
    for weights, p, m in cases:
        importance = torch.tensor(weights)
        order = sorted(weights, reverse=True)
        variance = p / 3 - p**2 / 4
        lost = sum(order[m:])
        s = 1 - p
        expect(
            answer.tensor(importance, p, m, shape=(), meaning="the loss"),
            _number(variance * lost),
            tried=f"importance {weights}, p = {p}, d_hidden = {m}",
            why=f"the {m} most important features cost nothing, and each other one costs its "
            f"importance times the variance p/3 − p²/4 = {variance:.4f}",
            mistakes={
                "forgets-the-bias": (
                    _number(p / 3 * lost),
                    "You charge E[x²] = p/3 for a lost feature. But the bias can say the mean, "
                    "p/2, so only the variance is lost: E[x²] − (p/2)².",
                ),
                "dense-variance": (
                    _number(lost / 12),
                    "1/12 is the variance of a feature that is always on. Here it is on with "
                    "probability p.",
                ),
                "keeps-the-first": (
                    _number(variance * sum(weights[m:])),
                    f"You keep the first {m} features of the list. The model keeps the most "
                    "important ones, wherever they stand.",
                ),
                "keeps-the-least": (
                    _number(variance * sum(order[::-1][m:])),
                    f"You keep the {m} least important features, and pay for the others. It is the "
                    "most important ones that are kept: sort with `descending=True`.",
                ),
                "counts-the-kept": (
                    _number(variance * sum(order[:m])),
                    "You add up the features that are kept. They cost nothing; the others pay.",
                ),
                "sparsity-for-probability": (
                    _number((s / 3 - s**2 / 4) * lost),
                    f"That is the answer for p = {s:.1f}, which here is the sparsity S = 1 − p.",
                ),
            },
            tolerance=1e-5,
        )
    expect(
        answer.tensor(torch.tensor([1.0, 0.5]), 0.3, 2, shape=(), meaning="the loss"),
        _number(0.0),
        tried="importance [1.0, 0.5], p = 0.3, d_hidden = 2",
        why="there is a dimension for every feature",
        tolerance=1e-6,
    )
    return "A linear model can only choose: it keeps the top d_hidden features and drops the rest."


# 2.6 -------------------------------------------------------------------------------------


@exercise(
    "2.6",
    fallback=geometry.count_represented,
    diagnoses=(
        "counts-dimensions",
        "counts-rows",
        "counts-entries",
        "counts-all",
        "squares",
        "ignores-threshold",
    ),
)
def count_represented(answer: Answer) -> str:
    # Each mistake gives another count: 4 dimensions, 3 long rows, 1 large entry, 8 columns, 5
    # columns whose squared length passes the threshold, and 6 that are longer than it.
    W = torch.tensor(
        [
            [1.0, 0.4, -0.4, 0.40, -0.48, 0.4, 0.0, 0.3],
            [0.0, -0.4, 0.4, 0.45, -0.48, 0.4, 0.0, -0.3],
            [0.0, 0.4, 0.4, -0.45, 0.48, 0.0, 0.0, 0.0],
            [0.0, 0.2, -0.2, 0.10, 0.00, 0.0, 0.0, 0.1],
        ]
    )
    lengths = ", ".join(f"{length:.2g}" for length in W.norm(dim=0))

    def count(mask: Tensor) -> Tensor:
        return mask.sum().double()

    of_what = "the number of features"
    expect(
        answer.tensor(W, shape=(), meaning=of_what),
        count(W.norm(dim=0) > 0.5),
        tried=f"a W whose columns have the lengths {lengths}",
        why="that many are longer than 0.5",
        mistakes={
            "counts-dimensions": (
                torch.linalg.matrix_rank(W).double(),
                "You count dimensions: 4 is the rank of W, and its number of rows. There can be "
                "more features represented than there are dimensions; that is the point.",
            ),
            "counts-rows": (
                count(W.norm(dim=1) > 0.5),
                "You measure the rows of W. A feature's direction is a column: take the norm over "
                "`dim=0`.",
            ),
            "counts-entries": (
                count(W.abs() > 0.5),
                "You count single weights. A feature is represented by its whole column: measure "
                "the column's length first.",
            ),
            "counts-all": (
                _number(W.shape[1]),
                "You count every feature, also those whose column is zero or almost zero.",
            ),
            "squares": (
                count((W**2).sum(0) > 0.5),
                "You compare the squared length with the threshold. Take the square root.",
            ),
        },
    )
    expect(
        answer.tensor(W, 0.8, shape=(), meaning=of_what),
        count(W.norm(dim=0) > 0.8),
        tried=f"threshold = 0.8 and a W whose columns have the lengths {lengths}",
        why="that many are longer than 0.8",
        mistakes={
            "ignores-threshold": (
                count(W.norm(dim=0) > 0.5),
                "With threshold = 0.8 your function still counts the columns longer than 0.5. "
                "Compare with the argument `threshold`.",
            )
        },
    )
    return "Represented features and dimensions are two different counts."


# 2.7 -------------------------------------------------------------------------------------

_KEYS = ("not_represented", "opposite_pairs", "alone", "dimensions")


def reading_from_matrix() -> dict[str, Any]:
    """What the picture of exercise 2.7 shows."""
    return {
        "not_represented": [4],
        "opposite_pairs": [(0, 3), (1, 5)],
        "alone": [2],
        "dimensions": 3,
    }


@exercise(
    "2.7",
    fallback=reading_from_matrix,
    diagnoses=(
        "counts-from-one",
        "pairs-with-itself",
        "white-is-opposite",
        "missed-zero-column",
        "dimensions-are-features",
    ),
)
def read_the_picture(answer: Answer) -> str:
    reading = answer()
    if not isinstance(reading, dict) or set(reading) != set(_KEYS):
        raise Mistake(
            "wrong-type",
            f"Return a dictionary with the keys {', '.join(_KEYS)}; got {describe(reading)}.",
        )
    zero = set(_numbers(reading["not_represented"], "not_represented"))
    alone = set(_numbers(reading["alone"], "alone"))
    pairs = {tuple(sorted(_numbers(p, "opposite_pairs"))) for p in _list(reading["opposite_pairs"])}
    if zero == {5} and alone == {3} and pairs == {(1, 4), (2, 6)}:
        raise Mistake(
            "counts-from-one",
            "You read the picture rightly and counted from 1. The labels x0 to x5 count from 0.",
        )
    if any(len(set(pair)) < 2 for pair in pairs):
        raise Mistake(
            "pairs-with-itself",
            "A pair in your list holds only one feature. Write each pair as (i, j), and look at "
            "the cells off the diagonal: cell (i, i) is feature i's own squared length.",
        )
    if 4 not in zero:
        raise Mistake(
            "missed-zero-column",
            "One feature's row and column are empty, its diagonal cell too. A feature of length 0 "
            "has no direction: it is not represented. Which one?",
        )
    W, _ = picture()
    gram = W.T @ W
    orthogonal = [p for p in pairs if len(p) == 2 and p[0] >= 0 and p[1] < 6 and gram[p] == 0]
    if orthogonal:
        raise Mistake(
            "white-is-opposite",
            f"For the pair {orthogonal[0]} the cell is 0: those directions are at right angles (or "
            "one of them has no length). Opposite directions have a cell near −1.",
        )
    dimensions = reading["dimensions"]
    if isinstance(dimensions, Tensor) and dimensions.numel() == 1:
        dimensions = dimensions.item()
    if not isinstance(dimensions, Real) or isinstance(dimensions, bool):
        raise Mistake("wrong-type", f"`dimensions` should be a number; got {describe(dimensions)}.")
    if dimensions in (5, 6):
        raise Mistake(
            "dimensions-are-features",
            f"{float(dimensions):g} counts features. Each opposite pair lies on one line, and a "
            "line is one dimension.",
        )
    right = reading_from_matrix()
    for key, got in (("not_represented", zero), ("alone", alone), ("opposite_pairs", pairs)):
        if got != set(right[key]):
            raise Mistake(
                None,
                f"Your `{key}` is {sorted(got)}, which is not what the picture shows. Go through "
                "it row by row and look for cells off the diagonal that are not 0.",
            )
    if dimensions != right["dimensions"]:
        raise Mistake(
            None,
            f"Your `dimensions` is {float(dimensions):g}. Count lines at right angles to each "
            "other: one for each opposite pair, and one for a feature that stands alone.",
        )
    return "A cell off the diagonal is interference; five features can live in three dimensions."


def picture() -> tuple[Tensor, Tensor]:
    """The W (3, 6) and b (6,) whose picture exercise 2.7 shows."""
    W = torch.zeros(3, 6)
    W[0, 0], W[0, 3] = 1.0, -1.0
    W[1, 1], W[1, 5] = 1.0, -0.9
    W[2, 2] = 1.0
    b = torch.zeros(6)
    b[4] = 0.15  # the mean of a feature with p = 0.3: all that can be said of a lost one
    return W, b


def _list(value: Any, wanted: str = "a list") -> list[Any]:
    try:
        if not isinstance(value, (str, bytes)):
            return list(itertools.islice(value, 100))  # some iterators have no end
    except TypeError:
        pass
    raise Mistake("wrong-type", f"Expected {wanted}, but got {describe(value)}.")


def _numbers(value: Any, key: str) -> list[int]:
    values = [value] if isinstance(value, Integral) else _list(value)
    values = [v.item() if isinstance(v, Tensor) and v.numel() == 1 else v for v in values]
    if not all(isinstance(v, Integral) and not isinstance(v, bool) for v in values):
        raise Mistake(
            "wrong-type",
            f"`{key}` should hold feature numbers such as 0 or 5; got {describe(value)}.",
        )
    return [int(v) for v in values]


# 2.8 -------------------------------------------------------------------------------------


@exercise(
    "2.8",
    fallback=geometry.phase_losses,
    diagnoses=(
        "forgets-the-bias",
        "ignoring-without-importance",
        "pair-always-pays",
        "one-of-the-pair-pays",
        "swapped",
        "sparsity-for-probability",
    ),
)
def phase_losses(answer: Answer) -> str:
    for p, r in ((0.2, 0.7), (0.6, 0.3), (0.05, 1.4)):
        value = answer(p, r)
        wanted = "two numbers, (loss of ignoring the second, loss of the opposite pair)"
        values = _list(value, wanted)
        if len(values) != 2:
            raise Mistake("wrong-type", f"Expected {wanted}, but got {describe(value)}.")
        first, second = (as_tensor(v, shape=(), meaning="a loss") for v in values)
        got = torch.stack([first, second])
        ignore, pair = r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 6
        s = 1 - p

        def both(a: float, b: float) -> Tensor:
            return torch.tensor([a, b], dtype=torch.float64)

        expect(
            got,
            both(ignore, pair),
            tried=f"p = {p}, r = {r}",
            why="ignoring the second feature costs r times its variance p/3 − p²/4, and the "
            "opposite pair costs (1 + r)/6 in the share p² of samples where both are on",
            mistakes={
                "swapped": (
                    both(pair, ignore),
                    "Both formulas are right, in the wrong order: first ignoring, then the pair.",
                ),
                "forgets-the-bias": (
                    both(r * p / 3, pair),
                    "You charge E[x²] = p/3 for the ignored feature. Its output can be the "
                    "constant p/2 through the bias, so only the variance is lost.",
                ),
                "ignoring-without-importance": (
                    both(p / 3 - p**2 / 4, pair),
                    "The ignored feature is the second one, so its loss is weighted with r.",
                ),
                "pair-always-pays": (
                    both(ignore, (1 + r) * p / 6),
                    "You let the opposite pair pay whenever one feature is on. Alone, a feature "
                    "comes back exactly: the other output is negative and the ReLU removes it. "
                    "Only both at once, with probability p², costs something.",
                ),
                "one-of-the-pair-pays": (
                    both(ignore, p**2 / 6),
                    "When both are on, both come back too small: the larger by the smaller one's "
                    "value, and the smaller vanishes. Both pay, with weights 1 and r.",
                ),
                "sparsity-for-probability": (
                    both(r * (s / 3 - s**2 / 4), (1 + r) * s**2 / 6),
                    f"These are the losses at p = {s:g}, which is the sparsity 1 − p. The argument "
                    "is the feature probability itself.",
                ),
            },
            tolerance=1e-5,
        )
    return "Interference costs p², absence costs p: rare enough, sharing always wins."


# 2.9 -------------------------------------------------------------------------------------


@exercise(
    "2.9",
    fallback=features.sample_anticorrelated_pairs,
    diagnoses=(
        "independent",
        "on-together",
        "half-probability",
        "always-one-on",
        "second-gets-the-rest",
        "one-coin-for-all-pairs",
        "partners-not-neighbours",
        "ignores-generator",
    ),
)
def sample_anticorrelated_pairs(answer: Answer) -> str:
    batch, pairs, p = 4_000, 3, 0.3
    n = 2 * pairs
    of_what = "batch_size, 2 * n_pairs"
    x = answer.tensor(batch, pairs, p, shape=(batch, n), meaning=of_what, generator=_generator(0))
    on = (x != 0).double()
    share = on.mean()
    both = (on.T @ on) / batch
    neighbours = both[range(0, n, 2), range(1, n, 2)]
    crossed = both[range(pairs), range(pairs, n)]
    if neighbours.max() > 0:
        if crossed.max() == 0:
            raise Mistake(
                "partners-not-neighbours",
                "Your pairs are features k and n_pairs + k. The exercise wants neighbours: 0 with "
                "1, 2 with 3, and so on.",
            )
        if _close(neighbours.mean(), float(share), 0.02):
            raise Mistake(
                "on-together",
                "The two features of a pair are always on together. That is a correlated pair; "
                "an anticorrelated one never has both on.",
            )
        if _close(neighbours.mean(), p * p, 0.02):
            raise Mistake(
                "independent",
                f"Both features of a pair are on in a share of {neighbours.mean():.3f} of the "
                "samples, about p²: they are independent. At most one may be on.",
            )
        raise unforeseen(
            tried=f"{batch:,} samples of {pairs} pairs with feature_probability = {p}",
            want="no sample with both features of a pair on",
            why="they exclude each other",
            got=f"both on in a share of {neighbours.mean():.3f} of the samples",
        )
    if _close(share, 0.5, 0.02):
        raise Mistake(
            "always-one-on",
            "In every sample exactly one feature of each pair is on. Often none should be: each "
            f"is on with probability p = {p}, so none is with probability 1 − 2p.",
        )
    if _close(share, p / 2, 0.02):
        raise Mistake(
            "half-probability",
            f"Each feature is on in a share of {share:.3f} of the samples, half of p = {p}. You "
            "give p to the pair; it belongs to each feature, so the pair needs 2p.",
        )
    first, second = on[:, 0::2].mean(), on[:, 1::2].mean()
    if _close(first, p, 0.02) and _close(second, p * (1 - p), 0.02):
        raise Mistake(
            "second-gets-the-rest",
            f"The first of a pair is on in a share of {first:.2f} of the samples, the second only "
            f"in {second:.2f}, about p (1 − p). You toss a coin for it only when the first is off. "
            "One draw for the pair can give both the same chance.",
        )
    sides = on.mean(0)
    if (sides - p).abs().max() > 0.05 or not _close(share, p, 0.02):
        raise unforeseen(
            tried=f"{batch:,} samples of {pairs} pairs with feature_probability = {p}",
            want=f"each feature on in a share of {p} of the samples",
            why="p is the probability of each feature",
            got=f"shares of {shown(sides)}",
        )
    pair_on = on[:, 0::2] + on[:, 1::2]
    if torch.equal(pair_on.amax(1), pair_on.amin(1)):
        raise Mistake(
            "one-coin-for-all-pairs",
            "Either all pairs have a feature on or none has. Pairs are independent of each other: "
            "draw for each sample and each pair.",
        )
    values = x[x != 0]
    if not (_close(values.mean(), 0.5, 0.025) and _close(values.var(), 1 / 12, 0.01)):
        raise unforeseen(
            tried=f"{batch:,} samples of {pairs} pairs with feature_probability = {p}",
            want="values with mean 0.5 and variance 0.083 where a feature is on",
            why="they are drawn evenly between 0 and 1, apart from the draw that decides which "
            "feature is on",
            got=f"values with mean {values.mean():.3f} and variance {values.var():.3f}",
        )
    _follows_generator(
        lambda seed: answer.tensor(9, pairs, p, shape=(9, n), generator=_generator(seed))
    )
    return "Anticorrelated features are never on at once, so sharing a line costs them nothing."

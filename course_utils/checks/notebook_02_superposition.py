"""Checks of notebook 02. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from course_utils import features, geometry, toy_models
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Answer, Mistake, as_tensor, describe
from course_utils.checks.registry import exercise


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=_generator(seed))


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
    batch, n, p = 20_000, 6, 0.2
    x = answer.tensor(batch, n, p, shape=(batch, n), generator=_generator(0))
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
        raise Mistake(
            None,
            f"Tried: {batch:,} samples with feature_probability = {p}.\nExpected a share of {p} "
            f"of the values to be on (not zero), because each is on with that probability.\n"
            f"Yours has {share:.3f}.",
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
    if not (_close(values.mean(), 0.5, 0.02) and _close(values.var(), 1 / 12, 0.01)):
        raise Mistake(
            None,
            f"Tried: {batch:,} samples.\nExpected the values that are on to be spread evenly "
            f"over 0 to 1, so with mean 0.5 and variance 1/12 = 0.083.\nYours have mean "
            f"{values.mean():.3f} and variance {values.var():.3f}.",
        )
    together = torch.corrcoef(on.double().T) - torch.eye(n)
    if together.abs().max() > 0.05:
        raise Mistake(
            None,
            "Two of your features tend to be on together (or never together): their on/off "
            f"correlation reaches {together.abs().max():.2f}. Independent features stay near 0.",
        )
    always = answer.tensor(50, n, 1.0, shape=(50, n), generator=_generator(1))
    never = answer.tensor(50, n, 0.0, shape=(50, n), generator=_generator(1))
    if (always != 0).double().mean() < 0.98 or (never != 0).any():
        raise Mistake(
            None,
            "At p = 1 every feature should be on, and at p = 0 none. Yours has a share of "
            f"{(always != 0).double().mean():.2f} and {(never != 0).double().mean():.2f} on.",
        )
    again = answer.tensor(batch, n, p, shape=(batch, n), generator=_generator(0))
    other = answer.tensor(batch, n, p, shape=(batch, n), generator=_generator(2))
    if not torch.equal(x, again) or torch.equal(x, other):
        raise Mistake(
            "ignores-generator",
            "Called twice with generators in the same state, your function should draw the same "
            "numbers, and other numbers with another state. Pass `generator=generator` to every "
            "draw.",
        )
    return "p says how often a feature is on. The sparsity is what is left: S = 1 − p."


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
        "stops-at-hidden",
    ),
)
def reconstruct(answer: Answer) -> str:
    relu = torch.relu
    # A square W first: there W Wᵀ runs as well as Wᵀ W, so that mistake can be named.
    for batch, n, d in ((7, 4, 4), (9, 5, 2)):
        x, W, b = _random(batch, n, seed=0).abs(), _random(d, n, seed=1), _random(n, seed=2)
        try:
            y = answer(x, W, b)
        except Mistake as mistake:
            if mistake.diagnosis == "raises" and "shapes cannot be multiplied" in mistake.message:
                raise Mistake(
                    "rows-for-columns",
                    f"W has the shape (d_hidden, n_features) = {(d, n)} and a sample is a row of "
                    "x. Going in, each row of x meets Wᵀ; coming back, it meets W. "
                    + mistake.message,
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
            "missing-relu": (z + b64, "Everything is there but the ReLU around it."),
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
            tried=f"a random batch of {batch} samples, n_features = {n}, d_hidden = {d}",
            why="the model is ReLU(WᵀW x + b)",
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
    for batch, n, seed in ((8, 5, 0), (3, 2, 1)):
        x, x_hat = _random(batch, n, seed=seed).abs(), _random(batch, n, seed=seed + 10)
        importance = 0.6 ** torch.arange(n)
        error, weight = (x - x_hat).double(), importance.double()
        want = (weight * error**2).sum(1).mean()
        expect(
            answer.tensor(x, x_hat, importance, shape=(), meaning="one loss for the batch"),
            want,
            tried=f"a random batch of {batch} samples with {n} features, importance 0.6^i",
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
                    "You use the absolute error. This loss uses the square.",
                ),
                "square-root": (
                    want.sqrt(),
                    "You take a square root at the end. This loss has none.",
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
        "no-step",
        "uphill",
        "loss-after-step",
        "keeps-graph",
    ),
)
def training_step(answer: Answer) -> str:
    rate, steps = 0.05, 3
    importance = torch.tensor([1.0, 0.7, 0.4])
    batches = [_random(16, 3, seed=10 + i).abs() for i in range(steps)]
    start_W, start_b = _random(2, 3, seed=3) * 0.5, torch.full((3,), 0.3)

    W, b = start_W.clone().requires_grad_(), start_b.clone().requires_grad_()
    optimizer = torch.optim.SGD([W, b], lr=rate)
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
        if W.grad is None or not W.grad.any():
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
        tried=f"{steps} steps of plain gradient descent from the same W and b",
        why="each step moves W and b against the gradient of this batch's loss",
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
        tried=f"the losses that you returned over {steps} steps",
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

        def number(value: float) -> Tensor:
            return torch.tensor(value, dtype=torch.float64)

        s = 1 - p
        expect(
            answer.tensor(importance, p, m, shape=(), meaning="the loss"),
            number(variance * lost),
            tried=f"importance {weights}, p = {p}, d_hidden = {m}",
            why=f"the {m} most important features cost nothing, and each other one costs its "
            f"importance times the variance p/3 − p²/4 = {variance:.4f}",
            mistakes={
                "forgets-the-bias": (
                    number(p / 3 * lost),
                    "You charge E[x²] = p/3 for a lost feature. But the bias can say the mean, "
                    "p/2, so only the variance is lost: E[x²] − (p/2)².",
                ),
                "dense-variance": (
                    number(lost / 12),
                    "1/12 is the variance of a feature that is always on. Here it is on with "
                    "probability p.",
                ),
                "keeps-the-first": (
                    number(variance * sum(weights[m:])),
                    f"You keep the first {m} features of the list. The model keeps the most "
                    "important ones, wherever they stand.",
                ),
                "keeps-the-least": (
                    number(variance * sum(order[::-1][m:])),
                    f"You keep the {m} least important features, and pay for the others.",
                ),
                "counts-the-kept": (
                    number(variance * sum(order[:m])),
                    "You add up the features that are kept. They cost nothing; the others pay.",
                ),
                "sparsity-for-probability": (
                    number((s / 3 - s**2 / 4) * lost),
                    f"That is the answer for p = {s:.1f}, which here is the sparsity S = 1 − p.",
                ),
            },
            tolerance=1e-5,
        )
    everything = answer.tensor(torch.tensor([1.0, 0.5]), 0.3, 2, shape=())
    if abs(everything) > 1e-6:
        raise Mistake(
            None,
            "Tried: two features and d_hidden = 2.\nExpected 0, because every feature has a "
            f"dimension.\nYours gave {float(everything):.4g}.",
        )
    return "A linear model can only choose: it keeps the top d_hidden features and drops the rest."


# 2.6 -------------------------------------------------------------------------------------


@exercise(
    "2.6",
    fallback=geometry.count_represented,
    diagnoses=("counts-rows", "counts-entries", "counts-dimensions", "counts-all", "squares"),
)
def count_represented(answer: Answer) -> str:
    # Column lengths 1, 1, .6, .4, 0, 1.1: at the threshold .5, four of six are represented.
    angle = torch.tensor([0.3, 1.5, 2.9, 4.0, 0.0, 5.2])
    length = torch.tensor([1.0, 1.0, 0.6, 0.4, 0.0, 1.1])
    W = length * torch.stack([angle.cos(), angle.sin()])
    got = answer.tensor(W, shape=(), meaning="the number of features")
    norms = W.norm(dim=0)
    value = {
        "counts-dimensions": int(torch.linalg.matrix_rank(W)),
        "counts-entries": int((W.abs() > 0.5).sum()),
        "counts-rows": int((W.norm(dim=1) > 0.5).sum()),
        "counts-all": W.shape[1],
        "squares": int((norms**2 > 0.5).sum()),
    }
    message = {
        "counts-dimensions": "You count dimensions: 2 is the rank of W, or its number of rows. "
        "There can be more features represented than there are dimensions; that is the point.",
        "counts-rows": "You measure the rows of W. A feature's direction is a column: take the "
        "norm over `dim=0`.",
        "counts-entries": "You count single weights. A feature is represented by its whole "
        "column: measure the column's length first.",
        "counts-all": "You count every feature, also those whose column is (almost) zero.",
        "squares": "You compare the squared length with the threshold. Take the square root.",
    }
    tall = torch.zeros(4, 2)
    tall[:, 0] = 0.4  # length .8 although no entry passes .5, and no row does
    second = answer.tensor(tall, shape=(), meaning="the number of features")
    want = int((norms > 0.5).sum())
    for slug in ("counts-entries", "counts-all", "squares"):
        if got == value[slug] and got != want:
            raise Mistake(slug, message[slug])
    if got == 2:
        rows = int((tall.norm(dim=1) > 0.5).sum())
        slug = "counts-rows" if second == rows else "counts-dimensions"
        raise Mistake(slug, message[slug])
    if got != want or second != 1:
        tried, wanted, gave = ("lengths .8 and 0", 1, second)
        if got != want:
            tried, wanted, gave = ("lengths 1, 1, .6, .4, 0 and 1.1", want, got)
        raise Mistake(
            None,
            f"Tried: a W whose columns have the {tried}.\nExpected {wanted}, because that many "
            f"are longer than 0.5.\nYours gave {float(gave):g}.",
        )
    higher = answer.tensor(W, 0.8, shape=(), meaning="the number of features")
    if higher != 3:
        raise Mistake(
            None,
            f"Tried: threshold = 0.8.\nExpected 3, because three columns are longer than that.\n"
            f"Yours gave {float(higher):g}. Does your function use its argument `threshold`?",
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
            "A pair in your list holds one feature only. The diagonal cell (i, i) is feature "
            "i's own squared length; pairs are read off the diagonal.",
        )
    if 4 not in zero:
        raise Mistake(
            "missed-zero-column",
            "One feature's row and column are empty, its diagonal cell too. A feature of length 0 "
            "has no direction: it is not represented. Which one?",
        )
    W, _ = picture()
    gram = W.T @ W
    orthogonal = [p for p in pairs if len(p) == 2 and max(p) < 6 and gram[p] == 0]
    if orthogonal:
        raise Mistake(
            "white-is-opposite",
            f"For the pair {orthogonal[0]} the cell is 0: those directions are at right angles (or "
            "one of them has no length). Opposite directions have a cell near −1.",
        )
    dimensions = as_tensor(reading["dimensions"], shape=(), meaning="dimensions")
    if dimensions in (5, 6):
        raise Mistake(
            "dimensions-are-features",
            f"{dimensions:g} counts features. Each opposite pair lies on one line, and a line is "
            "one dimension.",
        )
    right = reading_from_matrix()
    for key, got in (("not_represented", zero), ("alone", alone), ("opposite_pairs", pairs)):
        if got != set(right[key]):
            raise Mistake(
                None,
                f"Not yet: `{key}` is {sorted(got)}. Go through the picture row by row and look "
                "for cells off the diagonal that are not 0.",
            )
    if dimensions != right["dimensions"]:
        raise Mistake(
            None,
            f"`dimensions` is {dimensions:g}. Count lines at right angles to each other: one for "
            "each opposite pair, and one for a feature that stands alone.",
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


def _list(value: Any) -> list[Any]:
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return list(value)
    raise Mistake("wrong-type", f"Expected a list of pairs, but got {describe(value)}.")


def _numbers(value: Any, key: str) -> list[int]:
    values = [value] if isinstance(value, int) else _list(value)
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        raise Mistake(
            "wrong-type",
            f"`{key}` should hold feature numbers such as 0 or 5; got {describe(value)}.",
        )
    return values


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
        if not isinstance(value, (tuple, list, Tensor)) or len(value) != 2:
            raise Mistake(
                "wrong-type",
                "Return two numbers, (loss of ignoring the second, loss of the opposite pair); "
                f"got {describe(value)}.",
            )
        first, second = (as_tensor(v, shape=(), meaning="a loss") for v in value)
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
        "one-coin-for-all-pairs",
        "partners-not-neighbours",
    ),
)
def sample_anticorrelated_pairs(answer: Answer) -> str:
    batch, pairs, p = 20_000, 3, 0.3
    n = 2 * pairs
    x = answer.tensor(batch, pairs, p, shape=(batch, n), generator=_generator(0))
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
        raise Mistake(
            None,
            f"Tried: p = {p}.\nExpected that the two features of a pair are never on at once.\n"
            f"In yours they are in a share of {neighbours.mean():.3f} of the samples.",
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
    if not _close(share, p, 0.02):
        raise Mistake(
            None,
            f"Tried: p = {p}.\nExpected each feature to be on in that share of the samples.\n"
            f"In yours it is {share:.3f}.",
        )
    pair_on = on[:, 0::2] + on[:, 1::2]
    if torch.equal(pair_on.amax(1), pair_on.amin(1)):
        raise Mistake(
            "one-coin-for-all-pairs",
            "Either all pairs have a feature on or none has. Pairs are independent of each other: "
            "draw for each sample and each pair.",
        )
    values = x[x != 0]
    if not (_close(values.mean(), 0.5, 0.02) and _close(values.var(), 1 / 12, 0.01)):
        raise Mistake(
            None,
            "Expected the values that are on to be spread evenly over 0 to 1 (mean 0.5, variance "
            f"0.083).\nYours have mean {values.mean():.3f} and variance {values.var():.3f}. Draw "
            "them apart from the draw that decides which feature is on.",
        )
    sides = on.mean(0)
    if (sides - p).abs().max() > 0.02:
        raise Mistake(
            None,
            f"Expected every feature to be on in a share of {p} of the samples.\n"
            f"Yours range from {sides.min():.2f} to {sides.max():.2f}.",
        )
    return "Anticorrelated features are never on at once, so sharing a line costs them nothing."

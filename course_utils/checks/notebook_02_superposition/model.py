"""Exercises 2.2 to 2.4: the model, its loss, and one step of its training."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import toy_models
from course_utils.checks import inputs
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


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
    # A square W first: there W Wᵀ runs as well as Wᵀ W, so that mistake can be named.
    for batch, n, d in ((2, 3, 3), (2, 4, 2)):
        x = inputs.uniform(batch, n, seed=0)
        W, b = inputs.normal(d, n, seed=1), inputs.normal(n, seed=2)
        try:
            y = answer.tensor(x, W, b, shape=(batch, n), meaning="batch, n_features")
        except Mistake as mistake:
            if mistake.diagnosis == "raises" and "shapes cannot be multiplied" in mistake.message:
                raise Mistake(
                    "samples-as-columns",
                    f"Here x has the shape (batch, n_features) = {(batch, n)} and W has the shape "
                    f"(d_hidden, n_features) = {(d, n)}. A sample is a row of x, so it stands on "
                    f"the left: it meets Wᵀ first, and W after that. {mistake.message}",
                ) from None
            raise
        _judge_output(y, x, W, b)
    return "The hidden layer has d_hidden numbers, and yet all n_features come out again."


def _judge_output(y: Tensor, x: Tensor, W: Tensor, b: Tensor) -> None:
    tried = f"x = {shown(x)}, W = {shown(W)}, b = {shown(b)}"
    x, W, b = x.double(), W.double(), b.double()
    relu, hidden = torch.relu, x @ W.T
    z = hidden @ W
    mistakes = {
        "missing-relu": (z + b, "The ReLU is missing: put it around all of WᵀW x + b."),
        "missing-bias": (relu(z), "The bias b is missing: add it inside the ReLU."),
        "bias-after-relu": (
            relu(z) + b,
            "You add b after the ReLU. It goes inside: its work is to push small interference "
            "below zero, so that the ReLU can remove it.",
        ),
        "relu-on-hidden": (
            relu(relu(hidden) @ W + b),
            "You also apply a ReLU to the hidden vector. In this model the hidden layer is linear; "
            "the only ReLU is at the output.",
        ),
    }
    if len(W) == len(b):
        for part in (hidden, relu(hidden), relu(hidden + b)):
            if same(y, part):
                raise Mistake(
                    "stops-at-hidden",
                    "You multiply by W once only, and that is the hidden vector. The model then "
                    "tries to get the features back out: multiply by Wᵀ as well.",
                )
        mistakes["rows-for-columns"] = (
            relu(x @ W @ W.T + b),
            "You multiply by W first and by Wᵀ second: that is W Wᵀ, which mixes rows. Each "
            "feature is a column of W, so the product is Wᵀ W.",
        )
    expect(
        y,
        relu(z + b),
        tried=tried,
        why="each row is ReLU(WᵀW x + b) for that row of x",
        mistakes=mistakes,
    )


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
        x, x_hat = inputs.uniform(batch, n, seed=seed), inputs.uniform(batch, n, seed=seed + 10)
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
    batches = [inputs.uniform(16, 3, seed=10 + i) for i in range(steps)]
    start_W, start_b = inputs.normal(2, 3, seed=3) * 0.5, torch.full((3,), 0.3)

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
        if W.grad is not None and W.grad.any():
            raise Mistake(
                "no-step",
                "The gradients are there, but W and b did not change: after `backward()`, "
                "`optimizer.step()` is missing.",
            )
        if differentiated:
            raise Mistake(
                "zero-grad-too-late",
                "The gradients are computed, and forgotten before they are used: so W and b did "
                "not change. Call `optimizer.zero_grad()` first, before `backward()`.",
            )
        raise Mistake(
            "no-backward",
            "W and b did not change, and they hold no gradients. `loss.backward()` computes "
            "them; `optimizer.step()` then uses them.",
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

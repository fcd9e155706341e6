"""Exercise 4.5: weights by hand of a network that computes absolute values."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils import toy_models
from course_utils.checks.answer import Answer, as_list, as_tensor
from course_utils.checks.compare import same, unforeseen
from course_utils.checks.guard import Mistake
from course_utils.checks.notebook_04_polysemanticity.counting import floating
from course_utils.checks.registry import exercise
from course_utils.checks.words import describe, shown

WANTED = "a pair (W_in, W_out)"


@exercise(
    "4.5",
    fallback=toy_models.exact_absolute_value,
    diagnoses=(
        "shapes-swapped",
        "one-sign-only",
        "same-sign-twice",
        "subtracts",
        "wrong-scale",
        "features-mixed",
        "silent",
        "not-rectified",
    ),
)
def absolute_value_network(answer: Answer) -> str:
    for n in (1, 2, 3, 5):
        _judge(answer(n), n)
    return "Two neurons a feature, ReLU(x) + ReLU(−x), are exact, and nothing is shared."


def _judge(value: object, n: int) -> None:
    pair = as_list(value, WANTED)
    if len(pair) != 2:
        raise Mistake("wrong-type", f"Expected {WANTED}, but got {describe(value)}.")
    shapes = [tuple(W.shape) if isinstance(W, Tensor) else None for W in pair]
    if shapes == [(n, 2 * n), (2 * n, n)]:
        raise Mistake(
            "shapes-swapped",
            f"For n = {n} your matrices have the shapes {shapes[0]} and {shapes[1]}. A neuron is "
            f"a row of W_in, shape {(2 * n, n)}, and an output is a row of W_out, "
            f"shape {(n, 2 * n)}.",
        )
    W_in, W_out = (
        as_tensor(floating(W), shape=shape, meaning=f"{name} for n = {n}")
        for W, shape, name in zip(pair, ((2 * n, n), (n, 2 * n)), ("W_in", "W_out"))
    )
    one = torch.eye(n, dtype=torch.float64)
    up, down = (torch.relu(sign * one @ W_in.T) @ W_out.T for sign in (1, -1))
    if same(torch.relu(up), one) and same(torch.relu(down), one):
        return _judge_together(W_in, W_out, n)
    _name(up, down, one, W_in, W_out, n)
    wrong = (torch.relu(torch.stack([up, down])) - one).abs().sum((0, 2)).argmax()
    x = torch.stack([one[wrong], -one[wrong]])
    raise unforeseen(
        tried=f"n = {n}, your W_in = {_shown(W_in)} and W_out = {_shown(W_out)}, on x = {shown(x)}",
        want=shown(x.abs()),
        why="the output is |x| for each feature",
        got=shown(torch.relu(torch.stack([up[wrong], down[wrong]]))),
    )


def _judge_together(W_in: Tensor, W_out: Tensor, n: int) -> None:
    """Each feature alone comes out right; now all of them at once."""
    x = torch.linspace(-1, 1, n, dtype=torch.float64).flip(0).repeat(2, 1)
    x[1] = x[1].roll(1) * 0.6
    y = torch.relu(torch.relu(x @ W_in.T) @ W_out.T)
    if not same(y, x.abs()):
        raise unforeseen(
            tried=f"n = {n}, all features at once, x = {shown(x)}",
            want=shown(x.abs()),
            why="the output is |x| for each feature",
            got=shown(y),
        )


def _name(up: Tensor, down: Tensor, one: Tensor, W_in: Tensor, W_out: Tensor, n: int) -> None:
    """Raise for what is known. Row i of `up` answers to x_i = 1, of `down` to x_i = −1."""
    zero = torch.zeros_like(one)
    if same(up, zero) and same(down, zero):
        raise Mistake(
            "silent", "Your network says 0 to every input. Are the matrices filled in anywhere?"
        )
    both = same(up, one) or same(up, 2 * one), same(down, one) or same(down, 2 * one)
    if (both[0] and same(down, zero)) or (both[1] and same(up, zero)):
        sign = "negative" if both[0] else "positive"
        if same(up + down, 2 * one):
            raise Mistake(
                "same-sign-twice",
                f"Both neurons of a feature have the same sign, so a {sign} x is lost and the "
                "other one comes out twice as large. One neuron is for x, the other for −x.",
            )
        raise Mistake(
            "one-sign-only",
            f"A {sign} x comes out as 0: no neuron fires for it. You have 2n neurons, so one "
            "can be ReLU(x_i) and the other ReLU(−x_i).",
        )
    if (same(up, one) and same(down, -one)) or (same(up, -one) and same(down, one)):
        raise Mistake(
            "subtracts",
            "You subtract the second neuron, which gives ReLU(x) − ReLU(−x) = ±x back. Both are "
            "positive sizes: add them, with +1 in W_out.",
        )
    diagonal = torch.cat([up.diagonal(), down.diagonal()])
    elsewhere = torch.cat([up - torch.diag(up.diagonal()), down - torch.diag(down.diagonal())])
    if not same(elsewhere, torch.zeros_like(elsewhere)):
        if same(W_in.norm(dim=1), torch.ones(2 * n)) and same(up.sum(1), torch.ones(n)):
            raise Mistake(
                "features-mixed",
                "The sizes are right, but they come out at another feature. Output i must add "
                "the two neurons that read x_i: is the order of the neurons the same in both "
                "matrices?",
            )
        raise Mistake(
            "features-mixed",
            "When only one feature is present, another output answers too. Each neuron should "
            "read one feature only, and be read by that feature's output only.",
        )
    if same(diagonal, diagonal[0].expand(2 * n)) and diagonal[0] > 0:
        raise Mistake(
            "wrong-scale",
            f"Your network gives {diagonal[0]:.4g}·|x|. The weight into a neuron times the weight "
            "out of it should be 1.",
        )
    if (diagonal < 0).all():
        raise Mistake(
            "not-rectified",
            "The sums before the last ReLU are negative, so every output is 0. A neuron is never "
            "negative: its weight in W_out must be positive.",
        )


def _shown(W: Tensor) -> str:
    return shown(W) if W.numel() <= 8 else f"a matrix of shape {tuple(W.shape)}"

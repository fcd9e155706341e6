"""Exercise 4.3: the toy model whose hidden layer has a ReLU."""

from __future__ import annotations

from torch import Tensor, relu

from course_utils import toy_models
from course_utils.checks import inputs
from course_utils.checks.answer import Answer
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown


@exercise(
    "4.3",
    fallback=toy_models.reconstruct_with_neurons,
    diagnoses=(
        "missing-hidden-relu",
        "missing-output-relu",
        "missing-bias",
        "bias-after-relu",
        "bias-in-hidden",
        "rows-for-columns",
        "same-way-twice",
        "samples-as-columns",
        "stops-at-hidden",
    ),
)
def reconstruct_with_neurons(answer: Answer) -> str:
    # A square W first: there any product of W and Wᵀ runs, so those mistakes can be named.
    for batch, n, d in ((2, 3, 3), (2, 4, 2), (3, 2, 5)):
        x = inputs.uniform(batch, n, seed=20)
        W, b = inputs.normal(d, n, seed=21), inputs.normal(n, seed=22)
        # Whatever the numbers are: neuron 0 fires, neuron 1 does not, and before the last ReLU
        # there is a negative sum with a positive bias and one with a negative bias.
        W[0], W[1] = W[0].abs() + 0.2, -W[1].abs() - 0.1
        W[:, 0] = -W[:, 0].abs() - 0.1
        x[:, 0], x[0] = 0.2 * x[:, 0], 0.2 * x[0] + 0.02
        b[0], b[1] = b[0].abs() + 0.3, -b[1].abs() - 2
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
        _judge(y, x, W, b)
    return "The ReLU on h is what makes single neurons mean something."


def _judge(y: Tensor, x: Tensor, W: Tensor, b: Tensor) -> None:
    tried = f"x = {shown(x)}, W = {shown(W)}, b = {shown(b)}"
    x, W, b = x.double(), W.double(), b.double()
    linear = x @ W.T
    hidden = relu(linear)
    z = hidden @ W
    want = relu(z + b)
    mistakes: dict[str, tuple[Tensor, str]] = {
        "missing-hidden-relu": (
            relu(linear @ W + b),
            "The hidden layer has no ReLU: that is the model of notebook 02. Here h = ReLU(Wx).",
        ),
        "missing-output-relu": (z + b, "The ReLU at the output is missing: put it around all."),
        "missing-bias": (relu(z), "The bias b is missing: add it inside the outer ReLU."),
        "bias-after-relu": (relu(z) + b, "You add b after the outer ReLU. It goes inside."),
    }
    if len(W) == len(b):
        if same(y, hidden) or same(y, relu(linear + b)):
            raise Mistake(
                "stops-at-hidden",
                "That is the hidden layer. The features are read out of it with Wᵀ, so there is "
                "one more product.",
            )
        mistakes["bias-in-hidden"] = (
            relu(relu(linear + b) @ W),
            "You add b to the hidden layer. It belongs to the outputs, one number a feature.",
        )
        mistakes["rows-for-columns"] = (
            relu(relu(x @ W) @ W.T + b),
            "You multiply by W first and by Wᵀ second. A sample is a row of x: it meets Wᵀ "
            "first, `x @ W.T`, and W second.",
        )
        for name, way in (("W.T", W.T), ("W", W)):
            if same(y, relu(relu(x @ way) @ way + b)) and not same(y, want):
                raise Mistake(
                    "same-way-twice",
                    f"You multiply by `{name}` both times, which runs here only because W is "
                    "square. The way to the neurons is `x @ W.T`, the way back `h @ W`.",
                )
    expect(
        y,
        want,
        tried=tried,
        why="each row is ReLU(Wᵀ ReLU(Wx) + b) for that row of x",
        mistakes=mistakes,
    )

"""Exercise 5.1: matching pursuit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils import sae
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect, same
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise
from course_utils.checks.words import shown

# Rows of norm 1.
FLAT = [[1.0, 0.0], [0.6, 0.8], [-0.8, 0.6]]
SOLID = [[0.6, 0.8, 0.0], [0.0, -0.6, 0.8], [0.36, 0.48, 0.8], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]
OBTUSE = [[1.0, 0.0], [-0.6, 0.8], [0.0, -1.0]]  # what the second leaves, the first finds again
CASES = (
    (SOLID, [3.0, 2.4, 1.0], 2),  # the largest in size are positive
    (FLAT, [3.0, -1.7], 2),  # they are negative
    (SOLID, [1.0, 3.0, -1.0], 1),
    (OBTUSE, [2.0, 3.0], 3),
    (FLAT, [-1.0, -2.5], 2),  # nothing of x points along a row
)
LONG = 100  # steps, after which nothing is left to be found
WRITTEN_IN = range(10)  # numbers of steps that may stand there instead of n_steps


@exercise(
    "5.1",
    fallback=sae.matching_pursuit,
    diagnoses=(
        "residual-never-updated",
        "subtracts-whole-row",
        "by-size",
        "overwrites",
        "never-twice",
        "keeps-negative",
        "returns-residual",
        "returns-reconstruction",
        "least-squares",
        "refits",
        "all-at-once",
        "yes-or-no",
        "other-number-of-steps",
    ),
)
def matching_pursuit(answer: Answer) -> str:
    for rows, sample, n_steps in CASES:
        _judge(answer, torch.tensor(sample), torch.tensor(rows), n_steps)
    return (
        "With the dictionary known, a greedy search finds a sparse code. What is left to find is "
        "the dictionary itself."
    )


def _pursuit(
    x: Tensor,
    D: Tensor,
    n_steps: int,
    *,
    choose: str = "largest",
    take: str = "product",
    again: str = "adds",
    stops: bool = True,
) -> tuple[Tensor, Tensor]:
    """(code, residual), written out; the options are the mistakes."""
    r, code, used = x.clone(), torch.zeros_like(D[:, 0]), torch.zeros(len(D), dtype=torch.bool)
    for _ in range(n_steps):
        products = torch.stack([(row * r).sum() for row in D])
        ranked = products.abs() if "size" in choose else products
        if choose == "new":
            ranked = products.masked_fill(used, -torch.inf)
        i = int(ranked.argmax())
        p = products[i].abs() if choose == "size of product" else products[i]
        if stops and p <= 0:
            break
        code[i] = p if again == "overwrites" else code[i] + p
        used[i] = True
        r = r - (D[i] if take == "row" else 0 * r if take == "nothing" else p * D[i])
    return code, r


def _refitted(x: Tensor, D: Tensor, n_steps: int) -> Tensor:
    """Orthogonal matching pursuit: after each step all numbers are fitted anew."""
    r, chosen, code = x, [], torch.zeros_like(D[:, 0])
    for _ in range(n_steps):
        products = D @ r
        if float(products.max()) < 1e-9:
            break
        chosen = sorted({*chosen, int(products.argmax())})
        code = torch.zeros_like(code)
        code[chosen] = torch.linalg.pinv(D[chosen].T) @ x
        r = x - code @ D
    return code


def _judge(answer: Answer, x: Tensor, D: Tensor, n_steps: int) -> None:
    value = answer(x, D, n_steps)
    tried = f"x = {shown(x)}, D = {shown(D)}, n_steps = {n_steps}"
    x, D = x.double(), D.double()
    want, residual = _pursuit(x, D, n_steps)
    _judge_vectors(value, residual, x - residual)
    got = as_tensor(value, shape=(len(D),), meaning="one number for each row of D")
    if not same(got, want):
        _judge_mistakes(got, x, D, n_steps)
    expect(
        got,
        want,
        tried=tried,
        why=f"the products of the rows with x are {shown(D @ x)}, and each step takes the largest "
        "that is above 0 and subtracts it times its row",
    )


def _judge_vectors(value: Any, residual: Tensor, reconstruction: Tensor) -> None:
    """Raise if what came back is as long as x: D never has as many rows here."""
    try:
        got = as_tensor(value, shape=tuple(residual.shape))
    except Mistake:
        return
    if same(got, residual):
        raise Mistake(
            "returns-residual",
            "You return the residual, what is left of x. Return the code: one number for each row "
            "of D, how much of it was taken.",
        )
    if same(got, reconstruction):
        raise Mistake(
            "returns-reconstruction",
            "You return the sum of what was taken, which is near x. Return the code itself: one "
            "number for each row of D.",
        )


def _judge_mistakes(got: Tensor, x: Tensor, D: Tensor, n_steps: int) -> None:
    def code(**options: Any) -> Tensor:
        return _pursuit(x, D, n_steps, **options)[0]

    want, products = code(), D @ x
    top = products.topk(min(n_steps, len(D)))
    largest = torch.zeros_like(products).scatter(0, top.indices, top.values)
    dense = torch.linalg.pinv(D.T) @ x
    foreseen: dict[str, tuple[list[Tensor], str]] = {
        "residual-never-updated": (
            [largest, largest.relu(), code(take="nothing")],
            "You take every product with x itself. After each step, subtract what was taken from "
            "the residual, `r = r - product * D[i]`, and take the next products with `r`.",
        ),
        "subtracts-whole-row": (
            [code(take="row")],
            "You subtract the row itself from the residual. Subtract as much of it as there is: "
            "the product times the row.",
        ),
        "by-size": (
            [
                code(choose=way, stops=s)
                for way in ("size", "size of product")
                for s in (True, False)
            ],
            "You choose the product that is largest in size, so a negative one can win. A feature "
            "is never present to a negative degree: take the largest product, without `abs`.",
        ),
        "overwrites": (
            [code(again="overwrites")],
            "A row was chosen a second time, and you overwrite what it had from the first. Add to "
            "it: `code[i] += product`.",
        ),
        "never-twice": (
            [code(choose="new"), code(choose="new", stops=False)],
            "You never choose a row a second time. After other rows were subtracted it may again "
            "have the largest product: leave all rows in the choice.",
        ),
        "keeps-negative": (
            [code(stops=False)],
            "Here no row has a product above 0 with x, and your code has a negative number. Stop "
            "as soon as the largest product is not above 0.",
        ),
        "least-squares": (
            [dense, dense.relu()],
            "You solve for all rows at once, by least squares. That gives every row a part. Choose "
            "one row a step, the one with the largest product.",
        ),
        "refits": (
            [_refitted(x, D, n_steps)],
            "You fit the numbers of all chosen rows anew in each step. That is orthogonal matching "
            "pursuit; here a step changes only the number of the row that it chooses.",
        ),
        "all-at-once": (
            [products, products.relu()],
            "You take the products of all rows at once. Rows that overlap then count the same part "
            "of x twice: take one row a step, and subtract it before the next.",
        ),
        "yes-or-no": (
            [(want > 0).double()],
            "You note 1 for each chosen row. Note how much of it there is: the product.",
        ),
    }
    for slug, (values, message) in foreseen.items():
        if any(same(got, value) and not same(value, want) for value in values):
            raise Mistake(slug, message)
    for steps in (LONG, *WRITTEN_IN):
        if same(got, _pursuit(x, D, steps)[0]):
            raise Mistake("other-number-of-steps", _of_steps(steps, n_steps))


def _of_steps(steps: int, n_steps: int) -> str:
    asked = f"Here n_steps is {n_steps}"
    if steps == 1:
        return (
            f"{asked}, and yours ends after 1 step. Does `return` stand inside of the loop, or "
            "does the loop find the same row again because the residual stays as it was?"
        )
    taken = f"takes {steps} steps" if steps < LONG else "goes on until nothing is left"
    return f"{asked}, and yours {taken}. `for _ in range(n_steps):` takes as many as asked for."

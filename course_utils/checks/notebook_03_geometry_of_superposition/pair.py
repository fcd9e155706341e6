"""Exercise 3.8: what a pair of arrows costs when both features are present."""

from __future__ import annotations

from course_utils import geometry
from course_utils.checks.answer import Answer, as_tensor
from course_utils.checks.compare import expect
from course_utils.checks.guard import Mistake
from course_utils.checks.registry import exercise


@exercise(
    "3.8",
    fallback=geometry.pair_loss,
    diagnoses=(
        "one-output",
        "no-relu",
        "cosine-for-k",
        "only-the-cut-off-part",
        "forgets-the-cut-off",
        "integrates-to-one",
        "not-squared",
        "present-alone",
        "always-opposite",
        "divides-by-k",
        "only-about",
    ),
)
def pair_loss(answer: Answer) -> str:
    # −0.6 first: there, unlike at −0.5, every known mistake gives another number.
    for cosine in (-0.6, -0.5, -1.0, -1 / 3, -0.1, 0.0):
        _judge_pair(answer, cosine)
    return "One bad pair can be cheaper than three medium ones: the ReLU caps what a pair costs."


def _judge_pair(answer: Answer, cosine: float) -> None:
    k = -cosine
    # Of one output: where kv < u the error is kv, elsewhere it is u.
    both_positive = k**2 / 3 - k**3 / 4  # ∫ k²v² (1 − kv) dv from 0 to 1
    cut_off = k**3 / 12  # ∫ u² (1 − u/k) du from 0 to k
    want = 2 * (both_positive + cut_off)
    divides = (
        "At a right angle k is 0, and your function divides by it. Work the integrals out first, "
        "on paper: what is left of them has no k below the line."
    )
    try:
        value = answer(cosine)
    except Mistake as mistake:
        if mistake.diagnosis == "raises" and cosine == 0 and "ZeroDivision" in mistake.message:
            raise Mistake("divides-by-k", divides) from None
        raise
    try:
        got = as_tensor(value, shape=(), meaning="the mean squared error")
    except Mistake as mistake:
        if mistake.diagnosis == "not-finite" and cosine == 0:
            raise Mistake("divides-by-k", divides) from None
        raise
    mistakes: dict[str, tuple[float, str]] = {
        "one-output": (
            want / 2,
            "That is the error of one output. Both are wrong, and the total is twice as much.",
        ),
        "no-relu": (
            2 * k**2 / 3,
            "You take the error to be kv always. But u − kv can be negative; then the ReLU makes "
            "it 0, and the error is u, which is less.",
        ),
        "cosine-for-k": (
            2 * k**2 / 3 + k**3 / 3,
            "You take the cosine for k. It is negative, k = −cosine, and where k is cubed the "
            "sign makes a difference.",
        ),
        "only-the-cut-off-part": (
            2 * cut_off,
            "You count only the case in which the ReLU cuts off, kv > u. In the other case the "
            "output is u − kv, and its error is kv.",
        ),
        "forgets-the-cut-off": (
            2 * both_positive,
            "You count only the case kv < u. In the other one the output is 0, and its error is u.",
        ),
        "not-squared": (
            k - k**2 / 3,
            "That is the mean of the absolute errors. Square them before you take the mean.",
        ),
        "present-alone": (
            0.0,
            "That is right when only one of the two is present. Here both are, and then each "
            "output is too small.",
        ),
        "always-opposite": (
            1 / 3,
            "The loss of two opposite arrows is ⅓, with k = 1. Yours gives it for another k too.",
        ),
    }
    if k > 0:
        too_far = both_positive + 1 / 3 - 1 / (4 * k)
        mistakes["integrates-to-one"] = (
            2 * too_far,
            "Where the ReLU cuts off, kv > u, and v is at most 1: so u runs from 0 to k, not to 1. "
            "Beyond k your probability 1 − u/k is negative.",
        )
    by_a_wrong_formula = any(
        abs(float(got) - wrong) <= 1e-4 + 1e-4 * abs(wrong) for wrong, _ in mistakes.values()
    )
    if 1e-4 * (1 + want) < abs(float(got) - want) < 0.03 * want and not by_a_wrong_formula:
        raise Mistake(
            "only-about",
            f"At the cosine {cosine:.4g} yours gives {float(got):.6f}, which is close to the mean "
            "but is not it. Random draws or a coarse grid do that: work the integrals out.",
        )
    expect(
        got,
        want,
        tried=f"the cosine {cosine:.4g}",
        why=f"an output's error is kv where kv < u, else u, with k = {k:.4g}, and there are two "
        "outputs",
        mistakes=mistakes,
    )

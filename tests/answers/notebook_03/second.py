"""What learners write for exercises 3.6 to 3.10: right answers of different kinds, and wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from answers.tables import Tables

tables = Tables()
right, wrong = tables.right, tables.wrong
RIGHT, WRONG = tables.RIGHT, tables.WRONG
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 3.6 Two shapes side by side -------------------------------------------------------------


@right("3.6")
def two_corners(A, B):
    W = torch.zeros(A.shape[0] + B.shape[0], A.shape[1] + B.shape[1])
    W[: A.shape[0], : A.shape[1]] = A
    W[A.shape[0] :, A.shape[1] :] = B
    return W


@right("3.6")
def from_the_end(A, B):
    W = A.new_zeros(len(A) + len(B), A.shape[1] + B.shape[1])
    W[: len(A), : A.shape[1]] = A
    W[-len(B) :, -B.shape[1] :] = B
    return W


@right("3.6")
def pads_and_concatenates(A, B):
    below = torch.cat([A, torch.zeros(B.shape[0], A.shape[1])])
    above = torch.cat([torch.zeros(A.shape[0], B.shape[1]), B])
    return torch.cat([below, above], dim=1)


@right("3.6")
def number_by_number(A, B):
    (d1, n1), (d2, n2) = A.shape, B.shape
    rows = [[A[i, j].item() for j in range(n1)] + [0.0] * n2 for i in range(d1)]
    rows += [[0.0] * n1 + [B[i, j].item() for j in range(n2)] for i in range(d2)]
    return torch.tensor(rows)


@right("3.6")
def with_numpy_blocks(A, B):
    a, b = A.numpy(), B.numpy()
    corners = np.zeros((len(a), b.shape[1])), np.zeros((len(b), a.shape[1]))
    return torch.from_numpy(np.block([[a, corners[0]], [corners[1], b]]))


@wrong("3.6", "swapped")
def b_first(A, B):
    return torch.block_diag(B, A)


@wrong("3.6", "shared-dimensions")
def side_by_side(A, B):
    return torch.cat([A, B], dim=1)


@wrong("3.6", "shared-dimensions")
def side_by_side_and_padded(A, B):
    d = max(len(A), len(B))
    pad = torch.nn.functional.pad
    return torch.cat([pad(A, (0, 0, 0, d - len(A))), pad(B, (0, 0, 0, d - len(B)))], dim=1)


@wrong("3.6", "shared-dimensions")
def both_above_the_zeros(A, B):
    both = torch.cat([A, B], dim=1)
    return torch.cat([both, torch.zeros(len(B), both.shape[1])])


@wrong("3.6", "shared-features")
def one_above_the_other(A, B):
    return torch.cat([A, B])


@wrong("3.6", "shared-features")
def both_left_of_the_zeros(A, B):
    both = torch.cat([A, B])
    return torch.cat([both, torch.zeros(len(both), B.shape[1])], dim=1)


@wrong("3.6", "kronecker")
def kronecker(A, B):
    return torch.kron(A, B)


@wrong("3.6", "anti-diagonal")
def other_diagonal(A, B):
    return torch.block_diag(A, B).roll(A.shape[1], 1)


@wrong("3.6", "anti-diagonal")
def other_diagonal_swapped(A, B):
    W = torch.zeros(len(A) + len(B), A.shape[1] + B.shape[1])
    W[: len(B), A.shape[1] :] = B
    W[len(B) :, : A.shape[1]] = A
    return W


@wrong("3.6", "transposed")
def features_in_rows(A, B):
    return torch.block_diag(A.T, B.T)


@wrong("3.6", "transposed")
def b_is_turned(A, B):
    return torch.block_diag(A, B.T)


@wrong("3.6", "corners-not-zero")
def fills_with_ones(A, B):
    W = torch.ones(A.shape[0] + B.shape[0], A.shape[1] + B.shape[1])
    W[: A.shape[0], : A.shape[1]] = A
    W[A.shape[0] :, A.shape[1] :] = B
    return W


@wrong("3.6", "corners-not-zero")
def b_below_a_too(A, B):
    W = torch.block_diag(A, B)
    W[len(A) :, : A.shape[1]] = B
    return W


@wrong("3.6", "one-shape-only")
def adds_to_a_copy(A, B):
    W = torch.zeros(A.shape[0] + B.shape[0], A.shape[1] + B.shape[1])
    W[: A.shape[0], : A.shape[1]] = A
    W[len(A) :, A.shape[1] :].clone().copy_(B)
    return W


@wrong("3.6", "one-shape-only")
def starts_anew(A, B):
    size = len(A) + len(B), A.shape[1] + B.shape[1]
    W = torch.zeros(size)
    W[: len(A), : A.shape[1]] = A
    W = torch.zeros(size)
    W[len(A) :, A.shape[1] :] = B
    return W


@wrong("3.6", None)
def shares_out_the_length(A, B):
    return torch.block_diag(A, B) / 2**0.5


@wrong("3.6", None)
def in_whole_numbers(A, B):
    return torch.block_diag(A, B).round()


@wrong("3.6", "wrong-shape")
def one_more_dimension(A, B):
    return torch.block_diag(A, torch.zeros(1, 0), B)


@wrong("3.6", "wrong-shape")
def stacked(A, B):
    return torch.stack([A, B]) if A.shape == B.shape else torch.block_diag(A, B)


@wrong("3.6", "wrong-type")
def a_list_of_both(A, B):
    return [A, B]


@wrong("3.6", "returns-nothing")
def prints_it(A, B):
    print(torch.block_diag(A, B))


# 3.7 Leverage scores ---------------------------------------------------------------------


@right("3.7")
def from_the_pseudoinverse_of_w(W):
    return (torch.linalg.pinv(W) @ W).diagonal()


@right("3.7")
def from_the_singular_vectors(W):
    _, s, V = torch.linalg.svd(W.double(), full_matrices=False)
    return (V[s > 1e-6 * s.max()] ** 2).sum(0)


@right("3.7")
def column_by_column(W):
    M = torch.linalg.pinv(W @ W.T, rtol=1e-5, hermitian=True)
    return torch.stack([W[:, i] @ M @ W[:, i] for i in range(W.shape[1])])


@right("3.7")
def with_einsum(W):
    M = torch.linalg.pinv((W @ W.T).double(), rtol=1e-6)
    return torch.einsum("ai,ab,bi->i", W.double(), M, W.double())


@right("3.7")
def with_least_squares(W):
    """How much of the i-th unit vector the rows of W can make."""
    unit = torch.eye(W.shape[1], dtype=W.dtype)
    solution = torch.linalg.lstsq(W.T, unit, rcond=1e-5, driver="gelsd").solution
    return (W.T @ solution).diagonal()


@right("3.7")
def with_eigenvectors_of_the_gram_matrix(W):
    values, vectors = torch.linalg.eigh(W.T @ W)
    return (vectors[:, values > 1e-5 * values.max()] ** 2).sum(1)


@right("3.7")
class GramAndSchmidt:
    """An orthonormal basis of the row space, one row after the other."""

    def __call__(self, W):
        scores, basis = torch.zeros(W.shape[1]), []
        for row in W:
            rest = row - sum((row @ b) * b for b in basis)
            if rest.norm() > 1e-4 * row.norm():
                basis.append(rest / rest.norm())
                scores += basis[-1] ** 2
        return scores


@wrong("3.7", "singular")
def plain_inverse(W):
    return (W * (torch.linalg.inv(W @ W.T) @ W)).sum(0)


@wrong("3.7", "singular")
def plain_solve(W):
    return (W * torch.linalg.solve(W @ W.T, W)).sum(0)


@wrong("3.7", "singular")
def inverse_in_numpy(W):
    w = W.numpy()
    return torch.from_numpy((w * (np.linalg.inv(w @ w.T) @ w)).sum(0))


@wrong("3.7", "singular")
def with_cholesky(W):
    L = torch.linalg.cholesky(W @ W.T)
    return (torch.linalg.solve_triangular(L, W, upper=False) ** 2).sum(0)


@wrong("3.7", "singular")
def inverse_without_complaint(W):
    return (W * (torch.linalg.inv_ex(W @ W.T).inverse @ W)).sum(0)


@wrong("3.7", "no-inverse")
def squared_lengths(W):
    return (W * W).sum(0)


@wrong("3.7", "not-inverted")
def without_the_inverse(W):
    return (W * (W @ W.T @ W)).sum(0)


@wrong("3.7", "applied-twice")
def length_of_m_w(W):
    return (torch.linalg.pinv(W @ W.T, rtol=1e-5) @ W).norm(dim=0) ** 2


@wrong("3.7", "applied-twice")
def rows_of_the_pseudoinverse(W):
    return (torch.linalg.pinv(W) ** 2).sum(1)


@wrong("3.7", "rows-for-columns")
def other_gram_matrix(W):
    M = torch.linalg.pinv(W.T @ W, rtol=1e-5)
    return (W @ M @ W.T).diagonal()


@wrong("3.7", "rows-for-columns")
def sums_over_the_features(W):
    return (W * (torch.linalg.pinv(W @ W.T, rtol=1e-5) @ W)).sum(1)


@wrong("3.7", "rows-for-columns")
def sums_over_the_features_unless_square(W):
    scores = W * (torch.linalg.pinv(W @ W.T, rtol=1e-5) @ W)
    return scores.sum(0 if W.shape[0] == W.shape[1] else 1)


@wrong("3.7", "whole-matrix")
def forgets_the_diagonal(W):
    return W.T @ torch.linalg.pinv(W @ W.T, rtol=1e-5) @ W


@wrong("3.7", "square-root")
def length_of_the_projection(W):
    return (torch.linalg.pinv(W) @ W).norm(dim=0)


@wrong("3.7", "dimensionality-instead")
def same_as_before(W):
    G = W.T @ W
    return torch.nan_to_num(G.diagonal() ** 2 / (G**2).sum(1))


@wrong("3.7", "unit-arrows")
def of_unit_arrows(W):
    w = W / W.norm(dim=0)
    return (w * (torch.linalg.pinv(W @ W.T, rtol=1e-5) @ w)).sum(0)


@wrong("3.7", "zero-column")
def by_way_of_unit_arrows(W):
    lengths = W.norm(dim=0)
    w = W / lengths
    return lengths**2 * (w * (torch.linalg.pinv(W @ W.T, rtol=1e-5) @ w)).sum(0)


@wrong("3.7", "no-cutoff")
def numpys_pseudoinverse_in_single_precision(W):
    w = W.numpy().astype(np.float32)
    M = np.linalg.pinv(w @ w.T, rcond=1e-15)
    return torch.from_numpy((w * (M @ w)).sum(0))


@wrong("3.7", "no-cutoff")
def every_singular_vector_that_is_not_quite_zero(W):
    _, s, V = torch.linalg.svd(W.float(), full_matrices=False)
    return (V[s > 1e-30] ** 2).sum(0)


@wrong("3.7", "absolute-cutoff")
def with_a_trace_of_damping(W):
    w = W.double()
    M = torch.linalg.inv(w @ w.T + 1e-7 * torch.eye(len(w), dtype=w.dtype))
    return (w * (M @ w)).sum(0)


@wrong("3.7", "absolute-cutoff")
def what_is_small_is_zero(W):
    return (W * (torch.linalg.pinv(W @ W.T, atol=1e-5, rtol=0.0) @ W)).sum(0)


@wrong("3.7", None)
def all_singular_vectors(W):
    _, _, V = torch.linalg.svd(W, full_matrices=False)
    return (V**2).sum(0)


@wrong("3.7", None)
def damped(W):
    return (W * (torch.linalg.inv(W @ W.T + 0.1 * torch.eye(len(W))) @ W)).sum(0)


@wrong("3.7", None)
def shares_of_one(W):
    scores = (torch.linalg.pinv(W) @ W).diagonal()
    return scores / scores.sum()


@wrong("3.7", "wrong-shape")
def adds_them_up(W):
    return torch.trace(torch.linalg.pinv(W) @ W)


@wrong("3.7", None)
def in_the_wrong_order(W):
    return (W @ torch.linalg.pinv(W @ W.T, rtol=1e-5) @ W).diagonal()


# 3.8 What a pair costs -------------------------------------------------------------------


@right("3.8")
def factored(cosine):
    return cosine**2 * (2 + cosine) / 3


@right("3.8")
def as_a_tensor(cosine):
    k = torch.tensor(-cosine)
    return 2 * (k**2 / 3 - k**3 / 4 + k**3 / 12)


@right("3.8")
def with_fractions(cosine):
    k = -Fraction(cosine)
    return 2 * (k**2 / 3 - k**3 / 6)


@right("3.8")
def with_simpsons_rule(cosine):
    """The inner integral over u by hand, the outer one exactly, as it is a cubic in v."""
    k = abs(cosine)

    def of_v(v):
        return (k * v) ** 2 * (1 - k * v) + (k * v) ** 3 / 3

    return 2 * (of_v(0.0) + 4 * of_v(0.5) + of_v(1.0)) / 6


@right("3.8")
def on_a_fine_grid(cosine):
    steps = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    u, v = steps[:, None], steps
    return float(2 * (torch.relu(u + cosine * v) - u).square().mean())


@wrong("3.8", "one-output")
def the_first_output_only(cosine):
    k = -cosine
    return k**2 / 3 - k**3 / 6


@wrong("3.8", "no-relu")
def as_if_linear(cosine):
    return 2 * cosine**2 / 3


@wrong("3.8", "cosine-for-k")
def with_the_cosine_itself(cosine):
    k = cosine
    return 2 * (k**2 / 3 - k**3 / 6)


@wrong("3.8", "only-the-cut-off-part")
def where_the_relu_cuts_off(cosine):
    k = -cosine
    return 2 * k**3 / 12


@wrong("3.8", "forgets-the-cut-off")
def where_the_relu_does_nothing(cosine):
    k = -cosine
    return 2 * (k**2 / 3 - k**3 / 4)


@wrong("3.8", "integrates-to-one")
def u_up_to_one(cosine):
    k = -cosine
    return 2 * (k**2 / 3 - k**3 / 4 + 1 / 3 - 1 / (4 * k))


@wrong("3.8", "not-squared")
def absolute_errors(cosine):
    k = -cosine
    return 2 * (k / 2 - k**2 / 3 + k**2 / 2 - k**2 / 3)


@wrong("3.8", "present-alone")
def the_relu_removes_it(cosine):
    return max(cosine, 0) ** 2 / 3


@wrong("3.8", "always-opposite")
def of_an_antipodal_pair(cosine):
    return 1 / 3


@wrong("3.8", "divides-by-k")
def divides_at_the_end(cosine):
    k = -cosine
    return 2 * (k**3 / 3 - k**4 / 6) / k


@wrong("3.8", "divides-by-k")
def divides_a_tensor(cosine):
    k = torch.tensor(-cosine)
    return 2 * (k**3 / 3 - k**4 / 6) / k


@wrong("3.8", "only-about")
def on_a_coarse_grid(cosine):
    steps = torch.linspace(0, 1, 41)
    u, v = steps[:, None], steps
    return 2 * (torch.relu(u + cosine * v) - u).square().mean()


@wrong("3.8", "only-about")
def with_random_draws(cosine):
    u, v = torch.rand(2, 100_000, generator=torch.Generator().manual_seed(0))
    x_hat = torch.relu(torch.stack([u + cosine * v, v + cosine * u]))
    return (x_hat - torch.stack([u, v])).square().sum(0).mean().item()


@wrong("3.8", None)
def root_mean_square(cosine):
    k = -cosine
    return (2 * (k**2 / 3 - k**3 / 6)) ** 0.5


@wrong("3.8", None)
def slip_of_a_sign(cosine):
    k = -cosine
    return 2 * (k**2 / 3 - k**3 / 4 - k**3 / 12)


@wrong("3.8", None)
def mean_square_of_one_half(cosine):
    k = -cosine
    return 2 * (k**2 / 2 - k**3 / 6)


@wrong("3.8", "wrong-shape")
def both_outputs_apart(cosine):
    k = -cosine
    return torch.tensor([1.0, 1.0]) * (k**2 / 3 - k**3 / 6)


@wrong("3.8", "wrong-type")
def a_pair_of_losses(cosine):
    k = -cosine
    return k**2 / 3 - k**3 / 6, k**2 / 3 - k**3 / 6


# 3.9 Dimensions per feature --------------------------------------------------------------


@right("3.9")
def with_the_norm(W):
    return W.shape[0] / W.norm() ** 2


@right("3.9")
def with_the_trace(W):
    return len(W) / torch.trace(W.T @ W).item()


@right("3.9")
def with_loops(W):
    total = 0.0
    for row in W.tolist():
        for weight in row:
            total += weight * weight
    return len(W) / total


@right("3.9")
def with_singular_values(W):
    return W.shape[0] / (torch.linalg.svdvals(W.double()) ** 2).sum()


@wrong("3.9", "counts-columns")
def all_columns(W):
    return W.shape[0] / W.shape[1]


@wrong("3.9", "counts-represented")
def long_columns(W):
    return W.shape[0] / float((W.norm(dim=0) > 0.5).sum())


@wrong("3.9", "norm-not-squared")
def not_squared(W):
    return float(W.shape[0] / W.norm())


@wrong("3.9", "sum-of-lengths")
def lengths_added(W):
    return float(W.shape[0] / W.norm(dim=0).sum())


@wrong("3.9", "largest-singular-value")
def another_norm(W):
    return float(W.shape[0] / torch.linalg.norm(W, 2) ** 2)


@wrong("3.9", "mean-for-sum")
def mean_of_the_squares(W):
    return float(W.shape[0] / (W**2).mean())


@wrong("3.9", "inverted")
def features_per_dimension(W):
    return float((W**2).sum() / W.shape[0])


@wrong("3.9", "features-for-dimensions")
def number_of_columns_above(W):
    return float(W.shape[1] / (W**2).sum())


@wrong("3.9", "forgets-the-dimensions")
def one_above(W):
    return float(1 / (W**2).sum())


@wrong("3.9", "mean-dimensionality")
def mean_of_the_d_i(W):
    G = W.T @ W
    return float(torch.nan_to_num(G.diagonal() ** 2 / (G**2).sum(1)).mean())


@wrong("3.9", "rank-for-dimensions")
def with_the_rank(W):
    return float(torch.linalg.matrix_rank(W) / (W**2).sum())


@wrong("3.9", None)
def sum_of_absolute_weights(W):
    return float(W.shape[0] / W.abs().sum())


@wrong("3.9", None)
def square_of_the_sum(W):
    return float(W.shape[0] / W.sum() ** 2)


@wrong("3.9", "wrong-shape")
def one_for_each_feature(W):
    return W.shape[0] / (W**2).sum(0).clamp(0.01)


# 3.10 The Welch bound --------------------------------------------------------------------


@right("3.10")
def with_math(n, d):
    if n <= d:
        return 0
    return math.sqrt((n - d) / (d * (n - 1)))


@right("3.10")
def with_maxima(n, d):
    return (max(n - d, 0) / (d * max(n - 1, 1))) ** 0.5


@right("3.10")
def with_tensors(n, d):
    ratio = torch.tensor(n / d - 1.0) / max(n - 1, 1)
    return ratio.clamp(min=0).sqrt()


@right("3.10")
class WithFractions:
    def __call__(self, n, d):
        return math.sqrt(Fraction(n - d, d * (n - 1))) if n > d else Fraction(0)


@wrong("3.10", "no-root")
def mean_square(n, d):
    return (n - d) / (d * (n - 1)) if n > d else 0.0


@wrong("3.10", "root-of-the-numerator")
def root_above(n, d):
    return math.sqrt(n - d) / (d * (n - 1)) if n > d else 0.0


@wrong("3.10", "swapped")
def arguments_swapped(n, d):
    return ((d - n) / (n * (d - 1))) ** 0.5


@wrong("3.10", "swapped")
def arguments_swapped_with_math(n, d):
    return math.sqrt((d - n) / (n * (d - 1)))


@wrong("3.10", "swapped")
def arguments_swapped_with_numpy(n, d):
    return np.sqrt(np.float64(d - n) / (n * (d - 1)))


@wrong("3.10", "swapped-below")
def one_taken_from_d(n, d):
    return ((n - d) / (n * (d - 1))) ** 0.5 if n > d else 0.0


@wrong("3.10", "n-for-n-minus-1")
def without_the_one(n, d):
    return ((n - d) / (d * n)) ** 0.5 if n > d else 0.0


@wrong("3.10", "d-outside")
def d_after_the_root(n, d):
    return ((n - d) / (n - 1)) ** 0.5 / d if n > d else 0.0


@wrong("3.10", "forgets-d")
def no_d_below(n, d):
    return ((n - d) / (n - 1)) ** 0.5 if n > d else 0.0


@wrong("3.10", "brackets")
def without_brackets(n, d):
    return ((n - d) / d * (n - 1)) ** 0.5 if n > d else 0.0


@wrong("3.10", "zero-above-d")
def condition_turned_round(n, d):
    return ((n - d) / (d * (n - 1))) ** 0.5 if n < d else 0.0


@wrong("3.10", "zero-above-d")
def whole_division(n, d):
    return ((n - d) // (d * (n - 1))) ** 0.5 if n > d else 0.0


@wrong("3.10", "forgets-zero")
def formula_only(n, d):
    return ((n - d) / (d * (n - 1))) ** 0.5


@wrong("3.10", "forgets-zero")
def formula_with_math(n, d):
    return math.sqrt((n - d) / (d * (n - 1)))


@wrong("3.10", "forgets-zero")
def formula_with_tensors(n, d):
    return torch.sqrt(torch.tensor((n - d) / d) / (n - 1))


@wrong("3.10", "forgets-zero")
def forgets_a_single_direction(n, d):
    return (max(n - d, 0) / (d * (n - 1))) ** 0.5


@wrong("3.10", None)
def of_a_simplex(n, d):
    return 1 / (n - 1) if n > d else 0.0


@wrong("3.10", None)
def one_for_few_directions(n, d):
    return ((n - d) / (d * (n - 1))) ** 0.5 if n > d else 1.0


@wrong("3.10", None)
def absolute_value_inside(n, d):
    return (abs(n - d) / (d * max(n - 1, 1))) ** 0.5


@wrong("3.10", "returns-nothing")
def nothing_below_d(n, d):
    if n > d:
        return ((n - d) / (d * (n - 1))) ** 0.5

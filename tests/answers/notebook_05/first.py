"""What learners write for exercises 5.1 to 5.5: right answers of different kinds, and wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from answers.tables import Tables
from torch.nn import functional as F

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 5.1 Matching pursuit --------------------------------------------------------------------


@right("5.1")
def row_by_row(x, D, n_steps):
    r, code = x.clone(), torch.zeros(len(D))
    for _ in range(n_steps):
        best, most = None, 0.0
        for i, row in enumerate(D):
            product = sum(float(a) * float(b) for a, b in zip(row, r))
            if product > most:
                best, most = i, product
        if best is None:
            return code
        code[best] += most
        r = r - most * D[best]
    return code


@right("5.1")
def with_einsum(x, D, n_steps):
    code = x.new_zeros(D.shape[0])
    for _ in range(n_steps):
        products = torch.einsum("nd,d->n", D, x - torch.einsum("n,nd->d", code, D))
        code = code + F.one_hot(products.argmax(), len(D)) * products.clamp(min=0)
    return code


@right("5.1")
def in_float64(x, D, n_steps):
    x, D = x.double(), D.double()
    products, gram = D @ x, D @ D.T
    code = torch.zeros(len(D), dtype=torch.float64)
    while n_steps > 0 and products.max() > 1e-9:
        i = int(products.argmax())
        code[i] += products[i]
        products = products - products[i] * gram[i]
        n_steps -= 1
    return code


@right("5.1")
def clamped_at_the_end(x, D, n_steps):
    """A negative number comes up in the first step or never, and then the others stay 0."""
    r, code = x, torch.zeros(len(D))
    for _ in range(n_steps):
        value, i = (D @ r).max(dim=0)
        code[i] = code[i] + value
        r = r - value * D[i]
    return code.clamp(min=0)


@right("5.1")
class Pursuit:
    def __call__(self, x, D, n_steps):
        if n_steps == 0 or (D @ x).max() <= 0:
            return torch.zeros(len(D))
        product, i = (D @ x).max(0)
        code = self(x - product * D[i], D, n_steps - 1)
        code[i] += product
        return code


def pursuing(
    choose=lambda products, code: products.argmax(),
    note=lambda code, i, product: code[i] + product,
    left=lambda r, product, row: r - product * row,
    stops=True,
    gives=lambda x, D, code, r: code,
    steps=lambda n_steps: n_steps,
):
    """A pursuit in which one line may be another."""

    def pursuit(x, D, n_steps):
        r, code = x, torch.zeros(len(D))
        for _ in range(steps(n_steps)):
            products = D @ r
            i = choose(products, code)
            if stops and products[i] <= 0:
                break
            code[i] = note(code, i, products[i])
            r = left(r, products[i], D[i])
        return gives(x, D, code, r)

    return pursuit


def noted(exercise, slug, **lines):
    """Note a pursuit with a mistake, under the name of the line that is wrong."""
    answer = pursuing(**lines)
    answer.__name__ = f"other_{'_and_'.join(lines)}"
    wrong(exercise, slug)(answer)


def unused(products, code):
    return products.masked_fill(code != 0, -torch.inf).argmax()


noted("5.1", "residual-never-updated", left=lambda r, product, row: r)
noted("5.1", "subtracts-whole-row", left=lambda r, product, row: r - row)
noted("5.1", "by-size", choose=lambda products, code: products.abs().argmax(), stops=False)
noted("5.1", "by-size", choose=lambda products, code: products.abs().argmax())
noted("5.1", "overwrites", note=lambda code, i, product: product)
noted("5.1", "never-twice", choose=unused)
noted("5.1", "never-twice", choose=unused, stops=False)
noted("5.1", "keeps-negative", stops=False)
noted("5.1", "returns-residual", gives=lambda x, D, code, r: r)
noted("5.1", "returns-reconstruction", gives=lambda x, D, code, r: code @ D)
noted("5.1", "returns-reconstruction", gives=lambda x, D, code, r: x - r)
noted("5.1", "yes-or-no", gives=lambda x, D, code, r: (code > 0).float())
noted("5.1", "yes-or-no", note=lambda code, i, product: 1.0)
noted("5.1", "other-number-of-steps", steps=lambda n_steps: 100)
noted("5.1", "other-number-of-steps", steps=lambda n_steps: 2)
noted("5.1", "other-number-of-steps", steps=lambda n_steps: n_steps - 1)
noted("5.1", "other-number-of-steps", steps=lambda n_steps: n_steps + 1)
noted("5.1", "other-number-of-steps", steps=lambda n_steps: 0)
noted(
    "5.1",
    "other-number-of-steps",  # always the first row, and its product once
    note=lambda code, i, product: product,
    left=lambda r, product, row: r,
)
noted("5.1", None, left=lambda r, product, row: r - product * row / 2)
noted("5.1", None, gives=lambda x, D, code, r: code / code.sum().clamp_min(1e-9))
noted("5.1", None, left=lambda r, product, row: r + product * row)


@wrong("5.1", "residual-never-updated")
def the_largest_products(x, D, n_steps):
    values, places = (D @ x).topk(n_steps)
    return torch.zeros(len(D)).scatter(0, places, values)


@wrong("5.1", "residual-never-updated")
def the_largest_products_above_0(x, D, n_steps):
    return torch.relu(the_largest_products(x, D, n_steps))


@wrong("5.1", "by-size")
def size_and_no_sign(x, D, n_steps):
    r, code = x, torch.zeros(len(D))
    for _ in range(n_steps):
        product, i = (D @ r).abs().max(0)
        code[i] += product
        r = r - product * D[i]
    return code


@wrong("5.1", "other-number-of-steps")
def returns_too_early(x, D, n_steps):
    code = torch.zeros(len(D))
    for _ in range(n_steps):
        product, i = (D @ x).max(0)
        code[i] += product
        return code


@wrong("5.1", "least-squares")
def with_pinv(x, D, n_steps):
    return x @ torch.linalg.pinv(D)


@wrong("5.1", "least-squares")
def with_pinv_above_0(x, D, n_steps):
    return torch.relu(x @ torch.linalg.pinv(D))


@wrong("5.1", "refits")
def orthogonal(x, D, n_steps):
    chosen, r, code = [], x, torch.zeros(len(D))
    for _ in range(n_steps):
        products = D @ r
        if products.max() < 1e-6:
            break
        chosen.append(int(products.argmax()))
        code[chosen] = x @ torch.linalg.pinv(D[chosen])
        r = x - code @ D
    return code


@wrong("5.1", "all-at-once")
def all_products(x, D, n_steps):
    return D @ x


@wrong("5.1", "all-at-once")
def an_encoder(x, D, n_steps):
    return torch.relu(D @ x)


@wrong("5.1", "changes-input")
def in_place(x, D, n_steps):
    r, code = x, torch.zeros(len(D))
    for _ in range(n_steps):
        product, i = (D @ r).max(0)
        code[i] += product
        r -= product * D[i]
    return code


@wrong("5.1", "wrong-type")
def in_an_array(x, D, n_steps):
    return row_by_row(x, D, n_steps).numpy()


@wrong("5.1", "wrong-type")
def in_whole_numbers(x, D, n_steps):
    return row_by_row(x, D, n_steps).long()


@wrong("5.1", "wrong-shape")
def chosen_only(x, D, n_steps):
    return row_by_row(x, D, n_steps)[:1]


# 5.2 The encoder -------------------------------------------------------------------------


@right("5.2")
def with_loops(x, W_enc, b_enc, b_dec):
    f = torch.zeros(len(x), len(b_enc))
    for s in range(len(x)):
        for i in range(len(b_enc)):
            z = b_enc[i]
            for j in range(len(b_dec)):
                z = z + (x[s, j] - b_dec[j]) * W_enc[j, i]
            f[s, i] = max(0, z)
    return f


@right("5.2")
def one_bias_for_both(x, W_enc, b_enc, b_dec):
    return F.linear(x, W_enc.T, b_enc - b_dec @ W_enc).clamp(min=0)


@right("5.2")
def einsum_in_float64(x, W_enc, b_enc, b_dec):
    z = torch.einsum("sj,ji->si", (x - b_dec).double(), W_enc.double()) + b_enc
    return (z + z.abs()) / 2


@right("5.2")
class Encoder:
    def __call__(self, x, W_enc, b_enc, b_dec):
        return torch.stack([F.relu(W_enc.T @ (row - b_dec) + b_enc) for row in x])


@wrong("5.2", "forgets-b-dec")
def without_b_dec(x, W_enc, b_enc, b_dec):
    return torch.relu(x @ W_enc + b_enc)


@wrong("5.2", "adds-b-dec")
def b_dec_added(x, W_enc, b_enc, b_dec):
    return torch.relu((x + b_dec) @ W_enc + b_enc)


@wrong("5.2", "forgets-relu")
def linear(x, W_enc, b_enc, b_dec):
    return (x - b_dec) @ W_enc + b_enc


@wrong("5.2", "forgets-b-enc")
def without_b_enc(x, W_enc, b_enc, b_dec):
    return torch.relu((x - b_dec) @ W_enc)


@wrong("5.2", "subtracts-b-enc")
def b_enc_subtracted(x, W_enc, b_enc, b_dec):
    return torch.relu((x - b_dec) @ W_enc - b_enc)


@wrong("5.2", "transposed")
def of_the_transpose(x, W_enc, b_enc, b_dec):
    return torch.relu((x - b_dec) @ W_enc.T + b_enc)


@wrong("5.2", "relu-too-early")
def relu_before_the_bias(x, W_enc, b_enc, b_dec):
    return torch.relu((x - b_dec) @ W_enc) + b_enc


@wrong("5.2", "size-for-relu")
def size(x, W_enc, b_enc, b_dec):
    return linear(x, W_enc, b_enc, b_dec).abs()


@wrong("5.2", "yes-or-no")
def active(x, W_enc, b_enc, b_dec):
    return (linear(x, W_enc, b_enc, b_dec) > 0).float()


@wrong("5.2", "wrong-type")
def a_mask(x, W_enc, b_enc, b_dec):
    return linear(x, W_enc, b_enc, b_dec) > 0


@wrong("5.2", "wrong-type")
def code_in_a_list(x, W_enc, b_enc, b_dec):
    return with_loops(x, W_enc, b_enc, b_dec).tolist()


@wrong("5.2", "wrong-shape")
def latents_in_rows(x, W_enc, b_enc, b_dec):
    return torch.relu((x - b_dec) @ W_enc + b_enc).T


@wrong("5.2", "raises")
def b_dec_after_the_product(x, W_enc, b_enc, b_dec):
    return torch.relu((x @ W_enc - b_dec)[:, :, None] @ b_enc)


@wrong("5.2", "changes-input")
def x_is_moved(x, W_enc, b_enc, b_dec):
    x -= b_dec
    return torch.relu(x @ W_enc + b_enc)


@wrong("5.2", None)
def centred_by_its_mean(x, W_enc, b_enc, b_dec):
    return torch.relu((x - x.mean(0)) @ W_enc + b_enc)


@wrong("5.2", None)
def relu_on_x(x, W_enc, b_enc, b_dec):
    return torch.relu(torch.relu(x - b_dec) @ W_enc + b_enc)


@wrong("5.2", None)
def smooth(x, W_enc, b_enc, b_dec):
    return F.softplus(linear(x, W_enc, b_enc, b_dec))


# 5.3 The loss ----------------------------------------------------------------------------


@right("5.3")
def sample_by_sample(x, x_hat, f, l1):
    total = 0.0
    for s in range(len(x)):
        total += sum(float(a - b) ** 2 for a, b in zip(x[s], x_hat[s]))
        total += l1 * sum(float(a) for a in f[s])
    return total / len(x)


@right("5.3")
def sums_over_the_batch(x, x_hat, f, l1):
    return ((x - x_hat).pow(2).sum() + l1 * f.abs().sum()) / x.shape[0]


@right("5.3")
def with_mse_in_float64(x, x_hat, f, l1):
    error = F.mse_loss(x_hat.double(), x.double()) * x.shape[1]
    return error + l1 * f.double().norm(p=1, dim=1).mean()


@right("5.3")
class Loss:
    def __call__(self, x, x_hat, f, l1):
        e = (x - x_hat).numpy()
        return np.mean(np.einsum("sj,sj->s", e, e) + l1 * f.numpy().sum(1))


@wrong("5.3", "mean-over-dims")
def mse(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).mean() + l1 * f.sum(1).mean()


@wrong("5.3", "mean-over-dims")
def means_of_all(x, x_hat, f, l1):
    return F.mse_loss(x_hat, x) + l1 * f.mean()


@wrong("5.3", "sum-over-samples")
def sums_of_all(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum() + l1 * f.sum()


@wrong("5.3", "sum-over-samples")
def sum_of_errors(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum() + l1 * f.sum(1).mean()


@wrong("5.3", "sum-over-samples")
def sum_of_penalties(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + l1 * f.sum()


@wrong("5.3", "mean-penalty")
def mean_of_the_code(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + l1 * f.mean()


@wrong("5.3", "forgets-penalty")
def error_alone(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean()


@wrong("5.3", "forgets-coefficient")
def without_l1(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + f.sum(1).mean()


@wrong("5.3", "counts-active")
def l0(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + l1 * (f > 0).float().sum(1).mean()


@wrong("5.3", "squares-code")
def l2(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + l1 * (f**2).sum(1).mean()


@wrong("5.3", "squares-code")
def norm_of_the_code(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + l1 * f.norm(dim=1).mean()


@wrong("5.3", "norm-not-squared")
def norm_of_the_error(x, x_hat, f, l1):
    return (x - x_hat).norm(dim=1).mean() + l1 * f.sum(1).mean()


@wrong("5.3", "size-of-error")
def absolute_error(x, x_hat, f, l1):
    return (x - x_hat).abs().sum(1).mean() + l1 * f.sum(1).mean()


@wrong("5.3", "size-of-error")
def mean_absolute_error(x, x_hat, f, l1):
    return F.l1_loss(x_hat, x) + l1 * f.sum(1).mean()


@wrong("5.3", "subtracts-penalty")
def reward(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() - l1 * f.sum(1).mean()


@wrong("5.3", "loss-per-sample")
def of_each_sample(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1) + l1 * f.sum(1)


@wrong("5.3", "wrong-type")
def both_parts(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean(), l1 * f.sum(1).mean()


@wrong("5.3", "wrong-shape")
def with_a_dimension(x, x_hat, f, l1):
    return sums_over_the_batch(x, x_hat, f, l1)[None]


@wrong("5.3", None)
def halved(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() / 2 + l1 * f.sum(1).mean()


@wrong("5.3", None)
def error_of_the_sums(x, x_hat, f, l1):
    return (x - x_hat).sum(1).pow(2).mean() + l1 * f.sum(1).mean()


@wrong("5.3", None)
def a_coefficient_of_its_own(x, x_hat, f, l1):
    return ((x - x_hat) ** 2).sum(1).mean() + 0.1 * f.sum(1).mean()


# 5.4 A constraint, and its gradient ------------------------------------------------------


@right("5.4")
def each_row(gradient, W_dec):
    out = torch.zeros_like(gradient)
    for i in range(len(W_dec)):
        product = sum(a * b for a, b in zip(gradient[i], W_dec[i]))
        out[i] = gradient[i] - product * W_dec[i]
    return out


@right("5.4")
def einsum_twice(gradient, W_dec):
    return gradient - torch.einsum("ij,ij,ik->ik", gradient, W_dec, W_dec)


@right("5.4")
def with_projections_in_float64(gradient, W_dec):
    G, W = gradient.double(), W_dec.double()
    P = torch.eye(W.shape[1]) - W[:, :, None] * W[:, None, :]
    return (P @ G[:, :, None]).squeeze(2)


@right("5.4")
def diagonal(gradient, W_dec):
    return gradient - torch.diag(gradient @ W_dec.T)[:, None] * W_dec


@right("5.4")
class OfAnyNorm:
    def __call__(self, gradient, W_dec):
        along = F.cosine_similarity(gradient, W_dec) * gradient.norm(dim=1)
        return gradient - along.unsqueeze(-1) * F.normalize(W_dec)


@wrong("5.4", "down-the-columns")
def in_columns(gradient, W_dec):
    return gradient - (gradient * W_dec).sum(0) * W_dec


@wrong("5.4", "whole-matrix")
def one_product(gradient, W_dec):
    return gradient - (gradient * W_dec).sum() * W_dec


@wrong("5.4", "whole-matrix")
def one_product_of_a_unit(gradient, W_dec):
    unit = W_dec / W_dec.norm()
    return gradient - (gradient * unit).sum() * unit


@wrong("5.4", "removed-part")
def what_goes(gradient, W_dec):
    return (gradient * W_dec).sum(1, keepdim=True) * W_dec


@wrong("5.4", "adds")
def twice_there(gradient, W_dec):
    return gradient + (gradient * W_dec).sum(1, keepdim=True) * W_dec


@wrong("5.4", "normalises-gradient")
def unit_gradient(gradient, W_dec):
    return F.normalize(gradient, dim=1)


@wrong("5.4", "normalises-gradient")
def unit_gradient_first(gradient, W_dec):
    return each_row(F.normalize(gradient, dim=1), W_dec)


@wrong("5.4", "forgets-direction")
def number_subtracted(gradient, W_dec):
    return gradient - (gradient * W_dec).sum(1, keepdim=True)


@wrong("5.4", "normalises-result")
def unit_result(gradient, W_dec):
    return F.normalize(each_row(gradient, W_dec), dim=1)


@wrong("5.4", "number-by-number")
def never_added_up(gradient, W_dec):
    return gradient - gradient * W_dec * W_dec


@wrong("5.4", "other-rows-too")
def all_rows(gradient, W_dec):
    return gradient - gradient @ W_dec.T @ W_dec


@wrong("5.4", "other-rows-too")
def all_rows_the_other_way(gradient, W_dec):
    return gradient - W_dec @ gradient.T @ W_dec


@wrong("5.4", "unchanged")
def as_it_was(gradient, W_dec):
    return gradient


@wrong("5.4", "changes-input")
def gradient_in_place(gradient, W_dec):
    gradient -= (gradient * W_dec).sum(1, keepdim=True) * W_dec
    return gradient


@wrong("5.4", "returns-nothing")
def out_of_place_and_lost(gradient, W_dec):
    gradient = gradient - (gradient * W_dec).sum(1, keepdim=True) * W_dec


@wrong("5.4", "wrong-shape")
def products_only(gradient, W_dec):
    return (gradient * W_dec).sum(1)


@wrong("5.4", None)
def minus_the_row(gradient, W_dec):
    return gradient - W_dec


@wrong("5.4", None)
def half_of_it(gradient, W_dec):
    return gradient - (gradient * W_dec).sum(1, keepdim=True) * W_dec / 2


@wrong("5.4", None)
def the_other_one(gradient, W_dec):
    return W_dec - (gradient * W_dec).sum(1, keepdim=True) * gradient


# 5.5 TopK --------------------------------------------------------------------------------


@right("5.5")
def by_scatter(z, k):
    values, places = torch.topk(torch.relu(z), k)
    return torch.zeros_like(z).scatter_(1, places, values)


@right("5.5")
def by_sorting_lists(z, k):
    f = torch.zeros(z.shape)
    for s, row in enumerate(z.tolist()):
        for i in sorted(range(len(row)), key=row.__getitem__)[-k:]:
            f[s, i] = max(row[i], 0.0)
    return f


@right("5.5")
def by_rank_in_float64(z, k):
    larger = (z[:, None, :] > z[:, :, None]).sum(2)  # how many of its row are larger
    return torch.einsum("si,si->si", (larger < k).double(), z.double()).relu()


@right("5.5")
class AboveTheKth:
    def __call__(self, z, k):
        least = torch.kthvalue(z, z.shape[1] - k + 1, dim=1, keepdim=True).values
        return torch.where(z >= least, z, 0).clamp(min=0)


def largest(values, k, dim=1):
    """True at the k largest along a dimension."""
    places = values.topk(k, dim=dim).indices
    return torch.zeros_like(values, dtype=torch.bool).scatter(dim, places, True)


@wrong("5.5", "by-size")
def largest_size(z, k):
    return z * largest(z.abs(), k)


@wrong("5.5", "by-size")
def largest_size_above_0(z, k):
    return torch.relu(z * largest(z.abs(), k))


@wrong("5.5", "by-size")
def largest_sizes(z, k):
    return (z * largest(z.abs(), k)).abs()


@wrong("5.5", "values-only")
def values(z, k):
    return torch.topk(z, k).values


@wrong("5.5", "values-only")
def values_above_0(z, k):
    return torch.relu(torch.topk(z, k, sorted=False).values)


@wrong("5.5", "values-only")
def all_of_topk(z, k):
    return torch.topk(z, k)


@wrong("5.5", "places-only")
def places(z, k):
    return torch.topk(z, k).indices


@wrong("5.5", "down-the-columns")
def over_the_batch(z, k):
    return torch.relu(z * largest(z, k, dim=0))


@wrong("5.5", "down-the-columns")
def over_the_batch_unrectified(z, k):
    return z * largest(z, k, dim=0)


@wrong("5.5", "whole-matrix")
def of_the_matrix(z, k):
    return torch.relu(z * largest(z.flatten(), k, dim=0).view_as(z))


@wrong("5.5", "whole-matrix")
def of_the_batch(z, k):
    return torch.relu(z * largest(z.flatten(), k * len(z), dim=0).view_as(z))


@wrong("5.5", "forgets-relu")
def unrectified(z, k):
    return z * largest(z, k)


@wrong("5.5", "keeps-smallest")
def smallest(z, k):
    return z * largest(-z, k)


@wrong("5.5", "keeps-smallest")
def smallest_above_0(z, k):
    return torch.relu(z * largest(-z, k))


@wrong("5.5", "mask-of-ones")
def mask(z, k):
    return largest(z, k).float()


@wrong("5.5", "mask-of-ones")
def mask_of_the_active(z, k):
    return (by_scatter(z, k) > 0).float()


@wrong("5.5", "no-top-k")
def relu_alone(z, k):
    return torch.relu(z)


@wrong("5.5", "no-top-k")
def nothing_at_all(z, k):
    return z


@wrong("5.5", "places-lost")
def in_the_first_columns(z, k):
    f = torch.zeros_like(z)
    f[:, :k] = torch.relu(torch.topk(z, k).values)
    return f


@wrong("5.5", "other-k")
def two_written_in(z, k):
    return by_scatter(z, 2)


@wrong("5.5", "other-k")
def more_than_the_kth(z, k):
    return torch.relu(z * (z > z.sort(descending=True).values[:, k - 1 : k]))


@wrong("5.5", "other-k")
def one_too_many(z, k):
    return by_scatter(z, min(k + 1, z.shape[1]))


@wrong("5.5", "other-k")
def never_filled_in(z, k):
    return torch.zeros_like(z)


@wrong("5.5", "wrong-type")
def a_mask_of_the_kept(z, k):
    return largest(z, k)


@wrong("5.5", "changes-input")
def cleared_in_place(z, k):
    z[~largest(z, k)] = 0
    return torch.relu(z)


@wrong("5.5", None)
def minus_the_threshold(z, k):
    return torch.relu(z - z.sort(descending=True).values[:, k - 1 : k]) * largest(z, k)


@wrong("5.5", None)
def shares(z, k):
    f = by_scatter(z, k)
    return f / f.sum(1, keepdim=True).clamp_min(1e-9)

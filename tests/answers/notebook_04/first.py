"""What learners write for exercises 4.1 to 4.5: right answers of different kinds, and wrong ones.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from answers.tables import Tables
from torch.nn import functional as F

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong
PICTURES: set[str] = set()
SLOW: list[Any] = []

# 4.1 Features per neuron -----------------------------------------------------------------


@right("4.1")
def with_loops(W, threshold=0.5):
    counts = torch.zeros(len(W))
    for j in range(W.shape[0]):
        for i in range(W.shape[1]):
            if W[j, i] > threshold or W[j, i] < -threshold:
                counts[j] += 1
    return counts


@right("4.1")
def in_integers(W, threshold=0.5):
    return torch.count_nonzero(F.hardshrink(W, threshold), dim=1).to(torch.int32)


@right("4.1")
def by_its_square(W, threshold=0.5):
    return torch.tensor([float((row**2 > threshold**2).sum()) for row in W])


@right("4.1")
class OnTheOtherSide:
    def __call__(self, W, threshold=0.5):
        return (W.T.abs() > threshold).double().sum(0)


@wrong("4.1", "counts-per-feature")
def down_the_columns(W, threshold=0.5):
    return (W.abs() > threshold).sum(dim=0)


@wrong("4.1", "one-number")
def of_the_layer(W, threshold=0.5):
    return (W.abs() > threshold).sum()


@wrong("4.1", "one-number")
def of_the_layer_as_a_number(W, threshold=0.5):
    return int((W.abs() > threshold).sum())


@wrong("4.1", "forgets-sign")
def only_positive(W, threshold=0.5):
    return (W > threshold).sum(dim=1)


@wrong("4.1", "counts-the-small")
def the_others(W, threshold=0.5):
    return (W.abs() <= threshold).sum(dim=1)


@wrong("4.1", "yes-or-no")
def is_polysemantic(W, threshold=0.5):
    return ((W.abs() > threshold).sum(dim=1) > 1).float()


@wrong("4.1", "adds-weights")
def sum_of_the_large(W, threshold=0.5):
    return (W.abs() * (W.abs() > threshold)).sum(dim=1)


@wrong("4.1", "compares-squares")
def squares(W, threshold=0.5):
    return (W**2 > threshold).sum(dim=1)


@wrong("4.1", "ignores-threshold")
def always_a_half(W, threshold=0.5):
    return (W.abs() > 0.5).sum(dim=1)


@wrong("4.1", "wrong-type")
def a_mask(W, threshold=0.5):
    return (W.abs() > threshold).any(dim=1)


@wrong("4.1", "wrong-type")
def in_a_list(W, threshold=0.5):
    return (W.abs() > threshold).sum(dim=1).tolist()


@wrong("4.1", "wrong-type")
def in_an_array(W, threshold=0.5):
    return (np.abs(W.numpy()) > threshold).sum(axis=1)


@wrong("4.1", "wrong-shape")
def the_whole_mask(W, threshold=0.5):
    return (W.abs() > threshold).float()


@wrong("4.1", None)
def of_the_largest(W, threshold=0.5):
    return (W.abs() > 0.2 * W.abs().max(dim=1, keepdim=True).values).sum(dim=1)


# 4.2 What is left to guess ---------------------------------------------------------------


@right("4.2")
def class_by_class(groups):
    classes = [k for k in groups for _ in range(k)]
    return sum(math.log(k) for k in classes) / len(classes)


@right("4.2")
def with_torch(groups):
    k = torch.tensor(groups, dtype=torch.float64)
    return torch.xlogy(k, k).sum() / k.sum()


@right("4.2")
def cross_entropy_of_the_readout(groups):
    n, loss = sum(groups), 0.0
    for k in groups:
        loss += -k / n * np.log(1 / k)
    return np.float64(loss)


@right("4.2")
def less_than_everything(groups):
    """ln n, less what the neuron tells."""
    shares = [k / sum(groups) for k in groups]
    return math.log(sum(groups)) + sum(s * math.log(s) for s in shares)


@wrong("4.2", "mean-over-groups")
def over_groups(groups):
    return sum(math.log(k) for k in groups) / len(groups)


@wrong("4.2", "sum-over-groups")
def once_for_each_group(groups):
    return sum(math.log(k) for k in groups)


@wrong("4.2", "once-per-group")
def once_for_each_group_over_classes(groups):
    return sum(math.log(k) for k in groups) / sum(groups)


@wrong("4.2", "divides-by-groups")
def over_the_number_of_groups(groups):
    return sum(k * math.log(k) for k in groups) / len(groups)


@wrong("4.2", "sum-not-mean")
def added_up(groups):
    return sum(k * math.log(k) for k in groups)


@wrong("4.2", "ignores-groups")
def without_the_neuron(groups):
    return math.log(sum(groups))


@wrong("4.2", "what-the-neuron-says")
def entropy(groups):
    shares = [k / sum(groups) for k in groups]
    return -sum(s * math.log(s) for s in shares)


@wrong("4.2", "log-of-mean-size")
def logarithm_last(groups):
    return math.log(sum(k * k for k in groups) / sum(groups))


@wrong("4.2", "other-logarithm")
def in_bits(groups):
    return sum(k * math.log2(k) for k in groups) / sum(groups)


@wrong("4.2", "chance-of-error")
def how_often_wrong(groups):
    return sum(k * (1 - 1 / k) for k in groups) / sum(groups)


@wrong("4.2", "negative")
def upside_down(groups):
    return sum(k * math.log(1 / k) for k in groups) / sum(groups)


@wrong("4.2", "raises")
def of_a_list(groups):
    return math.log(groups)


@wrong("4.2", None)
def of_the_largest_group(groups):
    return math.log(max(groups)) / 3


@wrong("4.2", None)
def only_for_pairs(groups):
    return math.log(2) * groups.count(2)


# 4.3 A hidden layer of neurons -----------------------------------------------------------


@right("4.3")
def sample_by_sample(x, W, b):
    rows = []
    for sample in x:
        h = (W @ sample).clamp(min=0)
        rows.append((W.T @ h + b).clamp(min=0))
    return torch.stack(rows)


@right("4.3")
def with_einsum(x, W, b):
    h = F.relu(torch.einsum("bi,ji->bj", x, W))
    return F.relu(torch.einsum("bj,ji->bi", h, W) + b)


@right("4.3")
def with_linear(x, W, b):
    return F.linear(F.linear(x, W).relu(), W.T, b).relu()


@right("4.3")
class InDouble:
    def __call__(self, x, W, b):
        x, W, b = x.double(), W.double(), b.double()
        h = torch.maximum(x @ W.T, torch.zeros((), dtype=torch.float64))
        return torch.maximum(h @ W + b, torch.zeros((), dtype=torch.float64))


@wrong("4.3", "missing-hidden-relu")
def as_in_notebook_02(x, W, b):
    return torch.relu(x @ W.T @ W + b)


@wrong("4.3", "missing-output-relu")
def inner_only(x, W, b):
    return torch.relu(x @ W.T) @ W + b


@wrong("4.3", "missing-bias")
def without_b(x, W, b):
    return torch.relu(torch.relu(x @ W.T) @ W)


@wrong("4.3", "bias-after-relu")
def b_outside(x, W, b):
    return torch.relu(torch.relu(x @ W.T) @ W) + b


@wrong("4.3", "bias-in-hidden")
def b_inside(x, W, b):
    return torch.relu(torch.relu(x @ W.T + b) @ W)


@wrong("4.3", "rows-for-columns")
def the_wrong_way_round(x, W, b):
    return torch.relu(torch.relu(x @ W) @ W.T + b)


@wrong("4.3", "same-way-twice")
def transposed_both_times(x, W, b):
    return torch.relu(torch.relu(x @ W.T) @ W.T + b)


@wrong("4.3", "same-way-twice")
def transposed_not_once(x, W, b):
    return torch.relu(torch.relu(x @ W) @ W + b)


@wrong("4.3", "samples-as-columns")
def as_in_the_formula(x, W, b):
    return torch.relu(W.T @ torch.relu(W @ x) + b)


@wrong("4.3", "stops-at-hidden")
def half_way(x, W, b):
    return torch.relu(x @ W.T)


@wrong("4.3", None)
def b_twice(x, W, b):
    return torch.relu(torch.relu(x @ W.T) @ W + 2 * b)


@wrong("4.3", None)
def sigmoid_inside(x, W, b):
    return torch.relu(torch.sigmoid(x @ W.T) @ W + b)


# 4.4 The share of polysemantic neurons ---------------------------------------------------


@right("4.4")
def counted_in_loops(W, threshold=0.5):
    alive = several = 0
    for row in W.tolist():
        n = sum(abs(w) > threshold for w in row)
        alive += n >= 1
        several += n >= 2
    return several / alive if alive else 0


@right("4.4")
def mean_of_a_mask(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    mask = counts[counts > 0] > 1
    return mask.double().mean() if len(mask) else torch.tensor(0.0)


@right("4.4")
def with_numpy(W, threshold=0.5):
    counts = (np.abs(W.numpy()) > threshold).sum(axis=1)
    return np.nan_to_num(np.float64((counts > 1).sum()) / max((counts > 0).sum(), 1))


@wrong("4.4", "counts-silent-neurons")
def of_all(W, threshold=0.5):
    return ((W.abs() > threshold).sum(1) > 1).float().mean()


@wrong("4.4", "all-silent")
def divides_by_zero(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    return (counts > 1).sum() / (counts > 0).sum()


@wrong("4.4", "all-silent")
def divides_integers_by_zero(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    return int((counts > 1).sum()) / int((counts > 0).sum())


@wrong("4.4", "number-not-share")
def how_many(W, threshold=0.5):
    return ((W.abs() > threshold).sum(1) > 1).sum().item()


@wrong("4.4", "percent")
def in_percent(W, threshold=0.5):
    return 100 * counted_in_loops(W, threshold)


@wrong("4.4", "monosemantic-share")
def the_clean_ones(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    return (counts == 1).sum() / (counts > 0).sum()


@wrong("4.4", "at-least-one")
def those_that_answer(W, threshold=0.5):
    return ((W.abs() > threshold).sum(1) >= 1).float().mean()


@wrong("4.4", "more-than-two")
def three(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    return (counts > 2).sum() / (counts > 0).sum().clamp_min(1)


@wrong("4.4", "features-not-neurons")
def columns(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(0)
    return (counts > 1).sum() / (counts > 0).sum().clamp_min(1)


@wrong("4.4", "forgets-sign")
def positive(W, threshold=0.5):
    counts = (W > threshold).sum(1)
    return (counts > 1).sum() / (counts > 0).sum().clamp_min(1)


@wrong("4.4", "mean-count")
def features_of_a_neuron(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    return counts.sum() / (counts > 0).sum().clamp_min(1)


@wrong("4.4", "ignores-threshold")
def threshold_not_passed_on(W, threshold=0.5):
    counts = with_loops(W)
    return int((counts > 1).sum()) / max(1, int((counts > 0).sum()))


@wrong("4.4", "ignores-threshold")
def a_half_written_in(W, threshold=0.5):
    counts = (W.abs() > 0.5).sum(1)
    return (counts > 1).sum() / (counts > 0).sum().clamp_min(1)


@wrong("4.4", "wrong-shape")
def each_neuron(W, threshold=0.5):
    return ((W.abs() > threshold).sum(1) > 1).float()


@wrong("4.4", None)
def one_for_silence(W, threshold=0.5):
    counts = (W.abs() > threshold).sum(1)
    return (counts > 1).sum() / (counts > 0).sum() if counts.any() else 1.0


@wrong("4.4", None)
def of_the_weights(W, threshold=0.5):
    return (W.abs() > threshold).double().mean() + 0.01


# 4.5 Absolute values by hand -------------------------------------------------------------


@right("4.5")
def side_by_side(n):
    W_in, W_out = torch.zeros(2 * n, n), torch.zeros(n, 2 * n)
    for i in range(n):
        W_in[2 * i, i], W_in[2 * i + 1, i] = 1, -1
        W_out[i, 2 * i] = W_out[i, 2 * i + 1] = 1
    return W_in, W_out


@right("4.5")
def scaled(n):
    E = torch.eye(n, dtype=torch.float64)
    return [torch.cat([-2 * E, 4 * E]), torch.cat([E / 2, E / 4], dim=1)]


@right("4.5")
def in_whole_numbers(n):
    E = torch.eye(n, dtype=torch.long)
    return torch.vstack([E, -E]), torch.hstack([E, E])


@right("4.5")
class Kronecker:
    def __call__(self, n):
        E, two = torch.eye(n), torch.tensor([[1.0], [-1.0]])
        return torch.kron(E, two), torch.kron(E, two.abs().T)


@wrong("4.5", "shapes-swapped")
def wide_first(n):
    E = torch.eye(n)
    return torch.cat([E, -E], dim=1), torch.cat([E, E])


@wrong("4.5", "shapes-swapped")
def out_first(n):
    W_in, W_out = side_by_side(n)
    return W_out, W_in


@wrong("4.5", "one-sign-only")
def positive_half(n):
    E = torch.eye(n)
    return torch.cat([E, 0 * E]), torch.cat([E, E], dim=1)


@wrong("4.5", "one-sign-only")
def negative_half(n):
    E = torch.eye(n)
    return torch.cat([E, -E]), torch.cat([0 * E, E], dim=1)


@wrong("4.5", "same-sign-twice")
def no_minus(n):
    E = torch.eye(n)
    return torch.cat([E, E]), torch.cat([E, E], dim=1)


@wrong("4.5", "subtracts")
def minus_twice(n):
    E = torch.eye(n)
    return torch.cat([E, -E]), torch.cat([E, -E], dim=1)


@wrong("4.5", "wrong-scale")
def mean_of_the_two(n):
    E = torch.eye(n)
    return torch.cat([E, -E]), torch.cat([E, E], dim=1) / 2


@wrong("4.5", "features-mixed")
def two_orders(n):
    E = torch.eye(n)
    W_in, _ = side_by_side(n)
    return W_in, torch.cat([E, E], dim=1)


@wrong("4.5", "features-mixed")
def everything_to_everything(n):
    E = torch.eye(n)
    return torch.cat([E, -E]), torch.ones(n, 2 * n)


@wrong("4.5", "silent")
def not_filled_in(n):
    return torch.zeros(2 * n, n), torch.zeros(n, 2 * n)


@wrong("4.5", "not-rectified")
def negative_out(n):
    E = torch.eye(n)
    return torch.cat([E, -E]), -torch.cat([E, E], dim=1)


@wrong("4.5", "wrong-type")
def one_matrix(n):
    return torch.cat([torch.eye(n), -torch.eye(n)])[:1]


@wrong("4.5", "wrong-shape")
def one_neuron_each(n):
    return torch.eye(n), torch.eye(n)


@wrong("4.5", None)
def negative_is_louder(n):
    E = torch.eye(n)
    return torch.cat([E, -3 * E]), torch.cat([E, E], dim=1)


@wrong("4.5", None)
def the_last_is_left_out(n):
    W_in, W_out = scaled(n)
    W_in[n - 1] = W_in[2 * n - 1] = 0
    return (W_in, W_out) if n > 1 else scaled(n)

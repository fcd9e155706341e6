"""What learners write in notebook 02: right answers of different kinds, and wrong ones by slug.

A wrong answer with the slug None is one that its check has no name for.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from answers.tables import Tables
from torch import nn
from torch.nn import functional as F

PICTURES = {"2.7"}  # exercises whose input is a picture

tables = Tables()
RIGHT, WRONG, right, wrong = tables.RIGHT, tables.WRONG, tables.right, tables.wrong


# 2.1 Sample sparse features --------------------------------------------------------------


@right("2.1")
def with_where(batch_size, n_features, feature_probability, *, generator):
    values = torch.rand(batch_size, n_features, generator=generator)
    coins = torch.rand(batch_size, n_features, generator=generator)
    return torch.where(coins < feature_probability, values, torch.zeros_like(values))


@right("2.1")
def with_loops(batch_size, n_features, feature_probability, *, generator):
    x = torch.zeros(batch_size, n_features)
    for i in range(batch_size):
        for j in range(n_features):
            if torch.rand((), generator=generator) < feature_probability:
                x[i, j] = torch.rand((), generator=generator)
    return x


@right("2.1")
def with_bernoulli_in_float64(batch_size, n_features, feature_probability, *, generator):
    x = torch.rand(batch_size, n_features, generator=generator, dtype=torch.float64)
    return x * torch.bernoulli(torch.full_like(x, feature_probability), generator=generator)


@right("2.1")
def with_one_draw(batch_size, n_features, feature_probability, *, generator=None):
    u = torch.rand(batch_size, n_features, generator=generator)
    return torch.where(u < feature_probability, u / feature_probability, 0.0)


@right("2.1")
def with_in_place_assignment(batch_size, n_features, feature_probability, generator):
    x = torch.empty(batch_size, n_features).uniform_(generator=generator)
    x[torch.rand(x.shape, generator=generator) > feature_probability] = 0
    return x


@wrong("2.1", "sparsity-for-probability")
def zero_with_probability_p(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features, generator=generator) > feature_probability
    return present * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", "one-coin-per-sample")
def coin_for_each_row(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, 1, generator=generator) < feature_probability
    return present * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", "one-coin-per-feature")
def coin_for_each_column(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(n_features, generator=generator) < feature_probability
    return present * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", "one-coin-for-all")
def one_coin_for_all(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(1, generator=generator) < feature_probability
    return present * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", "one-coin-for-all")
def if_the_coin_says_so(batch_size, n_features, feature_probability, *, generator):
    if torch.rand((), generator=generator) < feature_probability:
        return torch.rand(batch_size, n_features, generator=generator)
    return torch.zeros(batch_size, n_features)


@wrong("2.1", "always-present")
def without_a_mask(batch_size, n_features, feature_probability, *, generator):
    return torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", "always-present")
def weakened_by_p(batch_size, n_features, feature_probability, *, generator):
    return feature_probability * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", None)
def nothing_at_all(batch_size, n_features, feature_probability, *, generator):
    return torch.zeros(batch_size, n_features)


@wrong("2.1", "values-squeezed")
def same_draw_twice(batch_size, n_features, feature_probability, *, generator):
    u = torch.rand(batch_size, n_features, generator=generator)
    return u * (u < feature_probability)


@wrong("2.1", "values-squeezed")
def same_draw_twice_from_above(batch_size, n_features, feature_probability, *, generator):
    u = torch.rand(batch_size, n_features, generator=generator)
    u[u < 1 - feature_probability] = 0
    return u


@wrong("2.1", "all-ones")
def only_the_mask(batch_size, n_features, feature_probability, *, generator):
    return (torch.rand(batch_size, n_features, generator=generator) < feature_probability).float()


@wrong("2.1", "outside-0-1")
def normal_values(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features, generator=generator) < feature_probability
    return present * torch.randn(batch_size, n_features, generator=generator)


@wrong("2.1", "ignores-generator")
def no_generator(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features) < feature_probability
    return present * torch.rand(batch_size, n_features)


@wrong("2.1", "ignores-generator")
def generator_in_one_draw_only(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features, generator=generator) < feature_probability
    return present * torch.rand(batch_size, n_features)


@wrong("2.1", "ignores-generator")
def own_seed(batch_size, n_features, feature_probability, *, generator):
    torch.manual_seed(0)
    present = torch.rand(batch_size, n_features) < feature_probability
    return present * torch.rand(batch_size, n_features)


@wrong("2.1", "wrong-shape")
def features_in_rows(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(n_features, batch_size, generator=generator) < feature_probability
    return present * torch.rand(n_features, batch_size, generator=generator)


@wrong("2.1", "wrong-type")
def in_numpy(batch_size, n_features, feature_probability, *, generator):
    present = np.random.rand(batch_size, n_features) < feature_probability
    return present * np.random.rand(batch_size, n_features)


@wrong("2.1", None)
def squared_values(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features, generator=generator) < feature_probability
    return present * torch.rand(batch_size, n_features, generator=generator) ** 2


@wrong("2.1", None)
def two_coins(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features, generator=generator) < feature_probability
    again = torch.rand(batch_size, n_features, generator=generator) < feature_probability
    return present * again * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", None)
def coins_in_pairs(batch_size, n_features, feature_probability, *, generator):
    coins = torch.rand(batch_size, n_features // 2, generator=generator) < feature_probability
    return coins.repeat(1, 2) * torch.rand(batch_size, n_features, generator=generator)


@wrong("2.1", None)
def always_a_fifth(batch_size, n_features, feature_probability, *, generator):
    present = torch.rand(batch_size, n_features, generator=generator) < 0.2
    return present * torch.rand(batch_size, n_features, generator=generator)


# 2.2 The forward pass --------------------------------------------------------------------


@right("2.2")
def with_einsum(x, W, b):
    hidden = torch.einsum("df,bf->bd", W, x)
    return torch.einsum("df,bd->bf", W, hidden).add(b).clamp(min=0)


@right("2.2")
def sample_by_sample(x, W, b):
    rows = []
    for sample in x:
        h = W @ sample
        out = W.T @ h + b
        rows.append([max(0.0, value.item()) for value in out])
    return torch.tensor(rows)


@right("2.2")
def in_float64(x, W, b):
    return F.relu((x.double() @ (W.T @ W).double()) + b.double())


@right("2.2")
def with_samples_in_columns(x, W, b):
    return torch.maximum(W.T @ W @ x.T + b[:, None], torch.tensor(0.0)).T


@right("2.2")
class AsModule(nn.Module):
    def forward(self, x, W, b):
        return nn.ReLU()(F.linear(F.linear(x, W), W.T, b))


@wrong("2.2", "missing-relu")
def without_relu(x, W, b):
    return x @ W.T @ W + b


@wrong("2.2", "missing-bias")
def without_bias(x, W, b):
    return torch.relu(x @ W.T @ W)


@wrong("2.2", "bias-after-relu")
def bias_outside(x, W, b):
    return torch.relu(x @ W.T @ W) + b


@wrong("2.2", "relu-on-hidden")
def two_relus(x, W, b):
    h = torch.relu(x @ W.T)
    return torch.relu(h @ W + b)


@wrong("2.2", "rows-for-columns")
def other_way_round(x, W, b):
    return torch.relu(x @ W @ W.T + b)


@wrong("2.2", "samples-as-columns")
def as_on_paper(x, W, b):
    return torch.relu(W.T @ W @ x + b)


@wrong("2.2", "stops-at-hidden")
def only_the_hidden_vector(x, W, b):
    return x @ W.T


@wrong("2.2", "stops-at-hidden")
def one_layer(x, W, b):
    return F.relu(F.linear(x, W, b))


@wrong("2.2", "changes-input")
def adds_in_place(x, W, b):
    b += 0.1
    return torch.relu(x @ W.T @ W + b - 0.1)


@wrong("2.2", None)
def subtracts_the_bias(x, W, b):
    return torch.relu(x @ W.T @ W - b)


@wrong("2.2", None)
def relu_of_each_part(x, W, b):
    return torch.relu(x @ W.T @ W) + torch.relu(b)


@wrong("2.2", None)
def sigmoid(x, W, b):
    return torch.sigmoid(x @ W.T @ W + b)


@wrong("2.2", "returns-nothing")
def forgets_return(x, W, b):
    torch.relu(x @ W.T @ W + b)


# 2.3 The importance-weighted loss --------------------------------------------------------


@right("2.3")
def loss_with_einsum(x, x_hat, importance):
    return torch.einsum("f,bf->", importance, (x_hat - x).square()) / len(x)


@right("2.3")
def loss_with_loops(x, x_hat, importance):
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total += importance[j].item() * (x[i, j].item() - x_hat[i, j].item()) ** 2
    return total / x.shape[0]


@right("2.3")
def loss_with_matmul(x, x_hat, importance):
    return (((x - x_hat).pow(2).double()) @ importance.double()).mean()


@right("2.3")
def loss_in_numpy(x, x_hat, importance):
    return np.mean(np.sum(importance.numpy() * (x.numpy() - x_hat.numpy()) ** 2, axis=1))


@right("2.3")
def loss_from_mse(x, x_hat, importance):
    weighted = importance * F.mse_loss(x_hat, x, reduction="none")
    return weighted.sum() / weighted.size(0)


@wrong("2.3", "mean-over-features")
def mean_of_everything(x, x_hat, importance):
    return (importance * (x - x_hat) ** 2).mean()


@wrong("2.3", "sum-over-batch")
def sum_of_everything(x, x_hat, importance):
    return (importance * (x - x_hat) ** 2).sum()


@wrong("2.3", "ignores-importance")
def plain_squared_error(x, x_hat, importance):
    return ((x - x_hat) ** 2).sum(dim=1).mean()


@wrong("2.3", "importance-squared")
def weight_inside_the_square(x, x_hat, importance):
    return ((importance * (x - x_hat)) ** 2).sum(-1).mean()


@wrong("2.3", "absolute-error")
def absolute(x, x_hat, importance):
    return (importance * (x - x_hat).abs()).sum(-1).mean()


@wrong("2.3", "square-root")
def root_mean_square(x, x_hat, importance):
    return torch.sqrt((importance * (x - x_hat) ** 2).sum(-1).mean())


@wrong("2.3", "wrong-shape")
def one_loss_for_each_sample(x, x_hat, importance):
    return (importance * (x - x_hat) ** 2).sum(1)


@wrong("2.3", "changes-input")
def subtracts_in_place(x, x_hat, importance):
    x -= x_hat
    return (importance * x**2).sum(1).mean()


@wrong("2.3", None)
def negative(x, x_hat, importance):
    return -(importance * (x - x_hat) ** 2).sum(1).mean()


@wrong("2.3", None)
def norms(x, x_hat, importance):
    return (importance * (x - x_hat)).norm(dim=1).mean()


@wrong("2.3", None)
def plain_mean_square(x, x_hat, importance):
    return F.mse_loss(x, x_hat)


# 2.4 One step of training ----------------------------------------------------------------


def loss_of(W, b, x, importance):
    return (importance * (x - torch.relu(x @ W.T @ W + b)) ** 2).sum(1).mean()


@right("2.4")
def forgets_last(W, b, x, importance, optimizer):
    loss = loss_of(W, b, x, importance)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return float(loss)


@right("2.4")
def forgets_in_the_middle(W, b, x, importance, optimizer):
    loss = loss_of(W, b, x, importance)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return loss.detach()


@right("2.4")
def gradients_by_hand(W, b, x, importance, optimizer):
    loss = loss_of(W, b, x, importance)
    W.grad, b.grad = torch.autograd.grad(loss, (W, b))
    optimizer.step()
    return loss.item()


@right("2.4")
def with_a_closure(W, b, x, importance, optimizer):
    def closure():
        optimizer.zero_grad()
        loss = loss_of(W, b, x, importance)
        loss.backward()
        return loss

    return optimizer.step(closure).item()


@right("2.4")
def without_the_optimizers_step(W, b, x, importance, optimizer):
    loss = loss_of(W, b, x, importance)
    slopes = torch.autograd.grad(loss, [W, b])
    with torch.no_grad():
        for weights, slope in zip([W, b], slopes):
            weights -= optimizer.param_groups[0]["lr"] * slope
    return loss.detach().numpy().item()


@wrong("2.4", "no-zero-grad")
def never_forgets(W, b, x, importance, optimizer):
    loss = loss_of(W, b, x, importance)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("2.4", "no-backward")
def never_differentiates(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss = loss_of(W, b, x, importance)
    optimizer.step()
    return loss.item()


@wrong("2.4", "zero-grad-too-late")
def forgets_too_soon(W, b, x, importance, optimizer):
    loss = loss_of(W, b, x, importance)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@wrong("2.4", "no-step")
def never_moves(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss = loss_of(W, b, x, importance)
    loss.backward()
    return loss.item()


@wrong("2.4", "uphill")
def climbs(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss = loss_of(W, b, x, importance)
    (-loss).backward()
    optimizer.step()
    return loss.item()


@wrong("2.4", "loss-after-step")
def measures_again(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss_of(W, b, x, importance).backward()
    optimizer.step()
    with torch.no_grad():
        return loss_of(W, b, x, importance).item()


@wrong("2.4", "keeps-graph")
def returns_the_graph(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss = loss_of(W, b, x, importance)
    loss.backward()
    optimizer.step()
    return loss


@wrong("2.4", "returns-nothing")
def returns_no_loss(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss_of(W, b, x, importance).backward()
    optimizer.step()


@wrong("2.4", None)
def without_importance(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss = loss_of(W, b, x, torch.ones_like(importance))
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("2.4", None)
def two_steps(W, b, x, importance, optimizer):
    for _ in range(2):
        optimizer.zero_grad()
        loss = loss_of(W, b, x, importance)
        loss.backward()
        optimizer.step()
    return loss.item()


@wrong("2.4", None)
def returns_minus_the_loss(W, b, x, importance, optimizer):
    optimizer.zero_grad()
    loss = loss_of(W, b, x, importance)
    loss.backward()
    optimizer.step()
    return -loss.item()


# 2.5 What a linear model must lose -------------------------------------------------------


@right("2.5")
def with_topk(importance, feature_probability, d_hidden):
    p = feature_probability
    kept = importance.topk(d_hidden).values.sum()
    return (importance.sum() - kept) * (p / 3 - (p / 2) ** 2)


@right("2.5")
def with_plain_python(importance, feature_probability, d_hidden):
    second_moment, mean = feature_probability / 3, feature_probability / 2
    left = sorted(importance.tolist())
    for _ in range(min(d_hidden, len(left))):
        left.pop()
    total = 0
    for weight in left:
        total += weight * (second_moment - mean * mean)
    return total


@right("2.5")
def with_fractions(importance, feature_probability, d_hidden):
    p = Fraction(feature_probability)
    dropped = sorted(map(Fraction, importance.tolist()), reverse=True)[d_hidden:]
    return sum(dropped, Fraction(0)) * (p / 3 - p * p / 4)


@right("2.5")
def with_numpy(importance, feature_probability, d_hidden):
    ordered = np.sort(importance.numpy().astype(np.float64))[::-1]
    return ordered[d_hidden:].sum() * feature_probability * (4 - 3 * feature_probability) / 12


@wrong("2.5", "forgets-the-bias")
def mean_square(importance, feature_probability, d_hidden):
    dropped = importance.sort(descending=True).values[d_hidden:]
    return dropped.sum() * feature_probability / 3


@wrong("2.5", "dense-variance")
def variance_of_a_uniform(importance, feature_probability, d_hidden):
    return importance.sort(descending=True).values[d_hidden:].sum().item() / 12


@wrong("2.5", "keeps-the-first")
def does_not_sort(importance, feature_probability, d_hidden):
    p = feature_probability
    return importance[d_hidden:].sum() * (p / 3 - p**2 / 4)


@wrong("2.5", "keeps-the-least")
def sorts_upwards(importance, feature_probability, d_hidden):
    p = feature_probability
    return importance.sort().values[d_hidden:].sum() * (p / 3 - p**2 / 4)


@wrong("2.5", "counts-the-kept")
def adds_the_top(importance, feature_probability, d_hidden):
    p = feature_probability
    return importance.topk(d_hidden).values.sum() * (p / 3 - p**2 / 4)


@wrong("2.5", "sparsity-for-probability")
def takes_s_for_p(importance, feature_probability, d_hidden):
    p = 1 - feature_probability
    return importance.sort(descending=True).values[d_hidden:].sum() * (p / 3 - p**2 / 4)


@wrong("2.5", None)
def standard_deviation(importance, feature_probability, d_hidden):
    p = feature_probability
    dropped = importance.sort(descending=True).values[d_hidden:]
    return dropped.sum() * math.sqrt(p / 3 - p**2 / 4)


@wrong("2.5", None)
def mean_instead_of_sum(importance, feature_probability, d_hidden):
    p = feature_probability
    return importance.sort(descending=True).values[d_hidden:].mean() * (p / 3 - p**2 / 4)


@wrong("2.5", None)
def forgets_to_square_the_half(importance, feature_probability, d_hidden):
    p = feature_probability
    return importance.sort(descending=True).values[d_hidden:].sum() * (p / 3 - p**2 / 2)


@wrong("2.5", None)
def never_zero(importance, feature_probability, d_hidden):
    p = feature_probability
    d = min(d_hidden, len(importance) - 1)
    return importance.sort(descending=True).values[d:].sum() * (p / 3 - p**2 / 4)


# 2.6 Count the represented features ------------------------------------------------------


@right("2.6")
def with_the_diagonal(W, threshold=0.5):
    return torch.diagonal(W.T @ W).sqrt().gt(threshold).sum()


@right("2.6")
def column_by_column(W, threshold=0.5):
    count = 0
    for i in range(W.shape[1]):
        if math.sqrt(sum(value**2 for value in W[:, i].tolist())) > threshold:
            count += 1
    return count


@right("2.6")
def with_transposed_rows(W, threshold=0.5):
    return len([column for column in W.T.double() if torch.linalg.vector_norm(column) > threshold])


@right("2.6")
def counted_by_numpy(W, threshold=0.5):
    return np.count_nonzero(np.linalg.norm(W.numpy(), axis=0) > threshold)


@wrong("2.6", "counts-dimensions")
def rank(W, threshold=0.5):
    return int(torch.linalg.matrix_rank(W))


@wrong("2.6", "counts-dimensions")
def singular_values(W, threshold=0.5):
    return int((torch.linalg.svdvals(W) > 1e-6).sum())


@wrong("2.6", "counts-rows")
def over_the_other_dimension(W, threshold=0.5):
    return int((W.norm(dim=1) > threshold).sum())


@wrong("2.6", "counts-entries")
def large_weights(W, threshold=0.5):
    return int((W.abs() > threshold).sum())


@wrong("2.6", "counts-entries")
def columns_with_a_large_weight(W, threshold=0.5):
    return int((W.abs() > threshold).any(dim=0).sum())


@wrong("2.6", "counts-all")
def all_columns(W, threshold=0.5):
    return W.shape[1]


@wrong("2.6", "squares")
def squared_lengths(W, threshold=0.5):
    return int(((W**2).sum(dim=0) > threshold).sum())


@wrong("2.6", "squares")
def gram_diagonal(W, threshold=0.5):
    return int((torch.diagonal(W.T @ W) > threshold).sum())


@wrong("2.6", "ignores-threshold")
def fixed_threshold(W, threshold=0.5):
    return int((W.norm(dim=0) > 0.5).sum())


@wrong("2.6", "wrong-shape")
def gives_the_mask(W, threshold=0.5):
    return W.norm(dim=0) > threshold


@wrong("2.6", None)
def sum_of_weights(W, threshold=0.5):
    return int((W.abs().sum(0) > threshold).sum())


@wrong("2.6", None)
def counts_the_short(W, threshold=0.5):
    return int((W.norm(dim=0) < threshold).sum())


@wrong("2.6", None)
def counts_what_is_not_zero(W, threshold=0.5):
    return int((W.norm(dim=0) > 0).sum())


# 2.7 Read a picture ----------------------------------------------------------------------


def reading(not_represented, opposite_pairs, alone, dimensions):
    return lambda: {
        "not_represented": not_represented,
        "opposite_pairs": opposite_pairs,
        "alone": alone,
        "dimensions": dimensions,
    }


RIGHT["2.7"] = [
    reading([4], [(3, 0), (5, 1)], [2], 3),
    reading((4,), [[1, 5], [0, 3]], (2,), 3.0),
    reading({4}, {(0, 3), (5, 1)}, {2}, np.int64(3)),
    reading(4, [{0, 3}, {1, 5}], 2, 3),
    reading(torch.tensor([4]), torch.tensor([[0, 3], [1, 5]]), torch.tensor([2]), torch.tensor(3)),
    reading([4.0], [(0.0, 3.0), (5, 1), (1, 5)], np.array([2]), np.array(3)),
    reading({4}, {frozenset({0, 3}), frozenset({1, 5})}, range(2, 3), 3),
]

WRONG["2.7"] = [
    ("counts-from-one", reading([5], [(1, 4), (2, 6)], [3], 3)),
    ("pairs-with-itself", reading([4], [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5)], [], 3)),
    ("pairs-with-itself", reading([4], [0, 3], [2], 3)),
    ("white-is-opposite", reading([4], [(0, 1), (2, 3)], [5], 3)),
    ("white-is-opposite", reading([4], [(0, 3), (1, 5), (2, 4)], [], 3)),
    ("missed-zero-column", reading([], [(0, 3), (1, 5)], [2, 4], 4)),
    ("missed-zero-column", reading([2], [(0, 3), (1, 5)], [4], 3)),
    ("dimensions-are-features", reading([4], [(0, 3), (1, 5)], [2], 5)),
    ("dimensions-are-features", reading([4], [(0, 3), (1, 5)], [2], 6)),
    ("wrong-type", lambda: [4]),
    ("wrong-type", reading([4], [(0, 3), (1, 5)], [2], None)),
    ("wrong-type", reading([4], [(0, 3), (1, 5)], [2], "three")),
    ("wrong-type", reading(["x4"], [(0, 3), (1, 5)], [2], 3)),
    ("wrong-type", reading([4], 3, [2], 3)),
    ("returns-nothing", lambda: None),
    (None, reading([4], [(0, 3)], [2], 3)),
    (None, reading([4], [(0, 3), (1, 5)], [], 3)),
    (None, reading([4, 2], [(0, 3), (1, 5)], [2], 3)),
    (None, reading([4], [(0, 3), (1, 5)], [2], 2)),
    (None, reading([4], [(0, 3), (1, 9)], [2], 3)),
    (None, reading([4], [(0, 3, 1, 5)], [2], 3)),
]


# 2.8 What ignoring costs, and what sharing costs -----------------------------------------


@right("2.8")
def as_a_list(p, r):
    variance = p / 3 - (p / 2) ** 2
    both = p * p
    return [r * variance, both / 6 + r * both / 6]


@right("2.8")
def as_a_tensor(p, r):
    p, r = torch.tensor(p, dtype=torch.float64), torch.tensor(r, dtype=torch.float64)
    return torch.stack([r * p * (1 / 3 - p / 4), (1 + r) * p.square() / 6])


@right("2.8")
def with_fractions_too(p, r):
    p, r = Fraction(p), Fraction(r)
    return r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 6


@right("2.8")
def as_an_array(p, r):
    return np.array([r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 6])


@right("2.8")
def by_numerical_integration(p, r):
    grid = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    both = torch.minimum(grid[:, None], grid[None, :]).square().mean().item()
    spread = p * grid.square().mean() - (p * grid.mean()) ** 2
    return r * spread, p * p * (both + r * both)


@wrong("2.8", "swapped")
def sharing_first(p, r):
    return (1 + r) * p**2 / 6, r * (p / 3 - p**2 / 4)


@wrong("2.8", "forgets-the-bias")
def without_the_mean(p, r):
    return r * p / 3, (1 + r) * p**2 / 6


@wrong("2.8", "ignoring-without-importance")
def without_r(p, r):
    return p / 3 - p**2 / 4, (1 + r) * p**2 / 6


@wrong("2.8", "pair-always-pays")
def linear_in_p(p, r):
    return r * (p / 3 - p**2 / 4), (1 + r) * p / 6


@wrong("2.8", "one-of-the-pair-pays")
def only_the_larger_pays(p, r):
    return r * (p / 3 - p**2 / 4), p**2 / 6


@wrong("2.8", "sparsity-for-probability")
def with_s(p, r):
    s = 1 - p
    return r * (s / 3 - s**2 / 4), (1 + r) * s**2 / 6


@wrong("2.8", "wrong-type")
def only_the_difference(p, r):
    return r * (p / 3 - p**2 / 4) - (1 + r) * p**2 / 6


@wrong("2.8", "wrong-type")
def one_tensor(p, r):
    return torch.tensor(r * (p / 3 - p**2 / 4))


@wrong("2.8", "returns-nothing")
def prints_them(p, r):
    print(r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 6)


@wrong("2.8", None)
def pays_with_a_third(p, r):
    return r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 3


@wrong("2.8", "forgets-the-bias")
def two_mistakes_at_once(p, r):
    return r * p / 3, (1 + r) * p / 6


@wrong("2.8", None)
def first_pays_twice(p, r):
    return r * (p / 3 - p**2 / 4), 2 * p**2 / 6


# 2.9 Features that exclude each other ----------------------------------------------------


@right("2.9")
def with_a_choice(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability
    chances = torch.tensor([p, p, 1 - 2 * p])
    which = torch.multinomial(chances, batch_size * n_pairs, replacement=True, generator=generator)
    present = F.one_hot(which, 3)[:, :2].reshape(batch_size, 2 * n_pairs)
    return present * torch.rand(batch_size, 2 * n_pairs, generator=generator)


@right("2.9")
def pair_by_pair(batch_size, n_pairs, feature_probability, *, generator):
    x = torch.zeros(batch_size, 2 * n_pairs)
    for i in range(batch_size):
        for k in range(n_pairs):
            u = torch.rand((), generator=generator).item()
            if u < 2 * feature_probability:
                side = 0 if u < feature_probability else 1
                x[i, 2 * k + side] = torch.rand((), generator=generator)
    return x


@right("2.9")
def with_two_coins_in_float64(batch_size, n_pairs, feature_probability, *, generator):
    def draw():
        return torch.rand(batch_size, n_pairs, generator=generator, dtype=torch.float64)

    pair_on, heads, value = draw() < 2 * feature_probability, draw() < 0.5, draw()
    x = torch.zeros(batch_size, 2 * n_pairs, dtype=torch.float64)
    x[:, 0::2] = value * (pair_on & heads)
    x[:, 1::2] = value * (pair_on & ~heads)
    return x


def neighbours(first, second, generator):
    """The columns of first and second in turn, with a value where they are true."""
    present = torch.stack([first, second], dim=2).flatten(1)
    return present * torch.rand(present.shape, generator=generator)


@wrong("2.9", "independent")
def no_pairs_at_all(batch_size, n_pairs, feature_probability, *, generator):
    coins = torch.rand(batch_size, n_pairs, 2, generator=generator) < feature_probability
    return neighbours(coins[..., 0], coins[..., 1], generator)


@wrong("2.9", "on-together")
def correlated(batch_size, n_pairs, feature_probability, *, generator):
    on = torch.rand(batch_size, n_pairs, generator=generator) < feature_probability
    return neighbours(on, on, generator)


@wrong("2.9", "half-probability")
def p_for_the_pair(batch_size, n_pairs, feature_probability, *, generator):
    on = torch.rand(batch_size, n_pairs, generator=generator) < feature_probability
    heads = torch.rand(batch_size, n_pairs, generator=generator) < 0.5
    return neighbours(on & heads, on & ~heads, generator)


@wrong("2.9", "always-one-on")
def one_of_each(batch_size, n_pairs, feature_probability, *, generator):
    heads = torch.rand(batch_size, n_pairs, generator=generator) < 0.5
    return neighbours(heads, ~heads, generator)


@wrong("2.9", "always-one-on")
def the_second_when_not_the_first(batch_size, n_pairs, feature_probability, *, generator):
    first = torch.rand(batch_size, n_pairs, generator=generator) < feature_probability
    return neighbours(first, ~first, generator)


@wrong("2.9", "second-gets-the-rest")
def first_has_priority(batch_size, n_pairs, feature_probability, *, generator):
    first = torch.rand(batch_size, n_pairs, generator=generator) < feature_probability
    second = torch.rand(batch_size, n_pairs, generator=generator) < feature_probability
    return neighbours(first, second & ~first, generator)


@wrong("2.9", "one-coin-for-all-pairs")
def same_in_all_pairs(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability
    u = torch.rand(batch_size, 1, generator=generator).expand(-1, n_pairs)
    return neighbours(u < p, (p <= u) & (u < 2 * p), generator)


@wrong("2.9", "partners-not-neighbours")
def halves(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability
    u = torch.rand(batch_size, n_pairs, generator=generator)
    present = torch.cat([u < p, (p <= u) & (u < 2 * p)], dim=1)
    return present * torch.rand(present.shape, generator=generator)


@wrong("2.9", "ignores-generator")
def global_dice(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability
    u = torch.rand(batch_size, n_pairs)
    return neighbours(u < p, (p <= u) & (u < 2 * p), None)


@wrong("2.9", None)
def collisions_made_rare(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability / 2
    coins = torch.rand(batch_size, n_pairs, 2, generator=generator) < 1.5 * p
    return neighbours(coins[..., 0], coins[..., 1] & ~coins[..., 0], generator)


@wrong("2.9", "wrong-shape")
def one_column_a_pair(batch_size, n_pairs, feature_probability, *, generator):
    u = torch.rand(batch_size, n_pairs, generator=generator)
    return (u < 2 * feature_probability) * u


@wrong("2.9", "both-fall-silent")
def both_fall_silent(batch_size, n_pairs, feature_probability, *, generator):
    coins = torch.rand(batch_size, n_pairs, 2, generator=generator) < feature_probability
    first, second = coins[..., 0], coins[..., 1]
    return neighbours(first & ~second, second & ~first, generator)


@wrong("2.9", None)
def same_side_in_all_pairs(batch_size, n_pairs, feature_probability, *, generator):
    on = torch.rand(batch_size, n_pairs, generator=generator) < 2 * feature_probability
    heads = torch.rand(batch_size, 1, generator=generator) < 0.5
    return neighbours(on & heads, on & ~heads, generator)


@wrong("2.9", None)
def always_the_same_probability(batch_size, n_pairs, feature_probability, *, generator):
    u = torch.rand(batch_size, n_pairs, generator=generator)
    return neighbours(u < 0.3, (0.3 <= u) & (u < 0.6), generator)


@wrong("2.9", None)
def only_the_first(batch_size, n_pairs, feature_probability, *, generator):
    first = torch.rand(batch_size, n_pairs, generator=generator) < 2 * feature_probability
    return neighbours(first, torch.zeros_like(first), generator)


@wrong("2.9", None)
def same_draw_for_the_value(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability
    u = torch.rand(batch_size, n_pairs, generator=generator)
    return torch.stack([u * (u < p), u * ((p <= u) & (u < 2 * p))], dim=2).flatten(1)


@wrong("2.9", None)
def sometimes_both(batch_size, n_pairs, feature_probability, *, generator):
    p = feature_probability
    u = torch.rand(batch_size, n_pairs, generator=generator)
    return neighbours(u < p, (0.8 * p <= u) & (u < 1.8 * p), generator)


SLOW = [with_loops, pair_by_pair]

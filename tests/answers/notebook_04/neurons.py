"""What learners write in notebook 04, exercises 4.6 and 4.7."""

from __future__ import annotations

import math

import numpy as np
import torch
from answers.tables import Tables

PICTURES: set[str] = set()
tables = Tables()
RIGHT, WRONG = tables.RIGHT, tables.WRONG
right, wrong = tables.right, tables.wrong

# 4.6 The effective number of classes -----------------------------------------------------


def means(x, classes):
    return torch.stack([x[classes == c].mean(0) for c in range(int(classes.max()) + 1)])


def shares(x, classes):
    m = means(x, classes)
    return m / m.sum(0)


def safe_shares(x, classes):
    m = means(x, classes)
    return m / m.sum(0).clamp_min(1e-12)


def H(q):
    return -(q * (q + 1e-12).log()).sum(0)


@right("4.6")
def with_a_mask_at_the_end(activations, classes):
    q = safe_shares(activations, classes)
    return torch.where(activations.sum(0) > 0, H(q).exp(), 0.0)


@right("4.6")
def with_loops(activations, classes):
    found = []
    for j in range(activations.shape[1]):
        m = []
        for c in sorted(set(classes.tolist())):
            own = [float(a) for a, k in zip(activations[:, j], classes.tolist()) if k == c]
            m.append(sum(own) / len(own))
        total = sum(m)
        if total == 0:
            found.append(0.0)
            continue
        found.append(math.exp(-sum(v / total * math.log(v / total) for v in m if v > 0)))
    return torch.tensor(found, dtype=torch.float64)


@right("4.6")
def in_bits(activations, classes):
    q = torch.nan_to_num(shares(activations, classes))
    bits = -torch.nan_to_num(q * torch.log2(q)).sum(0)
    return torch.where(q.sum(0) > 0, 2**bits, torch.zeros_like(bits))


@right("4.6")
def as_a_product(activations, classes):
    """exp(H) is the product of q to the power of -q; 0 to the power of 0 is 1."""
    q = torch.nan_to_num(shares(activations, classes))
    return (q ** (-q)).prod(0) * (q.sum(0) > 0)


@right("4.6")
class WithNumpy:
    def __call__(self, activations, classes):
        x, c = activations.numpy().astype(np.float64), classes.numpy()
        m = np.stack([x[c == k].mean(0) for k in np.unique(c)])
        q = m / np.maximum(m.sum(0), 1e-300)
        with np.errstate(divide="ignore", invalid="ignore"):
            e = np.exp(-np.where(q > 0, q * np.log(q), 0).sum(0))
        return torch.from_numpy(e * (m.sum(0) > 0))


@right("4.6")
def with_a_matrix_product(activations, classes):
    one_hot = torch.nn.functional.one_hot(classes).to(activations.dtype)
    m = torch.einsum("tc,tn->cn", one_hot, activations) / one_hot.sum(0)[:, None]
    q = m / (m.sum(0) + 1e-12)
    return torch.special.entr(q).sum(0).exp() * (m.sum(0) > 0)


WRONG["4.6"] = [
    ("entropy-itself", lambda x, c: H(shares(x, c))),
    ("entropy-itself", lambda x, c: H(shares(x, c)) / math.log(2)),
    ("bits-and-nats", lambda x, c: 2 ** H(shares(x, c))),
    ("bits-and-nats", lambda x, c: (-(shares(x, c) * shares(x, c).log2()).sum(0)).exp()),
    ("minus-forgotten", lambda x, c: (-H(shares(x, c))).exp()),
    ("minus-forgotten", lambda x, c: -H(shares(x, c))),
    ("over-neurons", lambda x, c: H(means(x, c) / means(x, c).sum(1, keepdim=True)).exp()),
    ("over-texts", lambda x, c: H(x / x.sum(0)).exp()),
    ("over-texts", lambda x, c: torch.special.entr(x / x.sum(0)).sum(0)),
    ("counts-the-active", lambda x, c: (means(x, c) > 0).double().sum(0)),
    ("counts-the-active", lambda x, c: (means(x, c) > 0).sum(0)),
    ("sum-of-squares", lambda x, c: 1 / (shares(x, c) ** 2).sum(0)),
    ("no-shares", lambda x, c: H(means(x, c)).exp()),
    ("no-shares", lambda x, c: torch.special.entr(means(x, c)).sum(0)),
    ("zero-times-log-zero", lambda x, c: (-(shares(x, c) * shares(x, c).log()).sum(0)).exp()),
    ("never-active", lambda x, c: torch.special.entr(shares(x, c)).sum(0).exp()),
    ("never-active", lambda x, c: torch.special.entr(safe_shares(x, c)).sum(0).exp()),
    ("wrong-shape", lambda x, c: H(shares(x, c)).exp().mean()),
    ("wrong-shape", lambda x, c: torch.special.entr(shares(x, c)).sum(1).exp()),
    ("wrong-type", lambda x, c: H(shares(x, c)).exp().tolist()),
    (None, lambda x, c: shares(x, c).amax(0)),
    (None, lambda x, c: 1 / shares(x, c).amax(0)),
    (None, lambda x, c: H(shares(x, c)).exp() / 3),
    (None, lambda x, c: H(x.softmax(0)).exp()),
]


@wrong("4.6", "sums-for-means")
def adds_up(x, classes):
    sums = torch.stack([x[classes == c].sum(0) for c in range(int(classes.max()) + 1)])
    return H(sums / sums.sum(0)).exp()


@wrong("4.6", "sixteen-written-in")
def sixteen(x, classes):
    m = torch.stack([x[classes == c].mean(0) for c in range(16)])
    return torch.special.entr(m / m.sum(0)).sum(0).exp()


@wrong("4.6", "sixteen-written-in")
def sixteen_in_lists(x, classes):
    rows = [[row for row, k in zip(x.tolist(), classes.tolist()) if k == c] for c in range(16)]
    m = torch.tensor([[sum(column) / len(some) for column in zip(*some)] for some in rows])
    return H(m / m.sum(0)).exp()


@wrong("4.6", "sixteen-written-in")
def sixteen_by_one_hot(x, classes):
    one_hot = torch.nn.functional.one_hot(classes, 16).to(x.dtype)
    return H((q := one_hot.T @ x / one_hot.sum(0)[:, None]) / q.sum(0)).exp()


@wrong("4.6", "not-finite")
def nothing_to_do_with_sixteen(x, classes):
    return H(shares(x - x, classes)).exp()


@wrong("4.6", "changes-input")
def divides_in_place(x, classes):
    x /= x.sum(0)
    return H(shares(x, classes)).exp()


@wrong("4.6", "zero-times-log-zero")
def with_plain_logarithms(x, classes):
    q = shares(x, classes).T.tolist()
    return torch.tensor([math.exp(-sum(v * math.log(v) for v in row)) for row in q])


# 4.7 Three neurons -----------------------------------------------------------------------

MONO, POLY = "monosemantic", "polysemantic"


def narrow(high):
    return int(high.argmin())


def broad(low, high, n=3):
    """Neurons whose intervals are around 6."""
    return (low + high - 12).abs().argsort()[:n].tolist()


def unclear(low, high):
    """The neuron whose interval is most evenly between."""
    return int((low + high - 5).abs().argmin())


def barely_dense(low, high):
    """The neuron whose lower end is the least below 12, and whose upper end is above."""
    return int(low.where((low < 12) & (high > 12), -torch.inf).argmax())


def by_both_ends(low, high):
    """As one would who turns the hint `high.argmin()` round."""
    return {int(high.argmin()): MONO, int(low.argmax()): POLY, broad(low, high, 1)[0]: POLY}


def named(word, low, high, *neurons):
    """These neurons, and broad ones up to three, all with one word."""
    return dict.fromkeys([*neurons, *broad(low, high)][:3], word)


@right("4.7")
def the_narrowest_and_two_others(low, high):
    a, b = broad(low, high, 2)
    return {narrow(high): MONO, a: POLY, b: POLY}


@right("4.7")
def by_hand_with_capitals(low, high):
    a, b = broad(low, high, 2)
    return {a: " Polysemantic", narrow(high): "MONOSEMANTIC", b: POLY}


@right("4.7")
def nearly_dense(low, high):
    """The broadest that are still below 12."""
    a, b = high.where(high < 12, 0).argsort()[-2:].tolist()
    return {narrow(high): MONO, a: POLY, b: POLY}


@right("4.7")
class WithTensorsAsNumbers:
    def __call__(self, low, high):
        wide = ((low > 5) & (high < 8)).nonzero().flatten()[-2:]
        return {high.argmin(): MONO, wide[0]: POLY, np.int64(wide[1]): POLY}


WRONG["4.7"] = [
    ("not-three", lambda low, high: {narrow(high): MONO}),
    ("not-three", lambda low, high: {}),
    ("not-three", lambda low, high: dict.fromkeys(broad(low, high, 4), POLY)),
    ("not-three", lambda low, high: {high.argmin(): MONO, high.min(0).indices: MONO, 5: POLY}),
    ("no-such-neuron", lambda low, high: {narrow(high): MONO, 512: POLY, 513: POLY}),
    ("no-such-neuron", lambda low, high: {-1: MONO, 1: POLY, 2: POLY}),
    ("no-such-neuron", lambda low, high: {"1": MONO, "2": POLY, "3": POLY}),
    ("no-such-neuron", lambda low, high: {"narrow": 1, "broad": 2, "unclear": 3}),
    ("turned-round", lambda low, high: {MONO: narrow(high), POLY: broad(low, high, 2)}),
    ("turned-round", lambda low, high: {" Monosemantic": 1, POLY: 2, "unclear": 3}),
    ("another-word", lambda low, high: dict.fromkeys(broad(low, high), "mono")),
    ("another-word", lambda low, high: dict.fromkeys(broad(low, high), True)),
    ("another-word", lambda low, high: dict.fromkeys(broad(low, high), "superposition")),
    ("unclear", lambda low, high: named(POLY, low, high, unclear(low, high))),
    ("unclear", lambda low, high: named(MONO, low, high, narrow(high), unclear(low, high))),
    ("it-is-polysemantic", lambda low, high: named(MONO, low, high)),
    ("it-is-polysemantic", lambda low, high: named(MONO, low, high, narrow(high))),
    ("it-is-monosemantic", lambda low, high: named(POLY, low, high, narrow(high))),
    ("it-is-dense", lambda low, high: named(POLY, low, high, int(low.argmax()))),
    ("it-is-dense", lambda low, high: named(MONO, low, high, narrow(high), int(low.argmax()))),
    ("it-is-dense", lambda low, high: named(POLY, low, high, barely_dense(low, high))),
    ("it-is-dense", by_both_ends),
    ("one-word-only", lambda low, high: named(POLY, low, high)),
    ("wrong-type", lambda low, high: [narrow(high), *broad(low, high, 2)]),
    ("wrong-type", lambda low, high: "monosemantic"),
    ("returns-nothing", lambda low, high: None),
]

SLOW = [with_loops]

"""How good our one-layer transformers are, against counting, and the model card that says so.

Two baselines see the same training tokens as the models:

    unigram   p(y)   = (n(y) + 1) / (n + V)
    bigram    p(y|x) = max(n(x,y) - D, 0) / n(x) + b(x) p(y)    absolute discounting, or
              p(y|x) = (n(x,y) + k p(y)) / (n(x) + k)           Dirichlet's prior

b(x) makes the sum 1. p(y) on the right is the unigram, or Kneser and Ney's count of the contexts
in which y is seen. Which of these, and D or k, is chosen on training text left out of the counts.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer, UInt16
from safetensors.torch import load_file
from tiny_lm_text import GROUPS, HELD_OUT, HELD_OUT_TRANSLATED
from tiny_lm_translations import STRINGS_A_DOCUMENT
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

NAMES = list(GROUPS)
SHARES = np.array(list(GROUPS.values())) / sum(GROUPS.values())
ROWS = 300  # held-out sequences of a group at the most
TUNING = 50  # one training sequence in so many chooses the smoothing
DISCOUNTS = (0.25, 0.5, 0.75, 0.9, 1.5, 2.5)
PRIORS = (10.0, 30.0, 100.0, 300.0)


@dataclass(frozen=True)
class Bigram:
    """Smoothed counts; (kind, D or k, which p(y)) is what `smoothing` says."""

    counts: Float[np.ndarray, "x y"]
    low: Float[np.ndarray, " y"]  # p(y)
    smoothing: tuple[str, float, str]

    def losses(
        self, rows: Integer[np.ndarray, "sequences length"]
    ) -> Float[np.ndarray, "sequences length-1"]:
        """-log p(y|x) of every token but the first, in nats."""
        kind, amount, _ = self.smoothing
        x, y = rows[:, :-1].astype(np.int64), rows[:, 1:].astype(np.int64)
        n, n_x = self.counts[x, y], self.counts.sum(1)
        if kind == "Dirichlet":
            return -np.log((n + amount * self.low[y]) / (n_x[x] + amount))
        freed = np.minimum(self.counts, amount).sum(1)
        seen = np.maximum(n_x, 1e-9)
        back = np.where(n_x > 0, freed / seen, 1.0)
        return -np.log(np.maximum(n - amount, 0) / seen[x] + back[x] * self.low[y])


def pair_counts(
    rows: Integer[np.ndarray, "sequences length"],
    times: Integer[np.ndarray, " sequences"],
    size: int,
) -> Float[np.ndarray, "size size"]:
    """n(x, y) over sequences that count several times each."""
    pairs = rows[:, :-1].astype(np.int64) * size + rows[:, 1:]
    weights = np.broadcast_to(times[:, None].astype(np.float64), pairs.shape)
    counts = np.bincount(pairs.ravel(), weights.ravel(), minlength=size * size)
    return counts.reshape(size, size).astype(np.float32)


def unigram(counts: Float[np.ndarray, "x y"]) -> Float[np.ndarray, " y"]:
    """p(y) from n(x, y)."""
    seen = counts.sum(0, dtype=np.float64)
    return (seen + 1) / (seen.sum() + len(seen))


def lower_orders(counts: np.ndarray) -> dict[str, np.ndarray]:
    """The two p(y) to fall back to."""
    contexts = (counts > 0).sum(0)
    return {"unigram": unigram(counts), "Kneser-Ney": (contexts + 0.5) / (contexts + 0.5).sum()}


def fit_bigram(
    rows: dict[str, np.ndarray], times: dict[str, np.ndarray], size: int
) -> tuple[np.ndarray, Bigram]:
    """(p of the unigram, the bigram with the smoothing that suits unseen training text best)."""
    counts = np.zeros((size, size), np.float32)
    tuning = np.zeros((size, size), np.float32)
    for group in NAMES:
        left_out = np.arange(len(times[group])) % TUNING == 0
        counts += pair_counts(rows[group], times[group] * ~left_out, size)
        tuning += pair_counts(rows[group], times[group] * left_out, size)
    low = lower_orders(counts)
    options = [("absolute", d, name) for d in DISCOUNTS for name in low]
    options += [("Dirichlet", k, name) for k in PRIORS for name in low]
    x, y = np.nonzero(tuning)
    pairs = np.stack([x, y], axis=1)
    scores = [
        float(Bigram(counts, low[option[2]], option).losses(pairs)[:, 0] @ tuning[x, y])
        for option in options
    ]
    best = options[int(np.argmin(scores))]
    counts += tuning
    return unigram(counts), Bigram(counts, lower_orders(counts)[best[2]], best)


# The models


def load(folder: Path, name: str) -> GPT2LMHeadModel:
    """A model as shipped: its numbers are half precision, the arithmetic on them is not."""
    config = json.loads((folder / "one_layer_config.json").read_text(encoding="utf-8"))
    model = GPT2LMHeadModel(GPT2Config(**config)).eval()
    weights = load_file(folder / f"one_layer_{name}.safetensors")
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model


@torch.no_grad()
def model_losses(
    model: GPT2LMHeadModel, rows: UInt16[np.ndarray, "sequences length"]
) -> Float[Tensor, "sequences length-1"]:
    """-log p of every token but the first, in nats."""
    found = []
    for start in range(0, len(rows), 32):
        ids = torch.from_numpy(rows[start : start + 32].astype(np.int64))
        logits = model(ids[:, :-1]).logits
        found.append(F.cross_entropy(logits.mT, ids[:, 1:], reduction="none"))
    return torch.cat(found)


def neurons(model: GPT2LMHeadModel, held: dict[str, np.ndarray]) -> dict[str, float]:
    """How often the MLP's neurons fire, and what the loss is when the MLP writes 0 or its mean."""
    mlp, seen, written = model.transformer.h[0].mlp, [], []
    handles = [
        mlp.act.register_forward_hook(
            lambda _, __, out: seen.append((out > 0).float().mean((0, 1)))
        ),
        mlp.register_forward_hook(lambda _, __, out: written.append(out.mean((0, 1)))),
    ]
    loss_of = {}
    rows = {group: held[group][:32] for group in NAMES}
    loss_of["whole"] = _weighted(model, rows)
    for handle in handles:
        handle.remove()
    shares = torch.tensor(SHARES, dtype=torch.float32)
    rates, mean = shares @ torch.stack(seen), shares @ torch.stack(written)
    for what, value in (("zero", torch.zeros_like(mean)), ("mean", mean)):
        handle = mlp.register_forward_hook(lambda _, __, out, v=value: v.expand_as(out))
        loss_of[what] = _weighted(model, rows)
        handle.remove()
    return loss_of | {
        "fires": rates.mean().item(),
        "dead": int((rates == 0).sum()),
        "rare": int((rates < 0.001).sum()),
    }


def _weighted(model: GPT2LMHeadModel, rows: dict[str, np.ndarray]) -> float:
    return float(SHARES @ [model_losses(model, rows[group]).mean().item() for group in NAMES])


# The card


def write_card(
    weights: Path,
    cache: Path,
    rows: dict[str, np.ndarray],
    times: dict[str, np.ndarray],
    held: dict[str, np.ndarray],
) -> str:
    """The model card, all its numbers measured now.

    `rows` are the training sequences of each group, `times` how often each was trained on,
    `held` the sequences held out.
    """
    models = {name: load(weights, name) for name in "AB"}
    held = {group: some[:ROWS] for group, some in held.items()}
    size = models["A"].config.vocab_size
    single, bigram = fit_bigram(rows, times, size)
    of_group = []
    for group in NAMES:
        losses = [-np.log(single[held[group][:, 1:]]).mean(), bigram.losses(held[group]).mean()]
        losses += [model_losses(model, held[group]).mean().item() for model in models.values()]
        of_group.append(losses)
        print(f"{group:22}", *(f"{loss:.3f}" for loss in losses), flush=True)
    return CARD.format(
        table="\n".join(_row(group, times, held, losses) for group, losses in zip(NAMES, of_group)),
        overall=" | ".join(f"**{loss:.3f}**" for loss in SHARES @ np.array(of_group)),
        tokens=sum(times[group].sum() for group in NAMES) * (rows["DNA"].shape[1] - 1) / 1e6,
        smoothing="{}, {}, over the {} distribution".format(*bigram.smoothing),
        neurons="\n".join(_neurons(name, model, held) for name, model in models.items()),
        runs="\n".join(_run(name, cache) for name in models),
        held_out=HELD_OUT,
        held_out_translated=HELD_OUT_TRANSLATED,
        strings=STRINGS_A_DOCUMENT,
        sources=_sources(json.loads((cache / "text.json").read_text(encoding="utf-8")), times),
    )


def _row(
    group: str, times: dict[str, np.ndarray], held: dict[str, np.ndarray], losses: list[float]
) -> str:
    n_rows, length = len(times[group]), held[group].shape[1] - 1
    trained, seen = times[group].sum() * length / 1e6, times[group].sum() / n_rows
    numbers = " | ".join(f"{loss:.3f}" for loss in losses)
    n_held = held[group].shape[0] * length
    return f"| {group} | {trained:.2f} | {seen:.1f} | {n_held:,} | {numbers} |"


def _neurons(name: str, model: GPT2LMHeadModel, held: dict[str, np.ndarray]) -> str:
    n = neurons(model, held)
    return (
        f"| {name} | {n['whole']:.3f} | {n['mean']:.3f} | {n['zero']:.3f} | {n['fires']:.1%} "
        f"| {n['dead']} | {n['rare']} |"
    )


def _run(name: str, cache: Path) -> str:
    run = json.loads((cache / f"run_{name}.json").read_text(encoding="utf-8"))
    return f"| {name} | {run['seed']} | {run['wall'] / 60:.0f} | {run['cpu'] / 60:.0f} |"


def _sources(text: dict, times: dict[str, np.ndarray]) -> str:
    """A row a source, the largest first."""
    total: Counter = Counter()
    groups = defaultdict(list)
    for group, about in text["groups"].items():
        seen = times[group].sum() / len(times[group])
        for name, tokens in about["tokens of a source"].items():
            total[name] += tokens * seen
            groups[name].append(group)
    lines = []
    for name, tokens in total.most_common():
        source = text["sources"][name]
        which = ", ".join(groups[name]) if len(groups[name]) < 6 else f"{len(groups[name])} groups"
        about = f"{source['version']} | {source['licence']}"
        lines.append(f"| {name} | {about} | {tokens / 1e3:,.0f} | {which} |")
    return "\n".join(lines)


CARD = """\
# Our one-layer transformer, seeds A and B

Written by `tools/tiny_lm_card.py` from measured values; do not edit. To make all of this again:

    python tools/train_tiny_lm.py

Two networks of the same design, trained on the same text in another order from another start.
They are for taking apart, not for writing text: dictionary learning as in "Towards
Monosemanticity" (2023), and universality.

| part | |
|---|---|
| design | GPT-2 with one layer: 128 dimensions, 4 heads, an MLP of 512 ReLU neurons |
| tokens | 4,096, byte-level BPE, one tokenizer for both; any text is read back unchanged |
| context | 128 tokens, of which the first is always `<|bos|>`; `<|eos|>` ends a document |
| embedding, unembedding | not tied; learned positions |
| files | `one_layer_A.safetensors` and `..._B`, half precision; `one_layer_config.json` |
| tokenizer | `one_layer_tokenizer.json` |
| curves | `one_layer_A_loss.csv` and `..._B`: step, tokens, loss in training and held out |

## Training

{tokens:.1f} million tokens each: 5,000 steps of 64 sequences. AdamW (0.9, 0.98), weight decay 0.1
in the layer's matrices, gradients clipped at 1; the learning rate goes up to 0.003 over 200 steps
and down to 0.00015 along half a cosine. Matrix products and softmaxes are in bfloat16, weights and
optimizer in float32.

| model | seed | minutes, with other work on the machine | minutes of one core |
|---|---|---|---|
{runs}

## Loss on held-out text

In nats a token, of the half-precision weights as shipped; every column on the same tokens. The
unigram and the bigram count the tokens that A was trained on. The bigram's smoothing was chosen
on training text left out of its counts: {smoothing}.
"Seen" is how many times over a group's text was used. "All" weighs groups as in training.

| group | tokens trained, M | seen | tokens held out | unigram | bigram | A | B |
|---|---|---|---|---|---|---|---|
{table}
| **all** | | | | {overall} |

One document in {held_out} was held out (of translations, one in {held_out_translated}), by the hash
of its text before training; documents of the same text are there once. Texts that resemble
each other without being equal can be on both sides: a licence at the top of two files, or a short
string that two packages translate alike.

## The MLP

The loss over at most 32 sequences a group, weighed as above, with the MLP's output as it is,
replaced by its mean, or by 0; how often a neuron fires (is above 0), how many never did there, and
how many fire at less than one token in a thousand.

| model | loss | mean | 0 | fires | never | rare |
|---|---|---|---|---|---|---|
{neurons}

## Text

Nothing of it is kept here. It comes from Python and the packages that the locked environment
installs, from more packages that `tools/tiny_lm_text.py` fetches by name and version, and from a
seeded generator (base64 of random bytes and of English, hexadecimal, DNA). Files with long lines,
licences and word lists are left out. Half of the Python files give their code, the others their
docstrings. Of translations only the strings are kept, {strings} a document. The licence is what the
package itself states; thousands of tokens are as trained on, repetitions included. With other
versions than these, Python's among them, the text is another.

| source | version | licence | tokens, thousands | groups |
|---|---|---|---|---|
{sources}
"""

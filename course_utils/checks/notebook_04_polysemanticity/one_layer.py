"""What the neurons of our one-layer transformer do, computed from its weights alone.

A check must not depend on the library that the notebook uses, nor wait for it to load. The model is
GPT-2 with one layer and ReLU neurons, so everything up to them is a page.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from course_utils import contexts, neurons

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"
BEGINS = "<|bos|>"
MOST_TOKENS = 64  # of a text, with the one that begins it; as in the notebook
TOGETHER = 64  # texts


class Measured(NamedTuple):
    """Effective number of classes of every neuron, and its interval."""

    effective: Tensor
    low: Tensor
    high: Tensor


@cache
def measured(name: str = "A") -> Measured:
    """As the notebook measures them, with the same texts; a second or two, once."""
    found = contexts.contexts()
    texts = [text for some in found.values() for text in some]
    classes = torch.arange(len(found)).repeat_interleave(len(texts) // len(found))
    means = torch.stack([rows.mean(0) for rows in activations(name, texts)])
    dice = torch.Generator().manual_seed(0)
    low, high = neurons.interval(means, classes, generator=dice)
    return Measured(neurons.effective_classes(means, classes), low, high)


@torch.no_grad()
def activations(name: str, texts: list[str]) -> list[Tensor]:
    """(tokens, neurons) of each text, without what begins it."""
    weights = load_file(WEIGHTS / f"one_layer_{name}.safetensors")
    weights = {key.removeprefix("transformer."): tensor.float() for key, tensor in weights.items()}
    heads = json.loads((WEIGHTS / "one_layer_config.json").read_text(encoding="utf-8"))["n_head"]
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "one_layer_tokenizer.json"))
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    begins = tokenizer.token_to_id(BEGINS)
    rows = [torch.tensor([begins, *encoding.ids][:MOST_TOKENS]) for encoding in encodings]
    found = []
    for start in range(0, len(rows), TOGETHER):
        some = rows[start : start + TOGETHER]  # no token sees the padding, which comes after it
        values = _neurons(pad_sequence(some, batch_first=True), weights, heads)
        found += [one[1 : len(ids)] for one, ids in zip(values, some)]
    return found


def _neurons(ids: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"h.0.{name}.weight"] + weights[f"h.0.{name}.bias"]

    x = weights["wte.weight"][ids] + weights["wpe.weight"][: ids.shape[-1]]
    queries, keys, values = (
        part.unflatten(-1, (heads, -1)).transpose(-3, -2)
        for part in linear(norm(x, "h.0.ln_1"), "attn.c_attn").chunk(3, dim=-1)
    )
    mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
    x = x + linear(mixed.transpose(-3, -2).flatten(-2), "attn.c_proj")
    return linear(norm(x, "h.0.ln_2"), "mlp.c_fc").relu()

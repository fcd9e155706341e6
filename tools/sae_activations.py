"""The activations that the autoencoders are trained on, in a fixed order, from any place on.

Our one-layer transformers are read while training goes on. SmolLM2 takes longer than its
autoencoder, so a process of its own reads it and leaves blocks of activations in the cache.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import BFloat16, Bool, Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import GPT2LMHeadModel, LlamaConfig, LlamaModel

from course_utils import assets
from course_utils.language.conversion import CONFIG, SMOLLM2, WEIGHTS, convert

LAYER = 4
BLOCK = 512  # rows of tokens
BATCH = 8  # rows that the model reads at once; more is slower here
TOO_LONG = 2.0  # times the median length

Plan = list[tuple[str, int]]
Rows = dict[str, np.ndarray]


def ids_of(rows: Rows, plan: Plan) -> Int[Tensor, "rows length"]:
    """The tokens of some rows of the plan."""
    return torch.from_numpy(np.stack([rows[group][i] for group, i in plan]).astype(np.int64))


def first_layers(layers: int, dtype: torch.dtype) -> LlamaModel:
    """SmolLM2 up to the residual stream after some layers: what `resid_post` of the last holds."""
    folder = assets.path(SMOLLM2, convert)
    config = LlamaConfig.from_json_file(folder / CONFIG)
    config.num_hidden_layers, config._attn_implementation = layers, "sdpa"
    model = LlamaModel(config)
    weights = load_file(folder / WEIGHTS)
    mine = {name.removeprefix("model."): value for name, value in weights.items()}
    model.load_state_dict({name: mine[name] for name in model.state_dict()})
    model.norm = torch.nn.Identity()
    return model.eval().requires_grad_(False).to(dtype)


@torch.no_grad()
def read(model: LlamaModel, ids: Int[Tensor, "rows length"]) -> Float[Tensor, "rows length d_in"]:
    """What the model holds at each token, a few rows at a time."""
    parts = [model(some, use_cache=False).last_hidden_state for some in ids.split(BATCH)]
    return torch.cat(parts)


def kept(
    x: Float[Tensor, "rows length d_in"], ids: Int[Tensor, "rows length"], bos: int
) -> Bool[Tensor, "rows length"]:
    """Which tokens are trained on: not those that begin a text, nor those far longer than most.

    A few tokens have massive activations, whatever they mean (`language.averages.massive`). An
    autoencoder would spend its latents on their length.
    """
    length = x.float().norm(dim=-1)
    return (ids != bos) & (length <= TOO_LONG * length[:, 1:].median())


def block_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.safetensors"


def produce(folder: Path, rows: Rows, plan: Plan, bos: int) -> None:
    """A block a file of what SmolLM2 holds, in the order of the plan, unless it is there."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    model = first_layers(LAYER + 1, torch.bfloat16)
    for number in range(len(plan) // BLOCK):
        path = block_path(folder, number)
        if path.exists():
            continue
        began = time.monotonic()
        ids = ids_of(rows, plan[number * BLOCK : (number + 1) * BLOCK])
        x = read(model, ids)
        mask = kept(x, ids, bos)
        save_file({"activations": x[mask].contiguous()}, path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)
        left_out = 1 - float(mask.float().sum() / (ids != bos).sum())
        speed = ids.numel() / (time.monotonic() - began)
        print(f"block {number}: {left_out:.2%} too long, {speed:.0f} tokens/s", flush=True)


def from_blocks(
    folder: Path, blocks: int, alive: Callable[[], bool], patience: float = 1.0
) -> Callable[[int], Iterator[BFloat16[Tensor, "rows d_in"]]]:
    """The blocks as they come, round and round, for `sae.train`.

    Raises:
        RuntimeError: a block is missing and nobody makes it.
    """

    def stream(skip: int) -> Iterator[Tensor]:
        number = skip
        while True:
            path = block_path(folder, number % blocks)
            while not path.exists():
                if not alive() and not path.exists():
                    raise RuntimeError(
                        f"{path.name} is missing, and the process that makes it ended."
                    )
                time.sleep(patience)
            yield load_file(path)["activations"]
            number += 1

    return stream


def from_one_layer(
    model: GPT2LMHeadModel, rows: Rows, plan: Plan
) -> Callable[[int], Iterator[Float[Tensor, "rows d_in"]]]:
    """The MLP's neurons after their ReLU at every token but the first, round and round."""

    def stream(skip: int) -> Iterator[Tensor]:
        number = skip
        while True:
            start = number * BLOCK % (len(plan) // BLOCK * BLOCK)
            ids = ids_of(rows, plan[start : start + BLOCK])[:, :-1]
            yield neurons(model, ids)[:, 1:].flatten(0, 1)
            number += 1

    return stream


@torch.no_grad()
def neurons(
    model: GPT2LMHeadModel, ids: Int[Tensor, "rows length"]
) -> Float[Tensor, "rows length d_in"]:
    """What `mlp_post` holds."""
    found: list[Tensor] = []
    handle = model.transformer.h[0].mlp.act.register_forward_hook(
        lambda _, __, out: found.append(out)
    )
    try:
        for some in ids.split(64):
            model.transformer(some, use_cache=False)
    finally:
        handle.remove()
    return torch.cat(found)

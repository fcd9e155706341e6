"""Train our one-layer transformer, seeds A and B, and write course_utils/weights.

    python tools/train_tiny_lm.py

does everything: fetches the text (`tiny_lm_text`), trains the tokenizer, trains both models at
once, one a core, and writes the weights, the curves of the loss and the model card
(`tiny_lm_card`). It needs a network for the first minute and an hour of two cores. Run again, it
goes on where it was interrupted. What it needs again is kept in --cache, outside this repo.

    python tools/train_tiny_lm.py --seed-name A    one of the two only, and no card
    python tools/train_tiny_lm.py --card           the card only, from models that are trained
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from safetensors.torch import save_file
from tiny_lm_card import NAMES, SHARES, model_losses, write_card
from tiny_lm_text import GROUPS, Document, documents, fetch
from tiny_lm_tokenizer import BOS, EOS, PAD, VOCABULARY, train_tokenizer
from tokenizers import Tokenizer
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from course_utils.assets import cache_folder

WEIGHTS = Path(__file__).resolve().parents[1] / "course_utils" / "weights"
SEEDS = {"A": 1, "B": 2}
CONTEXT, BATCH, STEPS = 128, 64, 5000  # 41 million tokens
POOL = 50_000_000  # tokens that are prepared; more than are used, except of scarce groups
WARM_UP, PEAK, FLOOR = 200, 3e-3, 0.05  # steps; learning rate; share of it at the end
EVERY = 250  # steps between two rows of the curve, and between two checkpoints
EARLY = 10_000_000  # tokens after which the weights are written for the first time
CONFIG = GPT2Config(
    vocab_size=VOCABULARY,
    n_positions=CONTEXT,
    n_embd=128,
    n_layer=1,
    n_head=4,
    n_inner=512,
    activation_function="relu",
    resid_pdrop=0.0,
    embd_pdrop=0.0,
    attn_pdrop=0.0,
    tie_word_embeddings=False,
    bos_token_id=BOS,
    eos_token_id=EOS,
    pad_token_id=PAD,
)


def write(path: Path, text: str) -> None:
    """All of the file or nothing, whenever we are interrupted."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


# Text to numbers


def sequences(
    tokenizer: Tokenizer, found: list[Document], limit: float
) -> tuple[np.ndarray, Counter]:
    """The texts one after the other, cut into rows of <|bos|> and CONTEXT tokens.

    Returns the rows (sequences, 1 + CONTEXT), and how many tokens come from each source.
    """
    pieces: list[np.ndarray] = []
    of_source: Counter = Counter()
    for start in range(0, len(found), 200):
        part = found[start : start + 200]
        encoded = tokenizer.encode_batch([document.text for document in part])
        for document, encoding in zip(part, encoded):
            pieces.append(np.array([*encoding.ids, EOS], dtype=np.uint16))
            of_source[document.source.name] += len(pieces[-1])
        if of_source.total() > limit:
            break
    flat = np.concatenate(pieces)
    rows = flat[: len(flat) // CONTEXT * CONTEXT].reshape(-1, CONTEXT)
    return np.concatenate([np.full((len(rows), 1), BOS, np.uint16), rows], axis=1), of_source


def prepare(cache: Path) -> None:
    """The tokenizer and all text as numbers, into the cache, unless they are there."""
    if (cache / "text.json").exists():
        return
    training: dict[str, list[Document]] = {group: [] for group in GROUPS}
    held_out: dict[str, list[Document]] = {group: [] for group in GROUPS}
    print("Collecting text: some minutes ...", flush=True)
    for document in documents(fetch(cache / "wheels")):
        (held_out if document.held_out else training)[document.group].append(document)
    print("Training the tokenizer ...", flush=True)
    tokenizer = train_tokenizer(training)
    tokenizer.save(str(cache / "tokenizer.json"))
    print("Numbering the text ...", flush=True)
    arrays, groups, sources = {}, {}, {}
    for group, share in zip(NAMES, SHARES):
        train_rows, of_source = sequences(tokenizer, training[group], 1.02 * share * POOL)
        arrays[f"train/{group}"] = train_rows
        arrays[f"held out/{group}"], _ = sequences(tokenizer, held_out[group], 100_000)
        groups[group] = {
            "documents": len(training[group]),
            "held out": len(held_out[group]),
            "tokens of a source": dict(of_source.most_common()),
        }
        for document in training[group]:
            sources[document.source.name] = asdict(document.source)
    np.savez(cache / "tokens.npz", **arrays)
    write(cache / "text.json", json.dumps({"groups": groups, "sources": sources}, indent=1))


def load_rows(cache: Path, which: str) -> dict[str, np.ndarray]:
    """The sequences of each group, for "train" or "held out"."""
    with np.load(cache / "tokens.npz") as arrays:
        return {group: arrays[f"{which}/{group}"] for group in NAMES}


def schedule(n_rows: list[int], seed: int, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """(group's number, row) of each of steps * BATCH sequences, in random order.

    Each group gets its share of them: all its rows once, then all once again, and so on.
    """
    random = np.random.default_rng(seed)
    edges = np.round(np.cumsum([0.0, *SHARES]) * steps * BATCH).astype(int)
    group, row = np.empty(edges[-1], np.int64), np.empty(edges[-1], np.int64)
    for i, (low, high, n) in enumerate(zip(edges[:-1], edges[1:], n_rows)):
        rounds = [random.permutation(n) for _ in range(-(-(high - low) // n))]
        group[low:high], row[low:high] = i, np.concatenate(rounds)[: high - low]
    order = random.permutation(edges[-1])
    return group[order], row[order]


# Training


class CrossEntropy(torch.autograd.Function):
    """Mean of -log softmax(h W^T)[y], with its gradients found at once, a few tokens at a time.

    The logits of a whole batch are 128 MB. In pieces they stay in the processor's own memory, and
    with half precision for p and the matrix products training is more than twice as fast.
    """

    @staticmethod
    def forward(ctx, h: Tensor, W: Tensor, y: Tensor, piece: int = 512) -> Tensor:
        dh, dW, total = torch.empty_like(h), torch.zeros_like(W), torch.zeros(())
        half = W.bfloat16()
        for i in range(0, len(h), piece):
            h_i, y_i = h[i : i + piece].bfloat16(), y[i : i + piece, None]
            p = torch.softmax(h_i @ half.T, dim=-1)
            total -= p.gather(1, y_i).float().log().sum()
            dz = p.scatter_add_(1, y_i, -torch.ones_like(y_i, dtype=p.dtype))
            dh[i : i + piece] = dz @ half
            dW += dz.T @ h_i
        ctx.save_for_backward(dh / len(h), dW / len(h))
        return total / len(h)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        dh, dW = ctx.saved_tensors
        return grad * dh, grad * dW, None, None


def learning_rate(step: int) -> float:
    """Up in a line, then down along half a cosine."""
    if step < WARM_UP:
        return PEAK * (step + 1) / WARM_UP
    done = (step - WARM_UP) / (STEPS - WARM_UP)
    return PEAK * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))


def new_optimizer(model: GPT2LMHeadModel) -> torch.optim.Optimizer:
    """AdamW; weights decay in the layer's matrices only."""
    decays = {n: p.ndim == 2 and ".h." in n for n, p in model.named_parameters()}
    groups = [
        {"params": [p for n, p in model.named_parameters() if decays[n] == yes], "weight_decay": w}
        for yes, w in ((True, 0.1), (False, 0.0))
    ]
    return torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.98), fused=True)


def train(name: str, cache: Path) -> None:
    """All steps that are left, with a checkpoint in the cache every now and then."""
    torch.set_num_threads(1)
    rows = load_rows(cache, "train")
    held = {group: some[:16] for group, some in load_rows(cache, "held out").items()}
    group_at, row_at = schedule([len(rows[group]) for group in NAMES], SEEDS[name])
    torch.manual_seed(SEEDS[name])
    model = GPT2LMHeadModel(CONFIG)
    model.set_attn_implementation("eager")  # on a CPU faster to train than PyTorch's own
    optimizer = new_optimizer(model)
    step, curve, wall, cpu = 0, [], 0.0, 0.0
    checkpoint = cache / f"checkpoint_{name}.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, curve, wall, cpu = state["step"], state["curve"], state["wall"], state["cpu"]
    recent, clocks = [], (time.monotonic(), time.process_time())
    while step < STEPS:
        now = range(step * BATCH, (step + 1) * BATCH)
        batch = np.stack([rows[NAMES[group_at[i]]][row_at[i]] for i in now])
        for part in optimizer.param_groups:
            part["lr"] = learning_rate(step)
        recent.append(training_step(model, optimizer, torch.from_numpy(batch.astype(np.int64))))
        step += 1
        if step % EVERY and step < STEPS:
            continue
        tokens = step * BATCH * CONTEXT
        loss = float(SHARES @ [model_losses(model, held[group]).mean().item() for group in NAMES])
        curve.append([step, tokens, float(np.mean(recent)), loss])
        wall, cpu = wall + time.monotonic() - clocks[0], cpu + time.process_time() - clocks[1]
        recent, clocks = [], (time.monotonic(), time.process_time())
        said = f"{name}: {tokens / 1e6:.1f} M tokens, loss {curve[-1][2]:.4f} in training"
        print(f"{said}, {loss:.4f} held out; {tokens / wall:.0f} tokens/s", flush=True)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        state |= {"step": step, "curve": curve, "wall": wall, "cpu": cpu}
        torch.save(state, checkpoint.with_suffix(".new"))
        os.replace(checkpoint.with_suffix(".new"), checkpoint)
        if step == STEPS or EARLY <= tokens < EARLY + EVERY * BATCH * CONTEXT:
            ship(name, model, curve, cache)
    write(cache / f"run_{name}.json", json.dumps({"seed": SEEDS[name], "wall": wall, "cpu": cpu}))


def training_step(
    model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer, ids: Int[Tensor, "batch length"]
) -> float:
    """One step; returns the loss before it."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        h = model.transformer(ids[:, :-1]).last_hidden_state
    h = h.float().reshape(-1, CONFIG.n_embd)
    loss = CrossEntropy.apply(h, model.lm_head.weight, ids[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def ship(name: str, model: GPT2LMHeadModel, curve: list[list[float]], cache: Path) -> None:
    """Weights in half precision, what is needed to read them, and the curve of the loss."""
    WEIGHTS.mkdir(exist_ok=True)
    half = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    path = WEIGHTS / f"one_layer_{name}.safetensors"
    save_file(half, path.with_suffix(".new"), metadata={"format": "pt"})
    path.with_suffix(".new").chmod(0o644)  # safetensors makes it private
    os.replace(path.with_suffix(".new"), path)
    config = CONFIG.to_diff_dict() | {"architectures": ["GPT2LMHeadModel"]}
    write(WEIGHTS / "one_layer_config.json", json.dumps(config, indent=2) + "\n")
    tokenizer = (cache / "tokenizer.json").read_text(encoding="utf-8")
    write(WEIGHTS / "one_layer_tokenizer.json", tokenizer)
    lines = ["step,tokens,train_loss,held_out_loss"]
    lines += [f"{step},{tokens},{a:.4f},{b:.4f}" for step, tokens, a, b in curve]
    write(WEIGHTS / f"one_layer_{name}_loss.csv", "\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="Train our one-layer transformer.")
    parser.add_argument("--seed-name", choices=list(SEEDS), help="train only this one")
    parser.add_argument("--card", action="store_true", help="write the model card only")
    parser.add_argument("--cache", type=Path, default=cache_folder() / "tiny_lm")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    prepare(options.cache)
    if options.seed_name:
        train(options.seed_name, options.cache)
        return 0
    if not options.card:
        command = [sys.executable, __file__, "--cache", str(options.cache), "--seed-name"]
        running = [subprocess.Popen([*command, name]) for name in SEEDS]
        if any([process.wait() for process in running]):
            print("A training stopped early: run the same command again, and it goes on.")
            return 1
    held, rows = load_rows(options.cache, "held out"), load_rows(options.cache, "train")
    plan = schedule([len(rows[group]) for group in NAMES], SEEDS["A"])
    times = {
        group: np.bincount(plan[1][plan[0] == i], minlength=len(rows[group]))
        for i, group in enumerate(NAMES)
    }
    write(WEIGHTS / "ONE_LAYER.md", write_card(WEIGHTS, options.cache, rows, times, held))
    return 0


if __name__ == "__main__":
    sys.exit(main())

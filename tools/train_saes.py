"""Train the autoencoders that the course ships, and write course_utils/weights.

    python tools/train_saes.py

does everything: collects the text (`sae_text`), trains three TopK autoencoders, and writes them
and their card (`sae_card`). Two are on the MLP's neurons of our one-layer transformers A and B, one
on the residual stream of SmolLM2 after layer 4. It needs Debian's tools, a network for the first
minutes, 12 GB of disk, and about two hours of two cores. Run again, it goes on where it was
interrupted. What it needs again is kept in --cache, outside this repo.

    python tools/train_saes.py --only one_layer_A    this one only, and no card
    python tools/train_saes.py --rates one_layer_A   short runs at several learning rates only
    python tools/train_saes.py --card                the card only, of autoencoders that are trained
    python tools/train_saes.py --produce             only SmolLM2's activations, into the cache

When there is less time: --tokens 4e6 reads fewer, and --passes 2 trains on each twice.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from sae_activations import (
    BLOCK,
    Plan,
    Rows,
    block_path,
    from_blocks,
    from_one_layer,
    ids_of,
    produce,
)
from sae_card import HELD_OUT, TRIAL, Subject, Trained, held_out_plan, measure, write_card
from sae_text import CONTEXT, mixture
from sae_text import SHARES as SHARES_OF_SMOLLM2
from sae_text import prepare as prepare_text
from safetensors.torch import load_file
from tiny_lm_card import NAMES, load
from tiny_lm_card import SHARES as SHARES_OF_OURS
from tokenizers import Tokenizer
from torch import Tensor
from train_tiny_lm import WEIGHTS, load_rows, prepare, write

from course_utils import assets
from course_utils.assets import cache_folder
from course_utils.language.conversion import SMOLLM2, TOKENIZER, convert
from course_utils.sae import Progress, Recipe, TopKConfig, load_sae, save_sae, train

SMOL = "smollm2_layer4"
OURS = ("one_layer_A", "one_layer_B")
TOKENS = 10_000_000  # of each
SEED = {"one_layer_A": 1, "one_layer_B": 2, SMOL: 0}
CONFIG = {
    "one_layer_A": TopKConfig(d_in=512, d_sae=4096, k=32),
    "one_layer_B": TopKConfig(d_in=512, d_sae=4096, k=32),
    SMOL: TopKConfig(d_in=576, d_sae=4608, k=32),
}
RATE = {"one_layer_A": 2e-3, "one_layer_B": 2e-3, SMOL: 2e-3}
RATES = (5e-4, 1e-3, 2e-3)  # of the short runs
TEXT = 10_500_000  # tokens that are prepared
BLOCKS = 160  # of TOKENS, when the longest are left out, and the last pool of what is shuffled


def recipe(steps: int, rate: float) -> Recipe:
    """A short rise, and a fall to 0 over the last fifth."""
    return Recipe(steps=steps, learning_rate=rate, warmup_steps=steps // 25, decay_steps=steps // 5)


def smollm2_rows(cache: Path, which: str) -> Rows:
    """The rows of SmolLM2's tokens of each group, for "train" or "held out"."""
    with np.load(cache / "tokens.npz") as arrays:
        return {group: arrays[f"{which}/{group}"] for group in SHARES_OF_SMOLLM2}


def rows_and_shares(name: str, cache: Path, tiny_lm: Path, which: str) -> tuple[Rows, dict]:
    """What an autoencoder's model reads, and how much of each group."""
    if name == SMOL:
        return smollm2_rows(cache, which), SHARES_OF_SMOLLM2
    return load_rows(tiny_lm, which), dict(zip(NAMES, SHARES_OF_OURS.tolist()))


def plan_of(name: str, rows: Rows, shares: dict[str, float]) -> Plan:
    """Which rows are read, in which order."""
    return mixture({g: len(some) for g, some in rows.items()}, shares, BLOCKS * BLOCK, SEED[name])


def tokenizer_of_smollm2() -> tuple[Path, int]:
    """Its file, and the number of the token that begins every text."""
    path = assets.path(SMOLLM2, convert) / TOKENIZER
    return path, Tokenizer.from_file(str(path)).token_to_id("<|endoftext|>")


def blocks_of(tokens: float) -> int:
    """How many blocks are read for so many tokens."""
    return math.ceil(BLOCKS * tokens / TOKENS)


def activations(
    name: str, tokens: float, cache: Path, tiny_lm: Path, alive: Callable[[], bool]
) -> Callable[[int], object]:
    """The stream that an autoencoder is trained on."""
    if name == SMOL:
        return from_blocks(cache / "smollm2", blocks_of(tokens), alive)
    rows, shares = rows_and_shares(name, cache, tiny_lm, "train")
    plan = plan_of(name, rows, shares)[: blocks_of(tokens) * BLOCK]
    return from_one_layer(load(WEIGHTS, name[-1]), rows, plan)


def said(name: str) -> Callable[[Progress], None]:
    """A line now and then."""

    def show(now: Progress) -> None:
        if now.step % 50 == 0 or now.step == now.steps:
            figures = f"loss {now.loss:.2f}, FVU {now.fvu:.4f}, dead {now.dead}"
            print(f"{name}: step {now.step} of {now.steps}, {figures}", flush=True)

    return show


def train_one(
    name: str,
    cache: Path,
    tiny_lm: Path,
    alive: Callable[[], bool],
    tokens: float = TOKENS,
    passes: int = 1,
) -> None:
    """An autoencoder, from its checkpoint on if there is one, and its file."""
    torch.set_num_threads(1)
    stream = activations(name, tokens, cache, tiny_lm, alive)
    how = recipe(math.ceil(tokens * passes / Recipe().batch_size), RATE[name])
    began = time.process_time()
    trained = train(
        CONFIG[name],
        stream,
        how,
        seed=SEED[name],
        checkpoint=cache / f"{name}.safetensors",
        progress=said(name),
    )
    path = WEIGHTS / f"{name}_sae.safetensors"
    save_sae(trained.sae, path, half=True)
    path.chmod(0o644)
    last = {key: values[-100:].mean().item() for key, values in trained.history.items()}
    about = {"recipe": asdict(how), "seed": SEED[name], "last": last, "passes": passes}
    about |= {"minutes": (time.process_time() - began) / 60, "scale": trained.scale}
    write(cache / f"{name}.json", json.dumps(about, indent=1))


def try_rates(name: str, cache: Path, tiny_lm: Path, alive: Callable[[], bool]) -> None:
    """Short runs, and how much of held-out variance each leaves unexplained."""
    torch.set_num_threads(1)
    stream = activations(name, TOKENS, cache, tiny_lm, alive)
    found = []
    rows, shares = rows_and_shares(name, cache, tiny_lm, "held out")
    subject = Subject(name, tokenizer_of_smollm2()[1], small=name in OURS)
    x = subject.activations(ids_of(rows, held_out_plan(rows, shares, 256)))
    for rate in RATES:
        # What is dead for good shows within so few samples only if fewer count as long.
        short = replace(recipe(TRIAL, rate), dead_after=100_000)
        trained = train(CONFIG[name], stream, short, seed=SEED[name], progress=said(name))
        figures = measure({"trained": trained.sae}, lambda: iter([x]))["trained"]
        found.append([rate, figures["fvu"], trained.history["dead"][-1].item()])
        print(name, *found[-1], flush=True)
    write(cache / f"{name}_rates.json", json.dumps(found))


def held_out(name: str, cache: Path, tiny_lm: Path) -> tuple[Rows, Plan]:
    """What the figures of the card are measured on: whole blocks."""
    rows, shares = rows_and_shares(name, cache, tiny_lm, "held out")
    plan = held_out_plan(rows, shares, HELD_OUT // (CONTEXT - 1))
    return rows, plan[: len(plan) // BLOCK * BLOCK]


def trained_one(name: str, cache: Path, tiny_lm: Path, bos: int) -> Trained:
    """What the card needs of one."""
    rows, plan = held_out(name, cache, tiny_lm)
    rates = cache / f"{name}_rates.json"
    subject = Subject(name, bos, small=name in OURS)

    def blocks() -> Iterator[Tensor]:
        for number in range(len(plan) // BLOCK):
            if name == SMOL:
                path = block_path(cache / "smollm2_held_out", number)
                yield load_file(path)["activations"].float()
            else:
                some = plan[number * BLOCK : (number + 1) * BLOCK]
                yield subject.activations(ids_of(rows, some))

    return Trained(
        subject,
        load_sae(WEIGHTS / f"{name}_sae.safetensors"),
        rows,
        plan,
        blocks,
        json.loads((cache / f"{name}.json").read_text(encoding="utf-8")),
        json.loads(rates.read_text(encoding="utf-8")) if rates.exists() else [],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Train the autoencoders of the course.")
    parser.add_argument("--only", choices=list(CONFIG), help="train only this one, and no card")
    parser.add_argument("--rates", choices=list(CONFIG), help="only try learning rates")
    parser.add_argument("--card", action="store_true", help="write the card only")
    parser.add_argument("--produce", action="store_true", help="only read texts with SmolLM2")
    parser.add_argument("--cache", type=Path, default=cache_folder() / "saes")
    parser.add_argument("--tiny-lm", type=Path, default=cache_folder() / "tiny_lm")
    parser.add_argument("--tokens", type=float, default=TOKENS, help="that each model reads")
    parser.add_argument("--passes", type=int, default=1, help="times that each is trained on")
    options = parser.parse_args()
    cache, tiny_lm = options.cache, options.tiny_lm
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    for folder in (cache, tiny_lm):
        folder.mkdir(parents=True, exist_ok=True)
    prepare(tiny_lm)
    tokenizer, bos = tokenizer_of_smollm2()
    prepare_text(cache, tiny_lm, tokenizer, bos, TEXT)
    if options.produce:
        rows, shares = rows_and_shares(SMOL, cache, tiny_lm, "train")
        plan = plan_of(SMOL, rows, shares)[: blocks_of(options.tokens) * BLOCK]
        produce(cache / "smollm2", rows, plan, bos)
        held, plan = held_out(SMOL, cache, tiny_lm)
        produce(cache / "smollm2_held_out", held, plan, bos)
        return 0
    names = [options.only or options.rates] if options.only or options.rates else list(CONFIG)
    if not options.card:
        reader = None
        if SMOL in names:
            command = [sys.executable, __file__, "--cache", str(cache), "--tiny-lm", str(tiny_lm)]
            command += ["--tokens", str(options.tokens)]
            reader = subprocess.Popen([*command, "--produce"])

        def alive() -> bool:
            return reader is not None and reader.poll() is None

        try:
            for name in names:
                if options.rates:
                    try_rates(name, cache, tiny_lm, alive)
                else:
                    train_one(name, cache, tiny_lm, alive, options.tokens, options.passes)
            if reader is not None and not options.rates:
                reader.wait()
        finally:
            if reader is not None:
                reader.terminate()
    if options.card or not (options.only or options.rates):
        torch.set_num_threads(1)
        trained = {name: trained_one(name, cache, tiny_lm, bos) for name in CONFIG}
        text = json.loads((cache / "text.json").read_text(encoding="utf-8"))
        write(WEIGHTS / "SAE.md", write_card(trained, text, SHARES_OF_SMOLLM2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

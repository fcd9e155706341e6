"""Train autoencoders of several sizes on a planted dictionary, and write what they found of it.

    python tools/sweep_expansion.py

writes course_utils/weights/expansion_sweep.json, which `sae.load_sweep` reads and the sweep panel
of notebook 05 shows. It needs about ten minutes of one core. Each run is kept in --cache, outside
this repo, so that it goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from course_utils.assets import cache_folder
from course_utils.plots.sweep_figures import KINDS, SweepFigures, latent_kinds
from course_utils.sae import Recipe, ReluConfig, TopKConfig, planted, train
from course_utils.sae.sweep import SWEEP, load_sweep

N_FEATURES, D_IN, P = 128, 32, 0.02
SAMPLES, FRESH = 200_000, 20_000  # to train on, and to measure with
RECIPE = Recipe(
    steps=3_000, batch_size=512, learning_rate=3e-3, warmup_steps=100, decay_steps=600,
    dead_after=50_000, centre="zero", scale=False,
)  # fmt: skip
SERIES = {
    "ReLU, L1 = 0.01": {"l1_coefficient": 0.01},
    "ReLU, L1 = 0.1": {"l1_coefficient": 0.1},
    "ReLU, L1 = 0.2": {"l1_coefficient": 0.2},
    "TopK, k = 3": {"k": 3},
}
EXPANSIONS = (1, 2, 4, 8, 10, 12, 16)
SEEDS = 3
SHOWN = 0  # the seed of which features and latents are shown one by one
THRESHOLD = 0.9
SETTINGS = {
    "n_features": N_FEATURES, "d_in": D_IN, "p": P, "planted_seed": 0, "samples": SAMPLES,
    "samples_seed": 1, "fresh": FRESH, "fresh_seed": 2, "recipe": asdict(RECIPE),
    "threshold": THRESHOLD,
}  # fmt: skip
MEASURED = ("recovered", "dead", "explained", "duplicated", "l0", "cost")


@cache
def data() -> tuple[Tensor, Tensor, Tensor]:
    """The true directions, activations to train on, and fresh ones; the same for all runs."""
    world = planted(N_FEATURES, D_IN, seed=SETTINGS["planted_seed"])
    parts = ("samples", "fresh")
    x = [world.sample(SETTINGS[part], P, generator=Generator().manual_seed(
        SETTINGS[f"{part}_seed"]))[0] for part in parts]  # fmt: skip
    return world.directions, *x


def run(name: str, expansion: int, seed: int) -> dict[str, Any]:
    """Train one autoencoder and measure it: MEASURED, "cosines" and "kinds"."""
    choices = SERIES[name]
    made = TopKConfig if "k" in choices else ReluConfig
    directions, x, fresh = data()
    config = made(d_in=D_IN, d_sae=D_IN * expansion, **choices)
    began = time.process_time()
    sae = train(config, x, RECIPE, seed=seed, progress=False).sae
    spent = time.process_time() - began
    code = sae.encode(fresh)
    miss = (sae.decode(code) - fresh).square().sum()
    fires = (code > 0).any(0)
    # Rounded at once, so that all that follows agrees with what is written.
    cosine = (directions @ sae.W_dec.T).clamp(-1, 1).double().mul(1e4).round().div(1e4)
    best = cosine.masked_fill(~fires, -1).amax(1)
    kinds = latent_kinds(cosine, fires, THRESHOLD)
    return {
        "recovered": (best > THRESHOLD).double().mean().item(),
        "dead": (~fires).double().mean().item(),
        "explained": 1 - (miss / (fresh - fresh.mean(0)).square().sum()).item(),
        "duplicated": float((kinds == "duplicate").mean()),
        "l0": (code > 0).sum().item() / len(fresh),
        "cost": 1000 * spent / RECIPE.steps,
        "cosines": sorted(best.tolist(), reverse=True),
        "kinds": "".join(str(KINDS.index(kind)) for kind in kinds),
    }


def kept(folder: Path, name: str, expansion: int, seed: int) -> dict[str, Any]:
    """The same from the cache, or put there."""
    asked = SETTINGS | {"name": name, **SERIES[name], "expansion": expansion, "seed": seed}
    path = folder / f"{name}_{expansion}_{seed}.json".replace(" ", "")
    if path.exists():
        found = json.loads(path.read_text("utf-8"))
        if found.pop("asked") == json.loads(json.dumps(asked)):
            return found
    found = run(name, expansion, seed)
    print(f"{name}, {expansion}x, seed {seed}: " + ", ".join(
        f"{part} {found[part]:.3f}" for part in MEASURED), flush=True)  # fmt: skip
    path.write_text(json.dumps({"asked": asked} | found), "utf-8")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, default=cache_folder() / "expansion_sweep")
    folder = parser.parse_args().cache
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    # One seed after the other, and small ones first, so that something can be seen early.
    runs = {
        (name, expansion, seed): kept(folder, name, expansion, seed)
        for seed in range(SEEDS)
        for expansion in EXPANSIONS
        for name in SERIES
    }

    def table(part: str, digits: int) -> list[list[list[float]]]:
        return [[[round(runs[n, e, s][part], digits) for s in range(SEEDS)] for e in EXPANSIONS]
                for n in SERIES]  # fmt: skip

    # Other work on the machine only adds to the time, so the quickest of a size speaks for all.
    for name in SERIES:
        for expansion in EXPANSIONS:
            of = [runs[name, expansion, seed] for seed in range(SEEDS)]
            least = min(one["cost"] for one in of)
            for one in of:
                one["cost"] = least

    def shown(part: str) -> list[list[Any]]:
        return [[runs[n, e, SHOWN][part] for e in EXPANSIONS] for n in SERIES]

    written = {
        "settings": SETTINGS | {"series": SERIES, "torch": torch.__version__},
        "names": list(SERIES),
        "expansions": EXPANSIONS,
        "d_in": D_IN,
        "true_l0": N_FEATURES * P,
        "seed": SHOWN,
        "threshold": THRESHOLD,
        "cost_of": "a training step",
        **{part: table(part, 6) for part in MEASURED},
        "cosines": shown("cosines"),
        "kind_names": KINDS,
        "kinds": shown("kinds"),
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in written.items())
    SWEEP.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    SweepFigures(**load_sweep())
    print(f"{SWEEP}: {SWEEP.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

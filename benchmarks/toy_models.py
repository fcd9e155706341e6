"""How long does the ten-sparsity sweep of "Toy Models of Superposition" take to train?

    python benchmarks/toy_models.py [--quick]

Three ways, in one run, interleaved so that a busy machine slows all of them:

  (a) reference    the published recipe, 10,000 AdamW steps at 1e-3 with batch 1,024, in the plain
                   autograd loop
  (b) ours         the library: `train` with its default recipe and the better of two restarts for
                   each sparsity, choosing included; it ends at a lower expected loss than (a)
  (c) same recipe  what (b) does, in the plain autograd loop: twenty instances, two a sparsity,
                   and the better of each two by expected loss

(a) / (b) is the whole gain; (c) / (b) is the part of it that is code and not recipe. (One restart
of our recipe is as good as (a) on average, but not for every seed; two are.) The plain loop is
`train_plain`: all instances in one batch as in the paper's public notebook, and faster than that
notebook's loop, because it draws its data in fewer calls. Everything runs on one thread; a second
would gain (a) about a tenth on an idle machine and lose much more on a busy one.

The problem: n = 5 features, m = 2 dimensions, importance 0.9^i, p = 20^(-linspace(0, 1, 10)). The
loss has the notebook's unit: mean over samples *and features*, summed over the ten sparsities, on
100,000 fresh samples each, the same for all models of a seed. Times are medians; losses are means
over the seeds. --quick takes one seed instead of five. Prints one JSON object.
"""

import argparse
import json
import time
from dataclasses import asdict, replace
from statistics import mean, median

import torch

from course_utils.toy_models import (
    FAST_RECIPE,
    PUBLISHED_RECIPE,
    ToyConfig,
    ToyModel,
    expected_loss,
    importance_decay,
    train,
    train_plain,
)

SWEEP = ToyConfig(
    n_features=5,
    d_hidden=2,
    feature_probability=tuple(20 ** (-i / 9) for i in range(10)),
    importance=importance_decay(5, 0.9),
)


RESTARTS = 2


def reference(seed):
    return train_plain(SWEEP, PUBLISHED_RECIPE, seed=seed)


def ours(seed):
    return train(SWEEP, FAST_RECIPE, seed=seed, n_restarts=RESTARTS)


def same_recipe(seed):
    twice = replace(SWEEP, feature_probability=SWEEP.feature_probability * RESTARTS)
    model = train_plain(twice, FAST_RECIPE, seed=seed)
    losses = expected_loss(model, n_samples=2**15, seed=seed).view(RESTARTS, -1)
    chosen = losses.argmin(0) * losses.shape[1] + torch.arange(losses.shape[1])
    return ToyModel(model.W[chosen], model.b[chosen], SWEEP)


def loss(model, seed):
    """Mean over samples and features, summed over sparsities."""
    per_sparsity = expected_loss(model, n_samples=100_000, seed=1_000_000 + seed)
    return per_sparsity.sum().item() / SWEEP.n_features


def measure(seeds):
    seconds, losses = ({way.__name__: [] for way in (reference, ours, same_recipe)} for _ in "12")

    def run(way, seed, times):
        for _ in range(times):
            start = time.perf_counter()
            model = way(seed)
            seconds[way.__name__].append(time.perf_counter() - start)
        return loss(model, seed)

    for way in (ours, same_recipe):  # the first call of anything is slow
        way(0)
    for seed in seeds:
        run(ours, seed, times=3)
        run(same_recipe, seed, times=2)
        losses["reference"].append(run(reference, seed, times=1))
        losses["same_recipe"].append(run(same_recipe, seed, times=2))
        losses["ours"].append(run(ours, seed, times=3))
    return seconds, losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed instead of five")
    seeds = range(1 if parser.parse_args().quick else 5)
    seconds, losses = measure(seeds)
    typical = {way: median(times) for way, times in seconds.items()}
    result = {
        "reference_seconds": typical["reference"],
        "ours_seconds": typical["ours"],
        "ratio": typical["reference"] / typical["ours"],
        "reference_loss": mean(losses["reference"]),
        "ours_loss": mean(losses["ours"]),
        "same_recipe_seconds": typical["same_recipe"],
        "same_recipe_ratio": typical["same_recipe"] / typical["ours"],
        "loss_unit": "mean over samples and features, summed over ten sparsities",
        "seeds": list(seeds),
        "losses_by_seed": losses,
        "seconds_of_every_run": seconds,
        "reference_recipe": asdict(PUBLISHED_RECIPE),
        "ours_recipe": asdict(FAST_RECIPE) | {"n_restarts": RESTARTS},
        "torch": torch.__version__,
        "threads": 1,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

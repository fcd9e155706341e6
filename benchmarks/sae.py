"""How fast are our sparse autoencoders trained, how well, and do they fit SAELens's files?

    python benchmarks/sae.py [--quick] [--steps N] [--cache FOLDER] [--without-saelens]

Ours against the trainer of SAELens, which lives in an environment of its own: it is made once, in
a cache folder, with pip. Each training has a process of its own (`sae_trainings.py`), and all of
one comparison take turns, a few steps at a time, first forwards, then backwards, so that a busy
machine slows all of them alike:

  ours      `train`, a step being everything from drawing a batch to the progress report
  saelens   `SAETrainer.fit` of SAELens, a step being everything but drawing the batch; its TopK
            with its auxiliary loss, and its settings as they come
  product   x @ W_enc for one batch, that is what no dense encoder can do without

All have the same data, batch of 4,096, k or L1 coefficient, d_in = 512, and number of threads.
Each side has the learning rate that suits it best (`LEARNING_RATES`, with the trials they come
from), which falls over the last fifth of the steps. Both begin with b_dec at the data's mean, and
with an encoder that is the decoder's transpose, times a factor. SAELens's directions begin at
random, as they do by themselves, and so do ours for ReLU. For TopK ours begin near activations
(`Recipe.data_share`), a start that SAELens doesn't offer. In neither is a latent counted as dead
within so few steps. The data are sums of about 20 of 3,000 planted directions, with a mean and some
noise, scaled to a mean norm of sqrt(d_in). The loss is computed by one function, on data that
neither has seen, from the files that both have written: |x - x_hat|^2, for ReLU plus what L1 costs.

Seconds are medians over steps; for ReLU a mean over the whole training too, as our steps become
faster when codes become sparse. "processor_seconds" are those that a step kept processors busy:
other programs change them less, but what waits for another thread may count, so that they can be
compared with OMP_NUM_THREADS=1 only. Peak memory is that of each process that trains, data and
libraries included; "before" is how much of it was there when training began. "files" says by how
much the outputs of ours and SAELens's differ on the same file, relative to the largest: each reads
what the other has written. Prints one JSON object, and ends with status 1 if something is not as
good as it should be, which "missed" says.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean, median

import torch
from sae_trainings import BATCH, D_IN, DATA_SHARES, L1, LEARNING_RATES, K, planted

ROOT = Path(__file__).resolve().parent.parent
TRAININGS = ROOT / "benchmarks" / "sae_trainings.py"
SAELENS = "sae-lens==6.54.12"
AT_LEAST = {"topk": 8.0, "relu": 1.5}  # times SAELens's speed
ALIKE = 1e-5  # of outputs, relative to the largest


def held_out_loss(kind, folder):
    """The loss of what is in a folder of SAELens's format, on fresh data."""
    from course_utils.sae import read_saelens

    sae, x = read_saelens(folder), planted(8192, seed=2)
    code = sae.encode(x)
    error = (x - sae.decode(code)).square().sum(1).mean().item()
    price = L1 * (code * sae.W_dec.norm(dim=1)).sum(1).mean().item()
    return error + price if kind == "relu" else error


class Worker:
    def __init__(self, python, task, kind, d_sae, steps, steps_a_turn, folder):
        arguments = map(str, (task, kind, d_sae, steps, steps_a_turn, folder))
        self.process = subprocess.Popen(
            [str(python), str(TRAININGS), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        )

    def answer(self):
        for line in self.process.stdout:
            if line.startswith('{"'):
                return json.loads(line)
        raise RuntimeError("a process ended early; its message is above.")

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        if self.process.wait():
            raise RuntimeError("a process failed; its message is above.")


def environment(cache):
    """The Python of an environment with SAELens, made if it isn't there."""
    folder = cache / "saelens-environment"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "done"
    if not done.is_file() or done.read_text() != SAELENS:
        print(f"Making an environment with {SAELENS} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        # PyTorch first: left to itself, pip would fetch its build for graphics cards.
        torch_first = [f"torch=={torch.__version__.partition('+')[0]}"]
        for wanted in (torch_first, [SAELENS]):
            subprocess.run([*install, *wanted], check=True, stdout=sys.stderr)
        done.write_text(SAELENS)
    return python


def compare(python, kind, d_sae, steps, steps_a_turn, cache):
    """All figures of one size; without those of SAELens if `python` is None."""
    ways = ("ours", "product") if python is None else ("ours", "saelens", "product")
    folders = {way: cache / "trained" / f"{kind}-{d_sae}-{way}" for way in ways}
    workers = {
        way: Worker(
            python if way == "saelens" else sys.executable,
            *(way, kind, d_sae, steps, steps_a_turn, folders[way]),
        )
        for way in ways
    }
    begun = {way: worker.answer() for way, worker in workers.items()}
    if len({about["threads"] for about in begun.values()}) > 1:
        raise RuntimeError("the processes have different numbers of threads.")
    times = {way: [] for way in ways}
    for turn in range(steps // steps_a_turn):
        for way in ways if turn % 2 == 0 else ways[::-1]:
            times[way] += workers[way].go()["times"]
        print(f"{kind} {d_sae}: turn {turn + 1} of {steps // steps_a_turn}", file=sys.stderr)
    peaks = {way: worker.go()["peak_mb"] for way, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    seconds, processor = ({way: [t[i] for t in times[way]] for way in ways} for i in (0, 1))
    typical = {way: median(some) for way, some in seconds.items()}
    busy = {way: median(some) for way, some in processor.items()}
    found = {
        "ours_seconds": typical["ours"],
        "dense_product_seconds": typical["product"],
        "ours_in_products": typical["ours"] / typical["product"],
        "ours_mean_seconds": mean(seconds["ours"]),
        "ours_processor_seconds": busy["ours"],
        "ours_loss": held_out_loss(kind, folders["ours"]),
        "ours_peak_mb": peaks["ours"],
        "ours_before_mb": begun["ours"]["before_mb"],
        "threads": begun["ours"]["threads"],
    }
    if python is not None:
        found |= {
            "saelens_seconds": typical["saelens"],
            "ratio": typical["saelens"] / typical["ours"],
            "saelens_mean_seconds": mean(seconds["saelens"]),
            "ratio_of_means": mean(seconds["saelens"]) / mean(seconds["ours"]),
            "saelens_processor_seconds": busy["saelens"],
            "ratio_of_processor_seconds": busy["saelens"] / busy["ours"],
            "saelens_loss": held_out_loss(kind, folders["saelens"]),
            "saelens_peak_mb": peaks["saelens"],
            "saelens_before_mb": begun["saelens"]["before_mb"],
            "files": {way: difference(python, folders[way]) for way in ("ours", "saelens")},
        }
    print(json.dumps({f"{kind} {d_sae}": found}), file=sys.stderr)
    return found


def difference(python, folder):
    """By how much SAELens and we differ on one file, relative to the largest number."""
    from course_utils.sae import read_saelens

    worker = Worker(python, "outputs", "-", 0, 0, 0, folder)
    worker.answer()
    worker.close()
    theirs = torch.load(folder / "outputs.pt")
    sae, x = read_saelens(folder), planted(512, seed=3)
    found = zip((sae.encode(x), sae(x)), theirs)
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in found)


def missed(result):
    """A sentence for everything that is not as good as it should be."""
    for kind, least in AT_LEAST.items():
        for size, of in result[kind].items():
            name = f"{kind} {size}"
            if of["ratio"] < least:
                yield f"{name}: {of['ratio']:.2f} times SAELens's speed, not {least}"
            if of["ours_loss"] > of["saelens_loss"]:
                yield f"{name}: the loss is {of['ours_loss']:.5g}, not {of['saelens_loss']:.5g}"
            if of["ours_peak_mb"] > of["saelens_peak_mb"]:
                yield f"{name}: {of['ours_peak_mb']:.0f} MB, not {of['saelens_peak_mb']:.0f}"
            for way, differs in of["files"].items():
                if differs > ALIKE:
                    yield f"{name}: the file of {way} is read differently, by {differs:.1g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few steps, and 8x only")
    parser.add_argument("--steps", type=int, help="of each training; default 120, quick 20")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sae-benchmark")
    parser.add_argument("--without-saelens", action="store_true", help="our side only")
    options = parser.parse_args()
    steps_a_turn = 5
    steps = options.steps or (20 if options.quick else 120)
    steps = max(1, steps // steps_a_turn) * steps_a_turn
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    python = None if options.without_saelens else environment(cache)
    sizes = {"8x": 8 * D_IN} if options.quick else {"8x": 8 * D_IN, "16x": 16 * D_IN}
    result = {
        kind: {
            name: compare(python, kind, d_sae, steps, steps_a_turn, cache)
            for name, d_sae in sizes.items()
        }
        for kind in AT_LEAST
    }
    result["about"] = {
        "steps": steps,
        "batch": BATCH,
        "k": K,
        "l1_coefficient": L1,
        "learning_rates": LEARNING_RATES,
        "data_shares": DATA_SHARES,
        "torch": torch.__version__,
        "saelens": SAELENS,
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }
    result["missed"] = [] if python is None else list(missed(result))
    print(json.dumps(result, indent=2))
    return 1 if result["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())

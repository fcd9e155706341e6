"""How fast are our sparse autoencoders trained, how well, and do they fit SAELens's files?

    python benchmarks/sae.py [--quick] [--steps N] [--cache FOLDER]

Ours against the trainer of SAELens, which lives in an environment of its own: it is made once, in
a cache folder, with pip. Each training has a process of its own, and all of one comparison take
turns, a few steps at a time, so that a busy machine slows all of them alike:

  ours      `train`, a step being everything from drawing a batch to the progress report
  saelens   `SAETrainer.fit` of SAELens, a step being everything but drawing the batch; its TopK
            with its auxiliary loss, its own initial weights, and its settings as they come
  product   x @ W_enc for one batch, that is what no dense encoder can do without

All have the same data, batch of 4,096, learning rate, k or L1 coefficient, d_in = 512, and number
of threads. The data are sums of about 20 of 3,000 planted directions, with a mean and some noise,
scaled to a mean norm of sqrt(d_in). The loss is computed by one function, on data that neither has
seen, from the files that both have written: |x - x_hat|^2, for ReLU plus what L1 costs.

Seconds are medians over turns; for ReLU a mean over the whole training too, as our steps become
faster when codes become sparse. Peak memory is that of each process that trains, data included.
"files" says by how much the outputs of ours and SAELens's differ on the same file, relative to the
largest: each reads what the other has written. Prints one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import mean, median

import torch

D_IN, BATCH, K, L1, LEARNING_RATE = 512, 4096, 32, 3.0, 1e-3
ROWS, FEATURES, ACTIVE = 2**16, 3_000, 20
ROOT = Path(__file__).resolve().parent.parent
SAELENS = "sae-lens==6.54.12"


def planted(rows, seed):
    """Sums of few planted directions out of many: common ones 20 times as often as rare ones."""
    g = torch.Generator().manual_seed(0)
    directions = torch.randn(FEATURES, D_IN, generator=g)
    directions /= directions.norm(dim=1, keepdim=True)
    centre = torch.randn(D_IN, generator=g) * 0.2
    often = torch.linspace(0, 3, FEATURES).exp()
    often *= ACTIVE / often.sum()
    g = torch.Generator().manual_seed(seed)
    x = torch.empty(rows, D_IN)
    for some in x.split(2048):
        size = torch.empty(len(some), FEATURES).exponential_(generator=g)
        on = torch.rand(size.shape, generator=g) < often
        torch.addmm(centre, size * on, directions, out=some)
        some += 0.05 * torch.randn(some.shape, generator=g)
    return x.mul_(D_IN**0.5 / x.norm(dim=1).mean())


def held_out_loss(kind, folder):
    """The loss of what is in a folder of SAELens's format, on fresh data."""
    from course_utils.sae import read_saelens

    sae, x = read_saelens(folder), planted(8192, seed=2)
    code = sae.encode(x)
    error = (x - sae.decode(code)).square().sum(1).mean().item()
    price = L1 * (code * sae.W_dec.norm(dim=1)).sum(1).mean().item()
    return error + price if kind == "relu" else error


# The processes: each waits for "go" on stdin before every turn


class Turns:
    """Times steps, and stops after each turn until the next is wanted."""

    def __init__(self, steps_a_turn):
        self.left, self.seconds, self.steps_a_turn = 0, [], steps_a_turn
        self.wait()

    def wait(self):
        """A turn is over: say how long its steps took."""
        print(json.dumps({"seconds": self.seconds}), flush=True)
        self.seconds, self.left = [], self.steps_a_turn
        sys.stdin.readline()
        self.began = time.perf_counter()

    def step(self):
        self.seconds.append(time.perf_counter() - self.began)
        self.left -= 1
        if not self.left:
            self.wait()
        self.began = time.perf_counter()


def train_ours(kind, d_sae, steps, steps_a_turn, folder):
    from course_utils.sae import Recipe, ReluConfig, TopKConfig, train, write_saelens

    x = planted(ROWS, seed=1)
    config = TopKConfig(D_IN, d_sae, K) if kind == "topk" else ReluConfig(D_IN, d_sae, L1)
    recipe = Recipe(steps=steps, batch_size=BATCH, learning_rate=LEARNING_RATE, scale=False)
    turns = Turns(steps_a_turn)
    trained = train(config, x, recipe, seed=0, progress=lambda now: turns.step())
    write_saelens(trained.sae, folder)


def train_saelens(kind, d_sae, steps, steps_a_turn, folder):
    import sae_lens
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.manual_seed(0)
    x = planted(ROWS, seed=1)
    if kind == "topk":
        config = sae_lens.TopKTrainingSAEConfig(d_in=D_IN, d_sae=d_sae, k=K)
        sae = sae_lens.TopKTrainingSAE(config)
    else:
        config = sae_lens.StandardTrainingSAEConfig(d_in=D_IN, d_sae=d_sae, l1_coefficient=L1)
        sae = sae_lens.StandardTrainingSAE(config)
    recipe = SAETrainerConfig(
        total_training_samples=steps * BATCH,
        train_batch_size_samples=BATCH,
        lr=LEARNING_RATE,
        lr_end=LEARNING_RATE / 10,
    )
    turns = Turns(steps_a_turn)

    def batches():
        began = False
        while True:
            for rows in torch.randperm(len(x)).split(BATCH):
                if began:
                    turns.step()  # it was over when the next batch was asked for
                batch, began = x[rows], True
                turns.began = time.perf_counter()
                yield batch

    SAETrainer(recipe, sae, batches()).fit()
    turns.step()
    sae.save_inference_model(folder)


def measure_product(kind, d_sae, steps, steps_a_turn, folder):
    x, W, out = torch.randn(BATCH, D_IN), torch.randn(D_IN, d_sae), torch.empty(BATCH, d_sae)
    turns = Turns(steps_a_turn)
    for _ in range(steps):
        torch.mm(x, W, out=out)
        turns.step()


def outputs(folder):
    """Code and x_hat of the autoencoder in a folder, by SAELens."""
    import sae_lens

    sae, x = sae_lens.SAE.load_from_disk(folder), planted(512, seed=3)
    with torch.no_grad():
        torch.save((sae.encode(x), sae(x)), Path(folder) / "outputs.pt")


def peak_mb():
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def work(arguments):
    """What such a process does."""
    task, kind, d_sae, steps, steps_a_turn, folder = arguments
    warnings.simplefilter("ignore")
    ways = {"ours": train_ours, "saelens": train_saelens, "product": measure_product}
    if task == "outputs":
        outputs(folder)
    else:
        ways[task](kind, int(d_sae), int(steps), int(steps_a_turn), folder)
    print(json.dumps({"peak_mb": peak_mb()}), flush=True)


# The process that starts them


class Worker:
    def __init__(self, python, task, kind, d_sae, steps, steps_a_turn, folder):
        arguments = map(str, (task, kind, d_sae, steps, steps_a_turn, folder))
        self.process = subprocess.Popen(
            [str(python), __file__, "--work", *arguments],
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
    folders = {way: cache / "trained" / f"{kind}-{d_sae}-{way}" for way in ("ours", "saelens")}
    plan = kind, d_sae, steps, steps_a_turn
    workers = {
        "ours": Worker(sys.executable, "ours", *plan, folders["ours"]),
        "saelens": Worker(python, "saelens", *plan, folders["saelens"]),
        "product": Worker(sys.executable, "product", *plan, cache),
    }
    for worker in workers.values():
        worker.answer()
    seconds = {way: [] for way in workers}
    for turn in range(steps // steps_a_turn):
        for way, worker in workers.items():
            seconds[way] += worker.go()["seconds"]
        print(f"{kind} {d_sae}: turn {turn + 1} of {steps // steps_a_turn}", file=sys.stderr)
    peaks = {way: worker.go()["peak_mb"] for way, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    typical = {way: median(some) for way, some in seconds.items()}
    return {
        "ours_seconds": typical["ours"],
        "saelens_seconds": typical["saelens"],
        "ratio": typical["saelens"] / typical["ours"],
        "dense_product_seconds": typical["product"],
        "ours_in_products": typical["ours"] / typical["product"],
        "ours_mean_seconds": mean(seconds["ours"]),
        "saelens_mean_seconds": mean(seconds["saelens"]),
        "ratio_of_means": mean(seconds["saelens"]) / mean(seconds["ours"]),
        "ours_loss": held_out_loss(kind, folders["ours"]),
        "saelens_loss": held_out_loss(kind, folders["saelens"]),
        "ours_peak_mb": peaks["ours"],
        "saelens_peak_mb": peaks["saelens"],
        "files": {way: difference(python, folder, cache) for way, folder in folders.items()},
    }


def difference(python, folder, cache):
    """By how much SAELens and we differ on one file, relative to the largest number."""
    from course_utils.sae import read_saelens

    subprocess.run(
        [str(python), __file__, "--work", "outputs", "-", "0", "0", "0", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    theirs = torch.load(folder / "outputs.pt")
    sae, x = read_saelens(folder), planted(512, seed=3)
    found = zip((sae.encode(x), sae(x)), theirs)
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few steps, and 8x only")
    parser.add_argument("--steps", type=int, help="of each training; default 120, quick 20")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sae-benchmark")
    parser.add_argument("--work", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work)
        return
    steps_a_turn = 5
    steps = options.steps or (20 if options.quick else 120)
    steps = max(1, steps // steps_a_turn) * steps_a_turn
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    python = environment(cache)
    sizes = {"8x": 8 * D_IN} if options.quick else {"8x": 8 * D_IN, "16x": 16 * D_IN}
    result = {
        kind: {
            name: compare(python, kind, d_sae, steps, steps_a_turn, cache)
            for name, d_sae in sizes.items()
        }
        for kind in ("topk", "relu")
    }
    result["about"] = {
        "steps": steps,
        "batch": BATCH,
        "k": K,
        "l1_coefficient": L1,
        "learning_rate": LEARNING_RATE,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "saelens": SAELENS,
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

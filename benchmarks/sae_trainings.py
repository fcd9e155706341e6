"""The trainings that `sae.py` compares, each in a process of its own, in turns.

    python benchmarks/sae_trainings.py ours topk 4096 120 5 FOLDER

trains 120 steps, 5 at a time: before each five it waits for a line on stdin, and after them it
says on stdout how long they took.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import torch

D_IN, BATCH, K, L1 = 512, 4096, 32, 3.0
# With these each side ends best at 8x, after 120 steps. SAELens, TopK: a loss of 61.7 at 4e-3, of
# 67.0 at 3e-3, 62.3 at 6e-3; ReLU: 204 at 4e-3, 221 at 2e-3, 213 at 8e-3. Ours, ReLU: 182 at 6e-3,
# 190 at 4e-3, 184 at 8e-3; TopK: 53.5 at 4e-3, from random directions 61.2 at 8e-3.
LEARNING_RATES = {
    "ours": {"topk": 4e-3, "relu": 6e-3},
    "saelens": {"topk": 4e-3, "relu": 4e-3},
}
DATA_SHARES = {"topk": 0.8, "relu": 0.0}  # of our initial directions
ROWS, FEATURES, ACTIVE = 2**16, 3_000, 20


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


def decay_steps(steps):
    """Over how many of the last steps the learning rate falls, on both sides."""
    return steps // 5


class Turns:
    """Times steps, and stops after each turn until the next is wanted."""

    def __init__(self, steps_a_turn):
        self.left, self.times, self.steps_a_turn = 0, [], steps_a_turn
        self.before = peak_mb()
        self.wait()

    def wait(self):
        """A turn is over: say how long its steps took, and what this process is like."""
        about = {"before_mb": self.before, "threads": torch.get_num_threads()}
        print(json.dumps({"times": self.times} | about), flush=True)
        self.times, self.left = [], self.steps_a_turn
        sys.stdin.readline()
        self.begin()

    def begin(self):
        self.began = time.perf_counter(), time.process_time()

    def step(self):
        now = time.perf_counter(), time.process_time()
        self.times.append([after - before for before, after in zip(self.began, now)])
        self.left -= 1
        if not self.left:
            self.wait()
        self.begin()


def train_ours(kind, d_sae, steps, steps_a_turn, folder):
    from course_utils.sae import Recipe, ReluConfig, TopKConfig, train, write_saelens

    x = planted(min(ROWS, steps * BATCH), seed=1)
    config = TopKConfig(D_IN, d_sae, K) if kind == "topk" else ReluConfig(D_IN, d_sae, L1)
    recipe = Recipe(
        steps,
        BATCH,
        LEARNING_RATES["ours"][kind],
        decay_steps=decay_steps(steps),
        data_share=DATA_SHARES[kind],
        centre="mean",
        scale=False,
    )
    turns = Turns(steps_a_turn)
    trained = train(config, x, recipe, seed=0, progress=lambda now: turns.step())
    write_saelens(trained.sae, folder)


def train_saelens(kind, d_sae, steps, steps_a_turn, folder):
    import sae_lens
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.manual_seed(0)
    x = planted(min(ROWS, steps * BATCH), seed=1)
    if kind == "topk":
        config = sae_lens.TopKTrainingSAEConfig(d_in=D_IN, d_sae=d_sae, k=K)
        sae = sae_lens.TopKTrainingSAE(config)
    else:
        config = sae_lens.StandardTrainingSAEConfig(d_in=D_IN, d_sae=d_sae, l1_coefficient=L1)
        sae = sae_lens.StandardTrainingSAE(config)
    sae.b_dec.data = x.mean(0)  # ours begins there
    recipe = SAETrainerConfig(
        total_training_samples=steps * BATCH,
        train_batch_size_samples=BATCH,
        lr=LEARNING_RATES["saelens"][kind],
        lr_end=LEARNING_RATES["saelens"][kind] / 10,
        lr_decay_steps=decay_steps(steps),
    )
    turns = Turns(steps_a_turn)

    def batches():
        began = False
        while True:
            for rows in torch.randperm(len(x)).split(BATCH):
                if began:
                    turns.step()  # it was over when the next batch was asked for
                batch, began = x[rows], True
                turns.begin()
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
    """The most memory that this process has had at once."""
    status = Path("/proc/self/status")
    if status.is_file():  # what getrusage says on Linux may be that of the process before it
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
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


if __name__ == "__main__":
    work(sys.argv[1:])

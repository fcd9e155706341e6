"""Training: the loss falls, norms stay 1, and what was killed goes on bit for bit."""

import os
import signal
import subprocess
import sys

import pytest
import torch
from torch import Generator

from course_utils.sae import Recipe, TopKConfig, load_sae, save_sae, train

CONFIG = TopKConfig(d_in=16, d_sae=64, k=4)
RECIPE = Recipe(
    steps=30,
    batch_size=64,
    learning_rate=1e-2,
    warmup_steps=5,
    decay_steps=10,
    dead_after=300,
    shuffle_rows=300,
)


def activations(n=500, d=16, seed=0):
    """Sparse sums of 40 directions, off centre."""
    g = Generator().manual_seed(seed)
    directions = torch.randn(40, d, generator=g)
    code = torch.rand(n, 40, generator=g) * (torch.rand(n, 40, generator=g) < 0.1)
    return code @ directions + 3


def blocks(n=60):
    return [activations(n=50 + i % 7, seed=i) for i in range(n)]


SOURCES = {
    "tensor": activations,
    "iterable": blocks,
    "iterator": lambda: iter(blocks()),
    "function": lambda: lambda start: blocks()[start:],
}


def run(data, recipe=RECIPE, config=CONFIG, **more):
    return train(config, data, recipe, seed=0, progress=False, **more)


def weights(trained):
    sae = trained.sae
    return {"W_enc": sae.W_enc, "b_enc": sae.b_enc, "W_dec": sae.W_dec, "b_dec": sae.b_dec}


def assert_bit_equal(one, other):
    for name, value in weights(one).items():
        assert torch.equal(value, weights(other)[name]), name
    for name, value in one.history.items():
        assert torch.equal(value, other.history[name]), name


def test_the_loss_falls_and_the_decoder_keeps_its_norms():
    trained = run(activations())
    error = trained.history["error"]
    assert error[-5:].mean() < 0.6 * error[:5].mean()
    torch.testing.assert_close(trained.sae.W_dec.norm(dim=1), torch.ones(64))


class Stopped(Exception):
    pass


def stop_at(step):
    def look(now):
        if now.step == step:
            raise Stopped

    return look


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("at", [7, 20])
def test_what_stopped_anywhere_goes_on_bit_for_bit(tmp_path, kind, at):
    whole = run(SOURCES[kind]())
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stopped):
        train(
            CONFIG,
            SOURCES[kind](),
            RECIPE,
            seed=0,
            checkpoint=path,
            checkpoint_every=4,
            progress=stop_at(at),
        )
    assert_bit_equal(run(SOURCES[kind](), checkpoint=path), whole)
    assert_bit_equal(run(SOURCES[kind](), checkpoint=path), whole)  # nothing left to do


SCRIPT = """
import sys, torch
from test_sae_training import CONFIG, RECIPE, activations
from course_utils.sae import train

torch.set_num_threads(1)

def show(now):
    print(now.step, flush=True)

more = dict(checkpoint=sys.argv[1], checkpoint_every=3, progress=show)
trained = train(CONFIG, activations(), RECIPE, seed=0, **more)
"""


def test_what_was_killed_goes_on_bit_for_bit(tmp_path):
    whole = run(activations())
    path = tmp_path / "run.safetensors"
    steps = 0
    for kill_after in (5, 6, 8):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), "tests"])}
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(kill_after):
            steps = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert path.is_file()
    assert 10 < steps < 30
    assert_bit_equal(run(activations(), checkpoint=path), whole)


def test_an_autoencoder_comes_back_from_its_file(tmp_path):
    trained = run(activations())
    path = tmp_path / "sae.safetensors"
    save_sae(trained.sae, path)
    back = load_sae(path)
    assert back.config == trained.sae.config
    x = activations(seed=9)
    assert torch.equal(back(x), trained.sae(x))

"""Training: the loss falls, norms stay 1, and what was stopped or killed goes on bit for bit."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Generator

from course_utils.sae import Recipe, ReluConfig, ReluSAE, TopKConfig, TopKSAE, descent, train
from course_utils.sae.files import read_tensors
from course_utils.sae.model import Gradients
from course_utils.sae.training import unscaled

CONFIG = TopKConfig(d_in=16, d_sae=64, k=4)
RELU = ReluConfig(d_in=16, d_sae=64, l1_coefficient=0.3, resample_every=9)
DYING = ReluConfig(d_in=16, d_sae=64, l1_coefficient=4.0, resample_every=9)
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


def as_file(suffix):
    """The activations in a file, in the folder of the test."""

    def write(folder):
        path = folder / f"activations.{suffix}"
        if suffix == "npy":
            np.save(path, activations().numpy())
        else:
            save_file({"activations": activations()}, path)
        return path

    return write


SOURCES = {
    "tensor": lambda folder: activations(),
    "safetensors": as_file("safetensors"),
    "npy": as_file("npy"),
    "iterable": lambda folder: blocks(),
    "iterator": lambda folder: iter(blocks()),
    "function": lambda folder: lambda start: blocks()[start:],
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


# Steps


@pytest.mark.parametrize("config", [CONFIG, RELU], ids=["topk", "relu"])
def test_the_loss_falls_and_the_decoder_keeps_its_norms(config):
    trained = run(activations(), config=config)
    error = trained.history["error"]
    assert error[-5:].mean() < 0.6 * error[:5].mean()
    torch.testing.assert_close(trained.sae.W_dec.norm(dim=1), torch.ones(64))


@pytest.fixture
def adams(monkeypatch):
    """What Adam is given: of every call the weights, gradients and learning rate."""
    calls, adam = [], descent.adam

    def noted(weights, gradients, *rest, lr, **more):
        copies = [[tensor.clone() for tensor in some] for some in (weights, gradients)]
        calls.append((*copies, lr))
        adam(weights, gradients, *rest, lr=lr, **more)

    monkeypatch.setattr(descent, "adam", noted)
    return calls


@pytest.mark.parametrize("config", [CONFIG, RELU], ids=["topk", "relu"])
def test_adam_gets_no_gradient_along_the_directions_and_their_norms_stay_1(adams, config):
    run(activations(), config=config)
    decoders = [(weights[-1], gradients[-1]) for weights, gradients, _ in adams if len(weights) > 1]
    assert len(decoders) == RECIPE.steps
    for W_dec, gradient in decoders:
        torch.testing.assert_close(W_dec.norm(dim=1), torch.ones(64))
        along = torch.linalg.vecdot(gradient, W_dec).abs()
        assert (along <= 1e-5 * gradient.norm(dim=1).clamp_min(1e-3)).all()
    assert sum(gradient.norm() > 0 for _, gradient in decoders) == RECIPE.steps


def test_a_step_is_that_of_adam():
    """Against PyTorch's own, where no norm has to be kept: on the encoder and the biases."""
    g = Generator().manual_seed(0)
    sae = TopKSAE.begin(CONFIG, activations(), torch.zeros(16), g)
    ours, recipe = descent.Descent(sae, RECIPE), RECIPE
    theirs = [w.clone().requires_grad_() for w in (sae.W_enc, sae.b_enc, sae.b_dec)]
    adam = torch.optim.Adam(theirs, betas=(recipe.beta_1, recipe.beta_2), eps=descent.EPSILON)
    for number in range(6):
        shapes = ((64, 16), (64,), (64, 16), (16,))
        W_enc_T, b_enc, W_dec, b_dec = (torch.randn(shape, generator=g) for shape in shapes)
        for weights, gradient in zip(theirs, (W_enc_T.T, b_enc, b_dec)):
            weights.grad = gradient.clone()
        adam.param_groups[0]["lr"] = recipe.learning_rate_at(number)
        adam.step()
        half = [w / 2 for w in (W_enc_T, b_enc, W_dec, b_dec)]  # two parts of a batch add up
        parts = [
            Gradients(
                *(w.clone().T if i == 0 else w.clone() for i, w in enumerate(half)),
                0.0,
                0.0,
                0.0,
                torch.ones(64, dtype=torch.bool),
            )
            for _ in range(2)
        ]
        ours.step(parts, number)
    for found, expected in zip((sae.W_enc, sae.b_enc, sae.b_dec), theirs):
        torch.testing.assert_close(found, expected.detach())


def test_the_learning_rate_rises_stays_and_falls():
    recipe = Recipe(steps=12, learning_rate=1.0, warmup_steps=3, decay_steps=4)
    rates = [recipe.learning_rate_at(step) for step in range(12)]
    rise, fall = [1 / 4, 2 / 4, 3 / 4], [4 / 5, 3 / 5, 2 / 5, 1 / 5]
    assert rates == pytest.approx([*rise, 1, 1, 1, 1, 1, *fall])
    assert Recipe(steps=3, learning_rate=0.5).learning_rate_at(2) == 0.5


def test_every_step_is_taken_with_its_learning_rate(adams):
    run(activations())
    rates = [lr for weights, _, lr in adams if len(weights) > 1]
    assert rates == [RECIPE.learning_rate_at(step) for step in range(30)]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"steps": 0}, "steps is 0; use at least 1"),
        ({"batch_size": 0}, "batch_size is 0; use at least 1"),
        ({"warmup_steps": -1}, "warmup_steps is -1; use at least 0"),
        ({"warmup_steps": 700, "decay_steps": 301}, "are 1001 together; use at most steps = 1000"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; use a number above 0"),
        ({"beta_2": 1.0}, "beta_2 is 1.0; use 0 or more, below 1"),
        ({"data_share": 1.0}, "data_share is 1.0; use 0 or more, below 1"),
        ({"data_share": -0.1}, "data_share is -0.1; use 0 or more, below 1"),
        ({"centre": "middle"}, "centre is 'middle'; use"),
    ],
)
def test_the_recipe_says_what_is_wrong(bad, sentence):
    with pytest.raises(ValueError, match=sentence):
        Recipe(**bad)


# The unit


@pytest.mark.parametrize(("config", "model"), [(CONFIG, TopKSAE), (RELU, ReluSAE)])
@pytest.mark.parametrize("scale", [0.02, 5.0])
def test_an_autoencoder_of_scaled_activations_fits_them_as_they_came(config, model, scale):
    x, g = activations(), Generator().manual_seed(0)
    sae = model.begin(config, scale * x, scale * x.mean(0), g)
    sae.b_enc.add_(torch.randn(64, generator=g))
    same = unscaled(sae, scale)
    torch.testing.assert_close(scale * same.encode(x), sae.encode(scale * x))
    torch.testing.assert_close(scale * same(x), sae(scale * x))
    assert torch.equal(same.W_dec, sae.W_dec)


def test_the_unit_of_the_data_makes_no_difference():
    one, other = run(activations()), run(1024 * activations())  # a power of 2: nothing is rounded
    assert one.scale == 1024 * other.scale
    assert torch.equal(one.history["loss"], other.history["loss"])
    assert torch.equal(one.sae.W_enc, other.sae.W_enc)
    torch.testing.assert_close(1024 * one.sae.b_dec, other.sae.b_dec)
    norms = (activations() * one.scale).norm(dim=1)
    assert norms.mean().item() == pytest.approx(4)  # sqrt(d_in)


# The history


@pytest.mark.parametrize("config", [CONFIG, RELU], ids=["topk", "relu"])
def test_the_history_has_the_figures_before_each_step(tmp_path, config):
    """Every batch is all of the data, so that the figures can be found again."""
    x, path, every = activations(), tmp_path / "run.safetensors", []
    recipe = Recipe(steps=12, batch_size=500, learning_rate=1e-2, dead_after=1000, scale=False)
    model = {CONFIG: TopKSAE, RELU: ReluSAE}[config]

    def look(now):
        if path.exists():  # the checkpoint of the step before
            W_enc_T, *rest = (read_tensors(path)[0][f"weights.{name}"] for name in descent.NAMES)
            every.append(model(W_enc_T.T, *rest, config))

    more = {"checkpoint": path, "checkpoint_every": 1, "progress": look}
    history = train(config, x, recipe, seed=0, **more).history
    assert set(history) == {"loss", "error", "l0", "fvu", "dead"}
    assert all(values.shape == (12,) for values in history.values())
    variance = (x - x.mean(0)).square().sum(1).mean()
    fired = []
    for step, sae in enumerate(every, 1):
        code = sae.encode(x)
        error = (x - sae.decode(code)).square().sum(1).mean()
        price = config.l1_coefficient * code.sum(1).mean() if config is RELU else 0.0
        found = {name: values[step] for name, values in history.items()}
        torch.testing.assert_close(found["error"], error)
        torch.testing.assert_close(found["loss"], error + price)
        torch.testing.assert_close(found["fvu"], error / variance)
        torch.testing.assert_close(found["l0"], (code > 0).sum(1).float().mean())
        fired.append((code > 0).any(0))
        if step >= 3 and not (config is RELU and step >= 8):  # then the dead are born again
            long_ago = ~(fired[-1] | fired[-2] | (fired[-3] if step > 3 else fired[-2]))
            since_two = ~(fired[-1] | fired[-2])
            assert long_ago.sum() <= found["dead"] <= since_two.sum()


def test_dead_is_who_was_silent_for_longer_than_dead_after():
    recipe = Recipe(steps=8, batch_size=64, dead_after=3 * 64, learning_rate=1e-5)
    config = ReluConfig(d_in=16, d_sae=64, l1_coefficient=1000.0)  # nobody is ever active
    trained = run(activations(), recipe, config)
    assert trained.history["l0"].sum() == 0
    assert trained.history["dead"].tolist() == [0, 0, 0, 64, 64, 64, 64, 64]


def test_who_is_born_again_is_not_dead_and_begins_with_adam_anew(tmp_path):
    states = {}
    for steps in (26, 27, 28):  # all the same but for the last steps
        path = tmp_path / f"{steps}.safetensors"
        recipe = Recipe(steps=steps, batch_size=64, dead_after=300, learning_rate=1e-2)
        dead = run(activations(), recipe, DYING, checkpoint=path).history["dead"]
        states[steps], _ = read_tensors(path)
    reborn = states[27]["weights.b_enc"] == 0
    assert 0 < reborn.sum() < 64
    assert (states[27]["since_fired"][reborn] == 0).all()
    for name in ("W_enc", "b_enc", "W_dec"):
        for average in ("mean", "square"):
            before, after = (
                states[steps][f"adam.{name}.{average}"].reshape(64, -1).abs().sum(1)
                for steps in (26, 27)
            )
            assert (before[reborn] > 0).any()
            assert (after[reborn] == 0).all()
            assert (after[~reborn] > 0).any()
    assert dead[26] >= reborn.sum()
    assert dead[27] <= dead[26] - reborn.sum() + (~reborn).sum() / 4


def test_progress_says_what_the_history_has():
    seen = []
    trained = train(CONFIG, activations(), RECIPE, seed=0, progress=seen.append)
    assert [now.step for now in seen] == list(range(1, 31))
    for name in ("loss", "l0", "fvu", "dead"):
        said = torch.tensor([getattr(now, name) for now in seen])
        torch.testing.assert_close(said.float(), trained.history[name])


# Going on


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
    whole = run(SOURCES[kind](tmp_path))
    path = tmp_path / "run.safetensors"
    more = {"checkpoint": path, "checkpoint_every": 4, "progress": stop_at(at)}
    with pytest.raises(Stopped):
        train(CONFIG, SOURCES[kind](tmp_path), RECIPE, seed=0, **more)
    assert_bit_equal(run(SOURCES[kind](tmp_path), checkpoint=path), whole)
    assert_bit_equal(run(SOURCES[kind](tmp_path), checkpoint=path), whole)  # nothing left to do


def interrupt_at(step, times=1):
    """As the keyboard does, or the notebook's stop button."""

    def look(now):
        if now.step == step:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    return look


def test_a_training_that_begins_near_the_data_goes_on_bit_for_bit_too(tmp_path):
    near, path = replace(RECIPE, data_share=0.8), tmp_path / "run.safetensors"
    more = {"checkpoint": path, "checkpoint_every": 4, "progress": stop_at(7)}
    with pytest.raises(Stopped):
        train(CONFIG, activations(), near, seed=0, **more)
    ended = run(activations(), near, checkpoint=path)
    assert_bit_equal(ended, run(activations(), near))
    assert not ended.sae.W_dec.equal(run(activations()).sae.W_dec)


@pytest.mark.parametrize("config", [CONFIG, DYING], ids=["topk", "relu"])
@pytest.mark.parametrize("kind", SOURCES)
def test_an_interruption_saves_and_the_same_call_goes_on(tmp_path, kind, config):
    whole, before = run(SOURCES[kind](tmp_path), config=config), signal.getsignal(signal.SIGINT)
    path, steps = tmp_path / "run.safetensors", []

    def look(now):
        steps.append(now.step)
        interrupt_at(11)(now)

    with pytest.raises(KeyboardInterrupt):
        train(config, SOURCES[kind](tmp_path), RECIPE, seed=0, checkpoint=path, progress=look)
    assert steps[-1] == 11
    assert signal.getsignal(signal.SIGINT) is before
    trained = train(config, SOURCES[kind](tmp_path), RECIPE, seed=0, checkpoint=path, progress=look)
    assert steps == list(range(1, 31))  # no step is taken twice
    assert_bit_equal(trained, whole)
    if config is DYING:  # also when some have been born again, and are to be once more
        assert (trained.history["dead"][[8, 26]] > 0).all()


def test_the_second_interruption_waits_for_nothing(tmp_path):
    path = tmp_path / "run.safetensors"
    more = {"checkpoint": path, "progress": interrupt_at(11, times=2)}
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, activations(), RECIPE, seed=0, **more)
    assert not path.exists()


def test_without_a_checkpoint_an_interruption_is_one_at_once():
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, activations(), RECIPE, seed=0, progress=interrupt_at(11))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"seed": 1}, "seed"),
        ({"recipe": Recipe(steps=31)}, "recipe"),
        ({"config": TopKConfig(16, 64, k=5)}, "config"),
        ({"config": RELU}, "architecture and config"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, other, what):
    path = tmp_path / "run.safetensors"
    run(activations(), checkpoint=path)
    asked = {"config": CONFIG, "data": activations(), "recipe": RECIPE, "seed": 0} | other
    with pytest.raises(ValueError, match=f"of another training, with another {what}; use another"):
        train(**asked, checkpoint=path, progress=False)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    run(activations(), checkpoint=path)
    with pytest.raises(ValueError, match="has 499 rows, but had 500"):
        run(activations(499), checkpoint=path)


SCRIPT = """
import sys, pathlib, torch
from test_sae_training import CONFIG, RECIPE, SOURCES
from course_utils.sae import train

torch.set_num_threads(int(sys.argv[3]))

def show(now):
    print(now.step, flush=True)

more = dict(checkpoint=sys.argv[2], checkpoint_every=3, progress=show)
data = SOURCES[sys.argv[1]](pathlib.Path(sys.argv[2]).parent)
trained = train(CONFIG, data, RECIPE, seed=0, **more)
"""


@pytest.mark.parametrize("kind", ["tensor", "safetensors", "function"])
def test_what_was_killed_goes_on_bit_for_bit(tmp_path, kind):
    whole = run(SOURCES[kind](tmp_path))
    path = tmp_path / "run.safetensors"
    steps = 0
    for kill_after in (5, 11):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), "tests"])}
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, kind, str(path), str(torch.get_num_threads())],
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
    assert_bit_equal(run(SOURCES[kind](tmp_path), checkpoint=path), whole)

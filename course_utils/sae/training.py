"""Training: batch after batch, with checkpoints from which it goes on bit for bit.

    trained = train(config, activations, Recipe(steps=2_000), seed=0,
                    checkpoint="run.safetensors")
    save_sae(trained.sae, "sae.safetensors")

Stop it at any moment, even by killing the process, and run the same again: it goes on from the
last checkpoint, and ends with the same weights to the last bit as if it had never stopped (on the
same machine, with the same number of threads).
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from course_utils.sae.centre import geometric_median, unit_scale
from course_utils.sae.data import Data, Source, source
from course_utils.sae.descent import NAMES, Descent
from course_utils.sae.files import (
    ARCHITECTURES,
    Config,
    architecture,
    read_tensors,
    write_tensors,
)
from course_utils.sae.model import SAE, Gradients
from course_utils.sae.progress import Progress, Show, shown
from course_utils.sae.recipe import Recipe
from course_utils.sae.team import in_parts

SAMPLE = 16_384  # activations that say where the data lies and how large it is
FIGURES = ("loss", "error", "l0", "fvu", "dead")


@dataclass(frozen=True)
class Trained:
    """A trained autoencoder for the activations as they came, and how its training went.

    `history[name][step]`, measured on each step's batch before the step, in the unit of training:
    "loss", "error" (the mean of |x - x_hat|^2), "l0" (active latents a sample), "fvu" (error as a
    fraction of the data's variance) and "dead" (latents). `scale` is the factor between the unit
    of the data and that of training.
    """

    sae: SAE
    history: dict[str, Float[Tensor, " steps"]]
    scale: float


def train(
    config: Config,
    data: Data,
    recipe: Recipe = Recipe(),  # noqa: B008  frozen
    *,
    seed: int,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    progress: Show = True,
) -> Trained:
    """Train an autoencoder on activations.

    Args:
        config: which one: its class decides the architecture.
        data: a tensor (rows, d_in); or a file of one (.safetensors or .npy), of which only the rows
            in use are in memory; or a stream of (batch, d_in) tensors of any batch size: an
            iterable, or a function that gives one from the number of blocks to leave out. Rows of
            tensors and files are drawn in random order, each once before any comes again. Streams
            are shuffled within a pool, and must be the same when a training goes on.
        recipe: how.
        seed: decides initial weights and order; the global random state is neither read nor set.
        checkpoint: a file. If it exists, training goes on from there. It is replaced every
            `checkpoint_every` steps, at the end, and before an interruption from the keyboard.
        progress: True shows a bar, False nothing; a function gets a `Progress` after each step.

    Raises:
        ValueError: the data is empty, has another shape, isn't of floating-point numbers, or
            contains NaN or infinity; a stream ends too early; or the checkpoint is of another
            training.
    """
    if checkpoint_every < 1:
        raise ValueError(f"checkpoint_every is {checkpoint_every}; use at least 1.")
    with torch.no_grad():
        run = _Run(config, data, recipe, seed)
        if checkpoint is not None and Path(checkpoint).exists():
            run.resume(checkpoint)
        with (
            shown(progress, run.taken, recipe.steps) as show,
            _interruptions(checkpoint is not None) as interrupted,
        ):
            while run.taken < recipe.steps:
                show(run.step())
                due = run.taken % checkpoint_every == 0 or run.taken == recipe.steps
                if checkpoint is not None and (due or interrupted()):
                    run.save(checkpoint)
                if interrupted():
                    raise KeyboardInterrupt
        return run.result()


class _Run:
    """The whole state of a training."""

    def __init__(self, config: Config, data: Data, recipe: Recipe, seed: int) -> None:
        self.config, self.recipe, self.seed, self.taken = config, recipe, seed, 0
        self.generator = Generator().manual_seed(seed)
        data_seed = int(torch.randint(2**62, (), generator=self.generator))
        self.source: Source = source(
            data, config.d_in, seed=data_seed, shuffle_rows=recipe.shuffle_rows
        )
        self.since_fired = torch.zeros(config.d_sae, dtype=torch.int64)
        self.history = torch.zeros(recipe.steps, len(FIGURES), dtype=torch.float64)
        self.sae: SAE | None = None

    def begin(self) -> None:
        """Look at the data, and make the weights."""
        config, recipe = self.config, self.recipe
        x = self.source.sample(SAMPLE)
        self.scale = unit_scale(x) if recipe.scale else 1.0
        x = x * self.scale
        self.variance = (x - x.mean(0)).square().sum(1).mean().item()
        centres = {"median": geometric_median, "mean": lambda x: x.mean(0)}
        zero = torch.zeros(config.d_in)
        b_dec = centres[recipe.centre](x) if recipe.centre in centres else zero
        share = recipe.data_share
        self._set(self.model.begin(config, x, b_dec, self.generator, data_share=share))

    @property
    def model(self) -> type[SAE]:
        return ARCHITECTURES[architecture(self.config)][1]

    def _set(self, sae: SAE) -> None:
        self.sae, self.descent = sae, Descent(sae, self.recipe)

    def step(self) -> Progress:
        if self.sae is None:
            self.begin()
        recipe = self.recipe
        draw, size = self.source.take(recipe.batch_size), recipe.batch_size
        dead = self.since_fired > recipe.dead_after

        prepared = self.sae.prepare()

        def gradients(rows: slice) -> Gradients:
            x = draw(rows).mul_(self.scale)
            return self.sae.gradients(x, dead, self.taken, batch=size, prepared=prepared)

        parts = in_parts(gradients, size)
        loss, error, l0 = (sum(getattr(p, f) for p in parts) for f in ("loss", "error", "l0"))
        self.descent.step(parts, self.taken)
        self.since_fired += size
        for part in parts:
            self.since_fired[part.fired] = 0
        dead = self.since_fired > recipe.dead_after
        reborn = self.sae.revive(
            lambda: draw(slice(None)).mul_(self.scale), dead, self.taken + 1, self.generator
        )
        self.descent.forget(reborn)
        self.since_fired[reborn] = 0
        fvu = error / self.variance if self.variance else 0.0
        n_dead = int(dead.sum())
        figures = loss, error, l0, fvu, n_dead
        self.history[self.taken] = torch.tensor(figures, dtype=torch.float64)
        self.taken += 1
        return Progress(self.taken, recipe.steps, loss, l0, fvu, n_dead)

    def _asked(self) -> dict[str, object]:
        """What was asked for: a checkpoint fits only the same."""
        return {
            "architecture": architecture(self.config),
            "config": asdict(self.config),
            "recipe": asdict(self.recipe),
            "seed": self.seed,
        }

    def save(self, path: str | Path) -> None:
        tensors = dict(zip((f"weights.{name}" for name in NAMES), self.sae.parameters()))
        for part, state in (("adam", self.descent.state()), ("data", self.source.state())):
            tensors |= {f"{part}.{name}": value for name, value in state.items()}
        tensors["generator"] = self.generator.get_state()
        tensors["since_fired"] = self.since_fired
        tensors["history"] = self.history[: self.taken]
        about = {"taken": self.taken, "scale": self.scale, "variance": self.variance}
        write_tensors(path, tensors, self._asked() | {"state": about})

    def resume(self, path: str | Path) -> None:
        tensors, about = read_tensors(path)
        state = about.pop("state", None)
        if state is None or about != self._asked():
            other = [name for name, value in self._asked().items() if about.get(name) != value]
            raise ValueError(
                f"{path} is the checkpoint of another training, with another "
                f"{' and '.join(other) or 'format'}; use another file, or delete it."
            )
        W_enc_T, *rest = (tensors[f"weights.{name}"] for name in NAMES)
        self._set(self.model(W_enc_T.T, *rest, self.config))
        self.taken, self.scale, self.variance = state["taken"], state["scale"], state["variance"]
        self.descent.resume(_part(tensors, "adam"))
        self.source.resume(_part(tensors, "data"))
        self.generator.set_state(tensors["generator"])
        self.since_fired.copy_(tensors["since_fired"])
        self.history[: self.taken] = tensors["history"]

    def result(self) -> Trained:
        history = dict(zip(FIGURES, self.history.float().unbind(1)))
        return Trained(unscaled(self.sae, self.scale), history, self.scale)


def unscaled(sae: SAE, scale: float) -> SAE:
    """The autoencoder of x that does what `sae` does with scale * x.

        sae(scale x) = scale unscaled(x),   and the same for the code

    Both architectures find a code that grows with x when the biases do. So it is enough to divide
    the biases, and the decoder's directions keep their norm of 1.
    """
    model = type(sae)
    return model(sae.W_enc, sae.b_enc / scale, sae.W_dec, sae.b_dec / scale, sae.config)


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
    }


@contextmanager
def _interruptions(wait: bool) -> Iterator[Callable[[], bool]]:
    """Lets Ctrl-C, or the notebook's stop button, wait for the end of a step. Twice means now."""
    seen = threading.Event()
    if not wait or threading.current_thread() is not threading.main_thread():
        yield seen.is_set
        return

    def handle(number: int, frame: object) -> None:
        if seen.is_set():
            raise KeyboardInterrupt
        seen.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)

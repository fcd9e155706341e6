"""How an autoencoder is trained: how long, on how much at a time, and at which learning rate."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Steps, batch and learning rate, which rises linearly, stays, and falls linearly to 0.

    Args:
        steps: how many, at least 1.
        batch_size: samples a step.
        learning_rate: of Adam, while it stays.
        warmup_steps: the first steps, in which it rises.
        decay_steps: the last steps, in which it falls.
        beta_1, beta_2: how slowly Adam's averages of the gradient and of its square change.
        dead_after: a latent that wasn't active for so many samples counts as dead.
        data_share: how much of each direction's start is a random activation's, from 0 to below 1;
            the rest is random. Training from near the data is quicker; whether it ends better
            depends on the data.
        centre: where b_dec starts: "median" (the geometric one), "mean" or "zero".
        scale: train on activations times a factor that gives them a mean norm of sqrt(d_in). The
            trained weights fit the activations as they came.
        shuffle_rows: of a stream, so many activations are kept in memory and shuffled.

    Raises:
        ValueError: a value is out of range.
    """

    steps: int = 1_000
    batch_size: int = 4_096
    learning_rate: float = 3e-4
    warmup_steps: int = 0
    decay_steps: int = 0
    beta_1: float = 0.9
    beta_2: float = 0.999
    dead_after: int = 500_000
    data_share: float = 0.0
    centre: str = "median"
    scale: bool = True
    shuffle_rows: int = 65_536

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "dead_after", "shuffle_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; use at least 1.")
        for name in ("warmup_steps", "decay_steps"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; use at least 0.")
        if self.warmup_steps + self.decay_steps > self.steps:
            raise ValueError(
                f"warmup_steps and decay_steps are {self.warmup_steps + self.decay_steps} "
                f"together; use at most steps = {self.steps}."
            )
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is {self.learning_rate}; use a number above 0.")
        for name in ("beta_1", "beta_2", "data_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; use 0 or more, below 1.")
        if self.centre not in ("median", "mean", "zero"):
            raise ValueError(f'centre is {self.centre!r}; use "median", "mean" or "zero".')

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of step 0, 1, ..., steps - 1; never 0."""
        rise = (step + 1) / (self.warmup_steps + 1)
        fall = (self.steps - step) / (self.decay_steps + 1)
        return self.learning_rate * min(1.0, rise, fall)

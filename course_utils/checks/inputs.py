"""What the checks hand to a learner's function: always the same, and short enough to be shown."""

from __future__ import annotations

import torch
from torch import Tensor

# Learners call `torch.manual_seed(0)`. What they draw beside the generator that they were given
# must not agree with what they draw from it.
FIRST_SEED = 7_919


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(FIRST_SEED + seed)


def normal(*shape: int, seed: int) -> Tensor:
    """Normal numbers with one decimal, so that a message can show them."""
    return _as_usual(torch.randn(*shape, generator=generator(seed), dtype=torch.float32))


def uniform(*shape: int, seed: int) -> Tensor:
    """Numbers from 0 to 1 with one decimal."""
    return _as_usual(torch.rand(*shape, generator=generator(seed), dtype=torch.float32))


def _as_usual(x: Tensor) -> Tensor:
    """The same numbers whatever the default dtype is, in that dtype."""
    return x.to(torch.get_default_dtype()).round(decimals=1)

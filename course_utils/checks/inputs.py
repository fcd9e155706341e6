"""What the checks hand to a learner's function: always the same, and short enough to be shown."""

from __future__ import annotations

import torch
from torch import Tensor


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int) -> Tensor:
    """Normal numbers with one decimal, so that a message can show them."""
    return torch.randn(*shape, generator=generator(seed)).round(decimals=1)


def uniform(*shape: int, seed: int) -> Tensor:
    """Numbers from 0 to 1 with one decimal."""
    return torch.rand(*shape, generator=generator(seed)).round(decimals=1)

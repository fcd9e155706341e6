"""Activations to train on, in shuffled batches, from memory, a file or a stream.

A source knows its place: `state()` says it, and `resume(state)` goes back to it, after which the
same batches follow. So a training that was interrupted goes on as if nothing had happened.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Generator, Tensor

Stream = Iterable[Tensor] | Callable[[int], Iterable[Tensor]]
Draw = Callable[[slice], Tensor]  # gives a part of a batch, as a new tensor
Data = Tensor | str | Path | Stream
CHUNK = 2**24  # numbers that are looked at together


def open_file(path: str | Path) -> Tensor:
    """The activations of a file, which are read from the disk only when they are used.

    Args:
        path: a .safetensors file with one tensor, or with one of the name "activations"; or a .npy
            file.

    Raises:
        ValueError: there is no such file, it can't be read, or it is of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}.")
    if path.suffix not in (".safetensors", ".npy"):
        raise ValueError(f"{path} is not a file of activations; use .safetensors or .npy.")
    try:
        if path.suffix == ".npy":
            # Copy on write: torch wants to be allowed to write, and never does.
            return torch.from_numpy(np.load(path, mmap_mode="c"))
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            name = "activations" if "activations" in names else names[0]
            if name != "activations" and len(names) > 1:
                raise ValueError("several tensors, and none has the name activations")
            return file.get_tensor(name)
    except Exception as error:
        raise ValueError(f"{path} can't be read as activations: {error}.") from error


def check_activations(x: Tensor, d_in: int, name: str) -> None:
    """Raise ValueError unless x is (rows, d_in) with at least one row, and all numbers finite."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"{name} is {kind}; activations are a tensor of floating-point numbers.")
    if x.ndim != 2 or x.shape[1] != d_in:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; (rows, d_in = {d_in}) is needed.")
    if not len(x):
        raise ValueError(f"{name} is empty: it has no row.")
    step = max(1, CHUNK // d_in)
    for start in range(0, len(x), step):
        some = x[start : start + step]
        # A sum is quick, and hides no NaN and no infinity; if it overflows, look closely.
        if not some.sum(dtype=torch.float32).isfinite() and not some.isfinite().all():
            bad = int((~some.isfinite()).any(1).nonzero()[0]) + start
            raise ValueError(f"{name} has NaN or infinity in row {bad}; remove such rows.")


class Rows:
    """Rows of one tensor: all once in random order, then all again in another."""

    def __init__(self, x: Tensor, d_in: int, name: str, seed: int) -> None:
        check_activations(x, d_in, name)
        self.x = x
        self.generator = Generator().manual_seed(seed)
        self._shuffle()

    def _shuffle(self) -> None:
        self.before = self.generator.get_state()
        self.order = torch.randperm(len(self.x), generator=self.generator)
        self.place = 0

    def sample(self, rows: int) -> Tensor:
        return self.x[self.order[:rows].sort().values].float()

    def take(self, rows: int) -> Draw:
        parts = []
        while rows:
            if self.place == len(self.order):
                self._shuffle()
            parts.append(self.order[self.place : self.place + rows])
            self.place += len(parts[-1])
            rows -= len(parts[-1])
        order = torch.cat(parts)
        return lambda some: self.x[order[some]].float()

    def state(self) -> dict[str, Tensor]:
        """The generator before it drew the present order, and the place in that."""
        return {"generator": self.before, "place": torch.tensor([self.place, len(self.x)])}

    def resume(self, state: dict[str, Tensor]) -> None:
        place, rows = state["place"].tolist()
        if rows != len(self.x):
            raise ValueError(
                f"the data has {len(self.x)} rows, but had {rows} when the checkpoint was made."
            )
        self.generator.set_state(state["generator"])
        self._shuffle()
        self.place = place


class Pool:
    """A stream of blocks, shuffled within a pool: when half of it is used, it is filled again.

    To go on at its place, as many blocks as before are taken from the stream and thrown away, or
    not even that when the stream is a function from their number to the blocks that follow.
    """

    def __init__(self, stream: Stream, d_in: int, seed: int, shuffle_rows: int) -> None:
        self.stream, self.d_in, self.size = stream, d_in, shuffle_rows
        self.generator = Generator().manual_seed(seed)
        self.pool, self.blocks = torch.empty(0, d_in), 0
        self.iterator: Iterator[Tensor] | None = None

    def _block(self) -> Tensor | None:
        if self.iterator is None:
            if callable(self.stream):
                self.iterator = iter(self.stream(self.blocks))
            else:
                self.iterator = iter(self.stream)
                for _ in range(self.blocks):
                    next(self.iterator, None)
        block = next(self.iterator, None)
        if block is not None:
            check_activations(block, self.d_in, f"block {self.blocks} of the stream")
            self.blocks += 1
        return block

    def _fill(self, rows: int) -> None:
        """Have at least so many rows; if less than half of a pool is there, a whole one."""
        if len(self.pool) >= max(rows, self.size // 2):
            return
        parts, count = [self.pool], len(self.pool)
        while count < max(rows, self.size) and (block := self._block()) is not None:
            parts.append(block.float())
            count += len(block)
        if count < rows:
            raise ValueError(
                f"the stream ended after {self.blocks} blocks, and training needs more; "
                "use fewer steps, or a stream that begins again."
            )
        if len(parts) > 1:
            pool = torch.cat(parts)
            self.pool = pool[torch.randperm(len(pool), generator=self.generator)]

    def sample(self, rows: int) -> Tensor:
        self._fill(1)
        return self.pool[:rows].clone()

    def take(self, rows: int) -> Draw:
        self._fill(rows)
        batch, self.pool = self.pool[:rows], self.pool[rows:]
        return lambda some: batch[some].clone()

    def state(self) -> dict[str, Tensor]:
        return {
            "generator": self.generator.get_state(),
            "pool": self.pool.clone(),
            "blocks": torch.tensor([self.blocks]),
        }

    def resume(self, state: dict[str, Tensor]) -> None:
        self.generator.set_state(state["generator"])
        self.pool, self.blocks = state["pool"], int(state["blocks"])
        self.iterator = None


Source = Rows | Pool


def source(data: Data, d_in: int, *, seed: int, shuffle_rows: int) -> Source:
    """The activations, wherever they are: see `train` for what data may be.

    Raises:
        ValueError: as for `train`.
    """
    if isinstance(data, str | Path):
        return Rows(open_file(data), d_in, str(data), seed)
    if isinstance(data, Tensor):
        return Rows(data, d_in, "the tensor", seed)
    return Pool(data, d_in, seed, shuffle_rows)

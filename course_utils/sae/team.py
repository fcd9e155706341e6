"""Threads that do a part of the work each, from its beginning to its end.

PyTorch divides every single operation among its threads, and these wait for one another after each
of a hundred in a step. Where another program wants a processor too, that waiting makes a step ten
times as slow. Here a thread has a part of the samples, and waits once.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Barrier
from typing import TypeVar

import torch

Part = TypeVar("Part")


def in_parts(
    work: Callable[[slice], Part], length: int, *, longest: int | None = None
) -> list[Part]:
    """What `work` returns for each of some slices that cover range(length), in their order.

    There are as many slices as PyTorch may use threads (`torch.get_num_threads`), or as many as it
    takes for none to be longer than `longest`. Within `work` PyTorch uses one thread.

    Raises:
        whatever `work` raises.
    """
    threads = torch.get_num_threads()
    size = max(1, -(-length // threads))
    size = size if longest is None else min(size, longest)
    parts = [slice(start, min(start + size, length)) for start in range(0, length, size)]
    if threads == 1 or len(parts) == 1:
        return [work(part) for part in parts]
    with _one_thread_each(threads):
        return list(_pool(threads).map(work, parts))


@contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    """Every thread says once how many PyTorch may use in it, before any work begins."""
    pool = ThreadPoolExecutor(threads, "sae", lambda: torch.set_num_threads(1))
    all_are_there = Barrier(threads)
    for waiting in [pool.submit(all_are_there.wait) for _ in range(threads)]:
        waiting.result()
    return pool

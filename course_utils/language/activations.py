"""What a model computes inside when it reads: activations at hook points, for many texts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.exceptions import StopAtLayerException

from course_utils.language.points import check_points
from course_utils.language.tokens import Tokens, tokenize
from course_utils.progress_bar import progress_bar

AHEAD = 8  # batches of a stream that are sorted by length together

Texts = str | Sequence[str] | Tokens
Positions = Callable[[Tokens], Bool[Tensor, "n_texts longest"]]


@dataclass(frozen=True)
class Activations:
    """One row for each token that was asked for.

    `values[point][r]` is what was found at the hook point for token `token[r]`, which is at
    `position[r]` of text `text[r]`: `tokens.ids[text, position]` of the same texts.
    """

    values: dict[str, Float[Tensor, "rows ..."]]
    text: Int[Tensor, " rows"]
    position: Int[Tensor, " rows"]
    token: Int[Tensor, " rows"]

    def __len__(self) -> int:
        return len(self.token)


def activations(
    model: TransformerBridge,
    texts: Texts,
    points: str | Sequence[str],
    *,
    batch_size: int = 16,
    max_tokens: int | None = None,
    positions: Positions | None = None,
    progress: bool = True,
) -> Activations:
    """Activations at some hook points for every token of some texts, in the order of the texts.

    Layers after the last of the points are not run, nor what follows them. Texts are read in
    batches of similar length, padded at their ends; a token never sees what comes after it, so
    that padding changes nothing, and padding is never among the rows. Neither is what begins each
    text: it stands for no character, and has the largest activations of all.

    Args:
        texts: one, several, or as `tokenize` gives them.
        points: one or several names, see `hook_point`. Of a point with (text, position, ...)
            features; attention patterns have none.
        batch_size: texts run at once. More is hardly faster on a CPU, and takes more memory.
        max_tokens: as for `tokenize`; not for texts that are cut into tokens already.
        positions: from the tokens of some texts to a mask of those wanted, such as
            `lambda tokens: tokens.containing(";")`. None takes all.
        progress: show a bar if it takes more than a second.

    Memory: that of the result, 4 bytes a number, and of one batch.

    Raises:
        ValueError: a point is unknown or has no activation for each token, batch_size is below
            1, the mask has another shape, or as for `tokenize`.
    """
    points = _checked(model, points, batch_size)
    tokens = _tokens(model, texts, max_tokens)
    wanted = _wanted(tokens, positions)
    row = wanted.flatten().cumsum(0).reshape(wanted.shape) - 1
    text, position = wanted.nonzero().unbind(1)
    values: dict[str, Tensor] = {}
    with progress_bar("Reading texts", len(tokens.ids), show=progress) as done:
        for block, n in _blocks(model, tokens, wanted, points, batch_size):
            for point, found in block.values.items():
                if point not in values:
                    values[point] = found.new_empty(len(text), *found.shape[1:])
                values[point][row[block.text, block.position]] = found
            done(n)
    return Activations(values, text, position, tokens.ids[text, position])


def stream(
    model: TransformerBridge,
    texts: Iterable[str] | Tokens,
    points: str | Sequence[str],
    *,
    batch_size: int = 16,
    max_tokens: int | None = None,
    positions: Positions | None = None,
    progress: bool = False,
) -> Iterator[Activations]:
    """The same in blocks of one batch each, so that memory does not grow with the number of texts.

    `texts` may be an endless iterator: it is read little by little. Texts are read in batches of
    similar length, so their order within some 100 texts changes; `text` says which is which.

    Args and Raises: as for `activations`. Every text must be valid, and is looked at only when its
    turn comes.
    """
    points = _checked(model, points, batch_size)
    total = len(texts.ids) if isinstance(texts, Tokens) else None
    if isinstance(texts, Sequence):
        total = len(texts)
        _tokens(model, texts[:1], max_tokens)  # complains of no texts at once
    return _stream(model, texts, points, batch_size, max_tokens, positions, total, progress)


def _stream(
    model: TransformerBridge,
    texts: Iterable[str] | Tokens,
    points: list[str],
    batch_size: int,
    max_tokens: int | None,
    positions: Positions | None,
    total: int | None,
    progress: bool,
) -> Iterator[Activations]:
    before = 0
    with progress_bar("Reading texts", total, show=progress) as done:
        for tokens in _windows(model, texts, batch_size * AHEAD, max_tokens):
            wanted = _wanted(tokens, positions)
            for block, n in _blocks(model, tokens, wanted, points, batch_size):
                yield Activations(block.values, block.text + before, block.position, block.token)
                done(n)
            before += len(tokens.ids)


def _windows(
    model: TransformerBridge, texts: Iterable[str] | Tokens, size: int, max_tokens: int | None
) -> Iterator[Tokens]:
    if isinstance(texts, Tokens):
        yield _tokens(model, texts, max_tokens)
        return
    left = iter([texts] if isinstance(texts, str) else texts)
    while some := list(islice(left, size)):
        yield tokenize(model, some, max_tokens=max_tokens)


def _tokens(model: TransformerBridge, texts: Texts, max_tokens: int | None) -> Tokens:
    if not isinstance(texts, Tokens):
        return tokenize(model, texts, max_tokens=max_tokens)
    if max_tokens is not None:
        raise ValueError("these texts are tokens already; give max_tokens to `tokenize`.")
    return texts


def _wanted(tokens: Tokens, positions: Positions | None) -> Tensor:
    if positions is None:
        return tokens.is_text
    mask = positions(tokens)
    if mask.shape != tokens.is_text.shape or mask.dtype != torch.bool:
        raise ValueError(
            f"positions gave {tuple(mask.shape)} of {mask.dtype}; it must give a mask of the "
            f"tokens, {tuple(tokens.is_text.shape)} of torch.bool."
        )
    return mask & tokens.is_text


def _checked(model: TransformerBridge, points: str | Sequence[str], batch_size: int) -> list[str]:
    points = [points] if isinstance(points, str) else list(dict.fromkeys(points))
    check_points(model, points)
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; use at least 1.")
    return points


def _blocks(
    model: TransformerBridge, tokens: Tokens, wanted: Tensor, points: list[str], batch_size: int
) -> Iterator[tuple[Activations, int]]:
    """The rows of one batch after the other, and how many texts that were."""
    for batch in tokens.lengths.argsort(stable=True).split(batch_size):
        batch = batch.sort().values
        longest = int(tokens.lengths[batch].max())
        ids, mask = tokens.ids[batch, :longest], wanted[batch, :longest]
        found = _run(model, ids, points)
        text, position = mask.nonzero().unbind(1)
        values = {point: value[mask] for point, value in found.items()}
        yield Activations(values, batch[text], position, ids[mask]), len(batch)


def _run(model: TransformerBridge, ids: Tensor, points: list[str]) -> dict[str, Tensor]:
    """One batch, up to the last of the points and no further."""
    found: dict[str, Tensor] = {}

    def keep(value: Tensor, hook: object, point: str) -> None:
        found[point] = value.detach()
        if len(found) == len(points):
            # transformer_lens's own way to stop; its `stop_at_layer` would go on to the end of
            # the layer, and in the last layer through the unembedding.
            raise StopAtLayerException(value)

    hooks = [(point, partial(keep, point=point)) for point in points]
    with torch.no_grad():
        model.run_with_hooks(ids, fwd_hooks=hooks, return_type=None, use_cache=False)
    for point in points:
        value = found.get(point, ids[0])
        if value.shape[:2] != ids.shape or not value.is_floating_point():
            raise ValueError(f'"{point}" has no activation for each token; use another point.')
    return found

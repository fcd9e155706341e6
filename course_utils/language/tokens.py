"""Texts as a model reads them, and which characters each token stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge


@dataclass(frozen=True)
class Tokens:
    """Row i is text i: perhaps a token that begins every text, its own, and padding at the end.

    `offsets[i, p]` is (start, end) of the characters that token p stands for: it is of the text
    `texts[i][start:end]`. They cover the text in order. Several tokens may share a character (a
    Chinese one may take three): then each has all of it. What begins a text, and padding, has
    (0, 0). A few characters have no token, because the model's vocabulary lacks their bytes: some
    control characters, and rare planes of Unicode.
    """

    ids: Int[Tensor, "n_texts longest"]
    offsets: Int[Tensor, "n_texts longest 2"]
    is_text: Bool[Tensor, "n_texts longest"]  # neither what begins a text nor padding
    texts: tuple[str, ...]

    @property
    def lengths(self) -> Int[Tensor, " n_texts"]:
        """Without padding, but with what begins the text."""
        places = torch.arange(1, self.ids.shape[1] + 1)
        return (places * self.is_text).amax(1)

    def containing(self, piece: str) -> Bool[Tensor, "n_texts longest"]:
        """Which tokens have a character of the piece, wherever it occurs in the texts.

        All of them where a piece is several tokens, and tokens that have other characters too,
        such as `);` for `;`.

        Raises:
            ValueError: the piece is empty.
        """
        if not piece:
            raise ValueError("the piece is empty; say what to look for.")
        found = torch.zeros_like(self.is_text)
        for i, text in enumerate(self.texts):
            at = text.find(piece)
            while at >= 0:
                start, end = self.offsets[i].unbind(-1)
                found[i] |= (start < at + len(piece)) & (end > at)
                at = text.find(piece, at + 1)
        return found & self.is_text

    def pieces(self, i: int) -> list[str]:
        """The characters of each token of text i, in order; "" for what begins the text."""
        spans = self.offsets[i, : int(self.lengths[i])].tolist()
        return [self.texts[i][start:end] for start, end in spans]


def tokenize(
    model: TransformerBridge,
    texts: str | Sequence[str],
    *,
    max_tokens: int | None = None,
    bos: bool = True,
) -> Tokens:
    """Cut texts into tokens.

    Args:
        texts: one or several, none of them empty.
        max_tokens: longer texts are cut after that many tokens, counting what begins the text.
            None cuts nothing: then a text that the model cannot read at once is an error.
        bos: put what begins a text in front, as in training. False is for a text that has it
            already, or that is no beginning.

    Raises:
        ValueError: there is no text, one is empty, too long, no valid Unicode, or has no token,
            or max_tokens has no room for a token or is more than the model reads.
    """
    texts = (texts,) if isinstance(texts, str) else tuple(texts)
    room, least = model.cfg.n_ctx, 2 if bos else 1
    if not texts:
        raise ValueError("there are no texts; give at least one.")
    if max_tokens is not None and not least <= max_tokens <= room:
        raise ValueError(f"max_tokens is {max_tokens}; use {least} to {room}, or None.")
    for i, text in enumerate(texts):
        if not text:
            raise ValueError(f"text {i} is empty; leave it out.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"text {i} has half a character at {error.start}; read it with the right encoding."
            ) from None
    found = model.tokenizer(
        list(texts), return_offsets_mapping=True, return_attention_mask=False,
        add_special_tokens=bos, padding=False, truncation=False,
    )  # fmt: skip
    lengths = torch.tensor([len(ids) for ids in found["input_ids"]])
    for i in (lengths < least).nonzero().flatten().tolist():
        raise ValueError(f"text {i} has no character that the model knows; leave it out.")
    if max_tokens is None and int(lengths.max()) > room:
        i = int(lengths.argmax())
        raise ValueError(
            f"text {i} has {int(lengths[i]):,} tokens and the model reads {room:,} at once; cut "
            "it, or let max_tokens cut it."
        )
    lengths = lengths.clamp_max(max_tokens or room)
    shape = (len(texts), int(lengths.max()))
    ids = torch.full(shape, model.tokenizer.pad_token_id)
    offsets = torch.zeros(*shape, 2, dtype=torch.long)
    for i, n in enumerate(lengths.tolist()):
        ids[i, :n] = torch.tensor(found["input_ids"][i][:n])
        offsets[i, :n] = torch.tensor(found["offset_mapping"][i][:n])
    is_text = torch.arange(shape[1]) < lengths[:, None]
    is_text[:, 0] &= not bos
    return Tokens(ids, offsets, is_text, texts)


def from_ids(model: TransformerBridge, ids: Int[Tensor, "n_texts longest"]) -> Tokens:
    """Tokens that are numbers already, such as rows of a training set; none is padding.

    Their texts are what the tokens spell (see `spell`), one after the other. A first token that
    is what begins a text counts as that.

    Raises:
        ValueError: there is none, a number is no token's, or a row is longer than the model reads.
    """
    if ids.numel() == 0 or ids.shape[1] > model.cfg.n_ctx:
        raise ValueError(
            f"ids is {tuple(ids.shape)}; use at least one row of 1 to {model.cfg.n_ctx} tokens."
        )
    pieces = {i: spell(model, i) for i in ids.unique().tolist()}
    is_text = torch.ones_like(ids, dtype=torch.bool)
    is_text[:, 0] = ids[:, 0] != model.tokenizer.bos_token_id
    widths = torch.tensor([[len(pieces[i]) for i in row] for row in ids.tolist()]) * is_text
    ends = widths.cumsum(1)
    kept = [[pieces[i] for i in row] for row in ids.tolist()]
    texts = tuple("".join(row[int(not own[0]) :]) for row, own in zip(kept, is_text.tolist()))
    return Tokens(ids.long(), torch.stack([ends - widths, ends], -1), is_text, texts)


def spell(model: TransformerBridge, token: int) -> str:
    """A token as a string; bytes that are no whole character as `\\xe4`.

    Raises:
        ValueError: there is no such token.
    """
    written = model.tokenizer.convert_ids_to_tokens(token) if token >= 0 else None
    if written is None:
        raise ValueError(f"token is {token}; use 0 to {model.cfg.d_vocab - 1}.")
    if token in model.tokenizer.all_special_ids or not set(written) <= set(_bytes()):
        return written
    return bytes(_bytes()[c] for c in written).decode(errors="backslashreplace")


@cache
def _bytes() -> dict[str, int]:
    """Byte-level tokenizers write each byte as a character that can be seen: which is which.

    Bytes that Latin-1 shows are written as there, the others in order from U+0100 on.
    """
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (b for b in range(0x100) if b not in seen)
    return {chr(b): b for b in seen} | {chr(0x100 + n): b for n, b in enumerate(others)}

"""What the autoencoder of SmolLM2 reads: code and prose, half and half, as rows of tokens.

Code, docstrings and documentation are the text of our one-layer transformer (`tiny_lm_text`),
spelt out again from its tokens; prose comes from `sae_prose`. A document is held out or not by the
hash of its text.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt16
from sae_prose import prose
from tiny_lm_tokenizer import EOS
from tokenizers import Tokenizer
from train_tiny_lm import load_rows, write

CONTEXT = 128  # tokens of a row, with the one that begins it
HELD_OUT = 16  # one document in so many
LETTERS_A_SOURCE = 3_500_000  # of a language's prose, so that no book is most of it
SHARES = {  # of the tokens
    "Python": 14.0,
    "JavaScript": 12.0,
    "C and C++": 12.0,
    "CSS and HTML": 6.0,
    "other code": 6.0,
    "docstrings": 5.0,
    "documentation": 3.0,
    "English": 25.0,
    "French": 8.5,
    "German": 8.5,
}
PROSE = ("English", "French", "German")


def is_held_out(text: str) -> bool:
    """The same for the same text, whatever else there is."""
    return hashlib.sha256(text.encode()).digest()[2] % HELD_OUT == 0


def spelt_out(rows: UInt16[np.ndarray, "rows length"], tokenizer: Tokenizer) -> list[str]:
    """The documents of rows that `train_tiny_lm.sequences` made, in their order.

    The last one is cut off, as there; what is shorter than 200 characters is left out.
    """
    flat = rows[:, 1:].ravel()
    ends = np.flatnonzero(flat == EOS)
    pieces = [piece[piece != EOS].tolist() for piece in np.split(flat, ends)]
    texts = tokenizer.decode_batch(pieces, skip_special_tokens=True)
    return [text for text in texts if len(text) >= 200]


def in_rows(
    texts: Iterable[str], tokenizer: Tokenizer, bos: int, limit: float
) -> UInt16[np.ndarray, "rows length"]:
    """The texts one after the other, `bos` after each, in rows of `bos` and CONTEXT - 1 tokens.

    It stops at `limit` tokens.
    """
    pieces, count, texts = [np.empty(0, np.uint16)], 0, list(texts)
    for start in range(0, len(texts), 200):
        for encoding in tokenizer.encode_batch(
            texts[start : start + 200], add_special_tokens=False
        ):
            pieces.append(np.array([*encoding.ids, bos], dtype=np.uint16))
            count += len(pieces[-1])
        if count > limit:
            break
    flat, own = np.concatenate(pieces), CONTEXT - 1
    rows = flat[: int(min(len(flat), limit)) // own * own].reshape(-1, own)
    return np.concatenate([np.full((len(rows), 1), bos, np.uint16), rows], axis=1)


def first_those_with(sign: str, texts: list[str]) -> list[str]:
    """All in the order of their hashes, but those that have the sign before those that have not."""
    hashed = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return sorted(hashed, key=lambda text: sign not in text)


def mixture(
    n_rows: dict[str, int], shares: dict[str, float], total: int, seed: int
) -> list[tuple[str, int]]:
    """(group, row) of `total` rows in random order, of each group its share.

    All rows of a group once in random order, then all once again, and so on. A shorter mixture is
    not the beginning of a longer one.
    """
    random = np.random.default_rng(seed)
    edges = np.round(np.cumsum([0.0, *shares.values()]) / sum(shares.values()) * total).astype(int)
    found = []
    for group, wanted in zip(shares, np.diff(edges)):
        rounds = -(-int(wanted) // n_rows[group])
        rows = np.concatenate([random.permutation(n_rows[group]) for _ in range(rounds)])
        found += [(group, int(row)) for row in rows[:wanted]]
    return [found[i] for i in random.permutation(total)]


def prepare(cache: Path, tiny_lm: Path, tokenizer: Path, bos: int, tokens: float) -> None:
    """All text as rows of SmolLM2's tokens, into the cache, unless they are there."""
    if (cache / "text.json").exists():
        return
    texts: dict[str, list[str]] = {group: [] for group in SHARES}
    about: dict[str, dict] = {}
    sizes: Counter = Counter()
    for name, version, language, text in prose(cache / "prose"):
        if sizes[name, language] < LETTERS_A_SOURCE:
            sizes[name, language] += len(text)
            texts[language].append(text)
            source = about.setdefault(name, {"version": version, "documents": {}, "letters": {}})
            for what, n in (("documents", 1), ("letters", len(text))):
                source[what][language] = source[what].get(language, 0) + n
    for language in PROSE:
        texts[language] = first_those_with(";", texts[language])
    ours = Tokenizer.from_file(str(tiny_lm / "tokenizer.json"))
    for which in ("train", "held out"):
        rows = load_rows(tiny_lm, which)
        for group in SHARES:
            if group not in PROSE:
                texts[group] += spelt_out(rows[group], ours)
    theirs = Tokenizer.from_file(str(tokenizer))
    arrays, groups = {}, {}
    for group, share in SHARES.items():
        limit = share / sum(SHARES.values()) * tokens
        print(f"Numbering {group} ...", flush=True)
        held = [text for text in texts[group] if is_held_out(text)]
        kept = [text for text in texts[group] if not is_held_out(text)]
        arrays[f"held out/{group}"] = in_rows(held, theirs, bos, limit)
        arrays[f"train/{group}"] = in_rows(kept, theirs, bos, limit)
        groups[group] = {
            "documents": len(kept),
            "held out": len(held),
            "rows": len(arrays[f"train/{group}"]),
            "rows held out": len(arrays[f"held out/{group}"]),
            "semicolons": sum(text.count(";") for text in kept),
        }
    np.savez(cache / "tokens.npz", **arrays)
    write(cache / "text.json", json.dumps({"groups": groups, "sources": about}, indent=1))

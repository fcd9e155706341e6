"""What is drawn and not written: base64, hexadecimal, DNA, digits."""

import base64
from collections.abc import Callable
from random import Random


def _wrapped(text: str, width: int) -> str:
    return "\n".join(text[i : i + width] for i in range(0, len(text), width))


def _base64(dice: Random, length: int) -> str:
    return _wrapped(base64.b64encode(dice.randbytes(length)).decode(), 76)[:length]


def _hexadecimal(dice: Random, length: int) -> str:
    """One long run, pairs, or numbers of C, as they stand in files."""
    text, kind = dice.randbytes(length).hex(), dice.randrange(3)
    pairs = [text[i : i + 2] for i in range(0, len(text), 2)]
    if kind == 0:
        text = _wrapped(text, 64)
    elif kind == 1:
        text = _wrapped(" ".join(pairs), 48)
    else:
        text = ", ".join("0x" + pair for pair in pairs)
    return text[:length]


def _dna(dice: Random, length: int) -> str:
    return _wrapped("".join(dice.choices("ACGT", k=length)), 60)[:length]


def _digits(dice: Random, length: int) -> str:
    numbers = (str(dice.randrange(10 ** dice.randint(1, 8))) for _ in range(length))
    return " ".join(numbers)[:length]


GENERATORS: dict[str, Callable[[Random, int], str]] = {
    "base64": _base64,
    "hexadecimal": _hexadecimal,
    "DNA": _dna,
    "digits": _digits,
}

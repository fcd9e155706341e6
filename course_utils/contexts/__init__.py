"""Texts whose class is known by construction: what a neuron or a latent can be held against.

`contexts` gives some texts of each class. Nobody had to read and label them: a text is Arabic
because it was made of Arabic names, and DNA because it was drawn from four letters. `written` has
what comes from Python's own library and from babel, which the locked environment installs,
`generated` what comes from a seeded generator. Nothing of it is kept in this repo.

Know what the classes are. Those of languages are lists of names, of countries, languages, scripts,
currencies and units, as interfaces show them: no sentences. So a neuron that tells German from
documentation may tell lists from prose; compare languages with each other. And much of the text
that our one-layer transformer was trained on comes from the same places (`tools/tiny_lm_text.py`):
it has seen texts such as these, or these. It does not matter here: what is asked is what a neuron
tells apart, not whether the model knows what it has not read.
"""

from collections.abc import Sequence
from random import Random

from course_utils.contexts.generated import GENERATORS
from course_utils.contexts.written import PIECES

CLASSES = (
    "code",
    "comments",
    "strings",
    "documentation",
    "French",
    "German",
    "Russian",
    "Arabic",
    "Hebrew",
    "Chinese",
    "Japanese",
    "Korean",
    "base64",
    "hexadecimal",
    "DNA",
    "digits",
)


def contexts(
    classes: Sequence[str] = CLASSES, n_texts: int = 32, length: int = 240, *, seed: int = 0
) -> dict[str, list[str]]:
    """Some texts of each class, each of exactly `length` characters.

    The pieces of a class (functions, comments, strings, paragraphs, names) are taken in random
    order and put together, one after the other, until they are long enough; what is over is cut
    off. No piece is used twice in a class before all were used once: that is after at least 7,000
    characters. (The least are of Chinese, where they say the most.)

        code            functions of Python's library, without their docstrings and comments
        comments        its comments, one a line, without the sign
        strings         strings in its functions, in quotes, one a line
        documentation   English prose of Python's language reference
        French ...      names in that language, one a line
        base64          of random bytes, in lines of 76
        hexadecimal     random bytes, in lines of 64; in pairs; or with 0x
        DNA             A, C, G and T, alike often, in lines of 60
        digits          decimal numbers of 1 to 8 digits

    A class has the same texts whatever others are asked for beside it. They are the same on every
    machine with the same version of Python, and of babel.

    Args:
        classes: some of CLASSES.
        n_texts: of each class, at least 1.
        length: of a text, in characters, at least 1. A token is about 3 characters of English or
            code, and less than one of Chinese.
        seed: another one gives other texts, though some may begin with the same paragraph. For a
            test set that shares no piece, ask for more texts at once and leave some aside.

    Raises:
        ValueError: a class is unknown or named twice, or n_texts or length is below 1.
    """
    unknown = [name for name in classes if name not in CLASSES]
    if unknown or len(set(classes)) != len(classes) or isinstance(classes, str):
        raise ValueError(
            f"classes is {classes!r}; use some of {', '.join(CLASSES)}, each at most once."
        )
    if n_texts < 1 or length < 1:
        raise ValueError(f"n_texts is {n_texts} and length {length}; use at least 1 of each.")
    return {name: _texts(name, n_texts, length, seed) for name in classes}


def _texts(name: str, n_texts: int, length: int, seed: int) -> list[str]:
    dice = Random(f"{seed} {name}")
    if name in GENERATORS:
        return [GENERATORS[name](dice, length) for _ in range(n_texts)]
    pieces, texts, left = PIECES[name](), [], []
    for _ in range(n_texts):
        text = ""
        while len(text) < length:
            left = left or dice.sample(pieces, len(pieces))
            text += left.pop() + "\n"
        texts.append(text[:length])
    return texts


__all__ = ["CLASSES", "contexts"]

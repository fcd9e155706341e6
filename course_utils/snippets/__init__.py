"""Snippets of text, written for this course: one symbol in nine languages, and pairs of features.

`semicolons/` has one file for each class. The symbol ends a statement in javascript, c and sql,
joins two in python (or, at the end of a cell, keeps a notebook from showing the value), closes an
entity (``&amp;``) in html, separates clauses in english, french and german, and is the question
mark in greek.

The Greek ones hide a trap. Unicode has a Greek question mark of its own, U+037E, and calls it
equivalent to the ordinary semicolon, U+003B, which is what most Greek text really has. They look
the same, but are other bytes: for SmolLM2 the first is two tokens, the second is one. Half of our
snippets have the one, half the other; so never look for ";" alone there, and never normalise the
text, which would turn U+037E into U+003B.

A French semicolon has a space before it: mostly an ordinary one, as people type it, at times
U+00A0 or U+202F, as typographers prefer. With an ordinary space, SmolLM2 reads another token,
" ;". In code the symbol is often the end of a longer token, such as ");".

`pairs/` has the worked examples of the pair lab: two features of language, each as a list of
snippets, and what one might guess about them before measuring.

In all these files a line ``----`` stands between two snippets. Lines within a snippet, and spaces
where they begin, belong to it.
"""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEMICOLONS = HERE / "semicolons"
PAIRS = HERE / "pairs"
SIGNS = (";", "\N{GREEK QUESTION MARK}")  # U+003B and U+037E
HEADER = ("title", "first", "second", "guess")


@dataclass(frozen=True)
class Pair:
    """Two features of language, each given by snippets that have it."""

    title: str
    first_name: str
    second_name: str
    guess: str  # one sentence to the learner: what to expect, and why
    first: list[str]
    second: list[str]


def semicolons(folder: Path = SEMICOLONS) -> dict[str, list[str]]:
    """The snippets of each class, by its name, such as "javascript" or "english".

    Every snippet has 25 to 300 characters, and at least 20 of them before its first semicolon:
    a model that reads from left to right has had the chance to see what language it is in.

    Args:
        folder: where the files are, one ``<class>.txt`` for each class.

    Raises:
        ValueError: there is no file, or one is not UTF-8, or has a snippet that is empty or
            without a semicolon.
    """
    return {file.stem: _with_semicolon(file) for file in _files(folder)}


def pairs(folder: Path = PAIRS) -> dict[str, Pair]:
    """The worked pairs, by their slugs, such as "bank_river_money", in alphabetical order.

    A file begins with the lines ``title: ...``, ``first: ...``, ``second: ...`` and ``guess: ...``
    and an empty one. Then come a line ``== first`` with snippets after it, and a line
    ``== second`` with snippets after it.

    Args:
        folder: where the files are, one ``<slug>.txt`` for each pair.

    Raises:
        ValueError: there is no file, or one is not UTF-8, or not written like this.
    """
    return {file.stem: _pair(file) for file in _files(folder)}


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.txt"))
    if not found:
        raise ValueError(f"There is no file with snippets (*.txt) in {folder}.")
    return found


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8 text: byte {error.start} is wrong.") from None
    # Not splitlines(), which would also break a line at characters that snippets may have.
    return text.removesuffix("\n").split("\n")


def _snippets(file: Path, lines: list[str]) -> list[str]:
    """What stands between the lines of dashes."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line == "----":
            found.append([])
        else:
            found[-1].append(line)
    snippets = ["\n".join(part) for part in found]
    for number, snippet in enumerate(snippets, start=1):
        if not snippet.strip():
            raise ValueError(f"{file} has nothing in snippet {number}.")
    return snippets


def _with_semicolon(file: Path) -> list[str]:
    snippets = _snippets(file, _lines(file))
    for number, snippet in enumerate(snippets, start=1):
        if not any(sign in snippet for sign in SIGNS):
            raise ValueError(f"{file} has no semicolon in snippet {number}.")
    return snippets


def _pair(file: Path) -> Pair:
    lines = _lines(file)
    words = [_value(file, lines, number, key) for number, key in enumerate(HEADER)]
    start = len(HEADER)
    if lines[start : start + 2] != ["", "== first"]:
        raise ValueError(f"{file} needs an empty line and then `== first` after its guess.")
    if lines.count("== first") != 1 or lines.count("== second") != 1:
        raise ValueError(f"{file} needs the lines `== first` and `== second`, once each.")
    middle = lines.index("== second")
    first = _snippets(file, lines[start + 2 : middle])
    return Pair(*words, first, _snippets(file, lines[middle + 1 :]))


def _value(file: Path, lines: list[str], number: int, key: str) -> str:
    """What a line of the header says."""
    name, _, value = (lines[number] if number < len(lines) else "").partition(": ")
    if name != key or not value.strip():
        raise ValueError(f"{file} needs `{key}: ...` in line {number + 1}.")
    return value.strip()

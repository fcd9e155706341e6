"""What people wrote: Python's own library, and babel's names of things in many languages.

Each function gives the pieces of one class, always in the same order.
"""

import ast
import io
import re
import sysconfig
import textwrap
import tokenize
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from pydoc_data.topics import topics

from babel import Locale

# Modules that every Python from 3.10 on has as one file.
MODULES = """argparse calendar configparser difflib ftplib heapq http/client mailbox optparse pickle
shutil statistics subprocess tarfile threading""".split()
COMMENTED = ("difflib", "http/client", "shutil", "statistics", "tarfile")  # enough, and quicker
LANGUAGES = {  # babel's codes, and how Unicode's blocks of the script begin and end
    "French": ("fr", "a", "ɏ"),
    "German": ("de", "a", "ɏ"),
    "Russian": ("ru", "Ѐ", "ӿ"),
    "Arabic": ("ar", "؀", "ۿ"),
    "Hebrew": ("he", "\u0590", "\u05ff"),
    "Chinese": ("zh", "一", "鿿"),
    "Japanese": ("ja", "\u3040", "鿿"),
    "Korean": ("ko", "가", "힣"),
}
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
SHORTEST = 12  # characters of a comment or string: shorter ones are separators and names


@cache
def _sources() -> dict[str, str]:
    folder = Path(sysconfig.get_path("stdlib"))
    return {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}


@cache
def _functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of the modules with the text of its module, but none within another."""
    found = []
    for source in _sources().values():
        tree = ast.parse(source)
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        nodes = [*tree.body, *(node for one in classes for node in one.body)]
        found += [(source, node) for node in nodes if isinstance(node, FUNCTIONS)]
    return found


@cache
def code() -> list[str]:
    """Functions without docstrings, those that have no comment."""
    pieces = []
    for source, function in _functions():
        lines = source.split("\n")
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body:
            kept = lines[function.lineno - 1 : function.body[0].lineno - 1]
            kept += lines[body[0].lineno - 1 : function.end_lineno]
            piece = textwrap.dedent("\n".join(line for line in kept if line.strip()))
            if "#" not in piece:
                pieces.append(piece + "\n")
    return pieces


@cache
def comments() -> list[str]:
    """The words of all comments; lines of dashes and code that is commented out have few."""
    pieces = []
    for name in COMMENTED:
        for token in tokenize.generate_tokens(io.StringIO(_sources()[name]).readline):
            words = token.string.lstrip("#!: ").rstrip()
            if token.type == tokenize.COMMENT and _is_prose(words):
                pieces.append(words)
    return list(dict.fromkeys(pieces))


@cache
def strings() -> list[str]:
    """Strings within functions, as Python writes them; no docstrings."""
    pieces = []
    for _, function in _functions():
        body = function.body[1:] if ast.get_docstring(function) else function.body
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    if SHORTEST <= len(node.value) <= 100 and " " in node.value.strip():
                        pieces.append(repr(node.value))
    return list(dict.fromkeys(pieces))


@cache
def documentation() -> list[str]:
    """Paragraphs of prose; neither headings, nor grammar, nor examples of code."""
    paragraphs = [part for name in sorted(topics) for part in topics[name].split("\n\n")]
    joined = [" ".join(part.split()) + "\n" for part in paragraphs if part[:1].isalpha()]
    return list(dict.fromkeys(part for part in joined if _is_prose(part) and len(part) > 100))


@cache
def names(language: str) -> list[str]:
    """Names of countries, languages, scripts, currencies and units, those in the own script."""
    code, first, last = LANGUAGES[language]
    locale = Locale(code)
    found: list[str] = []
    for table in (locale.territories, locale.languages, locale.scripts, locale.currencies):
        found += table.values()
    for units in locale.unit_display_names.values():
        found += units.values()
    in_script = [name for name in found if _share(name, first, last) > 0.8]
    return sorted(set(in_script))


def _share(name: str, first: str, last: str) -> float:
    """How much of a name's letters, in lower case, are in a range of Unicode."""
    letters = [letter for letter in name.lower() if letter.isalpha()]
    return sum(first <= letter <= last for letter in letters) / max(1, len(name.replace(" ", "")))


def _is_prose(text: str) -> bool:
    words = re.findall(r"[A-Za-z][a-z]*(?![A-Za-z_(\[.=])", text)
    return len(text) >= SHORTEST and sum(map(len, words)) > 0.7 * len(text.replace(" ", ""))


PIECES: dict[str, Callable[[], list[str]]] = {
    "code": code,
    "comments": comments,
    "strings": strings,
    "documentation": documentation,
    **{language: partial(names, language) for language in LANGUAGES},
}

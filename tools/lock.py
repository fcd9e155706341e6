"""Make requirements.lock from requirements.in: every version pinned, for Python 3.10 to 3.13.

    python tools/lock.py              pin what is new, leave the rest as it is
    python tools/lock.py --upgrade    take the newest of everything

PyTorch's CUDA packages are left out: the course runs on the CPU build, which needs none of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
CUDA = re.compile(r"^(nvidia-|cuda-|triton\b)")
HEADER = """\
# Made from requirements.in by tools/lock.py; do not edit. For Python 3.10 to 3.13.
# Install PyTorch first (course.py takes its CPU build), then this file with --no-deps.
"""


def main() -> int:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", "3.10", "--no-annotate", "--no-header", "--no-emit-index-url"]
    command += ["--output-file", str(LOCK), *sys.argv[1:], str(ROOT / "requirements.in")]
    done = subprocess.run(command)
    if done.returncode:
        return done.returncode
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#") and not CUDA.match(line)]
    LOCK.write_text(HEADER + "\n".join(kept) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Make requirements.lock from requirements.in: every version pinned, for Python 3.10 to 3.13.

    python tools/lock.py              pin what is new, leave the rest as it is
    python tools/lock.py --upgrade    take the newest of everything

What only a CUDA build of PyTorch needs is left out: the course runs on the CPU build.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
CUDA = ("nvidia-", "cuda-", "triton")
HEADER = """\
# Made from requirements.in by tools/lock.py; do not edit. For Python 3.10 to 3.13.
# Install PyTorch first (course.py takes its CPU build), then this file with --no-deps.
"""


def without_cuda(annotated: str) -> list[str]:
    """The lines that the course needs, from uv's output with `# via` at the end of each line.

    A package goes when its name is one of CUDA's and nobody needs it but torch and packages that
    go as well. Whatever else has such a name stays.
    """
    found = []
    for line in annotated.splitlines():
        pin, _, via = line.partition("# via ")
        if pin.strip() and not pin.startswith("#"):
            parents = {parent.strip() for parent in via.split(",")}
            found.append((pin.split("==")[0], pin.strip(), parents))
    gone = {name for name, _, _ in found if name.startswith(CUDA)}
    stays = gone
    while stays:
        stays = {name for name, _, parents in found if name in gone and parents - gone - {"torch"}}
        gone -= stays
    return [pin for name, pin, _ in found if name not in gone]


def main() -> int:
    if subprocess.run([sys.executable, "-c", "import uv"], capture_output=True).returncode:
        print("This needs uv: install it with `python -m pip install uv`, and run it again.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        # uv keeps the versions that its output file already has. It gets a copy, so that whoever
        # interrupts it still has the old lock.
        output = Path(folder) / "requirements.lock"
        if LOCK.exists():
            output.write_bytes(LOCK.read_bytes())
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
        command += ["--python-version", "3.10", "--annotation-style", "line", "--no-header"]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--output-file", str(output)]
        done = subprocess.run([*command, *sys.argv[1:], "requirements.in"], cwd=ROOT)
        if done.returncode:
            return done.returncode
        lines = without_cuda(output.read_text(encoding="utf-8"))
    LOCK.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

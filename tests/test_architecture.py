"""The shape of the shared package: who imports whom, how long a module is, what loading costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "course_utils"
LONGEST = 320  # lines
IMPORT_COST = 1.2  # times `import torch`

# What each module may import from course_utils; a module that is not here yet has no place in
# the design. None: whatever it needs.
MAY_IMPORT: dict[str, set[str] | None] = {
    "__init__": set(),
    "features": set(),
    "geometry": set(),
    "toy_models": {"features"},
    "similarity": set(),
    "stimuli": set(),
    "vision": {"assets", "stimuli"},
    "progress_bar": set(),
    "language": {"assets", "progress_bar"},
    "sae": {"progress_bar"},
    "assets": set(),
    "snippets": set(),
    "contexts": set(),
    "neurons": set(),
    "polysemanticity": set(),
    "plots": set(),
    "widgets": {"plots"},
    "server": set(),
    "checks": None,
    "__main__": None,
}
ONLY_IN_LANGUAGE = {"transformer_lens", "transformers"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def owner(path: Path) -> str:
    """The row of the table that a file belongs to: its module, or `checks`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, tree: ast.AST) -> set[str]:
    """Absolute dotted names of everything imported anywhere in a file."""
    names = set()
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def from_course_utils(path: Path, source: str) -> set[str]:
    """The rows of the table that a module of course_utils imports."""
    found = {name for name in imports(path, ast.parse(source)) if name.startswith("course_utils.")}
    return {name.split(".")[1] for name in found} - {owner(path)}


MODULES = python_files("course_utils")
CODE = [
    *python_files("course_utils", "tools", "tests", "benchmarks", "source"),
    ROOT / "course.py",
]
relative = {"ids": lambda path: path.relative_to(ROOT).as_posix()}


@pytest.mark.parametrize("path", MODULES, **relative)
def test_imports_point_one_way(path):
    row = owner(path)
    assert row in MAY_IMPORT, f"{row} is not in the table of modules in the design"
    allowed = MAY_IMPORT[row]
    used = from_course_utils(path, path.read_text(encoding="utf-8"))
    if allowed is not None:
        assert used <= allowed, f"{row} must not import {sorted(used - allowed)}"
    assert "__main__" not in used


def test_the_table_itself_has_no_circle():
    done: set[str] = {"checks", "__main__"}  # the two at the end of every arrow
    rest = {row: allowed for row, allowed in MAY_IMPORT.items() if allowed is not None}
    while rest:
        ready = {row for row, allowed in rest.items() if allowed <= done}
        assert ready, f"a circle among {sorted(rest)}"
        done |= ready
        rest = {row: allowed for row, allowed in rest.items() if row not in ready}


@pytest.mark.parametrize("path", MODULES, **relative)
def test_only_language_knows_the_language_model_libraries(path):
    used = {name.partition(".")[0] for name in imports(path, ast.parse(path.read_text("utf-8")))}
    if owner(path) != "language":
        assert not used & ONLY_IN_LANGUAGE


@pytest.mark.parametrize("path", MODULES, **relative)
def test_a_module_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_there_is_no_drawer_for_everything():
    names = {path.stem for path in CODE}
    assert not names & {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", CODE, **relative)
def test_nothing_meddles_with_the_import_path(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "path":
            on_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
            assert not on_sys, f"sys.path in line {node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            assert "path" not in {alias.name for alias in node.names}


def test_the_bootstrap_needs_nothing_but_python():
    path = ROOT / "course.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {name.partition(".")[0] for name in imports(path, tree)}
    assert used <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("module", "source", "used"),
    [
        ("geometry.py", "import course_utils.plots", {"plots"}),
        ("geometry.py", "from course_utils import plots, sae", {"plots", "sae"}),
        ("geometry.py", "from course_utils.checks.guard import run", {"checks"}),
        ("geometry.py", "from . import plots", {"plots"}),
        ("geometry.py", "from .plots import show", {"plots"}),
        ("checks/guard.py", "from .. import sae", {"sae"}),
        ("checks/guard.py", "from ..sae import train", {"sae"}),
        ("checks/guard.py", "from . import index", set()),
        ("geometry.py", "def f():\n    from course_utils import plots", {"plots"}),
        ("geometry.py", "import torch\nfrom numpy import linalg", set()),
    ],
)
def test_every_way_to_import_is_seen(module, source, used):
    assert from_course_utils(PACKAGE / module, source) == used


# What loading costs

TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


# What a toy notebook imports, for the figure only: plotly and ipywidgets have their price.
TOY_NOTEBOOK = "course_utils.toy_models, course_utils.plots, course_utils.widgets"


def seconds_to_import(name: str) -> float:
    command = [sys.executable, "-c", TIMED.format(name)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.quiet
def test_importing_the_package_costs_little_more_than_torch(record_property):
    seconds_to_import("torch")  # the first one of a session reads from the disk
    names = ("torch", "course_utils", TOY_NOTEBOOK)
    best = dict.fromkeys(names, float("inf"))
    for _ in range(4):  # taking turns, so that a busy machine slows all of them alike
        for name in names:
            best[name] = min(best[name], seconds_to_import(name))
    for name in names[1:]:
        ratio = best[name] / best["torch"]
        limit = f" of {IMPORT_COST}" if name == "course_utils" else ""
        record_property("budget", f"import {name}: {ratio:.2f}{limit} x import torch")
    assert best["course_utils"] <= IMPORT_COST * best["torch"]


def test_only_language_loads_the_language_model_libraries():
    """Also not by way of another library."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if owner(path) not in ("language", "__main__")
    ]
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert not set(ran.stdout.split()) & ONLY_IN_LANGUAGE

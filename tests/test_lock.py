"""The lock: every version pinned, no CUDA, nothing used that is not asked for."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml
from lock import without_cuda

ROOT = Path(__file__).parents[1]
OURS = {"course_utils", "course"}
OURS |= {"a_module_that_nobody_has"}  # a hostile answer of a test
FOLDERS = ("tests", "tools", "benchmarks")
OURS |= {path.stem for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
OURS |= {"answers"}
# The name to import, where it is not the name to install.
PACKAGE = {
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "IPython": "ipython",
    "yaml": "pyyaml",
    "_pytest": "pytest",
    "xdist": "pytest-xdist",
}
# Runs in an environment of its own, which benchmarks/sae.py makes.
ELSEWHERE = {"sae_lens"}


def lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]


def names(name):
    return {re.split(r"[\s=;<>\[]", line)[0].lower().replace("_", "-") for line in lines(name)}


def test_every_line_pins_one_version():
    for line in lines("requirements.lock"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+( ; .+)?", line), line


def test_no_line_brings_cuda_or_names_an_index():
    for line in lines("requirements.lock"):
        assert not re.match(r"nvidia|cuda|triton", line)
        assert "://" not in line and not line.startswith("-")


def test_only_what_cuda_alone_needs_is_left_out():
    annotated = """
numpy==2.0 ; python_full_version < '3.11'  # via -r requirements.in, torch
cuda-toolkit==13.0  # via torch
nvidia-cublas==13.1  # via cuda-toolkit, nvidia-cudnn
nvidia-cudnn==9.1  # via torch
nvidia-ml-py==1.0  # via a-monitor
nvidia-helper==1.0  # via nvidia-ml-py, torch
torch==2.13.0  # via -r requirements.in, numpy
"""
    kept = [line.split("==")[0] for line in without_cuda(annotated)]
    assert kept == ["numpy", "nvidia-ml-py", "nvidia-helper", "torch"]
    assert "numpy==2.0 ; python_full_version < '3.11'" in without_cuda(annotated)


def test_torch_is_one_version_for_all_pythons():
    # course.py installs it first, by itself
    (line,) = [line for line in lines("requirements.lock") if line.startswith("torch==")]
    assert ";" not in line
    assert line in lines("requirements.in")


def test_what_is_asked_for_is_pinned():
    assert names("requirements.in") <= names("requirements.lock")


@pytest.mark.parametrize("core", ["jupyterlab", "ipywidgets", "torch", "plotly", "nbval", "pytest"])
def test_the_core_is_asked_for(core):
    assert core in names("requirements.in")
    assert "transformer-lens" in names("requirements.in")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def test_what_the_code_imports_is_asked_for():
    folders = ("course_utils", "source", "tools", "tests", "benchmarks")
    files = [p for folder in folders for p in (ROOT / folder).rglob("*.py")]
    assert len(files) > 20
    used = {module for path in files for module in imports(path)}
    third = used - set(sys.stdlib_module_names) - OURS - ELSEWHERE
    wanted = {PACKAGE.get(module, module).lower().replace("_", "-") for module in third}
    assert wanted <= names("requirements.in")


def test_conda_gets_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    torch = next(line for line in lines("requirements.lock") if line.startswith("torch=="))
    assert f"pytorch={torch.removeprefix('torch==')}=cpu*" in conda
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}

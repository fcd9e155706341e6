"""The order of tests in two processes: what measures time runs alone, what shares is together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CONFTEST = """
from quiet_last import *

def pytest_configure(config):
    config.addinivalue_line("markers", "quiet")
    config.addinivalue_line("markers", "together(name)")
"""
TESTS = """
import json, os, time
import pytest

@pytest.fixture(autouse=True)
def noted(request):
    began = time.time()
    yield
    with open("noted", "a") as file:
        line = {"name": request.node.originalname, "process": os.getpid(), "began": began}
        file.write(json.dumps(line | {"ended": time.time()}) + "\\n")

@pytest.mark.quiet
@pytest.mark.parametrize("i", range(3))
def test_quiet(i):
    time.sleep(0.1)

@pytest.mark.together("shared")
class TestShared:
    @pytest.mark.parametrize("i", range(5))
    def test_shared(self, i):
        time.sleep(0.05)

    @pytest.mark.quiet
    def test_quiet_shared(self):
        time.sleep(0.1)

@pytest.mark.parametrize("i", range(9))
def test_other(i):
    time.sleep(0.1 * (i % 3))

@pytest.mark.skipif(not os.environ.get("CRASH"), reason="one run only")
@pytest.mark.parametrize("i", range(2))
def test_crash(i):
    os._exit(1)
"""


def run(folder, *options, **environment):
    """What the tests have noted, in order of time, and what pytest said at the end."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_some.py").write_text(TESTS)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist.plugin", "-n", "2", *options],
        cwd=folder,
        env=inherited
        | {"PYTHONPATH": str(HERE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        | environment,
        capture_output=True,
        text=True,
    )
    noted = [json.loads(line) for line in (folder / "noted").read_text().splitlines()]
    return sorted(noted, key=lambda test: test["began"]), done.stdout.splitlines()[-1]


def are_alone(tests):
    """Each begins after all others before it have ended."""
    return all(
        earlier["ended"] <= later["began"] for k, later in enumerate(tests) for earlier in tests[:k]
    )


def test_quiet_ones_run_alone_at_the_end(tmp_path):
    tests, said = run(tmp_path)
    assert "18 passed, 2 skipped" in said
    names = [test["name"] for test in tests]
    quiet = tests[-4:]
    assert sorted({test["name"] for test in quiet}) == ["test_quiet", "test_quiet_shared"]
    assert max(test["ended"] for test in tests[:-4]) <= quiet[0]["began"]
    assert are_alone(quiet) and len({test["process"] for test in quiet}) == 1
    assert not are_alone(tests[:-4]), "the others share the machine"
    shared = {test["process"] for test in tests if test["name"] == "test_shared"}
    assert len(shared) == 1 and names.count("test_shared") == 5


@pytest.mark.parametrize("only", ["quiet", "quiet_shared", "test_other"])
def test_a_choice_of_tests_is_run_too(tmp_path, only):
    tests, said = run(tmp_path, "-k", only)
    number = {"quiet": 4, "quiet_shared": 1, "test_other": 9}[only]
    assert f"{number} passed" in said
    assert are_alone(tests) == (only != "test_other")


def test_quiet_ones_run_alone_although_processes_have_died(tmp_path):
    tests, said = run(tmp_path, CRASH="1")
    assert "2 failed, 18 passed" in said
    assert are_alone(tests[-4:])
    assert max(test["ended"] for test in tests[:-4]) <= tests[-4]["began"]

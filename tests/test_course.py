"""course.py: sets the course up on a bare machine, and never costs a learner anything."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """course.py in a folder of its own (with a space and an accent), where pip is a stand-in."""
    folder = tmp_path / "a course für all"
    folder.mkdir()
    for name in ("course.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    import importlib.util

    spec = importlib.util.spec_from_file_location("course_under_test", folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.installed = []

    def make_venv():
        Path(module.venv_folder()).mkdir(exist_ok=True)

    def step(what, options, **_):
        module.installed.append(options[-1])
        return True

    monkeypatch.setattr(module, "make_venv", make_venv)
    monkeypatch.setattr(module, "step", step)
    return module


def only_setup(course, monkeypatch):
    """Let `lab` and `test` do no more than set up."""
    done = []
    monkeypatch.setattr(course, "test", lambda options: done.append(options) or 0)
    monkeypatch.setattr(course, "lab", lambda options: done.append(options) or 0)
    return done


# Which Python


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 9, 1), (3, 14, 0)])
def test_another_python_gets_one_sentence(course, capsys, monkeypatch, version):
    monkeypatch.setattr(course.sys, "version_info", version)
    assert course.main(["lab"]) == 1
    said = capsys.readouterr().out.strip()
    assert said.startswith("This course needs Python 3.10 to 3.13")
    assert f"this is Python {version[0]}.{version[1]}" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 13, 9)])
def test_supported_pythons_are_not_refused(course, version):
    course.check_python(version)


def test_the_file_can_be_read_by_a_python_that_is_too_old():
    """Python 2 refuses f-strings, annotations and `from None`; none may be in this file."""
    old = shutil.which("python2") or shutil.which("python2.7")
    if old and subprocess.run([old, "-c", "1"], capture_output=True).returncode == 0:
        run = subprocess.run([old, ROOT / "course.py", "lab"], capture_output=True, text=True)
        assert "This course needs Python" in run.stdout
    import ast

    tree = ast.parse((ROOT / "course.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal))
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert node.returns is None
            assert not arguments.kwonlyargs and not arguments.posonlyargs
            assert all(argument.annotation is None for argument in arguments.args)


# Setting up


def test_the_first_run_installs_and_the_second_does_not(course, monkeypatch):
    done = only_setup(course, monkeypatch)
    assert course.main(["test"]) == 0
    first = list(course.installed)
    assert str(course.in_root("requirements.lock")) in first
    assert course.main(["test"]) == 0
    assert course.installed == first
    assert len(done) == 2


def test_a_changed_lock_installs_again(course, monkeypatch):
    only_setup(course, monkeypatch)
    course.main(["test"])
    before = len(course.installed)
    with open(course.in_root("requirements.lock"), "a") as lock:
        lock.write("# changed\n")
    course.main(["test"])
    assert len(course.installed) == 2 * before


def test_an_interrupted_run_is_not_taken_for_a_finished_one(course, monkeypatch, capsys):
    done = only_setup(course, monkeypatch)
    whole = course.step

    def interrupted(what, options, **_):
        if "requirements.lock" in options[-1]:
            raise KeyboardInterrupt
        return whole(what, options)

    monkeypatch.setattr(course, "step", interrupted)
    assert course.main(["lab"]) == 130
    assert "goes on from here" in capsys.readouterr().out
    assert not course.is_ready() and not done
    monkeypatch.setattr(course, "step", whole)
    assert course.main(["lab"]) == 0
    assert course.is_ready() and len(done) == 1


@pytest.mark.parametrize(
    ("pip_said", "words"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...: Failed to "
            "establish a new connection: [Errno -3] Temporary failure in name resolution')\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "check the network",
        ),
        ("ERROR: No matching distribution found for nbval==0.11.0", "nbval==0.11.0"),
        ("The virtual environment was not created because ensurepip is not available", "venv"),
        ("", "no message"),
    ],
)
def test_a_failed_installation_is_one_sentence_that_says_what_to_do(course, pip_said, words):
    said = str(course.explain(pip_said, "the packages"))
    assert words in said
    assert "run the same command again" in said
    assert "\n" not in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "No permission to write"),
        (errno.EACCES, "No permission to write"),
        (errno.EIO, "The system said"),
    ],
)
def test_a_failing_file_system_is_one_sentence(course, monkeypatch, capsys, number, words):
    def fail():
        raise OSError(number, os.strerror(number), "some/file")

    monkeypatch.setattr(course, "set_up", fail)
    assert course.main(["lab"]) == 1
    assert words in capsys.readouterr().out


def test_a_python_without_venv_gets_one_sentence(monkeypatch, tmp_path, capsys):
    import importlib.util

    spec = importlib.util.spec_from_file_location("course_without_venv", ROOT / "course.py")
    course = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course)
    monkeypatch.setattr(course, "ROOT", str(tmp_path))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    assert course.main(["lab"]) == 1
    assert "sudo apt install python3-venv" in capsys.readouterr().out


def test_a_killed_installation_leaves_no_installer_behind(tmp_path):
    """SIGTERM or Ctrl-C in the middle: pip is stopped too, and nothing is called ready."""
    if os.name == "nt":
        pytest.skip("signals of this kind are POSIX only")
    folder = tmp_path / "course"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("course.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    fake = folder / ".venv" / "bin" / "python"
    version = ".".join(map(str, sys.version_info[:2]))
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && echo {version} && exit\n'
        f"echo $$ > {folder}/pid\nexec sleep 60\n"
    )
    fake.chmod(0o755)
    run = subprocess.Popen(
        [sys.executable, folder / "course.py", "test"], stdout=subprocess.PIPE, text=True
    )
    for _ in range(100):
        if (folder / "pid").exists() and (folder / "pid").read_text().strip():
            break
        time.sleep(0.1)
    installer = int((folder / "pid").read_text())
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "goes on from here" in said and "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(installer, 0)
    assert not (folder / ".venv" / "course-ready").exists()


def test_a_second_setup_waits_for_the_first(course, monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="Windows has another kind of lock")
    order = []
    monkeypatch.setattr(course.time, "sleep", lambda _: order.append("waited") or first.close())
    first = open(course.in_root(".setup.lock"), "w")
    fcntl.flock(first, fcntl.LOCK_EX)
    with course.one_at_a_time():
        order.append("entered")
    assert order == ["waited", "entered"]


# PyTorch


def offers(course, monkeypatch, *, platform, cpu_build=False, uv_finds_it=False):
    """What install_torch asks for, in order, when the index offers what is said here."""
    asked = []

    def step(what, options, installer=None, may_be_missing=False):
        asked.append(("uv " if installer else "") + " ".join(options))
        if installer:
            return uv_finds_it
        return cpu_build if options[-1].endswith("+cpu") else True

    monkeypatch.setattr(course, "step", step)
    monkeypatch.setattr(course.sys, "platform", platform)
    course.install_torch()
    return asked


def test_a_cpu_build_on_the_index_is_taken(course, monkeypatch):
    asked = offers(course, monkeypatch, platform="linux", cpu_build=True)
    assert asked == ["--no-deps torch==2.13.0+cpu"]


def test_else_uv_is_asked_for_pytorchs_own_cpu_build(course, monkeypatch):
    asked = offers(course, monkeypatch, platform="linux", uv_finds_it=True)
    assert asked[-1] == "uv --no-deps --torch-backend cpu torch==2.13.0"


def test_only_then_the_usual_build_with_a_warning(course, monkeypatch, capsys):
    asked = offers(course, monkeypatch, platform="linux")
    assert asked[-1] == "torch==2.13.0"
    assert "some GB of CUDA" in capsys.readouterr().out


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_usual_build_is_the_cpu_build(course, monkeypatch, platform):
    assert offers(course, monkeypatch, platform=platform) == ["--no-deps torch==2.13.0"]


# Notebooks


@pytest.fixture
def handed(course, tmp_path):
    source, work = tmp_path / "source", tmp_path / "work"
    source.mkdir()
    (source / "02_a.ipynb").write_text("first version")

    def hand_out(new=None):
        if new:
            (source / "02_a.ipynb").write_text(new)
        course.hand_out(str(source), str(work))
        return {p.name: p.read_text() for p in work.glob("*.ipynb")}

    hand_out.work = work
    return hand_out


def test_notebooks_are_copied_once(handed):
    assert handed() == {"02_a.ipynb": "first version"}
    assert handed() == {"02_a.ipynb": "first version"}


def test_what_the_learner_wrote_is_never_overwritten(handed, capsys):
    handed()
    (handed.work / "02_a.ipynb").write_text("my answers")
    assert handed() == {"02_a.ipynb": "my answers"}
    assert capsys.readouterr().out == ""
    expected = {"02_a.ipynb": "my answers", "02_a.new.ipynb": "second version"}
    assert handed("second version") == expected
    assert "Yours is kept; the new one is 02_a.new.ipynb" in capsys.readouterr().out
    assert handed() == expected, "said and done once"
    assert capsys.readouterr().out == ""


def test_a_new_version_that_the_learner_changed_is_kept_too(handed):
    handed()
    (handed.work / "02_a.ipynb").write_text("my answers")
    handed("second version")
    (handed.work / "02_a.new.ipynb").write_text("more answers")
    assert handed("third version") == {
        "02_a.ipynb": "my answers",
        "02_a.new.ipynb": "more answers",
        "02_a.new-2.ipynb": "third version",
    }


def test_an_untouched_notebook_is_brought_up_to_date(handed, capsys):
    handed()
    assert handed("second version") == {"02_a.ipynb": "second version"}
    assert "was updated" in capsys.readouterr().out


@pytest.mark.parametrize("record", ["", "{broken", "[1, 2]"])
def test_a_broken_record_costs_nothing(handed, record):
    handed()
    (handed.work / "02_a.ipynb").write_text("my answers")
    (handed.work / ".shipped.json").write_text(record)
    assert handed()["02_a.ipynb"] == "my answers"


def test_a_full_disk_leaves_the_old_file_whole(course, tmp_path, monkeypatch):
    target = tmp_path / "notebook.ipynb"
    target.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(course.os, "replace", full)
    with pytest.raises(OSError):
        course.write(str(target), b"new")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.glob(".course-*")] == []


# The commands


def test_options_after_two_dashes_are_passed_on(course, monkeypatch):
    done = only_setup(course, monkeypatch)
    course.main(["lab", "--", "--no-browser", "--port", "9000"])
    course.main(["test", "--", "-k", "lint", "--", "x"])
    assert done == [["--no-browser", "--port", "9000"], ["-k", "lint", "--", "x"]]


@pytest.mark.parametrize("arguments", [[], ["lob"], ["lab", "--no-browser"], ["lab", "test"]])
def test_an_unknown_command_says_which_there_are(course, capsys, arguments):
    assert course.main(arguments) == 2
    assert "python3 course.py lab" in capsys.readouterr().out


def test_lab_starts_in_the_work_folder_with_the_courses_own_settings(course, monkeypatch):
    calls = []
    os.makedirs(course.in_root("notebooks"))
    Path(course.venv_folder()).mkdir()
    monkeypatch.setattr(course.subprocess, "check_call", lambda *a, **k: calls.append((a, k)))
    monkeypatch.setattr(course.subprocess, "call", lambda *a, **k: calls.append((a, k)) or 7)
    assert course.lab(["--no-browser"]) == 7
    (page, _), (command, settings) = calls
    assert page[0][-2:] == ["start-page", course.in_root("work")]
    assert command[0][-1] == "--no-browser"
    assert "--LabApp.default_url=/lab/tree/START.md" in command[0]
    assert settings["cwd"] == settings["env"]["COURSE_WORK"] == course.in_root("work")
    assert settings["env"]["PATH"].startswith(os.path.dirname(course.venv_python()))
    overrides = Path(course.venv_folder(), "share/jupyter/lab/settings/overrides.json")
    news = json.loads(overrides.read_text())["@jupyterlab/apputils-extension:notification"]
    assert news["fetchNews"] == "false"

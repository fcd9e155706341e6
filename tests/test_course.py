"""course.py: sets the course up on a bare machine, and never costs a learner anything."""

import contextlib
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
def bare(tmp_path, monkeypatch):
    """course.py in a folder of its own, with a space and an accent."""
    folder = tmp_path / "a course für all"
    folder.mkdir()
    for name in ("course.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    import importlib.util

    spec = importlib.util.spec_from_file_location("course_under_test", folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)  # those of pytest stay
    return module


@pytest.fixture
def course(bare, monkeypatch):
    """The same, where pip is a stand-in."""
    bare.installed = []

    def step(what, options, **_):
        bare.installed.append(options[-1])
        return True

    monkeypatch.setattr(bare, "make_venv", lambda: fake_python(bare, ""))
    monkeypatch.setattr(bare, "step", step)
    return bare


def fake_python(course, script):
    """Put a shell script where the environment's Python belongs."""
    python = Path(course.venv_python())
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text("#!/bin/sh\n" + script)
    python.chmod(0o755)


def pip_says(course, monkeypatch, said, code=1):
    """Let every installer say this and end with this code. Returns what it was started with."""
    started = []
    Path(course.venv_folder()).mkdir(exist_ok=True)

    class Process:
        returncode = code

        def __init__(self, command, stdout, **options):
            started.append(options)
            stdout.write(said.encode())

        def poll(self):
            return code

    monkeypatch.setattr(course.subprocess, "Popen", Process)
    return started


def no_real_venv(course, monkeypatch):
    """Let `python -m venv` do nothing. Returns what it was started with."""
    made, run = [], subprocess.run

    def pretend(command, *arguments, **options):
        if "venv" not in command:
            return run(command, *arguments, **options)
        made.append((command, options))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(course.subprocess, "run", pretend)
    return made


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

    tree = ast.parse((ROOT / "course.py").read_text(encoding="ascii"))
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


def test_what_was_left_half_installed_is_installed_again(course):
    """pip writes INSTALLER near the end; without it, pip may have stopped in the middle."""
    python = "python{}.{}".format(*sys.version_info)
    packages = Path(course.venv_folder(), *([] if os.name == "nt" else ["lib", python]))
    packages = packages / ("Lib/site-packages" if os.name == "nt" else "site-packages")
    for name in ("half-1.0.dist-info", "whole-1.0.dist-info", "half"):
        (packages / name).mkdir(parents=True)
        (packages / name / "METADATA").touch()
    (packages / "whole-1.0.dist-info" / "INSTALLER").write_text("pip")
    course.forget_halves()
    assert sorted(os.listdir(packages)) == ["half", "whole-1.0.dist-info"]


def test_set_up_begins_with_forgetting_the_halves(course, monkeypatch):
    only_setup(course, monkeypatch)
    monkeypatch.setattr(course, "forget_halves", lambda: course.installed.append("forgotten"))
    course.main(["test"])
    assert course.installed[0] == "forgotten"


def test_an_environment_whose_python_has_vanished_is_not_ready(course, monkeypatch):
    only_setup(course, monkeypatch)
    course.main(["test"])
    assert course.is_ready()
    os.remove(course.venv_python())
    os.symlink("/no/such/python", course.venv_python())
    assert not course.is_ready()


@pytest.mark.parametrize("stamp", [b"", b"\xff\xfe garbled", b"0" * 64])
def test_a_garbled_stamp_only_means_another_set_up(course, monkeypatch, stamp):
    only_setup(course, monkeypatch)
    course.main(["test"])
    Path(course.venv_folder(), "course-ready").write_bytes(stamp)
    assert not course.is_ready()
    assert course.main(["test"]) == 0
    assert course.is_ready()


@pytest.mark.parametrize("answer", ["exit 1", "echo 2.7", "echo"])
def test_an_environment_that_does_not_answer_well_is_made_anew(bare, monkeypatch, answer):
    """Its Python crashes, or is of another version."""
    made = no_real_venv(bare, monkeypatch)
    fake_python(bare, answer)
    bare.make_venv()
    [(command, _)] = made
    assert command == [sys.executable, "-m", "venv", "--clear", bare.venv_folder()]
    fake_python(bare, "echo {}.{}".format(*sys.version_info))
    bare.make_venv()
    assert len(made) == 1


def test_an_environment_without_pip_is_made_anew(bare, monkeypatch):
    """Whoever stops the making of an environment may leave one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare.venv_folder()], check=True)
    made = no_real_venv(bare, monkeypatch)
    bare.make_venv()
    assert len(made) == 1


def test_an_environment_is_made_without_what_would_lead_python_elsewhere(bare, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    made = no_real_venv(bare, monkeypatch)
    bare.make_venv()
    [(_, options)] = made
    assert "PYTHONHOME" not in options["env"]


def test_pip_installs_into_the_environment_whatever_the_users_settings_say(bare, monkeypatch):
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    started = pip_says(bare, monkeypatch, "", code=0)
    assert bare.step("something", ["x"])
    assert started[0]["env"]["PIP_USER"] == "0"
    assert "PYTHONPATH" not in started[0]["env"]


def test_progress_in_a_file_has_no_carriage_returns(bare, monkeypatch, capsys):
    pip_says(bare, monkeypatch, "", code=0)
    bare.step("something", ["x"])
    assert capsys.readouterr().out == "  something ...\n  something: done in 0 s.\n"


@pytest.mark.parametrize(
    "said",
    [
        "ProtocolError('Connection aborted.', RemoteDisconnected('Remote end closed it'))",
        "urllib3.exceptions.IncompleteRead: IncompleteRead(3 bytes read, 5 more expected)",
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] failed')",
        "Could not fetch URL: There was a problem confirming the ssl certificate",
        "ReadTimeoutError: HTTPSConnectionPool: Read timed out. ReadTimeout",
        "ProxyError('Cannot connect to proxy.')",
    ],
)
def test_every_way_to_lose_the_network_is_called_that(course, said):
    assert "check the network" in str(course.explain(said + "\nERROR: No matching", "it"))


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


@pytest.mark.parametrize("path", [".venv", ".setup.lock", "work", "work/.shipped.json"])
@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_what_is_in_the_way_is_named_and_never_deleted(bare, monkeypatch, capsys, path, kind):
    fine = {
        ("file", ".setup.lock"),
        ("file", "work/.shipped.json"),
        ("folder", ".venv"),
        ("folder", "work"),
        ("dangling link", ".setup.lock"),
        ("dangling link", "work/.shipped.json"),
    }
    there = Path(bare.in_root(*path.split("/")))
    there.parent.mkdir(exist_ok=True)
    Path(bare.in_root("notebooks")).mkdir()
    if kind == "file":
        there.touch()
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to("nowhere")
    monkeypatch.setattr(bare, "step", lambda *_, **__: fake_python(bare, "") or True)
    monkeypatch.setattr(bare, "settle_lab", lambda: None)
    monkeypatch.setattr(bare, "become", lambda *_: 0)
    monkeypatch.setattr(bare.subprocess, "check_call", lambda *_, **__: 0)
    no_real_venv(bare, monkeypatch)
    failed = bare.main(["lab"])
    said = capsys.readouterr().out
    if (kind, path) in fine:
        assert not failed, said
    else:
        assert failed == 1
        assert f"{there} is in the way: move it elsewhere." in said
        assert there.is_symlink() or there.exists()


@pytest.mark.parametrize("lock", [b"", b"\xff\x00 garbled"])
def test_damaged_files_of_the_course_are_to_be_downloaded_again(course, capsys, lock):
    Path(course.in_root("requirements.lock")).write_bytes(lock)
    assert course.main(["lab"]) == 1
    said = capsys.readouterr().out
    assert "requirements.lock is damaged. Download the course again" in said
    os.remove(course.in_root("requirements.lock"))
    assert course.main(["lab"]) == 1
    said = capsys.readouterr().out
    assert "requirements.lock is missing. Download the course again" in said


def test_a_folder_whose_name_cannot_be_printed_is_no_trouble(course):
    Path(course.venv_folder()).touch()
    run = subprocess.run(
        [sys.executable, course.in_root("course.py"), "lab"],
        env=dict(os.environ, PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
        capture_output=True,
        text=True,
    )
    assert "a course f?r all" in run.stdout and "is in the way" in run.stdout
    assert run.stderr == ""


def test_a_python_without_venv_gets_one_sentence(bare, monkeypatch, capsys):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    assert bare.main(["lab"]) == 1
    assert "sudo apt install python3-venv" in capsys.readouterr().out


@pytest.fixture
def midway(course):
    """course.py in the middle of an installation: the process, and the number of its pip."""
    if os.name == "nt":
        pytest.skip("signals of this kind are POSIX only")
    version = "{}.{}".format(*sys.version_info)
    note = Path(course.in_root("pid"))
    fake_python(
        course,
        f'[ "$1" = -c ] && echo {version} && exit\necho $$ > "{note}"\nexec sleep 60\n',
    )
    command = [sys.executable, course.in_root("course.py"), "test"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(100):
        if note.exists() and note.read_text().strip():
            break
        time.sleep(0.1)
    installer = int(note.read_text())
    yield run, installer
    with contextlib.suppress(ProcessLookupError):
        os.kill(installer, signal.SIGKILL)
    run.kill()
    run.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_set_up_leaves_no_installer_behind(course, midway, number):
    """SIGTERM or Ctrl-C in the middle: pip is stopped too, and nothing is called ready."""
    run, installer = midway
    run.send_signal(number)
    said, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "goes on from here" in said and "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(installer, 0)
    assert not Path(course.venv_folder(), "course-ready").exists()


def test_a_pip_that_outlives_its_set_up_keeps_the_next_one_waiting(course, midway):
    """kill -9 cannot be answered: pip goes on, and must not meet a second pip."""
    fcntl = pytest.importorskip("fcntl", reason="Windows has another kind of lock")
    run, installer = midway
    run.kill()
    run.wait()
    with open(course.in_root(".setup.lock"), "w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(installer, signal.SIGKILL)
        for _ in range(100):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.1)
    pytest.fail("the lock outlived pip")


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


NO_SUCH = "ERROR: No matching distribution found for torch==2.13.0+cpu"
LOST = "NewConnectionError: Network is unreachable\n" + NO_SUCH
FULL = "OSError: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("installer", [None, ["uv"]])
@pytest.mark.parametrize(
    ("said", "words"), [(NO_SUCH, None), (LOST, "check the network"), (FULL + NO_SUCH, "disk")]
)
def test_a_cpu_build_may_be_missing_but_a_full_disk_is_said(
    bare, monkeypatch, installer, said, words
):
    """uv asks PyTorch's own index: that one out of reach is as good as no such build."""
    pip_says(bare, monkeypatch, said)
    ask = {"installer": installer, "may_be_missing": True}
    if words is None or (installer and said is LOST):
        assert bare.step("PyTorch", ["torch"], **ask) is False
    else:
        with pytest.raises(bare.Problem, match=words):
            bare.step("PyTorch", ["torch"], **ask)


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


def test_new_versions_that_the_learner_left_alone_do_not_pile_up(handed):
    handed()
    (handed.work / "02_a.ipynb").write_text("my answers")
    handed("second version")
    assert handed("third version") == {
        "02_a.ipynb": "my answers",
        "02_a.new.ipynb": "third version",
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
    page, started = [], []
    os.makedirs(course.in_root("notebooks"))
    Path(course.venv_folder()).mkdir()
    monkeypatch.setattr(course, "fetch_models", lambda environment: page.append("weights"))
    monkeypatch.setattr(course.subprocess, "check_call", lambda c, **_: page.append(c))
    monkeypatch.setattr(course, "become", lambda *how: started.append(how) or 7)
    assert course.lab(["--no-browser"]) == 7
    assert page[0] == "weights", "before the start page"
    assert page[1][-2:] == ["start-page", course.in_root("work")]
    [(command, environment, folder)] = started
    assert command[-1] == "--no-browser"
    assert "--LabApp.default_url=/lab/tree/START.md" in command
    assert "--ServerApp.answer_yes=True" in command, "one Ctrl-C is enough"
    assert folder == environment["COURSE_WORK"] == course.in_root("work")
    assert environment["PATH"].startswith(os.path.dirname(course.venv_python()))
    overrides = Path(course.venv_folder(), "share/jupyter/lab/settings/overrides.json")
    news = json.loads(overrides.read_text())["@jupyterlab/apputils-extension:notification"]
    assert news["fetchNews"] == "false"


def test_test_runs_pytest_here_without_what_would_lead_python_elsewhere(course, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    fetched = []
    monkeypatch.setattr(course, "fetch_models", fetched.append)
    monkeypatch.setattr(course, "become", lambda *how: how)
    command, environment, folder = course.test(["-k", "lint"])
    assert fetched == [environment], "tests of real networks need their weights"
    assert command == [course.venv_python(), "-m", "pytest", "-n", "2", "-k", "lint"]
    assert folder == course.ROOT
    assert "PYTHONPATH" not in environment


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for Python")
@pytest.mark.parametrize("command", ["lab", "test"])
@pytest.mark.parametrize(("script", "says"), [("exit 1", "Going on without it"), ("", "")])
def test_weights_that_cannot_be_fetched_stop_neither_command(
    bare, monkeypatch, capfd, command, script, says
):
    """`models` has said in its own sentence what is missing."""
    fake_python(bare, f'echo "$@"\n[ "$3" != models ] || {script or "exit 0"}\n')
    os.makedirs(bare.in_root("notebooks"))
    monkeypatch.setattr(bare, "set_up", lambda: None)
    monkeypatch.setattr(bare, "become", lambda *_: 7)
    assert bare.main([command]) == 7
    said = capfd.readouterr().out
    assert "-m course_utils models --quiet" in said
    assert says in said and bool(says) == ("Going on" in said)


@pytest.mark.skipif(os.name == "nt", reason="POSIX only")
def test_the_script_becomes_the_program_it_starts(course, monkeypatch):
    """No parent is left that signals would have to pass through."""
    done = []
    monkeypatch.setattr(course.os, "chdir", lambda folder: done.append(folder))

    def execve(*how):
        done.append(how)
        raise SystemExit  # it does not come back

    monkeypatch.setattr(course.os, "execve", execve)
    with pytest.raises(SystemExit):
        course.become(["/bin/tool", "x"], {"A": "1"}, "/some/folder")
    assert done == ["/some/folder", ("/bin/tool", ["/bin/tool", "x"], {"A": "1"})]


def test_windows_waits_for_the_program_through_ctrl_c(course, monkeypatch):
    answers = [KeyboardInterrupt, KeyboardInterrupt, 5]

    class Process:
        def __init__(self, *_, **__):
            pass

        def wait(self):
            if answers[0] is KeyboardInterrupt:
                raise answers.pop(0)
            return answers[0]

    with monkeypatch.context() as windows:
        windows.setattr(course.os, "name", "nt")
        windows.setattr(course.subprocess, "Popen", Process)
        code = course.become(["tool"], {}, "folder")
    assert code == 5

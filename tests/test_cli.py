"""The command line: what is printed, and with which exit code."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import course_utils.__main__ as command
from course_utils import assets
from course_utils.checks import index, landing, progress, rerun
from course_utils.checks.registry import registry

ROOT = Path(__file__).resolve().parent.parent


def entry(identifier: str, title: str, kind: str = "code", **more: object) -> dict:
    defaults = {
        "id": identifier,
        "notebook": "02_small",
        "title": title,
        "kind": kind,
        "minutes": 5,
        "difficulty": 1,
        "misconceptions": [],
        "name": "answer" if kind == "code" else None,
        "hints": ["one", "two"],
        "rubric": [],
    }
    return defaults | more


@pytest.fixture
def folder(tmp_path):
    """An empty folder; the progress folder that conftest makes lies beside it."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def small_course(monkeypatch):
    """A course of one notebook with three code exercises and a free one."""
    course = {
        "notebooks": [
            {"stem": "02_small", "title": "Small | sharp", "summary": "All of it.", "minutes": 20}
        ],
        "exercises": [
            entry("2.1", "First"),
            entry("2.2", "Second"),
            entry("2.3", "Third"),
            entry("2.4", "Say why", kind="free", rubric=["a", "b"]),
        ],
    }
    monkeypatch.setattr(index, "load", lambda: course)
    return course


# A stand-in for `check` that writes the file of results as the real one does.
SET_UP = """import json, os
def check(id, status, message="m"):
    line = {"id": id, "status": status, "diagnosis": None, "message": message}
    with open(os.environ["COURSE_RESULTS"], "a") as file:
        file.write(json.dumps(line) + "\\n")
"""


def write(path: Path, *cells: str | tuple[str, str]) -> Path:
    """A notebook of code cells; a pair is an exercise's id and its cell."""
    made = []
    for cell in (SET_UP, *cells):
        identifier, source = cell if isinstance(cell, tuple) else (None, cell)
        metadata = {"exercise": identifier} if identifier else {}
        made.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = command.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def row(printed: str, identifier: str) -> str:
    return next(line for line in printed.splitlines() if line.startswith(identifier + " "))


# check


def test_all_passed_is_exit_code_0_even_with_a_free_response_open(folder, capsys, small_course):
    path = write(
        folder / "x.ipynb", *[(i, f'check("{i}", "passed")') for i in ("2.1", "2.2", "2.3")]
    )
    before = path.read_bytes()
    code, out, err = run(capsys, "check", path)
    assert (code, err) == (0, "")
    assert "3 of 3 code exercises passed." in out
    assert "not attempted" in row(out, "2.4")
    assert path.read_bytes() == before


def test_a_table_row_says_how_each_exercise_stands(folder, capsys, small_course):
    path = write(
        folder / "x.ipynb",
        ("2.1", 'check("2.1", "failed")\ncheck("2.1", "passed", "Now you know.")'),
        ("2.2", 'check("2.2", "failed", "You divided by zero.")'),
        ("2.3", 'check("2.3", "not_attempted")'),
    )
    code, out, _ = run(capsys, "check", path)
    assert code == 1
    assert "First" in row(out, "2.1") and "passed" in row(out, "2.1")
    assert "Now you know." in row(out, "2.1")
    assert "failed" in row(out, "2.2") and "You divided by zero." in row(out, "2.2")
    assert "not attempted" in row(out, "2.3")


def test_an_exercise_whose_cell_stops_has_failed_with_the_errors_one_line(
    folder, capsys, small_course
):
    path = write(
        folder / "x.ipynb",
        ("2.1", 'def f(:\n    pass\ncheck("2.1", f)'),
        ("2.2", 'undefined_name\ncheck("2.2", "passed")'),
        ("2.3", 'check("2.3", "passed")'),
    )
    code, out, _ = run(capsys, "check", path)
    assert code == 1
    assert "failed" in row(out, "2.1") and "SyntaxError: invalid syntax (line 1)" in row(out, "2.1")
    assert "NameError: name 'undefined_name' is not defined" in row(out, "2.2")
    assert "Traceback" not in out and "Other cells" not in out


def test_errors_of_other_cells_are_listed_below(folder, capsys, small_course):
    path = write(folder / "x.ipynb", ("2.1", 'check("2.1", "passed")'), "1 / 0", "raise OSError")
    _, out, _ = run(capsys, "check", path)
    below = out.split("Other cells that stopped with an error:")[1]
    assert "cell 3, `1 / 0`: ZeroDivisionError: division by zero" in below
    assert "cell 4, `raise OSError`: OSError" in below


def test_a_long_list_of_errors_is_cut(folder, capsys, small_course):
    path = write(folder / "x.ipynb", ("2.1", "1"), *[f"missing_{i}" for i in range(9)])
    _, out, _ = run(capsys, "check", path)
    assert out.count("NameError") == 5 and "and 4 more" in out


def test_a_cell_without_metadata_is_found_by_its_check_line(folder, capsys, small_course):
    path = write(folder / "x.ipynb", 'def f(:\nanswer = check("2.2", f)')
    _, out, _ = run(capsys, "check", path)
    assert "SyntaxError" in row(out, "2.2")
    assert "missing" in row(out, "2.1")


def test_a_removed_check_line_is_asked_back(folder, capsys, small_course):
    path = write(folder / "x.ipynb", ("2.1", "x = 1"))
    code, out, _ = run(capsys, "check", path)
    assert code == 1
    assert 'put back the line `answer = check("2.1", answer)`' in " ".join(out.split())


def test_a_cell_that_never_ends_or_kills_the_kernel_ends_in_a_sentence(
    folder, capsys, small_course, monkeypatch
):
    monkeypatch.setattr(rerun, "CELL_TIMEOUT", 2)
    for source, says in (("while True: pass", "ran for 2 seconds"), ("os._exit(1)", "ended the")):
        path = write(
            folder / "x.ipynb",
            ("2.1", 'check("2.1", "passed")'),
            source,
            ("2.2", 'check("2.2", "passed")'),
        )
        code, out, err = run(capsys, "check", path)
        assert (code, err) == (1, "")
        assert f"Cell 3, `{source}`, {says}" in out
        assert "passed" in row(out, "2.1") and "not run" in row(out, "2.2")


def test_errors_of_an_earlier_run_do_not_count(folder, capsys, small_course):
    path = write(folder / "x.ipynb", "os._exit(1)", ("2.1", 'check("2.1", "passed")'))
    notebook = nbformat.read(path, as_version=4)
    old = nbformat.v4.new_output("error", ename="OldError", evalue="", traceback=[])
    notebook.cells[2].outputs = [old]
    nbformat.write(notebook, path)
    _, out, _ = run(capsys, "check", path)
    assert "not run" in row(out, "2.1") and "OldError" not in out


def test_a_free_response_shows_the_learners_own_score(folder, capsys, small_course):
    stored = {"answers": {"2.4": {"text": "Because.", "points": [True, False]}}}
    (folder / progress.NAME).write_text(json.dumps(stored), encoding="utf-8")
    _, out, _ = run(capsys, "check", write(folder / "x.ipynb", ("2.4", "1")))
    assert "self-scored" in row(out, "2.4") and "1 of 2 points" in row(out, "2.4")


def test_checking_runs_beside_the_notebook_and_leaves_progress_alone(folder, capsys, small_course):
    (folder / progress.NAME).write_text("{}", encoding="utf-8")
    source = 'assert os.path.exists("x.ipynb")\nassert os.environ["COURSE_WORK"] != os.getcwd()'
    _, out, _ = run(capsys, "check", write(folder / "x.ipynb", source, ("2.1", "1")))
    assert "Other cells" not in out
    assert (folder / progress.NAME).read_text(encoding="utf-8") == "{}"
    assert sorted(p.name for p in folder.iterdir()) == [progress.NAME, "x.ipynb"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process alone")
def test_ctrl_c_stops_the_run_without_a_traceback(folder):
    path = write(folder / "x.ipynb", ("2.1", "print(1)"), "while True: pass")
    code = (
        "import sys, course_utils.__main__ as m; from course_utils.checks import index;"
        f"index.load = lambda: {{'notebooks': [], 'exercises': [{entry('2.1', 'First')}]}};"
        f"sys.exit(m.main(['check', {str(path)!r}]))"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code], **pipes)
    process.stdout.readline()  # "Running x.ipynb ..."
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (2, "Stopped.\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "There is no file"),
        ("print('hello')", "is not a Jupyter notebook."),
        ("", "is not a Jupyter notebook."),
        ("[1, 2]", "is not a Jupyter notebook."),
        ("{}", "is not a Jupyter notebook."),
        (b"\xff\xfe\x00", "is not a Jupyter notebook."),
        (nbformat.writes(nbformat.v4.new_notebook()), "has no exercises of this course."),
    ],
    ids=["missing", "script", "empty", "list", "object", "binary", "no exercises"],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(folder, capsys, small_course, content, says):
    path = folder / "x.ipynb"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = run(capsys, "check", path)
    assert (code, out) == (2, "")
    assert says in err and len(err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["chek", "x"], ["check"]])
def test_a_wrong_command_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m course_utils" in capsys.readouterr().err


# exercises


def test_the_json_listing_has_every_exercise_with_everything_a_tool_needs():
    ran = subprocess.run(
        [sys.executable, "-m", "course_utils", "exercises", "--json"],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    listed = json.loads(ran.stdout)
    assert [e["id"] for e in listed] == [e["id"] for e in index.load()["exercises"]]
    for exercise in listed:
        assert set(exercise) == {
            "id", "notebook", "title", "kind", "minutes", "difficulty", "hints", "diagnoses",
            "misconceptions",
        }  # fmt: skip
        assert exercise["kind"] in ("code", "free")
        assert isinstance(exercise["minutes"], int) and exercise["minutes"] > 0
        assert exercise["difficulty"] in (1, 2, 3)
        assert exercise["hints"] >= 2
        if exercise["kind"] == "code":
            assert exercise["diagnoses"] == list(registry()[exercise["id"]].diagnoses)
            assert len(exercise["diagnoses"]) >= 3
        else:
            assert exercise["diagnoses"] == [] and exercise["misconceptions"]


def test_the_plain_listing_is_a_table(capsys, small_course):
    code, out, _ = run(capsys, "exercises")
    assert code == 0
    assert "First" in row(out, "2.1") and "5 min" in row(out, "2.1")
    assert "4 exercises, 20 minutes." in out


# start-page


def test_the_start_page_links_the_notebooks_and_shows_progress(folder, capsys, small_course):
    code, out, err = run(capsys, "start-page", folder)
    assert (code, out, err) == (0, "", "")
    page = (folder / landing.NAME).read_text(encoding="utf-8")
    assert r"[**2. Small \| sharp**](02_small.ipynb)" in page
    assert "| 20 min | ▱▱▱▱ 0 of 4 done |" in page
    assert "**Begin with**" in page and "exercise 2.1, *First* (5 min)" in page

    stored = {"exercises": {"2.1": {"status": "passed"}, "2.2": {"status": "failed"}}}
    (folder / progress.NAME).write_text(json.dumps(stored), encoding="utf-8")
    run(capsys, "start-page", folder)
    page = (folder / landing.NAME).read_text(encoding="utf-8")
    assert "▰▱▱▱ 1 of 4 done" in page
    assert "**Go on with**" in page and "exercise 2.2, *Second*" in page
    assert sorted(p.name for p in folder.iterdir()) == [progress.NAME, landing.NAME]


def test_a_finished_course_says_so(folder, capsys, small_course):
    stored = {
        "exercises": {i: {"status": "passed"} for i in ("2.1", "2.2", "2.3")},
        "answers": {"2.4": {"text": "Because.", "points": [True, True]}},
    }
    (folder / progress.NAME).write_text(json.dumps(stored), encoding="utf-8")
    run(capsys, "start-page", folder)
    page = (folder / landing.NAME).read_text(encoding="utf-8")
    assert "All exercises are done." in page and "▰▰▰▰ 4 of 4 done" in page


def test_a_corrupt_progress_file_does_not_stop_the_start_page(folder, capsys, small_course):
    (folder / progress.NAME).write_text("{half", encoding="utf-8")
    assert run(capsys, "start-page", folder)[0] == 0
    assert "0 of 4 done" in (folder / landing.NAME).read_text(encoding="utf-8")


def test_a_missing_folder_is_one_sentence(folder, capsys):
    code, _, err = run(capsys, "start-page", folder / "nowhere")
    assert code == 2
    assert err.startswith("There is no folder") and len(err.splitlines()) == 1


def test_a_page_that_cannot_be_written_leaves_nothing_behind(folder, small_course, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        landing.write(folder)
    assert list(folder.iterdir()) == []


# models


@pytest.fixture
def network(tmp_path, monkeypatch):
    """One published network, and a download that works only if the test says so."""
    there, fetched = tmp_path / "big-1.0.pth", []
    digest = hashlib.sha256(b"weights").hexdigest()
    asset = assets.Asset("big", "big_package", "1.0", "x/big.pth", 7, digest, "MIT", "tests")

    def download(name, report):
        if there.exists():
            return there
        if not fetched:
            raise assets.Missing("big is missing, so do this.")
        report("Fetching big")
        there.write_bytes(b"weights")
        return there

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(assets, "ASSETS", {"big": asset})
    monkeypatch.setattr(assets, "fetch", download)
    return fetched


def test_models_fetches_what_is_missing_and_shows_where_it_is(network, capsys, tmp_path):
    network.append("works")
    code, out, err = run(capsys, "models")
    assert (code, err) == (0, "")
    assert out.startswith("Fetching big\n")
    for word in ("0 MB", "MIT", str(tmp_path / "big-1.0.pth"), "ready"):
        assert word in row(out, "big")
    assert run(capsys, "models", "--quiet") == (0, "", "")


def test_models_that_cannot_be_fetched_are_one_sentence_and_exit_code_1(network, capsys):
    code, out, err = run(capsys, "models")
    assert (code, err) == (1, "big is missing, so do this.\n")
    assert "missing" in row(out, "big")
    assert run(capsys, "models", "--quiet") == (1, "", "big is missing, so do this.\n")


def test_models_list_only_looks(network, capsys, tmp_path):
    network.append("works")
    code, out, err = run(capsys, "models", "--list")
    assert (code, err) == (1, "") and "missing" in row(out, "big")
    (tmp_path / "big-1.0.pth").write_bytes(b"altered")
    code, out, err = run(capsys, "models", "--list")
    assert (code, err) == (1, "") and "damaged" in row(out, "big")

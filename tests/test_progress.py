"""What the learner did is kept, whatever happens to the file or the folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.checks import CheckResult, progress

EMPTY = {"exercises": {}, "guesses": {}, "answers": {}}
CODE = {"id": "2.1", "kind": "code"}
FREE = {"id": "2.10", "kind": "free"}


def result(status: str, diagnosis: str | None = None, exercise: str = "2.1") -> CheckResult:
    return CheckResult(exercise, status, diagnosis, "One sentence.")


def entry(exercise: str = "2.1") -> dict:
    return progress.load()["exercises"][exercise]


def leftovers(folder: Path) -> list[str]:
    """Everything beside the file and its lock."""
    return sorted(p.name for p in folder.iterdir() if p.name not in (progress.NAME, LOCK))


LOCK = progress.NAME + ".lock"


# What is noted ---------------------------------------------------------------------------


def test_without_a_file_there_is_no_progress():
    assert progress.load() == EMPTY


def test_the_folder_is_the_one_in_course_work_else_the_current_one(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_WORK", str(tmp_path))
    assert progress.folder() == tmp_path.resolve()
    monkeypatch.delenv("COURSE_WORK")
    monkeypatch.chdir(tmp_path)
    assert progress.folder() == tmp_path.resolve()


def test_attempts_are_counted_and_the_last_diagnosis_is_kept():
    progress.record(result("failed", "all-ones"))
    assert entry() == {"status": "failed", "attempts": 1, "last": "all-ones"}
    progress.record(result("failed"))
    assert entry() == {"status": "failed", "attempts": 2, "last": "failed"}
    progress.record(result("passed"))
    assert entry() == {"status": "passed", "attempts": 3, "last": "passed"}


def test_what_was_passed_once_stays_passed():
    progress.record(result("passed"))
    progress.record(result("failed", "all-ones"))
    assert entry()["status"] == "passed"
    assert progress.status(CODE, progress.load()) == "passed"


def test_the_stub_is_no_attempt():
    progress.record(result("not_attempted"))
    assert progress.load() == EMPTY
    progress.record(result("failed"))
    progress.record(result("not_attempted"))
    assert entry()["attempts"] == 1
    assert progress.status(CODE, progress.load()) == "failed"


def test_exercises_guesses_and_answers_lie_side_by_side():
    progress.record(result("passed"))
    progress.record_guess("how-many", 3.5)
    progress.record_guess("which", "the first")
    progress.record_answer("2.10", "Σ é 日本 <b>", [True, False])
    assert progress.load() == {
        "exercises": {"2.1": {"status": "passed", "attempts": 1, "last": "passed"}},
        "guesses": {"how-many": 3.5, "which": "the first"},
        "answers": {"2.10": {"text": "Σ é 日本 <b>", "points": [True, False]}},
    }


def test_half_a_character_can_be_kept_too():
    # A browser may send one half of an emoji while the other is being typed.
    progress.record_answer("2.10", "so \ud83d", [])
    assert progress.load()["answers"]["2.10"]["text"] == "so \ud83d"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (None, "not_attempted"),
        ({"text": "", "points": [True]}, "not_attempted"),
        ({"text": " \n", "points": [True]}, "not_attempted"),
        ({"text": "An answer.", "points": []}, "failed"),
        ({"text": "An answer.", "points": [False, False]}, "failed"),
        ({"text": "An answer.", "points": [False, True]}, "passed"),
        ({"text": "An answer.", "points": 7}, "failed"),
        ({"text": "An answer."}, "failed"),
    ],
)
def test_a_free_response_is_done_with_text_and_a_tick(answer, status):
    stored = {**EMPTY, "answers": {} if answer is None else {"2.10": answer}}
    assert progress.status(FREE, stored) == status


# The file --------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError], ids=["interrupt", "disk"])
def test_a_crash_while_saving_keeps_the_old_file(course_work, monkeypatch, capsys, step, end):
    progress.record(result("passed"))
    before = (course_work / progress.NAME).read_bytes()

    def crash(*args):
        raise end("now")

    monkeypatch.setattr(progress.os, step, crash)
    if end is OSError:
        progress.record_guess("how-many", 3.0)
        assert capsys.readouterr().out.count("\n") == 1
    else:
        with pytest.raises(KeyboardInterrupt):
            progress.record_guess("how-many", 3.0)
    assert (course_work / progress.NAME).read_bytes() == before
    assert leftovers(course_work) == []
    monkeypatch.undo()


def test_saving_leaves_nothing_beside_the_file(course_work):
    for number in range(3):
        progress.record_guess("how-many", float(number))
    assert leftovers(course_work) == []


GOOD = {"2.2": {"status": "passed", "attempts": 2, "last": "passed"}}


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"", {}),
        (b'{"exercises": {"2.2": {"sta', {}),
        (b"\xff\xfe not text", {}),
        (b"[1, 2]", {}),
        (b'"passed"', {}),
        (b"null", {}),
        (b"[" * 100_000, {}),
        (json.dumps({"exercises": [1]}).encode(), {}),
        (json.dumps({"exercises": {**GOOD, "2.3": "passed"}}).encode(), GOOD),
        (json.dumps({"exercises": GOOD, "answers": {"2.10": "text"}}).encode(), GOOD),
        (json.dumps({"exercises": GOOD, "guesses": None}).encode(), GOOD),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_damaged_file_is_kept_aside_and_what_is_good_in_it_is_used(course_work, content, kept):
    (course_work / progress.NAME).write_bytes(content)
    assert progress.load() == {**EMPTY, "exercises": kept}
    progress.record(result("passed"))
    assert (course_work / ".progress.corrupt-1.json").read_bytes() == content
    assert progress.load()["exercises"] == {**kept, "2.1": entry()}
    assert leftovers(course_work) == [".progress.corrupt-1.json"]


def test_a_second_damaged_file_does_not_replace_the_first(course_work):
    for number in (1, 2, 3):
        (course_work / progress.NAME).write_text(f"broken {number}")
        progress.record(result("passed"))
    for number in (1, 2, 3):
        aside = course_work / f".progress.corrupt-{number}.json"
        assert aside.read_text() == f"broken {number}"


def test_a_good_file_is_not_kept_aside(course_work):
    progress.record(result("passed"))
    progress.record(result("failed"))
    assert leftovers(course_work) == []


@pytest.mark.parametrize("attempts", ["three", None, [1]])
def test_an_odd_count_starts_again(course_work, attempts):
    stored = {"exercises": {"2.1": {"status": "passed", "attempts": attempts}}}
    (course_work / progress.NAME).write_text(json.dumps(stored))
    progress.record(result("failed"))
    assert entry() == {"status": "passed", "attempts": 1, "last": "failed"}


@pytest.mark.parametrize("status", ["excellent", 7, None, ["passed"]])
def test_an_odd_status_counts_as_not_attempted(status):
    stored = {**EMPTY, "exercises": {"2.1": {"status": status}}}
    assert progress.status(CODE, stored) == "not_attempted"


def test_what_a_later_course_stored_is_not_lost(course_work):
    stored = {"exercises": GOOD, "badges": ["early bird"]}
    (course_work / progress.NAME).write_text(json.dumps(stored))
    progress.record(result("passed"))
    assert json.loads((course_work / progress.NAME).read_text())["badges"] == ["early bird"]


SAVES = """
import sys
from course_utils.checks import progress
for number in range(40):
    progress.record_guess(f"{sys.argv[1]}-{number}", number)
"""


def test_two_notebooks_that_save_at_once_lose_nothing(course_work):
    writers = [subprocess.Popen([sys.executable, "-c", SAVES, name]) for name in ("a", "b")]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    expected = {f"{name}-{number}": number for name in ("a", "b") for number in range(40)}
    assert progress.load()["guesses"] == expected
    assert leftovers(course_work) == []


# When it cannot be saved -----------------------------------------------------------------


def unusable_folder(tmp_path: Path, how: str) -> Path:
    folder = tmp_path / "unusable"
    if how == "is a file":
        folder.write_text("")
        return folder
    folder.mkdir()
    if how == "the file is a folder":
        (folder / progress.NAME).mkdir()
    if how == "read-only":
        folder.chmod(0o500)
        if os.access(folder, os.W_OK):
            pytest.skip("the administrator may write everywhere")
    return folder


@pytest.mark.parametrize("how", ["is a file", "the file is a folder", "read-only"])
def test_a_folder_that_cannot_be_written_costs_one_sentence(tmp_path, monkeypatch, capsys, how):
    folder = unusable_folder(tmp_path, how)
    monkeypatch.setenv("COURSE_WORK", str(folder))
    progress.record(result("passed"))
    said = capsys.readouterr().out
    assert said.startswith("Your progress could not be saved in")
    assert said.count("\n") == 1
    assert progress.load() == EMPTY


def test_a_file_that_cannot_be_read_is_left_alone(course_work, monkeypatch, capsys):
    progress.record(result("passed"))
    before = (course_work / progress.NAME).read_bytes()

    def refuse(*args, **kwargs):
        raise PermissionError("not yours")

    with monkeypatch.context() as patch:
        patch.setattr(progress.Path, "read_text", refuse)
        progress.record(result("failed"))
        assert progress.load() == EMPTY
    assert "not yours" in capsys.readouterr().out
    assert (course_work / progress.NAME).read_bytes() == before
    assert leftovers(course_work) == []


# COURSE_RESULTS --------------------------------------------------------------------------


def test_every_check_adds_one_line_to_course_results(tmp_path, monkeypatch):
    log = tmp_path / "results.jsonl"
    monkeypatch.setenv("COURSE_RESULTS", str(log))
    progress.record(result("not_attempted"))
    progress.record(CheckResult("2.1", "failed", "all-ones", "Two\nlines, é.", "printed"))
    progress.record(result("passed", exercise="2.3"))
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert lines == [
        {"id": "2.1", "status": "not_attempted", "diagnosis": None, "message": "One sentence."},
        {"id": "2.1", "status": "failed", "diagnosis": "all-ones", "message": "Two\nlines, é."},
        {"id": "2.3", "status": "passed", "diagnosis": None, "message": "One sentence."},
    ]


def test_results_that_cannot_be_written_cost_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path))  # a folder
    progress.record(result("passed"))
    assert capsys.readouterr().out.count("\n") == 1
    assert entry()["status"] == "passed"

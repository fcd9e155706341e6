"""What a learner meets in a notebook, without a browser: start, check, predict, reveal, ask."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import ipywidgets
import pytest

from course_utils import features
from course_utils.checks import (
    CheckResult,
    ask,
    check,
    index,
    panel,
    predict,
    progress,
    reveal,
    start,
)
from course_utils.checks import registry as all_checks
from course_utils.checks.registry import exercise

STEM = "02_superposition"
SCRIPT = "<script>alert('hi')</script>"
QUESTION = next(e["id"] for e in index.of_notebook(STEM) if e["kind"] == "free")


@pytest.fixture(autouse=True)
def shown(monkeypatch) -> list[Any]:
    """What was displayed, in order; the progress strip's updates are in it too."""
    import course_utils.checks.free_response as free_response
    import course_utils.checks.notebook as notebook

    seen: list[Any] = []
    for module, name in (
        (notebook, "display"),
        (notebook, "update_display"),
        (free_response, "display"),
    ):
        monkeypatch.setattr(module, name, lambda what, **_: seen.append(what))
    monkeypatch.setattr(notebook, "_stem", None)
    return seen


@pytest.fixture
def names(monkeypatch) -> dict[str, Any]:
    """The names in the notebook."""
    import course_utils.checks.notebook as notebook

    shell = SimpleNamespace(user_ns={})
    monkeypatch.setattr(notebook, "get_ipython", lambda: shell)
    return shell.user_ns


def widgets(root: Any) -> list[Any]:
    """A widget and everything inside it."""
    return [root, *(w for child in getattr(root, "children", ()) for w in widgets(child))]


def only(shown: list[Any], kind: type) -> Any:
    """The one widget of a kind in what was displayed last."""
    (found,) = (w for w in widgets(shown[-1]) if type(w) is kind)
    return found


def html(shown: list[Any]) -> str:
    """All HTML that reached the page. Other widgets show their text as text."""
    pieces = []
    for thing in shown:
        if isinstance(thing, ipywidgets.Widget):
            inside = widgets(thing)
            pieces += [w.value for w in inside if isinstance(w, ipywidgets.HTML)]
            allowed = [w for w in inside if getattr(w, "description_allow_html", False)]
            assert not allowed
        else:
            pieces.append(thing.data)
    return "\n".join(pieces)


def right(batch_size, n_features, feature_probability, *, generator):
    return features.sample_features(
        batch_size, n_features, feature_probability, generator=generator
    )


def wrong(batch_size, n_features, feature_probability, *, generator):
    return right(batch_size, n_features, 1 - feature_probability, generator=generator)


def stub(batch_size, n_features, feature_probability, *, generator):
    raise NotImplementedError


LIBRARY = all_checks()["2.1"].fallback


# start -----------------------------------------------------------------------------------


def test_start_puts_the_librarys_version_under_every_free_name(names):
    start(STEM)
    expected = {
        entry["name"]: all_checks()[entry["id"]].fallback
        for entry in index.of_notebook(STEM)
        if entry["kind"] == "code"
    }
    assert len(expected) >= 5
    assert names == expected


@pytest.mark.parametrize("taken", [right, None, 0, "a word"])
def test_start_leaves_a_name_that_the_learner_has_taken(names, taken):
    names["sample_features"] = taken
    names["x"] = 1
    start(STEM)
    assert names["sample_features"] is taken
    assert names["x"] == 1


def test_start_shows_how_far_the_learner_is(names, shown):
    total = len(index.of_notebook(STEM))
    start(STEM)
    assert f"0 of {total} exercises done" in html(shown)
    progress.record(CheckResult("2.1", "passed", None, "Yes."))
    shown.clear()
    start(STEM)
    assert f"1 of {total} exercises done" in html(shown)
    assert "2.1 Sample sparse features: passed" in html(shown)


def test_start_works_with_an_odd_progress_file_and_outside_of_a_notebook(course_work, shown):
    (course_work / progress.NAME).write_text('{"exercises": {"2.1": {"status": "excellent"}}}')
    start(STEM)
    assert "0 of" in html(shown)


# check -----------------------------------------------------------------------------------


def test_a_right_answer_goes_on_and_the_panel_says_so(shown):
    assert check("2.1", right) is right
    assert "Exercise 2.1: passed." in html(shown)
    assert "The notebook goes on with your version." in html(shown)
    assert progress.load()["exercises"]["2.1"]["status"] == "passed"


def test_with_a_wrong_answer_the_librarys_version_goes_on_and_the_panel_says_so(shown):
    assert check("2.1", wrong) is LIBRARY
    assert "Exercise 2.1: not yet." in html(shown)
    assert "goes on with the library's version" in html(shown)
    assert progress.load()["exercises"]["2.1"] == {
        "status": "failed",
        "attempts": 1,
        "last": "sparsity-for-probability",
    }


@pytest.mark.parametrize("answer", [stub, None, ...], ids=["stub", "None", "Ellipsis"])
def test_the_stub_is_not_attempted_and_the_librarys_version_goes_on(shown, answer):
    assert check("2.1", answer) is LIBRARY
    assert "Exercise 2.1: not attempted." in html(shown)
    assert "goes on with the library's version" in html(shown)
    assert progress.load()["exercises"] == {}


def test_a_check_line_run_again_with_the_librarys_version_is_not_a_pass(shown):
    returned = check("2.1", wrong)
    shown.clear()
    assert check("2.1", returned) is LIBRARY
    assert "not attempted" in html(shown)
    assert "Run the cell that defines your own" in html(shown)
    assert progress.load()["exercises"]["2.1"]["status"] == "failed"
    assert progress.load()["exercises"]["2.1"]["attempts"] == 1


def test_an_answer_that_passed_once_may_be_checked_again():
    assert check("2.1", check("2.1", right)) is right
    assert progress.load()["exercises"]["2.1"]["attempts"] == 2


def test_an_exercise_that_does_not_exist_gives_the_answer_back(shown):
    assert check("99.9", right) is right
    assert "There is no exercise" in html(shown)


def test_the_solution_can_be_opened_below_the_result(shown):
    check("2.1", wrong)
    assert "<summary>A solution</summary>" in html(shown)
    assert panel.html.escape(index.exercise("2.1")["solution"]) in html(shown)


def test_a_check_brings_the_strip_and_the_course_map_up_to_date(names, shown, course_work):
    (course_work / "START.md").write_text("old")
    start(STEM)
    shown.clear()
    check("2.1", right)
    assert "1 of" in shown[-1].data
    assert "1 of" in (course_work / "START.md").read_text(encoding="utf-8")


def test_without_a_course_map_none_is_written(names, course_work):
    start(STEM)
    check("2.1", right)
    assert not (course_work / "START.md").exists()


# What the learner wrote is text, never HTML ----------------------------------------------


def prints(*args, **kwargs):
    print(SCRIPT)


def raises(*args, **kwargs):
    raise ValueError(SCRIPT)


def returns_text(*args, **kwargs):
    return SCRIPT


def returns_an_odd_type(*args, **kwargs):
    return type(SCRIPT, (), {})()


@pytest.mark.parametrize("answer", [prints, raises, returns_text, returns_an_odd_type, SCRIPT])
def test_an_answer_brings_no_html_into_its_panel(shown, answer):
    check("2.1", answer)
    assert "<script" not in html(shown)
    assert "&lt;script&gt;" in html(shown)


def test_an_exercise_id_brings_no_html_into_its_panel(shown):
    check(SCRIPT, right)
    ask(SCRIPT)
    assert "<script" not in html(shown)
    assert html(shown).count("&lt;script&gt;") >= 2


def test_a_guess_brings_no_html_onto_the_page(shown):
    predict("which", f"Which? {SCRIPT}", [SCRIPT, "another"])
    only(shown, ipywidgets.RadioButtons).value = SCRIPT
    only(shown, ipywidgets.Button).click()
    predict("which", f"Which? {SCRIPT}", [SCRIPT, "another"])
    reveal("which", SCRIPT, f"Because {SCRIPT}.")
    reveal("which", 3, SCRIPT)
    assert "<script" not in html(shown)
    assert html(shown).count("&lt;script&gt;") >= 6


def test_a_free_answer_brings_no_html_onto_the_page(shown, names):
    start(STEM)
    ask(QUESTION)
    question = shown[-1]
    only([question], ipywidgets.Textarea).value = SCRIPT
    only([question], ipywidgets.Button).click()
    ask(QUESTION)
    assert only(shown, ipywidgets.Textarea).value == SCRIPT
    assert "<script" not in html(shown)


# predict and reveal ----------------------------------------------------------------------


def said(shown: list[Any]) -> str:
    """What stands beside the button."""
    return widgets(shown[-1])[-1].value


def test_a_choice_is_stored_when_the_learner_commits_to_it(shown):
    predict("which", "Which?", ["the first", "the second"])
    only(shown, ipywidgets.RadioButtons).value = "the second"
    assert progress.load()["guesses"] == {}
    only(shown, ipywidgets.Button).click()
    assert progress.load()["guesses"] == {"which": "the second"}
    assert "the second" in said(shown)


def test_no_choice_is_made_for_the_learner(shown):
    predict("which", "Which?", ["the first", "the second"])
    only(shown, ipywidgets.Button).click()
    assert progress.load()["guesses"] == {}
    assert said(shown) == "Choose one first."


def test_a_number_is_stored_when_the_learner_commits_to_it(shown):
    predict("how-many", "How many?", (0.0, 10.0))
    only(shown, ipywidgets.BoundedFloatText).value = 4.5
    only(shown, ipywidgets.Button).click()
    assert progress.load()["guesses"] == {"how-many": 4.5}


def test_a_guess_comes_back_and_can_be_changed(shown):
    progress.record_guess("which", "the first")
    progress.record_guess("how-many", 3.0)
    predict("how-many", "How many?", (0.0, 10.0))
    assert only(shown, ipywidgets.BoundedFloatText).value == 3.0
    predict("which", "Which?", ["the first", "the second"])
    assert only(shown, ipywidgets.RadioButtons).value == "the first"
    assert "the first" in said(shown)
    only(shown, ipywidgets.RadioButtons).value = "the second"
    only(shown, ipywidgets.Button).click()
    assert progress.load()["guesses"]["which"] == "the second"


@pytest.mark.parametrize("stored", ["an option of last year", 7, None, ["the first"]])
def test_a_stored_guess_that_is_no_option_is_no_choice(shown, stored):
    progress.record_guess("which", "")
    text = (progress.folder() / progress.NAME).read_text()
    stored_text = progress.json.dumps(stored)
    (progress.folder() / progress.NAME).write_text(text.replace('""', stored_text))
    predict("which", "Which?", ["the first", "the second"])
    assert only(shown, ipywidgets.RadioButtons).value is None


def test_a_stored_number_out_of_range_is_brought_into_it(shown):
    progress.record_guess("how-many", 300.0)
    predict("how-many", "How many?", (0.0, 10.0))
    assert only(shown, ipywidgets.BoundedFloatText).value == 10.0


@pytest.mark.parametrize(
    ("guess", "truth", "words"),
    [
        (None, 2.0, "You made no guess this time. It is <b>2</b>."),
        (3.5, 2.0, "You guessed <b>3.5</b>, off by 1.5. It is <b>2</b>."),
        (2.0, 2.0, "You guessed <b>2</b>: right. It is <b>2</b>."),
        ("a", "b", "You guessed <b>a</b>. It is <b>b</b>."),
        ("b", "b", "You guessed <b>b</b>: right. It is <b>b</b>."),
        ("a", 2.0, "You guessed <b>a</b>. It is <b>2</b>."),
    ],
)
def test_a_guess_is_shown_beside_the_truth(shown, guess, truth, words):
    predict("which", "Which `one`?", ["a", "b"])
    if guess is not None:
        progress.record_guess("which", guess)
    reveal("which", truth, "Look at W.")
    assert words in shown[-1].data
    assert "Which <code>one</code>?" in shown[-1].data
    assert "Look at W." in shown[-1].data


def test_the_truth_can_be_revealed_without_the_question(shown):
    reveal("never-asked", 2.0)
    assert "You made no guess this time." in shown[-1].data


# ask -------------------------------------------------------------------------------------


def rubric(shown: list[Any]) -> list[ipywidgets.Checkbox]:
    return [w for w in widgets(shown[-1]) if isinstance(w, ipywidgets.Checkbox)]


def comparison(shown: list[Any]) -> ipywidgets.VBox:
    """Rubric, model answer and misconceptions."""
    return shown[-1].children[-1]


def test_each_change_of_the_text_is_saved_and_comes_back(shown):
    ask(QUESTION)
    for text in ("M", "Mo", "More features than dimensions."):
        only(shown, ipywidgets.Textarea).value = text
        assert progress.load()["answers"][QUESTION]["text"] == text
    ask(QUESTION)
    assert only(shown, ipywidgets.Textarea).value == "More features than dimensions."


def test_opening_the_question_stores_nothing(shown, course_work):
    ask(QUESTION)
    assert progress.load()["answers"] == {}


def test_rubric_and_model_answer_wait_for_the_button(shown):
    ask(QUESTION)
    assert comparison(shown).layout.display == "none"
    only(shown, ipywidgets.Button).click()
    assert comparison(shown).layout.display == "flex"
    assert "A model answer" in html(shown)
    assert [box.description for box in rubric(shown)] == index.exercise(QUESTION)["rubric"]


def test_ticks_are_counted_saved_and_come_back(shown):
    total = len(index.exercise(QUESTION)["rubric"])
    ask(QUESTION)
    only(shown, ipywidgets.Textarea).value = "An answer."
    assert progress.status(index.exercise(QUESTION), progress.load()) == "failed"
    rubric(shown)[0].value = True
    rubric(shown)[2].value = True
    assert f"2 of {total}" in html(shown)
    rubric(shown)[0].value = False
    assert f"1 of {total}" in html(shown)
    assert progress.status(index.exercise(QUESTION), progress.load()) == "passed"
    shown.clear()
    ask(QUESTION)
    assert [box.value for box in rubric(shown)] == [i == 2 for i in range(total)]
    assert comparison(shown).layout.display == "flex"
    assert f"1 of {total}" in html(shown)


def test_a_stored_answer_from_another_rubric_still_opens(shown):
    total = len(index.exercise(QUESTION)["rubric"])
    for points in ([True] * (total + 3), [True], []):
        progress.record_answer(QUESTION, "An answer.", points)
        ask(QUESTION)
        ticked = (points + [False] * total)[:total]
        assert [box.value for box in rubric(shown)] == ticked


def test_a_stored_answer_of_another_kind_still_opens(shown, course_work):
    stored = {"answers": {QUESTION: {"text": 7, "points": 3}}}
    (course_work / progress.NAME).write_text(progress.json.dumps(stored))
    ask(QUESTION)
    assert not any(box.value for box in rubric(shown))


def test_the_strip_follows_a_free_answer(shown, names):
    total = len(index.of_notebook(STEM))
    start(STEM)
    ask(QUESTION)
    question = shown[-1]
    only([question], ipywidgets.Textarea).value = "An answer."
    rubric([question])[0].value = True
    assert f"1 of {total} exercises done" in shown[-1].data


def test_what_is_no_question_gets_a_sentence(shown):
    ask("2.1")
    assert "There is no free-response question 2.1." in html(shown)


def test_a_text_that_cannot_be_saved_costs_a_sentence(shown, tmp_path, monkeypatch, capsys):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "a_file"))
    ask(QUESTION)
    only(shown, ipywidgets.Textarea).value = "An answer."
    assert "could not be saved" in capsys.readouterr().out


# The list of checks ----------------------------------------------------------------------


@pytest.fixture
def a_module(tmp_path, monkeypatch):
    """A function that writes the text of a further check module; all traces go afterwards."""
    import course_utils.checks as package

    module = sys.modules["course_utils.checks.registry"]
    monkeypatch.setattr(module, "_checks", dict(all_checks()))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield lambda text: (tmp_path / "notebook_99_new.py").write_text(FIRST_CHECK + text)
    sys.modules.pop("course_utils.checks.notebook_99_new", None)


FIRST_CHECK = """
from course_utils.checks.registry import exercise

@exercise("99.1", fallback=len, diagnoses=())
def first(answer):
    return "Done."
"""


def test_an_error_in_a_check_module_is_reported_each_time_until_it_is_mended(a_module):
    a_module("raise RuntimeError('the real error')")
    for _ in range(3):
        with pytest.raises(RuntimeError, match="the real error"):
            all_checks()
    a_module("")
    assert all_checks()["99.1"].fallback is len
    assert all_checks()["2.1"].fallback is LIBRARY


def test_two_checks_cannot_have_one_id(a_module):
    with pytest.raises(ValueError, match=r"Two checks want the id '2\.1'"):
        exercise("2.1", fallback=len, diagnoses=())(lambda answer: "Done.")


# Without a notebook ----------------------------------------------------------------------

HEAVY = ("IPython", "ipywidgets", "anywidget", "plotly", "transformer_lens", "transformers")

GRADES = f"""
import sys
import course_utils.checks
result = course_utils.checks.grade("2.1", lambda *args, **kwargs: None)
assert result.diagnosis == "returns-nothing", result
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_grading_loads_nothing_that_displays():
    done = subprocess.run([sys.executable, "-c", GRADES], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"

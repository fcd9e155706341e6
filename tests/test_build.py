"""Notebooks are built from `source/`, and a slip of the author never leaks a solution."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import build_notebooks
import jupytext
import nbformat
import pytest
from solution_markers import SourceError
from source_format import PERCENT

from course_utils.checks.misconceptions import MISCONCEPTIONS
from course_utils.checks.registry import registry

ROOT = Path(__file__).resolve().parent.parent

TITLE = """# %% [markdown]
# # 2. Superposition
#
# More features than dimensions,
# seen from close by.
"""

START = """# %%
start("02_small")
"""

CODE = '''# %% [markdown] exercise="2.1" title="Twice" minutes=4 difficulty=1 misconceptions=["a-b"]
# Double a number.
#
# HINT: Multiply
# by something.
#
# HINT: By `2`.
# %%
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    secret = 2
    return secret * x
    ### END SOLUTION


double = check("2.1", double)
'''

FREE_LINE = (
    '# %% [markdown] exercise="2.2" kind="free" title="Why?" minutes=5 difficulty=2 '
    'misconceptions=["a-b"]\n'
)
FREE = f"""{FREE_LINE}\
# Why is it so?
#
# HINT: Think of a line.
#
# HINT: Think of two lines.
#
# RUBRIC:
# - names the line
# - names
#   the other line
#
# MODEL ANSWER:
# Because the lines meet.
#
# They do so once.
#
# MISCONCEPTIONS:
# - a-b: there are more lines than dimensions
# %%
ask("2.2")
"""

PLAIN = """# %% tags=["long"]
double(4)
"""

SMALL = TITLE + START + CODE + PLAIN + FREE


def build(folder: Path, text: str = SMALL, name: str = "02_small", **options: object) -> dict:
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / f"{name}.py").write_text(text, encoding="utf-8")
    options = {"registered": {"2.1"}, "slugs": {"a-b": "A basis."}} | options
    return build_notebooks.build(folder, **options)


def cells(files: dict, folder: str) -> list:
    return nbformat.reads(files[f"{folder}/02_small.ipynb"], as_version=4).cells


# What is built


def test_learners_get_a_stub_where_the_solution_was(tmp_path):
    code = cells(build(tmp_path), "notebooks")[3]
    assert code.source == (
        'def double(x):\n    """Twice x."""\n    # Your code here\n    raise NotImplementedError\n'
        '\n\ndouble = check("2.1", double)'
    )
    assert code.metadata == {"exercise": "2.1"}


def test_the_solved_notebook_keeps_the_markers_for_nbgrader(tmp_path):
    solved = cells(build(tmp_path), "solutions")[3].source
    assert "    ### BEGIN SOLUTION\n    secret = 2\n" in solved
    assert "    ### END SOLUTION\n" in solved


def test_an_exercise_begins_with_its_heading_and_effort_and_its_hints_open_on_click(tmp_path):
    text = cells(build(tmp_path), "notebooks")[2].source
    assert text == (
        "### Exercise 2.1 · Twice\n\n*4 minutes · difficulty 1 of 3*\n\nDouble a number.\n\n"
        "<details><summary>Hint 1</summary>\n\nMultiply\nby something.\n\n</details>\n\n"
        "<details><summary>Hint 2</summary>\n\nBy `2`.\n\n</details>"
    )


def test_only_the_solved_notebook_shows_rubric_model_answer_and_misconceptions(tmp_path):
    files = build(tmp_path)
    student, solved = cells(files, "notebooks")[5].source, cells(files, "solutions")[5].source
    for words in ("names the line", "Because the lines meet", "more lines than dimensions"):
        assert words not in student
        assert words in solved
    assert "A basis." in solved
    assert "Why is it so?" in student


def test_a_notebook_names_its_kernel_and_stores_no_outputs(tmp_path):
    for name, text in build(tmp_path).items():
        if not name.endswith(".ipynb"):
            continue
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        for cell in notebook.cells:
            assert cell.get("outputs", []) == []
            assert cell.get("execution_count") is None


def test_tags_stay(tmp_path):
    assert cells(build(tmp_path), "notebooks")[4].metadata == {"tags": ["long"]}


def test_several_blocks_in_one_cell_are_each_replaced(tmp_path):
    block = "    ### BEGIN SOLUTION\n    return 0\n    ### END SOLUTION\n"
    more = CODE.replace("\n\ndouble = check", f"\n\ndef zero():\n{block}\n\ndouble = check")
    student = cells(build(tmp_path, TITLE + START + more), "notebooks")[3].source
    assert student.count("raise NotImplementedError") == 2
    assert "return" not in student


def test_the_index_carries_everything_about_an_exercise(tmp_path):
    index = json.loads(build(tmp_path)["course_utils/exercises.json"])
    assert index["notebooks"] == [
        {
            "stem": "02_small",
            "title": "Superposition",
            "summary": "More features than dimensions, seen from close by.",
            "minutes": 9,
        }
    ]
    code, free = index["exercises"]
    assert code == {
        "id": "2.1",
        "notebook": "02_small",
        "title": "Twice",
        "kind": "code",
        "minutes": 4,
        "difficulty": 1,
        "misconceptions": ["a-b"],
        "name": "double",
        "hints": ["Multiply\nby something.", "By `2`."],
        "solution": 'def double(x):\n    """Twice x."""\n    secret = 2\n    return secret * x',
        "question": "Double a number.",
        "rubric": [],
        "model_answer": None,
        "misconception_notes": {},
    }
    assert free["name"] is None and free["solution"] is None
    assert free["rubric"] == ["names the line", "names the other line"]
    assert free["model_answer"] == "Because the lines meet.\n\nThey do so once."
    assert free["misconception_notes"] == {"a-b": "there are more lines than dimensions"}


def test_the_title_may_give_the_minutes_of_the_whole_notebook(tmp_path):
    text = SMALL.replace("[markdown]\n# # 2.", "[markdown] minutes=75\n# # 2.")
    index = json.loads(build(tmp_path, text)["course_utils/exercises.json"])
    assert index["notebooks"][0]["minutes"] == 75


# Stable


def test_building_twice_gives_the_same_bytes(tmp_path):
    assert build(tmp_path) == build(tmp_path)


def test_windows_line_ends_make_no_difference(tmp_path):
    expected = build(tmp_path)
    (tmp_path / "source" / "02_small.py").write_bytes(SMALL.replace("\n", "\r\n").encode())
    options = {"registered": {"2.1"}, "slugs": {"a-b": "A basis."}}
    assert build_notebooks.build(tmp_path, **options) == expected


def ids(files: dict, folder: str = "notebooks") -> dict[str, str]:
    return {cell.source: cell.id for cell in cells(files, folder)}


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(TITLE + START + "# %%\nnew = 1\n" + CODE + PLAIN + FREE, id="inserted"),
        pytest.param(TITLE + START + CODE + FREE + PLAIN, id="moved"),
        pytest.param(SMALL.replace("double(4)", "double(5)"), id="edited"),
        pytest.param(SMALL.replace("minutes=4", "minutes=5"), id="metadata edited"),
    ],
)
def test_editing_one_cell_keeps_the_ids_of_all_others(tmp_path, edited):
    before, after = ids(build(tmp_path)), ids(build(tmp_path, edited))
    common = set(before) & set(after)
    assert len(common) >= len(before) - 1
    assert all(before[text] == after[text] for text in common)


def test_learner_and_solved_notebook_have_the_same_ids_and_each_only_once(tmp_path):
    files = build(tmp_path, SMALL + PLAIN + PLAIN)
    student = [cell.id for cell in cells(files, "notebooks")]
    assert student == [cell.id for cell in cells(files, "solutions")]
    assert len(set(student)) == len(student)


# Refused: each case is one edit of the small source, and what the message must say

MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")
MISSPELT = [
    "# BEGIN SOLUTION",
    "## BEGIN SOLUTION",
    "#### BEGIN SOLUTION",
    "###BEGIN SOLUTION",
    "###  BEGIN SOLUTION",
    "### BEGIN  SOLUTION",
    "### BEGIN SOLUTIONS",
    "### BEGIN SOLUTON",
    "### BEGN SOLUTION",
    "### begin solution",
    "### Begin Solution",
    "### BEGIN-SOLUTION",
    "### BEGIN_SOLUTION",
    "### SOLUTION BEGIN",
    "### SOLUTION",
    "### START SOLUTION",
    "### BEGIN SOLUTION:",
    "### BEGIN SOLUTION ###",
    "### BEGIN SOLUTION (two lines)",
    "# begin solutoin",
    "x = 1  ### BEGIN SOLUTION",
    "BEGIN SOLUTION",
]


@pytest.mark.parametrize("misspelt", MISSPELT)
@pytest.mark.parametrize("marker", MARKERS, ids=["begin", "end"])
def test_a_misspelt_marker_is_refused(tmp_path, marker, misspelt):
    if marker.startswith("### END"):
        misspelt = misspelt.replace("BEGIN", "END").replace("BEGN", "EN").replace("egin", "nd")
        misspelt = misspelt.replace("START", "STOP")
    with pytest.raises(SourceError, match=r"source/02_small.py, line \d+: .*looks like a marker"):
        build(tmp_path, SMALL.replace(marker, misspelt))


def edit(old: str, new: str, text: str = SMALL) -> str:
    assert old in text
    return text.replace(old, new, 1)


REFUSED = {
    "never closed": (edit("    ### END SOLUTION\n", ""), "never ends"),
    "never opened": (edit("    ### BEGIN SOLUTION\n", ""), "never began"),
    "nested": (
        edit("    secret = 2\n", "    ### BEGIN SOLUTION\n    secret = 2\n"),
        "inside another",
    ),
    "stray end": (edit("    return secret * x\n", "    ### END SOLUTION\n"), "never began"),
    "uneven": (edit("    ### END SOLUTION", "  ### END SOLUTION"), "one indentation"),
    "empty": (edit("    secret = 2\n    return secret * x\n", "    # soon\n"), "is empty"),
    "top level": (
        edit("\n\ndouble", "\n### BEGIN SOLUTION\ny = 1\n### END SOLUTION\n\ndouble"),
        "inside a function",
    ),
    "no solution": (
        edit("    ### BEGIN SOLUTION\n", "", edit("    ### END SOLUTION\n", "")),
        "no solution between markers",
    ),
    "in markdown": (edit("# Double a number.\n", "# ### BEGIN SOLUTION\n"), "Markdown cell"),
    "bare in markdown": (edit("# Double a number.\n", "# BEGIN SOLUTION\n"), "looks like a marker"),
    "outside an exercise": (
        edit("double(4)", "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"),
        "no exercise's",
    ),
    "two cells on": (edit("# %%\ndef double", "# %%\nx = 1\n# %%\ndef double"), "no exercise's"),
    "stub no Python": (
        edit("    ### BEGIN", "    if x:\n        x = 1\n    ### BEGIN").replace(
            "return secret * x\n    ### END SOLUTION", "return x\n    ### END SOLUTION\n    else:\n"
        ),
        "not valid Python",
    ),
    "no Python": (edit("double(4)", "double(4"), "not valid Python"),
    "no check": (edit('\n\ndouble = check("2.1", double)\n', ""), "must end with the line"),
    "check elsewhere": (edit("double(4)", 'double = check("2.1", double)'), "follows no exercise"),
    "ask elsewhere": (edit("double(4)", 'ask("2.2")'), "follows no exercise"),
    "check not last": (edit("double)\n# %% tags", "double)\nx = 1\n# %% tags"), "must end with"),
    "check twice": (edit("\n\ndouble = check", '\n\ncheck("2.1", 1)\ndouble = check'), "must end"),
    "check of another": (edit('check("2.1"', 'check("2.3"'), "has the check of 2.3"),
    "assigns another": (edit("double = check", "duoble = check"), "assigns duoble"),
    "no hints": (edit("# HINT: Multiply\n# by something.\n#\n# HINT: By `2`.\n", ""), "two hints"),
    "one hint": (edit("#\n# HINT: By `2`.\n", ""), "needs two hints and has 1"),
    "empty hint": (edit("HINT: By `2`.", "HINT:"), "empty"),
    "no text": (edit("# Double a number.\n#\n", ""), "has no text"),
    "misspelt hint": (edit("# HINT: By", "# Hint: By"), "not exactly one of HINT:"),
    "numbered hint": (edit("# HINT: By", "# HINT 2: By"), "not exactly one of HINT:"),
    "no minutes": (edit(" minutes=4", ""), "no minutes"),
    "minutes in words": (edit(" minutes=4", ' minutes="four"'), "no minutes"),
    "minutes unreadable": (edit(" minutes=4", " minutes=four"), "unknown metadata"),
    "minutes true": (edit(" minutes=4", " minutes=true"), "no minutes"),
    "no minutes at all": (edit(" minutes=4", " minutes=0"), "no minutes"),
    "no title": (edit(' title="Twice"', ""), "no title"),
    "no difficulty": (edit(" difficulty=1", ""), "difficulty from 1 to 3"),
    "too difficult": (edit(" difficulty=1", " difficulty=4"), "difficulty from 1 to 3"),
    "unknown kind": (edit(' title="Twice"', ' title="Twice" kind="essay"'), "unknown kind"),
    "unknown key": (edit(" minutes=4", " minuts=4"), "unknown metadata minuts"),
    "key of no exercise": (edit('exercise="2.1"', 'exercize="2.1"'), "unknown metadata difficulty"),
    "unknown misconception": (edit('["a-b"]', '["ab"]'), "unknown misconception 'ab'"),
    "misconceptions no list": (edit('["a-b"]', '"a-b"'), "list of misconceptions"),
    "no such check": (SMALL.replace('"2.1"', '"2.7"'), "no check in course_utils.checks"),
    "another notebook's id": (SMALL.replace('"2.1"', '"3.1"'), "must be numbered 2.something"),
    "odd id": (SMALL.replace('"2.1"', '"2.1a"'), "must be numbered 2.something"),
    "same id twice": (SMALL + CODE, "2.1 is already in 02_small.py"),
    "no code cell": (TITLE + START + CODE.split("# %%\ndef")[0], "not followed by its code cell"),
    "exercise in code": (edit("[markdown] exercise", "exercise"), "in a Markdown cell"),
    "no rubric": (
        edit("# RUBRIC:\n# - names the line\n# - names\n#   the other line\n#\n", ""),
        "no RUBRIC",
    ),
    "no model answer": (
        edit("# MODEL ANSWER:\n# Because the lines meet.\n#\n# They do so once.\n#\n", ""),
        "no MODEL ANSWER",
    ),
    "no misconceptions": (
        edit("# MISCONCEPTIONS:\n# - a-b: there are more lines than dimensions\n", ""),
        "no MISCONCEPTIONS",
    ),
    "misspelt section": (edit("# MODEL ANSWER:", "# MODEL ANSWR:"), "not exactly one of"),
    "section without colon": (edit("# MODEL ANSWER:", "# MODEL ANSWER"), "not exactly one of"),
    "section in lower case": (edit("# MODEL ANSWER:", "# Model answer:"), "not exactly one of"),
    "section twice": (edit("# RUBRIC:\n", "# RUBRIC:\n# - a\n# RUBRIC:\n"), "RUBRIC: twice"),
    "hint after the rubric": (edit("# MODEL", "# HINT: late\n#\n# MODEL"), "HINT after RUBRIC"),
    "rubric no list": (edit("# - names the line", "# names the line"), "list of `- ` points"),
    "note without slug": (edit("a-b: there", "there"), "- slug: what is true"),
    "note on another slug": (edit("# - a-b:", "# - a-c:"), "other MISCONCEPTIONS"),
    "rubric for code": (
        edit("# HINT: By `2`.\n", "# HINT: By `2`.\n#\n# RUBRIC:\n# - a\n"),
        "no RUBRIC",
    ),
    "free without ask": (edit('ask("2.2")', "x = 1"), 'just ask("2.2")'),
    "ask for another": (edit('ask("2.2")', 'ask("2.3")'), 'just ask("2.2")'),
    "no title cell": (SMALL.removeprefix(TITLE), "first cell must be Markdown"),
    "title of another": (edit("# # 2.", "# # 3."), "heading `# 2. Title`"),
    "no summary": (TITLE.split("#\n")[0] + START, "paragraph that sums the notebook up"),
    "too few minutes": (edit("[markdown]\n", "[markdown] minutes=3\n"), "fewer than its exercises"),
    "no start": (edit(START, ""), 'exactly one call start("02_small")'),
    "start of another": (edit('start("02', 'start("03'), 'exactly one call start("02_small")'),
    "text before": ("x = 1\n" + SMALL, "must begin with a cell"),
    "cell in a string": (edit("double(4)", 'x = """\n# %%\n"""'), "looks like a cell"),
    "raw cell": (SMALL + "# %% [raw]\n# text\n", "a raw cell"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_a_source_with_a_mistake_is_refused_in_one_sentence(tmp_path, text, says):
    with pytest.raises(SourceError) as caught:
        build(tmp_path, text)
    message = str(caught.value)
    assert says in message
    assert message.startswith("source/02_small.py, line ")
    assert "\n" not in message


def test_the_message_gives_the_line_of_the_mistake(tmp_path):
    text = edit("### BEGIN SOLUTION", "### BEGIN SOLUTOIN")
    line = text.splitlines().index("    ### BEGIN SOLUTOIN") + 1
    with pytest.raises(SourceError, match=f"line {line}: "):
        build(tmp_path, text)


def test_an_id_is_unique_over_all_notebooks(tmp_path):
    build(tmp_path)
    other = SMALL.replace("02_small", "02_other")
    with pytest.raises(SourceError, match=r"2\.1 is already in 02_other\.py"):
        build(tmp_path, other, name="02_other")


@pytest.mark.parametrize("name", ["2_small", "02-small", "02_Small", "small"])
def test_a_source_is_named_like_its_number(tmp_path, name):
    with pytest.raises(SourceError, match="must be like"):
        build(tmp_path, SMALL, name=name)


def test_without_sources_nothing_is_built(tmp_path):
    with pytest.raises(SourceError, match="no source to build"):
        build_notebooks.build(tmp_path)


# Stale files, and the command


def test_what_is_stale_missing_or_orphaned_is_named(tmp_path):
    files = build(tmp_path)
    assert build_notebooks.stale(tmp_path, files) == [f"{name} is missing." for name in files]
    build_notebooks.write(tmp_path, files)
    assert build_notebooks.stale(tmp_path, files) == []

    edited = tmp_path / "notebooks" / "02_small.ipynb"
    edited.write_text(edited.read_text(encoding="utf-8").replace("double", "triple"))
    (tmp_path / "solutions" / "09_gone.ipynb").write_text("{}")
    (tmp_path / "course_utils" / "exercises.json").unlink()
    assert build_notebooks.stale(tmp_path, files) == [
        "notebooks/02_small.ipynb is stale.",
        "course_utils/exercises.json is missing.",
        "solutions/09_gone.ipynb has no source any more.",
    ]
    build_notebooks.write(tmp_path, files)
    assert build_notebooks.stale(tmp_path, files) == []


def test_a_mistake_in_one_source_writes_nothing_at_all(tmp_path, capsys):
    shutil.copytree(ROOT / "source", tmp_path / "source")
    (tmp_path / "source" / "99_bad.py").write_text(edit("### END", "### ENDE"), encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    assert build_notebooks.main(["--root", str(tmp_path)]) == 1
    assert sorted(tmp_path.rglob("*")) == before
    said = capsys.readouterr().err.strip()
    assert said.startswith("source/") and "\n" not in said


def test_check_fails_and_says_what_to_run(tmp_path, capsys):
    shutil.copytree(ROOT / "source", tmp_path / "source")
    command = ["--root", str(tmp_path)]
    assert build_notebooks.main([*command, "--check"]) == 1
    assert "Run `python tools/build_notebooks.py`." in capsys.readouterr().err
    assert build_notebooks.main(command) == 0
    assert build_notebooks.main([*command, "--check"]) == 0


# The repository itself


def test_nothing_in_the_repository_is_stale():
    files = build_notebooks.build(ROOT, registered=registry(), slugs=MISCONCEPTIONS)
    assert build_notebooks.stale(ROOT, files) == []


def test_every_check_belongs_to_an_exercise_in_a_source():
    index = json.loads((ROOT / "course_utils" / "exercises.json").read_text(encoding="utf-8"))
    assert set(registry()) == {e["id"] for e in index["exercises"] if e["kind"] == "code"}


STUDENT_NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def distinctive(text: str | None) -> set[str]:
    """The lines of a text that say more than a bracket or a `return x`."""
    lines = (line.strip() for line in (text or "").splitlines())
    return {line for line in lines if len(line) > 12}


@pytest.mark.parametrize("path", STUDENT_NOTEBOOKS, ids=lambda path: path.stem)
def test_no_solution_reaches_a_learners_notebook(path):
    raw = path.read_text(encoding="utf-8")
    assert not re.search(r"(begin|end)\W*solution", raw, re.IGNORECASE)
    notebook = nbformat.reads(raw, as_version=4)
    whole = "\n".join(cell.source for cell in notebook.cells)
    index = json.loads((ROOT / "course_utils" / "exercises.json").read_text(encoding="utf-8"))
    of_cell = {c.metadata["exercise"]: c.source for c in notebook.cells if "exercise" in c.metadata}
    for entry in index["exercises"]:
        if entry["notebook"] != path.stem:
            continue
        student = of_cell[entry["id"]]
        if entry["kind"] == "code":
            assert "raise NotImplementedError" in student
            stub_lines = {line.strip() for line in student.splitlines()}
            solution = solution_lines(path.stem, entry["id"])
            assert solution, f"exercise {entry['id']} has no line of solution"
            leaked = {line for line in distinctive("\n".join(solution)) if line in stub_lines}
            assert not leaked, f"exercise {entry['id']} shows {leaked}"
        else:
            secrets = distinctive(entry["model_answer"]) | set(entry["rubric"])
            secrets |= set(entry["misconception_notes"].values())
            assert not {secret for secret in secrets if secret in whole}


def solution_lines(stem: str, exercise_id: str) -> list[str]:
    """The lines between markers in the solved notebook, read without the builder's help."""
    notebook = nbformat.read(ROOT / "solutions" / f"{stem}.ipynb", as_version=4)
    cell = next(c for c in notebook.cells if c.metadata.get("exercise") == exercise_id)
    inside, lines = False, []
    for line in cell.source.splitlines():
        if line.strip() in MARKERS:
            inside = line.strip() == MARKERS[0]
        elif inside:
            lines.append(line.strip())
    return lines


@pytest.mark.parametrize("path", STUDENT_NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_a_built_notebook_is_valid_and_stores_no_outputs_or_widgets(path, folder):
    notebook = nbformat.read(ROOT / folder / path.name, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(cell.get("outputs", []) == [] for cell in notebook.cells)
    assert all(cell.get("execution_count") is None for cell in notebook.cells)


@pytest.mark.parametrize("path", sorted((ROOT / "source").glob("*.py")), ids=lambda path: path.stem)
def test_a_source_survives_a_round_trip_through_jupytext(path):
    text = path.read_text(encoding="utf-8")
    once = jupytext.reads(text, fmt=PERCENT)
    twice = jupytext.reads(jupytext.writes(once, fmt=PERCENT), fmt=PERCENT)
    assert [cell.source for cell in once.cells] == [cell.source for cell in twice.cells]
    solved = nbformat.read(ROOT / "solutions" / f"{path.stem}.ipynb", as_version=4)
    written = [cell.source.rstrip() for cell in once.cells if cell.cell_type == "code"]
    assert written == [cell.source for cell in solved.cells if cell.cell_type == "code"]

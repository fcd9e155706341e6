"""The pair lab without a browser and without a model: what is typed, what is said, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from course_utils import snippets
from course_utils.plots.pair_lab import CAVEAT, pair_drawing, pair_state
from course_utils.polysemanticity import PairReport
from course_utils.polysemanticity.verdict import View
from course_utils.widgets.pair_lab import (
    LONGEST,
    MOST,
    OWN,
    as_text,
    pair_lab,
    problem,
    snippets_in,
)

REPORT = PairReport(
    n_first=16, n_second=16, layers=(0, 8, 16), cosine=(0.6, 0.4, 0.5), low=(0.5, 0.3, 0.4),
    high=(0.7, 0.5, 0.6), null_low=(-0.2, -0.2, -0.3), null_high=(0.2, 0.2, 0.3), judged=(8, 16),
    from_ordinary=View(0.45, 0.35, 0.55, -0.25, 0.25),
    from_kinds=View(-0.05, -0.1, 0.01, -0.2, 0.15), probe=(0.9, 0.9, 1.0),
    mean_probe=0.95, probe_null=0.62, neuron_layer=16, n_neurons=1536, n_strongest=77, n_shared=12,
    shared_by_chance=3.9, shared_null=8, first_in_second=0.05, second_in_first=0.1,
    first_in_first=1.0, second_in_second=0.9, first_in_ordinary=0.0, second_in_ordinary=0.03,
    verdict="likely in superposition together", reason="Both are there.",
)  # fmt: skip

ONE = [f"sentence {k} about cats" for k in range(12)]
TWO = [f"sentence {k} about dogs" for k in range(12)]
PAIRS = {
    "a": SimpleNamespace(
        title="Cats, dogs", first_name="cats", second_name="dogs", guess="?", first=ONE, second=TWO
    ),
    "b": SimpleNamespace(
        title="Code", first_name="two lines", second_name="prose", guess="!",
        first=[f"a = {k}\n\nb = a" for k in range(10)], second=TWO,
    ),
}  # fmt: skip


class Measure:
    """Keeps what it is given."""

    def __init__(self, error=None):
        self.given, self.error = [], error

    def __call__(self, first, second):
        self.given.append((first, second))
        if self.error:
            raise self.error
        return replace(REPORT, n_first=len(first), n_second=len(second))


@pytest.fixture
def measure():
    return Measure()


@pytest.fixture
def lab(measure):
    return pair_lab(measure, PAIRS)


# What is typed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n \t\n", []),
        ("one", ["one"]),
        ("one\ntwo\n", ["one", "two"]),
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("one\ntwo\n\nthree", ["one\ntwo", "three"]),
        ("one\n  two\n \nthree\n", ["one\n  two", "three"]),
        ("one\n\ntwo\n----\nthree", ["one\n\ntwo", "three"]),
        ("----\none\n----\n----\n", ["one"]),
        ("one\n------\ntwo", ["one", "two"]),
        ("one\ntwo\none", ["one", "two"]),
        ("a -- b\n--- c", ["a -- b", "--- c"]),
        ("    indented;\nnot", ["    indented;", "not"]),
        ("😀\n🎉🎉", ["😀", "🎉🎉"]),
        ("κόσμε\u037e\nπού;", ["κόσμε\u037e", "πού;"]),
    ],
)
def test_snippets_are_read_as_they_are_typed(text, expected):
    assert snippets_in(text) == expected


@pytest.mark.parametrize("slug", snippets.pairs())
def test_every_worked_pair_survives_the_text_area(slug):
    pair = snippets.pairs()[slug]
    for given in (pair.first, pair.second):
        assert snippets_in(as_text(given)) == [s.strip("\n").rstrip() for s in given]
    assert problem(pair.first, pair.second) == ""


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ([], TWO, "The first list is empty: write at least ten snippets"),
        (ONE, [], "The second list is empty"),
        (ONE[:1], TWO, "The first list has 1 snippet: 4 are needed"),
        (ONE, TWO[:3], "The second list has 3 snippets: 4 are needed"),
        ([f"snippet {k}" for k in range(100)], TWO, "The first list has 100 snippets: use at most"),
        (ONE, [*TWO, "x" * 10_000], "Snippet 13 of the second list has 10,000 characters: use at"),
        (ONE, ONE, "The two lists are the same"),
        (ONE, ONE[::-1], "The two lists are the same"),
        (ONE, [*TWO, ONE[3]], "1 of the snippets is in both lists, such as “sentence 3 about"),
        (ONE, [*TWO, *ONE[:2]], "2 of the snippets are in both lists"),
    ],
)
def test_nonsense_gets_a_sentence_and_is_never_measured(lab, measure, first, second, words):
    assert problem(first, second).startswith(words)
    lab.view.first, lab.view.second = as_text(first), as_text(second)
    lab.measure()
    assert lab.view.words == problem(first, second) and lab.view.words.endswith(".")
    assert "\n" not in lab.view.words and len(lab.view.words) < 150
    assert lab.view.state == {} and measure.given == [] and not lab.view.busy
    assert (lab.view.first, lab.view.second) == (as_text(first), as_text(second))


def test_what_can_be_measured_is(lab, measure):
    lab.view.first = "\n".join("😀" * k for k in range(1, 11))
    lab.measure()
    assert measure.given == [(["😀" * k for k in range(1, 11)], TWO)]
    assert problem(ONE[:4], TWO[:4]) == ""
    assert problem([f"{k}" for k in range(MOST)], ["y" * LONGEST, *TWO]) == ""


# What is said


def test_the_report_says_the_verdict_and_each_number_beside_its_null():
    state = pair_state(REPORT, "cats", "dogs")
    assert state["verdict"] == "Likely in superposition together"
    assert [row["value"] for row in state["rows"]] == [
        "95% of new cases right", "0.45 (0.35 to 0.55)", "-0.05 (-0.10 to 0.01)", "5%", "10%", "12",
    ]  # fmt: skip
    nulls = [row["null"] for row in state["rows"]]
    assert "62%" in nulls[0] and "-0.25 to 0.25" in nulls[1] and "-0.20 to 0.15" in nulls[2]
    assert "up to 8" in nulls[5]
    assert nulls[3] == "ordinary sentences: 0%, its own: 100%"
    assert nulls[4] == "ordinary sentences: 3%, its own: 90%"
    assert "“cats” says yes to “dogs”" in state["rows"][3]["what"]
    assert state["judged"] == [False, True, True]
    assert state["cosine"] == [0.6, 0.4, 0.5] and state["null_high"] == [0.2, 0.2, 0.3]
    assert "layer 8 0.40, -0.20 to 0.20" in state["words"]
    assert len(json.dumps(state)) < 4000


def test_the_caveat_is_always_there():
    assert pair_drawing()["caveat"] == CAVEAT and "not a proof" in CAVEAT


def test_the_button_measures_what_is_in_the_areas(lab, measure):
    lab._message(None, {"measure": True}, None)
    assert measure.given == [(ONE, TWO)]
    assert lab.view.words == "Likely in superposition together. Both are there."
    assert lab.view.state == pair_state(REPORT, "cats", "dogs")


def test_the_same_lists_are_measured_once(lab, measure):
    lab.measure()
    lab.view.first = lab.view.first.replace("\n", "\n----\n")  # the same snippets
    lab.measure()
    assert len(measure.given) == 1 and lab.view.state
    lab.view.first += "\n----\none more"
    lab.measure()
    assert len(measure.given) == 2


def test_while_it_measures_it_says_so(measure):
    def look(first, second):
        seen.append((lab.view.busy, lab.view.words))
        return measure(first, second)

    seen, lab = [], pair_lab(look, PAIRS)
    lab.measure()
    assert seen == [(True, "Reading 24 snippets in every layer …")]
    assert not lab.view.busy


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("text 3 has no character that the model knows; leave it out."),
         "This could not be measured: text 3 has no character that the model knows; leave it out."),
        (RuntimeError("no"), "This could not be measured (RuntimeError: no)."),
    ],
)  # fmt: skip
def test_an_error_is_a_sentence_and_the_panel_lives_on(error, words):
    measure = Measure(error)
    lab = pair_lab(measure, PAIRS)
    lab.view.first = "\n".join(ONE[:11])
    lab.measure()
    assert lab.view.words == words and lab.view.state == {} and not lab.view.busy
    assert lab.view.first == "\n".join(ONE[:11])
    measure.error = None
    lab.measure()
    assert lab.view.state["verdict"]


def test_a_report_that_cannot_be_shown_is_a_sentence_too():
    lab = pair_lab(lambda first, second: None, PAIRS)
    lab.measure()
    assert lab.view.words.startswith("This could not be measured (AttributeError")


# What is kept


def test_it_opens_with_the_first_pair(lab):
    assert lab.view.options == ["Cats, dogs", "Code", OWN]
    assert lab.view.names == ["cats", "dogs"] and lab.view.guess == "?"
    assert (lab.view.first, lab.view.second) == ("\n".join(ONE), "\n".join(TWO))


def test_another_choice_has_its_own_texts_and_no_report(lab):
    lab.measure()
    lab.view.choice = 1
    assert lab.view.names == ["two lines", "prose"] and lab.view.guess == "!"
    assert snippets_in(lab.view.first) == PAIRS["b"].first
    assert lab.view.state == {} and lab.view.words == ""


def test_what_was_typed_comes_back_with_its_choice(lab):
    lab.view.choice = 2
    assert (lab.view.first, lab.view.second) == ("", "")
    lab.view.first, lab.view.second = "my own", "and another"
    lab.view.choice = 0
    lab.view.first += "\none of mine"
    lab.view.choice = 2
    assert (lab.view.first, lab.view.second) == ("my own", "and another")
    lab.view.choice = 0
    assert lab.view.first.endswith("\none of mine")


def test_one_view_and_no_numerics_of_its_own(lab):
    assert list(lab.children) == [lab.view]

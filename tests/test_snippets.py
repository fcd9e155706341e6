"""Snippets: each is what it says it is, and length does not tell the sides of a pair apart."""

import ast
import base64
import dataclasses
import io
import re
import subprocess
import sys
import tokenize
from difflib import SequenceMatcher
from itertools import combinations
from statistics import median

import pytest

from course_utils import snippets

GREEK = "\N{GREEK QUESTION MARK}"
CLASSES = ["c", "english", "french", "german", "greek", "html", "javascript", "python", "sql"]
CODE = ["c", "javascript", "python", "sql", "html"]
SEMICOLONS = snippets.semicolons()
PAIRS = snippets.pairs()
EVERYTHING = [
    *(snippet for group in SEMICOLONS.values() for snippet in group),
    *(snippet for pair in PAIRS.values() for snippet in (*pair.first, *pair.second)),
]
each_class = pytest.mark.parametrize("name", CLASSES)
each_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


def plain(snippet):
    return " ".join(snippet.split())


def first_semicolon(snippet):
    return min(snippet.find(sign) for sign in (";", GREEK) if sign in snippet)


def sides(slug):
    return PAIRS[slug].first, PAIRS[slug].second


def separated(*found):
    return "\n----\n".join(found) + "\n"


# The semicolon in nine languages


def test_there_are_the_nine_classes_and_enough_of_each():
    assert sorted(SEMICOLONS) == CLASSES
    assert all(len(group) >= 20 for group in SEMICOLONS.values())
    assert sum(map(len, SEMICOLONS.values())) >= 200


@each_class
def test_a_snippet_shows_its_language_before_its_first_semicolon(name):
    for snippet in SEMICOLONS[name]:
        assert len(snippet[: first_semicolon(snippet)].strip()) >= 20, snippet


@each_class
def test_a_snippet_is_neither_tiny_nor_long(name):
    for snippet in SEMICOLONS[name]:
        assert 25 <= len(snippet) <= 300, snippet


@each_class
def test_only_greek_has_the_other_character(name):
    if name != "greek":
        assert GREEK not in "".join(SEMICOLONS[name])


def test_half_of_the_greek_questions_have_the_greek_question_mark_and_half_the_semicolon():
    greek = SEMICOLONS["greek"]
    with_greek = sum(GREEK in snippet for snippet in greek)
    assert with_greek == len(greek) // 2
    assert not any(GREEK in snippet and ";" in snippet for snippet in greek)


def test_a_greek_one_ends_a_question_in_greek_letters():
    for snippet in SEMICOLONS["greek"]:
        for mark in re.finditer(f"[;{GREEK}]", snippet):
            assert re.match(r"[α-ωά-ώ]", snippet[mark.start() - 1]), snippet
            assert snippet[mark.end() :][:1] in ("", " ", "»"), snippet


@pytest.mark.parametrize("name", ["english", "german"])
def test_in_english_and_german_it_follows_a_word_and_a_space_follows_it(name):
    for snippet in SEMICOLONS[name]:
        assert len(re.findall(r'[\w),"]; ', snippet)) == snippet.count(";"), snippet


def test_in_french_a_space_comes_first_mostly_an_ordinary_one():
    before = [
        snippet[mark.start() - 1]
        for snippet in SEMICOLONS["french"]
        for mark in re.finditer(";", snippet)
    ]
    assert set(before) == {" ", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"}
    assert before.count(" ") > len(before) / 2


def test_in_html_it_closes_an_entity_and_does_nothing_else():
    for snippet in SEMICOLONS["html"]:
        entities = re.findall(r"&(?:[A-Za-z]+[0-9]*|#[0-9]+|#x[0-9A-F]+);", snippet)
        assert len(entities) == snippet.count(";") == snippet.count("&"), snippet


def test_in_python_it_is_an_operator_of_correct_python():
    for snippet in SEMICOLONS["python"]:
        ast.parse(snippet)
        tokens = tokenize.generate_tokens(io.StringIO(snippet).readline)
        assert sum(token.string == ";" for token in tokens) == snippet.count(";"), snippet


@pytest.mark.parametrize(
    ("name", "comment"), [("javascript", "//.*"), ("c", "//.*"), ("sql", "--.*")]
)
def test_in_code_it_stands_outside_strings_and_comments(name, comment):
    quoted = rf"""'[^'\n]*'|"[^"\n]*"|{comment}"""
    for snippet in SEMICOLONS[name]:
        assert not any(";" in text for text in re.findall(quoted, snippet)), snippet


@pytest.mark.parametrize("name", sorted({*CLASSES} - {*CODE}))
def test_prose_is_one_line(name):
    assert not any("\n" in snippet for snippet in SEMICOLONS[name])


# The pairs


def test_there_are_at_least_eight_pairs_with_different_titles():
    assert len(PAIRS) >= 8
    assert len({pair.title for pair in PAIRS.values()}) == len(PAIRS)


@each_pair
def test_a_pair_has_sixteen_snippets_a_side_or_is_the_one_with_too_few(pair):
    few = pair is PAIRS["praise_sarcasm"]
    assert len(pair.first) == len(pair.second) == (4 if few else 16)


@each_pair
def test_a_snippet_of_a_pair_has_20_to_200_characters(pair):
    assert all(20 <= len(snippet) <= 200 for snippet in (*pair.first, *pair.second))


@each_pair
def test_length_does_not_tell_the_two_sides_apart(pair):
    one, other = (median(map(len, side)) for side in (pair.first, pair.second))
    assert max(one, other) <= 1.25 * min(one, other)


@each_pair
def test_the_guess_is_one_sentence_to_the_learner(pair):
    assert re.fullmatch(r"You might expect [^.?!\n]+\.", pair.guess)


@each_pair
def test_a_pair_cannot_be_changed(pair):
    with pytest.raises(dataclasses.FrozenInstanceError):
        pair.title = "another"


def test_the_letters_are_even_on_one_side_and_odd_on_the_other():
    first, second = (
        {sum(map(str.isalpha, snippet)) % 2 for snippet in side} for side in sides("even_odd")
    )
    assert (first, second) == ({0}, {1})


def test_both_kinds_of_bank_are_called_bank_once():
    for snippet in (*PAIRS["bank_river_money"].first, *PAIRS["bank_river_money"].second):
        assert len(re.findall(r"\bbank\b", snippet)) == 1, snippet


def test_code_and_prose_both_have_the_semicolon_after_20_characters():
    for side in sides("semicolon_code_prose"):
        assert all(first_semicolon(snippet) >= 20 for snippet in side)


def test_dna_and_hexadecimal_digits_are_that_in_the_same_shapes():
    dna, digits = sides("dna_hex")
    assert all(re.fullmatch(r"[ACGT \n]+|[acgt \n]+", snippet) for snippet in dna)
    assert all(re.fullmatch(r"[0-9A-F \n]+|[0-9a-f \n]+", snippet) for snippet in digits)
    for one, other in zip(dna, digits):
        assert (" " in one, "\n" in one) == (" " in other, "\n" in other)


def test_base64_can_be_decoded_and_hebrew_is_in_hebrew_letters():
    hebrew, strings = sides("hebrew_base64")
    assert all(base64.b64decode(snippet, validate=True) for snippet in strings)
    assert all(re.fullmatch(r"[א-ת ,.?]+", snippet) for snippet in hebrew)


def test_questions_end_as_questions_and_statements_do_not():
    questions, statements = sides("questions_statements")
    assert all(snippet.endswith("?") for snippet in questions)
    assert all(snippet.endswith(".") and "?" not in snippet for snippet in statements)


def test_digits_are_in_the_sentences_with_numbers_alone():
    food, numbers = sides("food_numbers")
    assert not any(re.search(r"\d", snippet) for snippet in food)
    assert all(re.search(r"\d", snippet) for snippet in numbers)


def test_only_the_pair_about_the_semicolon_has_any():
    for slug, pair in PAIRS.items():
        if slug != "semicolon_code_prose":
            assert ";" not in "".join((*pair.first, *pair.second))


# All of them


def test_no_snippet_occurs_twice():
    found = [plain(snippet).lower() for snippet in EVERYTHING]
    assert len(set(found)) == len(found)


def test_no_two_snippets_are_nearly_the_same():
    words = [frozenset(re.findall(r"\w+", snippet.lower())) for snippet in EVERYTHING]
    for (i, one), (j, other) in combinations(enumerate(words), 2):
        if len(one & other) > 0.5 * max(len(one), len(other)) and min(len(one), len(other)) > 3:
            a, b = plain(EVERYTHING[i]), plain(EVERYTHING[j])
            assert SequenceMatcher(None, a, b, autojunk=False).ratio() < 0.8, (a, b)


def test_nothing_invisible_hangs_on_at_an_end():
    for snippet in EVERYTHING:
        assert snippet == snippet.rstrip() and "\r" not in snippet, snippet
        assert all(line == line.rstrip() for line in snippet.split("\n")), snippet
        assert not re.search(r"[\u200b-\u200f\u202a-\u202e\ufeff\ufffd]", snippet), snippet


def test_reading_them_needs_neither_torch_nor_anything_else_that_is_installed():
    code = (
        "import sys; before = set(sys.modules); from course_utils import snippets;"
        "snippets.semicolons(), snippets.pairs();"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {"course_utils", *sys.stdlib_module_names}


# Files of one's own


def test_what_is_written_is_read(tmp_path):
    own = [
        "  if (a) {\n    b();\n  }",
        "Nous dormions\N{NO-BREAK SPACE}; il neigeait.",
        f"Τι{GREEK}",
    ]
    (tmp_path / "mine.txt").write_text(separated(*own), encoding="utf-8")
    assert snippets.semicolons(tmp_path) == {"mine": own}


def test_line_ends_of_windows_make_no_difference(tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"a;\r\nb;\r\n----\r\nc;\r\n")
    assert snippets.semicolons(tmp_path) == {"mine": ["a;\nb;", "c;"]}


HEADER = "title: T\nfirst: one\nsecond: two: more\nguess: You might.\n"
BODY = "\n== first\na\n----\nb\nc\n== second\nd\n"


def test_a_pair_that_is_written_is_read(tmp_path):
    (tmp_path / "mine.txt").write_text(HEADER + BODY, encoding="utf-8")
    expected = snippets.Pair("T", "one", "two: more", "You might.", ["a", "b\nc"], ["d"])
    assert snippets.pairs(tmp_path) == {"mine": expected}


def refused(read, folder):
    """The message, which is one sentence and names the file."""
    with pytest.raises(ValueError) as caught:
        read(folder)
    message = str(caught.value)
    assert "mine.txt" in message and message.endswith(".") and "\n" not in message
    assert caught.value.__cause__ is None
    return message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "nothing in snippet 1"),
        (b"a;\n----\n\n----\nb;\n", "nothing in snippet 2"),
        (b"a;\n----\n", "nothing in snippet 2"),
        (b"a;\n----\nb\n", "no semicolon in snippet 2"),
        (b"caf\xe9;\n", "byte 3"),
    ],
)
def test_a_malformed_file_of_semicolons_is_refused(tmp_path, content, words):
    (tmp_path / "mine.txt").write_bytes(content)
    assert words in refused(snippets.semicolons, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "`title: ...` in line 1"),
        (HEADER.replace("second", "third") + BODY, "`second: ...` in line 3"),
        (HEADER.replace("one", " ") + BODY, "`first: ...` in line 2"),
        (HEADER.replace("guess: You might.\n", "") + BODY, "`guess: ...` in line 4"),
        (HEADER, "an empty line and then `== first`"),
        (HEADER + BODY.lstrip(), "an empty line and then `== first`"),
        (HEADER + BODY.replace("== second\n", ""), "once each"),
        (HEADER + BODY + "== second\ne\n", "once each"),
        (HEADER + BODY.replace("a\n----\nb\nc\n", ""), "nothing in snippet 1"),
        (HEADER + BODY.removesuffix("d\n"), "nothing in snippet 1"),
        (HEADER + BODY + "----\n", "nothing in snippet 2"),
    ],
)
def test_a_malformed_pair_is_refused(tmp_path, content, words):
    (tmp_path / "mine.txt").write_text(content, encoding="utf-8")
    assert words in refused(snippets.pairs, tmp_path)


@pytest.mark.parametrize("read", [snippets.semicolons, snippets.pairs])
def test_a_folder_without_files_is_refused(tmp_path, read):
    with pytest.raises(ValueError, match="no file with snippets"):
        read(tmp_path / "nowhere")

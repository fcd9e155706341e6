"""Texts of known classes: each is what its name says, and always the same."""

import ast
import base64
import re
import subprocess
import sys
import textwrap
import unicodedata

import pytest

from course_utils.contexts import CLASSES, contexts, written
from course_utils.contexts.generated import GENERATORS

SCRIPTS = {
    "Russian": ("CYRILLIC",),
    "Arabic": ("ARABIC",),
    "Hebrew": ("HEBREW",),
    "Chinese": ("CJK",),
    "Japanese": ("HIRAGANA", "KATAKANA", "CJK"),
    "Korean": ("HANGUL",),
    "French": ("LATIN",),
    "German": ("LATIN",),
}
FOUND = contexts()


@pytest.mark.parametrize("name", CLASSES)
def test_there_are_as_many_texts_as_asked_for_and_as_long(name):
    assert [len(text) for text in FOUND[name]] == [240] * 32
    assert len(set(FOUND[name])) == 32
    for n_texts, length in ((1, 1), (3, 1000), (7, 13)):
        assert [len(t) for t in contexts([name], n_texts, length)[name]] == [length] * n_texts


def test_the_classes_are_in_the_order_asked_for_and_do_not_touch_each_other():
    assert tuple(FOUND) == CLASSES and len(CLASSES) >= 11
    some = contexts(["DNA", "code", "Arabic"])
    assert list(some) == ["DNA", "code", "Arabic"]
    assert all(FOUND[name] == texts for name, texts in some.items())


def test_a_seed_gives_the_same_texts_and_another_one_others():
    assert contexts(seed=3) == contexts(seed=3)
    for name, texts in contexts(seed=1).items():
        assert len(set(texts) & set(FOUND[name])) < len(texts) / 4


def test_another_process_gives_the_same():
    """Nothing depends on the hashes of strings, which differ between processes."""
    code = "import hashlib; from course_utils.contexts import contexts as c; "
    code += "print(hashlib.sha256(repr(c()).encode()).hexdigest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_torch_is_not_needed():
    code = "import sys, course_utils.contexts as c; c.contexts(n_texts=1); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "transformer_lens"} & set(ran.stdout.split())


@pytest.mark.parametrize("name", written.PIECES)
def test_no_piece_is_there_twice_and_there_are_enough_of_them(name):
    pieces = written.PIECES[name]()
    assert len(pieces) >= 200 and sum(map(len, pieces)) + len(pieces) > 7000
    assert all(piece.strip() for piece in pieces)
    assert pieces == written.PIECES[name]()
    if name != "code":  # two classes may have the same method
        assert len(set(pieces)) == len(pieces)


def test_pieces_are_used_up_before_one_comes_again():
    lines = "".join(contexts(["Korean"], 1, 8000)["Korean"]).split("\n")[:-1]
    assert len(set(lines)) == len(lines) > 500
    many = contexts(["Korean"], 1, 20_000)["Korean"][0].split("\n")[:-1]
    assert set(many) == set(written.names("Korean"))


# Each is what it is said to be


@pytest.mark.parametrize("language", written.LANGUAGES)
def test_names_are_in_their_own_script(language):
    letters = [c for text in FOUND[language] for c in text if c.isalpha()]
    own = [c for c in letters if unicodedata.name(c, "").startswith(SCRIPTS[language])]
    assert len(own) > 0.95 * len(letters)
    assert len(letters) > 0.6 * sum(map(len, FOUND[language]))


def test_french_and_german_are_told_apart():
    french, german = set(written.names("French")), set(written.names("German"))
    assert {"Allemagne", "Espagne", "Croatie"} <= french
    assert {"Deutschland", "Spanien", "Kroatien"} <= german
    assert len(french & german) < 0.2 * min(len(french), len(german))


def test_code_is_functions_without_words_about_them():
    for piece in written.code():
        (function,) = ast.parse(piece).body
        assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        assert ast.get_docstring(function) is None
        assert "#" not in piece and piece == textwrap.dedent(piece)


def test_comments_are_words_and_not_code():
    text = " ".join(written.comments())
    assert len(re.findall(r"\b(the|a|is|to|of)\b", text)) > len(text) / 60
    assert not any(re.match(r"\s*(def|return|import)\b.*[:)=]$", c) for c in written.comments())
    assert not any(comment.startswith("#") for comment in written.comments())


def test_strings_are_literals_that_are_no_docstrings():
    for piece in written.strings():
        value = ast.literal_eval(piece)
        assert isinstance(value, str) and 12 <= len(value) <= 100
    assert not any("\\n\\n" in piece for piece in written.strings())


def test_documentation_is_english_prose():
    for paragraph in written.documentation():
        assert paragraph[0].isalpha() and not re.search(r">>>|::=", paragraph)
    text = " ".join(written.documentation())
    assert len(re.findall(r"\b(the|a|is|to|of)\b", text)) > len(text) / 40


def test_base64_can_be_decoded_and_is_of_random_bytes():
    content = "".join(base64_of(text) for text in FOUND["base64"])
    counts = [content.count(c) for c in set(content)]
    assert len(counts) == 64 and max(counts) < 2 * len(content) / 64
    assert {len(line) for text in FOUND["base64"] for line in text.split("\n")[:-1]} == {76}


def base64_of(text):
    whole = text.replace("\n", "")
    whole = whole[: len(whole) // 4 * 4]
    base64.b64decode(whole, validate=True)
    return whole


def test_hexadecimal_is_digits_in_three_forms():
    joined = "".join(FOUND["hexadecimal"])
    assert set(joined) <= set("0123456789abcdefx, \n")
    forms = {("0x" in text, " " in text) for text in FOUND["hexadecimal"]}
    assert forms == {(True, True), (False, True), (False, False)}


def test_dna_has_four_letters_alike_often():
    joined = "".join(FOUND["DNA"]).replace("\n", "")
    assert set(joined) == set("ACGT")
    assert all(0.2 < joined.count(base) / len(joined) < 0.3 for base in "ACGT")


def test_digits_are_numbers():
    for text in FOUND["digits"]:
        assert re.fullmatch(r"(\d{1,8} )*\d{0,8}", text)
    lengths = {len(n) for text in FOUND["digits"] for n in text.split(" ")[:-1]}
    assert lengths == set(range(1, 9))


def test_every_class_comes_from_somewhere():
    assert {*written.PIECES, *GENERATORS} == set(CLASSES)
    assert not set(written.PIECES) & set(GENERATORS)


# Raises


@pytest.mark.parametrize("classes", [["code", "Klingon"], ["DNA", "DNA"], "DNA"])
def test_classes_that_are_not_there(classes):
    with pytest.raises(ValueError, match="use some of code, comments"):
        contexts(classes)


@pytest.mark.parametrize("wrong", [{"n_texts": 0}, {"length": 0}, {"length": -3}])
def test_too_few_or_too_short(wrong):
    with pytest.raises(ValueError, match="use at least 1 of each"):
        contexts(**wrong)

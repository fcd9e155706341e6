"""Every token has its characters, in every script, and texts that cannot be read are said."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from language_models import TEXTS, load

from course_utils import language

pytest_plugins = ["language_fixtures"]
pytestmark = pytest.mark.together("language models")

# Not those whose bytes the published model has no token for.
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x3FFFF), min_size=1, max_size=40
)


@pytest.mark.parametrize("name", ["smollm2", "one-layer"])
@settings(max_examples=60)
@given(text=ANY_TEXT)
@example(text="  \t\n;")
@example(text="👩‍👩‍👧‍👦 नमस्ते ﷽")
@example(text="1<|im_start|><|bos|>2")
def test_tokens_cover_a_text_in_order_and_spell_it(name, text):
    model = load(name)
    tokens = language.tokenize(model, text, bos=False)
    ids, spans, end = tokens.ids[0], tokens.offsets[0].tolist(), 0
    for token, (start, stop) in zip(ids.tolist(), spans):
        assert start <= end <= stop and start < stop, "no gap, and none is empty"
        spelt = language.spell(model, token)
        assert spelt == text[start:stop] or "\\x" in spelt
        end = stop
    assert spans[0][0] == 0 and end == len(text)
    assert model.tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_characters_without_a_token_are_left_out(smollm2):
    tokens = language.tokenize(smollm2, "a\x04b")
    assert tokens.pieces(0) == ["", "a", "b"]
    with pytest.raises(ValueError, match="text 1 has no character that the model knows; leave it"):
        language.tokenize(smollm2, ["a", "\x04"])


def test_characters_of_several_tokens_belong_to_each_of_them(smollm2):
    tokens = language.tokenize(smollm2, "a 😀;")
    assert tokens.pieces(0) == ["", "a", " 😀", "😀", ";"]
    assert [language.spell(smollm2, i) for i in tokens.ids[0, 2:4].tolist()] == [
        " \\xf0\\x9f\\x98", "\\x80",
    ]  # fmt: skip


def test_digits_are_split_off_first_as_the_model_was_trained(smollm2):
    """What transformers makes of the published file alone has two tokens for the two spaces."""
    assert language.tokenize(smollm2, "x =  12\n\n3").pieces(0) == [
        "", "x", " =", "  ", "1", "2", "\n\n", "3",
    ]  # fmt: skip


def test_the_token_that_has_the_semicolon_is_found(model):
    tokens = language.tokenize(model, TEXTS)
    found = tokens.containing(";")
    assert found.sum(1).tolist() == [text.count(";") for text in TEXTS]
    for i, p in found.nonzero().tolist():
        assert ";" in tokens.pieces(i)[p]
    word = tokens.containing("expanduser")
    assert "expanduser" in "".join(tokens.pieces(5)[p] for _, p in word.nonzero().tolist())
    assert not tokens.containing("semicolon").any()
    with pytest.raises(ValueError, match="the piece is empty; say what to look for"):
        tokens.containing("")


def test_texts_are_padded_at_the_end_and_begin_with_what_begins_every_text(model):
    tokens = language.tokenize(model, TEXTS)
    alone = [language.tokenize(model, text) for text in TEXTS]
    assert tokens.lengths.tolist() == [one.ids.shape[1] for one in alone]
    for i, one in enumerate(alone):
        n = one.ids.shape[1]
        assert torch.equal(tokens.ids[i, :n], one.ids[0])
        assert torch.equal(tokens.is_text[i, :n], one.is_text[0])
        assert not tokens.is_text[i, n:].any() and not tokens.offsets[i, n:].any()
    assert (tokens.ids[:, 0] == model.tokenizer.bos_token_id).all()
    assert not tokens.is_text[:, 0].any()
    # transformer_lens does the same with a text.
    assert torch.equal(model.to_tokens(TEXTS[2]), alone[2].ids)


def test_a_text_need_not_be_a_beginning(model):
    whole, part = (language.tokenize(model, TEXTS[2], bos=bos) for bos in (True, False))
    assert torch.equal(whole.ids[:, 1:], part.ids) and part.is_text.all()


def test_long_texts_are_an_error_or_cut(model, one_layer):
    with pytest.raises(ValueError, match=r"text 1 has [\d,]+ tokens and the model reads 128 at"):
        language.tokenize(one_layer, ["short", "too long " * 100])
    whole = language.tokenize(model, ["short", "too long " * 20])
    cut = language.tokenize(model, ["short", "too long " * 20], max_tokens=5)
    assert cut.ids.shape == (2, 5) and torch.equal(cut.ids, whole.ids[:, :5])
    assert torch.equal(cut.offsets, whole.offsets[:, :5])
    # Also after transformer_lens has told the tokenizer to cut and to pad.
    one_layer.to_tokens(["too long " * 100, "short"])
    with pytest.raises(ValueError, match="let max_tokens cut it"):
        language.tokenize(one_layer, "too long " * 100)


@pytest.mark.parametrize(
    ("texts", "options", "words"),
    [
        ([], {}, "there are no texts; give at least one."),
        (["a", ""], {}, "text 1 is empty; leave it out."),
        ("", {}, "text 0 is empty; leave it out."),
        ("half \ud83d", {}, "text 0 has half a character at 5; read it with the right encoding."),
        ("a", {"max_tokens": 1}, "max_tokens is 1; use 2 to 128, or None."),
        ("a", {"max_tokens": 0, "bos": False}, "max_tokens is 0; use 1 to 128, or None."),
        ("a", {"max_tokens": 129}, "max_tokens is 129; use 2 to 128, or None."),
    ],
)
def test_bad_input_is_one_sentence(one_layer, texts, options, words):
    with pytest.raises(ValueError) as caught:
        language.tokenize(one_layer, texts, **options)
    assert str(caught.value) == words


def test_rows_of_numbers_are_tokens_too(model):
    tokens = language.tokenize(model, TEXTS[2])
    again = language.from_ids(model, tokens.ids)
    for name in ("ids", "offsets", "is_text"):
        assert torch.equal(getattr(again, name), getattr(tokens, name))
    assert again.texts == tokens.texts
    middle = language.from_ids(model, tokens.ids[:, 2:])
    assert middle.is_text.all() and middle.pieces(0) == tokens.pieces(0)[2:]
    assert middle.containing(";").sum() == 1
    pieces = language.from_ids(model, language.tokenize(model, "a 😀").ids).pieces(0)
    assert "\\xf0" in "".join(pieces), "parts of characters as bytes"


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (torch.zeros(2, 0, dtype=torch.long), r"ids is \(2, 0\); use at least one row of 1 to 128"),
        (torch.zeros(1, 129, dtype=torch.long), r"ids is \(1, 129\); use at least one row of 1 to"),
        (torch.tensor([[4096]]), "token is 4096; use 0 to 4095"),
    ],
)
def test_numbers_that_are_no_tokens_are_one_sentence(one_layer, ids, words):
    with pytest.raises(ValueError, match=words):
        language.from_ids(one_layer, ids)


def test_tokens_are_spelt(smollm2):
    """Those that are no text, such as what begins one, by their names."""
    bos = smollm2.tokenizer.bos_token_id
    assert language.spell(smollm2, bos) == "<|endoftext|>"
    assert language.spell(smollm2, smollm2.to_single_token(" Paris")) == " Paris"
    for token in (-1, 49152):
        with pytest.raises(ValueError, match=f"token is {token}; use 0 to 49151"):
            language.spell(smollm2, token)

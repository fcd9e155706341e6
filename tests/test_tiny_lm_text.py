"""The text of our one-layer transformer, and the files that its training left."""

import csv
import json
import math
import re
import zipfile
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import pytest
import tiny_lm_text as text
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tiny_lm_card import Bigram, fit_bigram, pair_counts, unigram
from tiny_lm_translations import in_documents, read_mo, read_po, translated
from tokenizers import Tokenizer
from train_tiny_lm import BOS, CONFIG, CrossEntropy, learning_rate, schedule, sequences

WEIGHTS = Path(__file__).parents[1] / "course_utils" / "weights"
PO = r"""
# A translator's comment
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#: place.py:12
msgctxt "menu"
msgid "Save \"all\""
msgstr "Сохранить \"всё\"\n"

#, fuzzy
msgid "Guess"
msgstr "Догадка"

#, python-format
msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d "
"файл"
msgstr[1] "%d файла"

msgid "OK"
msgstr "OK"

#~ msgid "Old"
#~ msgstr "Старое"
"""


def wheel(folder, catalogues=(), files=()):
    """A package with a translation, some code and a licence."""
    path = folder / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        metadata = "Name: some\nVersion: 1.0\nLicense-Expression: MIT\n\n"
        archive.writestr("some-1.0.dist-info/METADATA", metadata)
        for name, content in [*catalogues, *files]:
            archive.writestr(name, content)
    return path


@pytest.fixture
def documents(tmp_path, monkeypatch):
    """All documents of a small wheel and of the generator, without the installed packages."""
    monkeypatch.setattr(text, "_installed", lambda: iter(()))
    monkeypatch.setattr(text, "GENERATED", 50)
    body = "\n".join(f"int number_{i} = {i};" for i in range(30))
    files = [("some/a.c", body), ("some/copy_of_a.c", body), ("some/LICENSE.txt", "free " * 100)]
    files += [("some/a.min.js", body), ("some/b.js", "x" * 3000)]
    made = wheel(tmp_path, [("some/locale/ru/LC_MESSAGES/django.po", PO)], files)
    return lambda seed=0: list(text.documents([made], seed))


def test_the_same_documents_come_in_the_same_order(documents):
    first = documents()
    assert first == documents()
    assert first != documents(seed=1)


def test_no_text_comes_twice_so_none_is_both_trained_on_and_held_out(documents):
    found = documents()
    texts = [document.text for document in found]
    assert len(set(texts)) == len(texts)
    held_out = {document.text for document in found if document.held_out}
    assert 0 < len(held_out) < 0.1 * len(texts)
    assert held_out == {document.text for document in documents() if document.held_out}


def test_only_what_a_person_wrote_to_be_read_is_taken(documents):
    (code,) = [document for document in documents() if document.group == "C and C++"]
    assert code.source == text.Source("some", "1.0", "MIT")
    assert not [document for document in documents() if document.group == "JavaScript"]
    assert not [document for document in documents() if document.group == "documentation"]


def test_a_translation_is_its_strings_alone(documents):
    (russian,) = [document for document in documents() if document.group == "interface, Russian"]
    assert russian.text == 'Сохранить "всё"\n\n%d файл\n%d файла'


def test_po_syntax_is_gone():
    assert read_po(PO.encode()) == [
        ('Save "all"', ['Сохранить "всё"\n']),
        ("%d file", ["%d файл", "%d файла"]),
        ("OK", ["OK"]),
    ]


def test_mo_files_are_read_without_contexts_and_headers():
    pairs = [(b"", b"Content-Type: text/plain; charset=UTF-8\n"), (b"menu\4Save", "保存".encode())]
    table, strings, at = b"", b"", 28 + 16 * len(pairs)
    for side in (0, 1):
        for pair in pairs:
            table += np.array([len(pair[side]), at + len(strings)], "<u4").tobytes()
            strings += pair[side] + b"\0"
    head = np.array([0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0], "<u4").tobytes()
    assert read_mo(head + table + strings) == [("Save", ["保存"])]


def test_the_german_catalogues_also_give_english(tmp_path):
    entry = '\nmsgid "Save it"\nmsgstr "Speichern Sie es"\n'
    made = wheel(tmp_path, [("some/locale/de/LC_MESSAGES/some.po", entry)])
    with zipfile.ZipFile(made) as archive:
        found = sorted(translated(archive))
    assert found == [("interface, English", "Save it"), ("interface, German", "Speichern Sie es")]


def test_strings_stay_in_their_order():
    strings = [f"string {i}" for i in range(40)]
    assert "\n".join(in_documents(strings)).split("\n") == strings


@pytest.mark.parametrize(
    ("group", "alphabet"),
    [
        ("base64", r"[A-Za-z0-9+/=\n]+"),
        ("hexadecimal", r"([0-9a-f]|0x|[, \n])+|([0-9A-F]|0x|[, \n])+"),
        ("DNA", r"[ACGT\n]+|[acgt\n]+"),
    ],
)
def test_generated_text_keeps_to_its_alphabet(documents, group, alphabet):
    found = [document.text for document in documents() if document.group == group]
    assert len(found) == 50
    for some in found:
        assert re.fullmatch(alphabet, some)
    letters = set("".join(found)) - set("\n=, x")
    assert len(letters) == {"base64": 63, "hexadecimal": 22, "DNA": 8}[group]


def test_docstrings_come_in_the_order_of_the_code():
    code = '"""What the module is for."""\n\nclass A:\n    """What such a class is for."""\n\n'
    code += '    def f(self):\n        """What this method does."""\n\n'
    code += 'def g():\n    """What the function does."""\n'
    expected = ["What the module is for.", "What such a class is for.", "What this method does."]
    assert text.docstrings(code) == "\n\n".join([*expected, "What the function does."])
    assert text.docstrings("def broken(:") == ""


# The training


def test_each_group_gets_its_share_and_repeats_only_when_it_is_used_up():
    n_rows = [100 + 10 * i for i in range(len(text.GROUPS))]
    group, row = schedule(n_rows, seed=1, steps=100)
    again = schedule(n_rows, seed=1, steps=100)
    assert np.array_equal(group, again[0]) and np.array_equal(row, again[1])
    assert not np.array_equal(row, schedule(n_rows, seed=2, steps=100)[1])
    shares = np.bincount(group) / len(group)
    assert np.allclose(shares, np.array(list(text.GROUPS.values())) / 100, atol=0.001)
    for i, n in enumerate(n_rows):
        times = np.bincount(row[group == i], minlength=n)
        assert times.max() - times.min() <= 1


def test_every_sequence_starts_with_bos():
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "one_layer_tokenizer.json"))
    found = [text.Document("docstrings", text.GENERATOR, topics[name]) for name in sorted(topics)]
    rows, of_source = sequences(tokenizer, found[:20], limit=math.inf)
    assert rows.shape[1] == 1 + CONFIG.n_positions
    assert (rows[:, 0] == BOS).all() and (rows[:, 1:] != BOS).all()
    assert 0 <= of_source.total() - rows[:, 1:].size < CONFIG.n_positions


def test_our_cross_entropy_is_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(50, 16, generator=generator, requires_grad=True)
    W = torch.randn(30, 16, generator=generator, requires_grad=True)
    y = torch.randint(0, 30, (50,), generator=generator)
    expected = F.cross_entropy(h @ W.T, y)
    wanted = torch.autograd.grad(expected, [h, W])
    loss = CrossEntropy.apply(h, W, y, 16)
    for found, right in zip(torch.autograd.grad(loss, [h, W]), wanted):
        assert F.cosine_similarity(found.flatten(), right.flatten(), dim=0) > 0.999
        assert math.isclose(found.norm(), right.norm(), rel_tol=0.01)
    assert math.isclose(
        loss.item(), expected.item(), rel_tol=0.01
    )  # its products are in half precision


def test_the_learning_rate_rises_and_falls():
    rates = [learning_rate(step) for step in range(5000)]
    peak = int(np.argmax(rates))
    assert 100 < peak < 500 and rates[0] < 0.01 * rates[peak] and rates[-1] < 0.06 * rates[peak]
    assert np.all(np.diff(rates[peak + 1 :]) < 0)


# The baselines


def test_the_baselines_are_distributions():
    random = np.random.default_rng(0)
    rows = random.integers(0, 12, (20, 9)).astype(np.uint16)
    counts = pair_counts(rows, np.ones(20, int), 13)
    assert counts.sum() == 20 * 8 and not counts[12].any()
    assert math.isclose(unigram(counts).sum(), 1)
    everything = np.stack(np.meshgrid(np.arange(13), np.arange(13)), axis=-1).reshape(-1, 2)
    for smoothing in [("absolute", 0.75, "unigram"), ("Dirichlet", 10.0, "unigram")]:
        p = np.exp(-Bigram(counts, unigram(counts), smoothing).losses(everything)[:, 0])
        assert np.allclose(p.reshape(13, 13).sum(0), 1)


def test_the_bigram_learns_who_follows_whom():
    stream = np.arange(40_000) * 7 % 12  # each token has one successor
    rows = dict.fromkeys(text.GROUPS, stream.reshape(-1, 10).astype(np.uint16))
    times = dict.fromkeys(text.GROUPS, np.ones(4000, int))
    single, bigram = fit_bigram(rows, times, 12)
    held_out = stream[:100].reshape(-1, 10)
    assert bigram.losses(held_out).mean() < 0.01
    assert math.isclose(-np.log(single[held_out]).mean(), math.log(12), rel_tol=0.01)


# What is shipped


def test_the_tokenizer_reads_back_any_text():
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "one_layer_tokenizer.json"))
    assert tokenizer.get_vocab_size() == CONFIG.vocab_size
    for some in [
        "def f(x):\n\treturn  x\r\n",
        "שלום مرحبا Привет こんにちは 안녕 你好 é 🙂\0",
        "  ",
        "",
    ]:
        assert tokenizer.decode(tokenizer.encode(some).ids) == some
    for script in ["العربية", "עברית", "русский", "ひらがな", "한국어", "中文"]:
        assert len(tokenizer.encode(script).ids) < 0.9 * len(script.encode())


@pytest.mark.parametrize("name", ["A", "B"])
def test_shapes_and_size_of_the_weights(name):
    path = WEIGHTS / f"one_layer_{name}.safetensors"
    assert path.stat().st_size < 6e6
    weights = load_file(path)
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert all(value.isfinite().all() for value in weights.values())
    assert weights["transformer.wte.weight"].shape == (4096, 128)
    assert weights["lm_head.weight"].shape == (4096, 128)
    assert weights["transformer.h.0.mlp.c_fc.weight"].shape == (128, 512)
    assert not [key for key in weights if ".h.1." in key]


def test_the_two_seeds_are_two_models():
    a, b = (load_file(WEIGHTS / f"one_layer_{name}.safetensors") for name in "AB")
    key = "transformer.h.0.mlp.c_fc.weight"
    assert F.cosine_similarity(a[key].float().flatten(), b[key].float().flatten(), dim=0) < 0.2


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_model_predicts_english_far_better_than_chance(name):
    from tiny_lm_card import load

    tokenizer = Tokenizer.from_file(str(WEIGHTS / "one_layer_tokenizer.json"))
    model = load(WEIGHTS, name)
    ids = tokenizer.encode(topics["for"]).ids[: CONFIG.n_positions - 1]
    tokens = torch.tensor([[BOS, *ids]])
    fired = []
    model.transformer.h[0].mlp.act.register_forward_hook(lambda _, __, out: fired.append(out))
    with torch.no_grad():
        loss = F.cross_entropy(model(tokens).logits[0, :-1], tokens[0, 1:])
    assert loss < 0.6 * math.log(CONFIG.vocab_size)
    assert fired[0].shape[-1] == 512 and fired[0].min() == 0


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_curve_goes_down_to_what_the_card_says(name):
    with open(WEIGHTS / f"one_layer_{name}_loss.csv", encoding="utf-8") as file:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert curve[-1]["tokens"] >= 40e6
    assert curve[-1]["held_out_loss"] < curve[0]["held_out_loss"] - 0.5
    assert curve[-1]["held_out_loss"] == min(row["held_out_loss"] for row in curve)


def test_the_card_shows_that_both_beat_the_bigram_clearly():
    card = (WEIGHTS / "ONE_LAYER.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    losses = {row[0].strip(" *"): [cell.strip(" *") for cell in row[4:]] for row in rows}
    single, bigram, a, b = map(float, losses["all"])
    assert bigram < single
    assert max(a, b) < bigram - 0.3
    assert set(text.GROUPS) <= set(losses)
    config = json.loads((WEIGHTS / "one_layer_config.json").read_text(encoding="utf-8"))
    assert config["n_inner"] == 512 and config["n_layer"] == 1

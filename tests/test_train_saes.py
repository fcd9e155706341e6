"""How text is collected, mixed and read for the autoencoders that the course ships."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sae_activations
import sae_prose
import torch
from sae_activations import block_path, from_blocks, from_one_layer, ids_of, kept
from sae_card import Subject, held_out_plan, losses, measure, recovered, untrained
from sae_prose import documents, html_paragraphs, is_sentences, language_of
from sae_text import SHARES, first_those_with, in_rows, is_held_out, mixture, spelt_out
from safetensors.torch import save_file
from tiny_lm_card import load
from tiny_lm_text import Document, Source
from tokenizers import Tokenizer
from train_saes import recipe
from train_tiny_lm import BOS, sequences

from course_utils.language import activations, from_ids, hook_point, load_one_layer
from course_utils.sae import TopKConfig, load_sae, save_sae, train

WEIGHTS = Path(__file__).parents[1] / "course_utils" / "weights"
ENGLISH = "The cat that you saw in the garden was not the one of our neighbours; it was ours."
FRENCH = "Le chat que vous avez vu dans le jardin n'est pas celui des voisins ; c'est le nôtre."
GERMAN = "Die Katze, die du im Garten gesehen hast, ist nicht die der Nachbarn; es ist unsere."


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(WEIGHTS / "one_layer_tokenizer.json"))


# Prose


def test_language_is_known_by_common_words() -> None:
    assert [language_of(text) for text in (ENGLISH, FRENCH, GERMAN)] == ["en", "fr", "de"]
    assert language_of("x = f(y); return g(x, y, z)") is None


def test_sentences_are_long_end_as_such_and_are_letters() -> None:
    assert is_sentences(ENGLISH) and is_sentences(f"“{ENGLISH}”")
    assert not is_sentences("See also")
    assert not is_sentences(ENGLISH[:-1])
    assert not is_sentences(
        "2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67."
    )


def test_paragraphs_of_html() -> None:
    page = (
        "<h1>No</h1><p>One &amp;\n <b>two</b><pre>x = 1;</pre></p>"
        '<div class="para">three</div><div>no</div><p>four<p>five'
    )
    assert html_paragraphs(page) == ["One & two", "three", "four", "five"]
    assert html_paragraphs("<p>fin\N{NO-BREAK SPACE}; et</p>") == ["fin\N{NO-BREAK SPACE}; et"]


def test_documents_are_of_one_language_and_not_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sae_prose, "AT_MOST", 2 * len(ENGLISH))
    found = list(documents([ENGLISH, FRENCH, ENGLISH, "Index", ENGLISH], "en"))
    assert found == [f"{ENGLISH}\n\n{ENGLISH}", ENGLISH]


def test_says_which_tool_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sae_prose.shutil, "which", lambda name: None)
    with pytest.raises(sae_prose.MissingTools, match=r"apt-get is missing.*Debian"):
        sae_prose.check_tools()


def test_prose_that_is_there_needs_no_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = sae_prose.Package("book", "html", {"en": "*"}, "free")
    monkeypatch.setattr(sae_prose, "PACKAGES", (package, package))
    monkeypatch.setattr(sae_prose, "_bible", lambda folder: [("en", "In the beginning")])
    monkeypatch.setattr(sae_prose.shutil, "which", lambda name: None)
    (tmp_path / "book.json").write_text(json.dumps(["1.0", [["en", ENGLISH]]]))
    first, second = sae_prose.prose(tmp_path)
    assert first == ("book", "1.0", "English", ENGLISH)
    assert second[2:] == ("English", "In the beginning")


# Mixing


def test_held_out_by_the_text_alone() -> None:
    texts = [f"text {i}" for i in range(4000)]
    share = sum(map(is_held_out, texts)) / len(texts)
    assert 1 / 20 < share < 1 / 13
    assert [is_held_out(text) for text in texts[::-1]] == [is_held_out(text) for text in texts][
        ::-1
    ]


def test_texts_with_the_sign_come_first() -> None:
    texts = ["a", "b;", "c", "d;", "e;"]
    found = first_those_with(";", texts)
    assert sorted(found) == texts and {*found[:3]} == {"b;", "d;", "e;"}
    assert found == first_those_with(";", texts[::-1])


def test_rows_spell_the_texts(tokenizer: Tokenizer) -> None:
    texts = [f"{ENGLISH} {i}" for i in range(60)]
    rows = in_rows(texts, tokenizer, BOS, 1e9)
    assert rows.shape[1] == 128 and (rows[:, 0] == BOS).all()
    flat = rows[:, 1:].ravel()
    assert (flat == BOS).sum() >= 40
    spelt = tokenizer.decode(flat.tolist(), skip_special_tokens=True)
    assert "".join(texts).startswith(spelt)
    assert len(in_rows(texts, tokenizer, BOS, 300)) == 2


def test_documents_are_spelt_out_again(tokenizer: Tokenizer) -> None:
    texts = [f"{i}: {' '.join([GERMAN] * 4)}" for i in range(30)]
    found = [Document("interface, German", Source("x", "1", "free"), text) for text in texts]
    rows, _ = sequences(tokenizer, found, 1e9)
    again = spelt_out(rows, tokenizer)
    assert len(again) >= 29
    assert again[:29] == texts[:29]


def test_mixture_has_its_shares_and_is_the_same_again() -> None:
    n_rows = {group: 50 for group in SHARES}
    plan = mixture(n_rows, SHARES, 1000, seed=1)
    assert plan == mixture(n_rows, SHARES, 1000, seed=1) != mixture(n_rows, SHARES, 1000, seed=2)
    english = [row for group, row in plan if group == "English"]
    assert len(plan) == 1000 and len(english) == 250
    assert np.bincount(english, minlength=50).tolist() == [5] * 50
    assert len({group for group, _ in plan[:100]}) > 7


def test_held_out_rows_come_once() -> None:
    rows = {"a": np.zeros((5, 3)), "b": np.zeros((90, 3))}
    plan = held_out_plan(rows, {"a": 1.0, "b": 1.0}, 40)
    assert len(plan) == len({*plan}) == 25
    assert sum(group == "a" for group, _ in plan) == 5


# Reading


def test_what_begins_a_text_and_what_is_far_longer_is_left_out() -> None:
    ids = torch.tensor([[0, 5, 6, 0, 7], [0, 8, 9, 9, 9]])
    x = torch.ones(2, 5, 3)
    x[1, 2] *= 3
    assert kept(x, ids, bos=0).tolist() == [
        [False, True, True, False, True],
        [False, True, False, True, True],
    ]


def test_blocks_go_round_from_any_place(tmp_path: Path) -> None:
    for i in range(3):
        save_file({"activations": torch.full((1, 2), float(i))}, block_path(tmp_path, i))
    stream = from_blocks(tmp_path, 3, alive=lambda: False)
    numbers = [int(x[0, 0]) for x, _ in zip(stream(2), range(4))]
    assert numbers == [2, 0, 1, 2]
    with pytest.raises(RuntimeError, match=r"00003\.safetensors is missing"):
        list(zip(from_blocks(tmp_path, 4, alive=lambda: False)(3), range(1)))


def test_neurons_are_read_in_order_from_any_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sae_activations, "BLOCK", 2)
    generator = np.random.default_rng(0)
    rows = {"a": generator.integers(3, 4096, (6, 129)).astype(np.uint16)}
    rows["a"][:, 0] = BOS
    plan = [("a", i) for i in (3, 0, 5, 1, 2)]
    stream = from_one_layer(load(WEIGHTS, "A"), rows, plan)
    blocks = [x for x, _ in zip(stream(0), range(3))]
    assert torch.equal(blocks[0], blocks[2])  # the fifth row fills no block
    assert torch.equal(next(stream(1)), blocks[1])
    model = load_one_layer("A")
    tokens = from_ids(model, ids_of(rows, plan[:2])[:, :-1])
    point = hook_point(model, 0, "mlp_post")
    exact = activations(model, tokens, point, progress=False).values[point]
    torch.testing.assert_close(blocks[0], exact, atol=1e-4, rtol=1e-4)


# Measuring


def test_figures_of_an_autoencoder(tmp_path: Path) -> None:
    x = torch.randn(3000, 16, generator=torch.Generator().manual_seed(0))
    config = TopKConfig(d_in=16, d_sae=32, k=4)
    sae = train(config, x, recipe(60, 3e-3), seed=0, progress=False).sae
    save_sae(sae, tmp_path / "half.safetensors", half=True)
    again = load_sae(tmp_path / "half.safetensors")
    assert again.W_dec.dtype == torch.float32
    torch.testing.assert_close(again.W_dec, sae.W_dec, atol=1e-3, rtol=1e-3)
    saes = {"trained": sae, "half": again, "control": untrained(sae, x.mean(0))}
    found = measure(saes, lambda: iter(x.split(1000)))
    variance = (x - x.mean(0)).square().sum()
    assert found["trained"]["fvu"] == pytest.approx(
        float((x - sae(x)).square().sum() / variance), rel=1e-4
    )
    assert found["half"]["fvu"] == pytest.approx(found["trained"]["fvu"], rel=1e-2)
    assert found["control"]["fvu"] > found["trained"]["fvu"]
    assert found["trained"]["l0"] == pytest.approx(float((sae.encode(x) > 0).sum() / len(x)))
    assert found["trained"]["tokens"] == 3000


def test_loss_recovered() -> None:
    found = {"whole": 3.0, "trained": 3.5, "zero": 8.0, "mean": 4.0}
    assert recovered(found, "trained", "zero") == pytest.approx(0.9)
    assert recovered(found, "trained", "mean") == pytest.approx(0.5)


def test_splices_change_what_was_trained_on_and_nothing_else() -> None:
    ours = load_one_layer("A")
    ids = torch.randint(3, 4096, (6, 12), generator=torch.Generator().manual_seed(0))
    ids[:, 0] = BOS
    ids[2, 5] = BOS
    mean, seen = torch.zeros(512), []

    def same(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return x

    def found(small: bool, longest: float) -> dict[str, float]:
        seen.clear()
        subject = SimpleNamespace(
            name="A", bos=BOS, small=small, whole=lambda: (ours, hook_point(ours, 0, "mlp_post"))
        )
        return losses(subject, {"same": same}, mean, ids, longest)

    for small, others in ((True, 66), (False, 65)):  # in SmolLM2's rows, texts follow one another
        result = found(small, float("inf"))
        assert sum(seen) == others
        assert result["same"] == result["whole"]
        assert result["zero"] == result["mean"] != result["whole"]  # this mean is 0
    result = found(False, 0.0)  # all are too long
    assert sum(seen) == 0
    assert result["zero"] == result["whole"]


def test_activations_of_the_small_model_leave_out_what_begins_a_text() -> None:
    subject = Subject("one_layer_A", BOS, small=True)
    ids = torch.randint(3, 4096, (3, 9), generator=torch.Generator().manual_seed(0))
    ids[:, 0] = BOS
    x = subject.activations(ids)
    assert x.shape == (3 * 7, 512)  # the last token has nothing to predict
    assert (x >= 0).all()

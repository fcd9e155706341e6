"""Predictions, losses and what a neuron does to them, each against its definition."""

import math

import pytest
import torch
from language_models import TEXTS, load

from course_utils import language
from course_utils.language import hook_point, loss, splice, spliced, tokenize

pytest_plugins = ["language_fixtures"]
pytestmark = pytest.mark.together("language models")


def test_the_published_model_knows_something(smollm2):
    assert language.next_token(smollm2, "The capital of France is", 1)[0].token == " Paris"
    guesses = language.next_token(smollm2, "Two plus two is", 49152)
    scores = [guess.score for guess in guesses]
    assert scores == sorted(scores, reverse=True) and sum(scores) == pytest.approx(1, abs=1e-4)


def test_the_next_token_is_that_of_the_last_logits(model):
    text = "def add(a, b):\n    return"
    with torch.no_grad():
        expected = model(tokenize(model, text).ids)[0, -1].softmax(-1).topk(3)
    found = language.next_token(model, text, 3)
    assert [g.score for g in found] == pytest.approx(expected.values.tolist(), rel=1e-3)
    assert [g.token for g in found] == [language.spell(model, i) for i in expected.indices.tolist()]


@pytest.mark.parametrize("batch_size", [2, 16])
def test_loss_is_that_of_each_text_alone(model, batch_size):
    found = loss(model, TEXTS, batch_size=batch_size)
    tokens = tokenize(model, TEXTS)
    assert torch.equal(found.isnan(), ~tokens.is_text)
    for i, text in enumerate(TEXTS):
        ids = tokenize(model, text).ids
        with torch.no_grad():
            log_p = model(ids)[0].log_softmax(-1)
        for p in range(1, ids.shape[1]):
            assert found[i, p].item() == pytest.approx(-log_p[p - 1, ids[0, p]].item(), abs=2e-3)


def test_loss_takes_little_memory_at_once(one_layer, monkeypatch):
    whole, sizes = loss(one_layer, TEXTS), []
    monkeypatch.setattr(language.predictions, "MOST_LOGITS", 30 * 4096)
    hook = one_layer.unembed.register_forward_hook(
        lambda module, given, logits: sizes.append(logits.numel())
    )
    assert torch.allclose(loss(one_layer, TEXTS), whole, atol=1e-4, equal_nan=True)
    hook.remove()
    longest = int(tokenize(one_layer, TEXTS).lengths.max())
    assert len(sizes) > 1 and max(sizes) <= max(30, longest) * 4096


def test_without_a_beginning_the_first_token_cannot_be_predicted(one_layer):
    found = loss(one_layer, tokenize(one_layer, TEXTS[2], bos=False))
    assert found[0].isnan().tolist() == [True] + [False] * (found.shape[1] - 1)


@pytest.mark.parametrize(("name", "vocabulary"), [("smollm2", 49152), ("one-layer", 4096)])
def test_training_made_the_difference(name, vocabulary):
    trained, untrained = (
        loss(load(name, trained), TEXTS[:3]).nanmean().item() for trained in (True, False)
    )
    assert trained < 0.7 * math.log(vocabulary)
    assert untrained == pytest.approx(math.log(vocabulary), abs=0.5)


# Something else in its place


def test_a_splice_that_changes_nothing_changes_nothing(model):
    tokens = tokenize(model, ["Short.", "A little longer."])
    with torch.no_grad():
        plain = model(tokens.ids)
    for site in ("resid_pre", "mlp_post", "resid_post"):
        point = hook_point(model, -1, site)
        assert torch.allclose(splice(model, point, lambda x: x, tokens), plain, atol=1e-3)


@pytest.mark.parametrize("units", [None, [3, 100]])
def test_an_ablated_mlp_adds_nothing(one_layer, units):
    """By hand: the weights of those neurons set to zero."""
    point = hook_point(one_layer, 0, "mlp_post")
    found = splice(one_layer, point, 0.0, TEXTS[0], units=units)
    W_out = one_layer.original_model.transformer.h[0].mlp.c_proj.weight
    before = W_out.detach().clone()
    try:
        W_out.data[slice(None) if units is None else units] = 0.0
        with torch.no_grad():
            expected = one_layer(tokenize(one_layer, TEXTS[0]).ids)
    finally:
        W_out.data.copy_(before)
    assert torch.allclose(found, expected, atol=1e-4)


def test_ablation_hurts_and_ends(smollm2):
    point = hook_point(smollm2, 0, "mlp_post")
    before = loss(smollm2, TEXTS[2:4])
    means = language.activations(smollm2, TEXTS, point).values[point].mean(0)
    with spliced(smollm2, point, 0.0):
        zero = loss(smollm2, TEXTS[2:4])
    with spliced(smollm2, point, means):
        mean = loss(smollm2, TEXTS[2:4])
    assert zero.nanmean() > before.nanmean() + 1
    assert not torch.allclose(mean, zero, equal_nan=True)
    with pytest.raises(KeyError), spliced(smollm2, point, 0.0):
        raise KeyError("a learner's")
    assert torch.equal(loss(smollm2, TEXTS[2:4]).nan_to_num(), before.nan_to_num())


def test_what_listens_hears_what_was_put_in(one_layer):
    """And the outer of two replacements acts first."""
    point = hook_point(one_layer, 0, "mlp_post")
    with spliced(one_layer, point, 1.0), spliced(one_layer, point, lambda x: x + 1.0):
        found = language.activations(one_layer, TEXTS, point).values[point]
    assert (found == 2).all()


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (lambda x: x[..., :3], r"the replacement is \(1, \d+, 3\); blocks.0.mlp.hook_post is"),
        (torch.zeros(7), r"the replacement is \(7,\); blocks.0.mlp.hook_post is"),
        (torch.zeros(1, 1, 1, 512), r"the replacement is \(1, 1, 1, 512\)"),
    ],
)
def test_a_replacement_of_another_shape_is_one_sentence(one_layer, by, words):
    with pytest.raises(ValueError, match=words):
        splice(one_layer, "blocks.0.mlp.hook_post", by, TEXTS[0])


@pytest.mark.parametrize("units", [[512], [-1], []])
def test_units_that_do_not_exist_are_one_sentence(one_layer, units):
    with pytest.raises(ValueError, match=r"units is \[.*\]; use some of 0 to 511"):
        splice(one_layer, "blocks.0.mlp.hook_post", 0.0, TEXTS[0], units=units)


def test_an_unknown_point_is_one_sentence(one_layer):
    with pytest.raises(ValueError, match="use names that `hook_point` gives"):
        splice(one_layer, "blocks.7.mlp.hook_post", 0.0, TEXTS[0])


# Straight to the logits


@pytest.mark.parametrize("neuron", [5, 70])
def test_logit_effect_is_what_one_more_of_a_neuron_does_in_the_last_layer(model, neuron):
    """With the final norm's scale at that token held fixed, and up to a constant."""
    tokens = tokenize(model, TEXTS[2])
    post, resid = (hook_point(model, -1, site) for site in ("mlp_post", "resid_post"))
    scale = model.run_with_cache(tokens.ids, names_filter=["ln_final.hook_scale"])[1]
    scale = scale["ln_final.hook_scale"]
    effect = language.logit_effect(model, -1, neuron)
    small = 1e-2 * float(scale[0, -1])

    def more(x):
        x = x.clone()
        x[..., neuron] += small
        return x

    with torch.no_grad():
        before, after = model(tokens.ids), splice(model, post, more, tokens)
        # What the change of the scale does is the same change of the residual stream, shrunk.
        found = language.activations(model, tokens, resid)
    d = ((after - before)[0, -1] / small * scale[0, -1]).double()
    w = model.blocks[-1].mlp.W_out[neuron]
    x = found.values[resid][-1]
    if model.cfg.normalization_type == "LN":
        x, w = x - x.mean(), w - w.mean()
    along = (w @ x) / (x @ x)
    shrunk = ((x * along) * model.ln_final.weight) @ model.W_U
    d = d + shrunk.double()
    d = d - d.mean()
    assert torch.nn.functional.cosine_similarity(d, effect.double(), dim=0) > 0.999
    assert (d - effect).abs().max() < 0.02 * effect.abs().max()
    assert effect.mean().abs() < 1e-4


def test_a_direction_of_neurons_adds_up_what_they_do(model):
    """A latent that writes 0.6 of one neuron and 0.8 of another."""
    d = torch.zeros(model.cfg.d_mlp)
    d[5], d[70] = 0.6, 0.8
    together = language.direction_effect(model, d @ model.blocks[-1].mlp.W_out)
    one, other = (language.logit_effect(model, -1, neuron) for neuron in (5, 70))
    torch.testing.assert_close(together, 0.6 * one + 0.8 * other, atol=1e-5, rtol=1e-4)


def test_a_direction_has_the_size_of_the_stream(one_layer):
    with pytest.raises(ValueError, match=r"w has shape \(4,\); \(128,\) is needed"):
        language.direction_effect(one_layer, torch.zeros(4))


def test_the_tokens_that_a_neuron_pushes_up_and_down(smollm2):
    """One whose meaning is plain from its weights: it says "type"."""
    effect = language.logit_effect(smollm2, 29, 5)
    up = language.top_tokens(smollm2, effect, 4)
    assert {guess.token.strip().lower() for guess in up} == {"type"}
    down = language.top_tokens(smollm2, effect, 2, largest=False)
    assert down[0].score == effect.min().item() and down[0].score <= down[1].score


def test_bad_input_is_one_sentence(one_layer):
    for k in (0, 4097):
        with pytest.raises(ValueError, match=f"k is {k} and there are 4096 scores"):
            language.next_token(one_layer, "a", k)
    with pytest.raises(ValueError, match="k is 8 and there are 3 scores; use 1 to 4096"):
        language.top_tokens(one_layer, torch.zeros(3))
    with pytest.raises(ValueError, match="layer is 1 and neuron 0; use layers 0 to 0 and neurons"):
        language.logit_effect(one_layer, 1, 0)
    with pytest.raises(ValueError, match="layer is 0 and neuron 512; use"):
        language.logit_effect(one_layer, 0, 512)
    with pytest.raises(ValueError, match="batch_size is 0"):
        loss(one_layer, "a", batch_size=0)
    with pytest.raises(ValueError, match="text 0 is empty"):
        language.next_token(one_layer, "")
    with pytest.raises(ValueError, match="text 0 has"):
        language.next_token(one_layer, "far too long " * 200)

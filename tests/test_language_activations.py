"""Activations of many texts are those of each text alone, and cost no more than they must."""

import itertools
import time
import weakref
from dataclasses import replace

import pytest
import torch
from language_models import TEXTS

from course_utils import language
from course_utils.language import activations, hook_point, stream, tokenize

pytest_plugins = ["language_fixtures"]
pytestmark = pytest.mark.together("language models")


def points_of(model):
    """One early and one late, of different widths, and one after the last layer."""
    return [
        hook_point(model, 0, "mlp_post"),
        hook_point(model, -1, "resid_post"),
        "ln_final.hook_normalized",
    ]


def alike(a, b):
    """But for the order in which 32-bit numbers are added."""
    return ((a - b).norm(dim=-1) <= 1e-3 * b.norm(dim=-1)).all()


def one_by_one(model, texts, points):
    """No batches, no padding, the whole model, transformer_lens's own cache."""
    for i, text in enumerate(texts):
        ids = tokenize(model, text).ids
        with torch.no_grad():
            _, cache = model.run_with_cache(ids, names_filter=points)
        for position in range(1, ids.shape[1]):
            values = {point: cache[point][0, position] for point in points}
            yield i, position, int(ids[0, position]), values


@pytest.mark.parametrize("batch_size", [2, 16])
def test_activations_are_those_of_each_text_alone_in_order(model, batch_size):
    points = points_of(model)
    found = activations(model, TEXTS, points, batch_size=batch_size)
    expected = list(one_by_one(model, TEXTS, points))
    assert len(found) == len(expected)
    assert list(found.values) == points
    for row, (text, position, token, values) in enumerate(expected):
        assert (found.text[row], found.position[row], found.token[row]) == (text, position, token)
        for point in points:
            assert alike(found.values[point][row], values[point])
    assert not found.values[points[0]].requires_grad


def test_padding_is_never_among_the_rows_and_changes_nothing(model):
    tokens = tokenize(model, TEXTS)
    point = hook_point(model, -1, "resid_post")
    found = activations(model, tokens, point)
    assert len(found) == int(tokens.is_text.sum()) == int((tokens.lengths - 1).sum())
    assert tokens.is_text[found.text, found.position].all()
    assert torch.equal(found.token, tokens.ids[found.text, found.position])
    # Not to the last bit, whatever the padding is.
    padding = torch.arange(tokens.ids.shape[1]) >= tokens.lengths[:, None]
    other = replace(tokens, ids=tokens.ids.masked_fill(padding, 77))
    assert torch.equal(activations(model, other, point).values[point], found.values[point])


def test_the_order_of_the_points_and_of_asking_does_not_matter(one_layer):
    a, b = hook_point(one_layer, 0, "mlp_post"), hook_point(one_layer, 0, "resid_pre")
    both = activations(one_layer, TEXTS, [a, b, a])
    assert list(both.values) == [a, b] or set(both.values) == {a, b}
    for point in (a, b):
        alone = activations(one_layer, TEXTS, point)
        assert torch.equal(alone.values[point], both.values[point])


def test_only_the_tokens_asked_for(model):
    point = hook_point(model, 0, "mlp_post")
    every = activations(model, TEXTS, point)
    found = activations(model, TEXTS, point, positions=lambda tokens: tokens.containing(";"))
    semicolons = tokenize(model, TEXTS).containing(";")[every.text, every.position]
    assert torch.equal(found.values[point], every.values[point][semicolons])
    assert torch.equal(found.text, every.text[semicolons])
    none = activations(model, TEXTS, point, positions=lambda tokens: tokens.containing("@@"))
    assert none.values[point].shape == (0, model.cfg.d_mlp) and len(none) == 0


# The quantity


@pytest.mark.parametrize("layer", [0, 2, -1])
def test_mlp_post_is_what_goes_into_the_last_linear_map_of_the_mlp(model, layer):
    """Against hooks of PyTorch's own on the model that transformer_lens wraps."""
    layer = min(layer, model.cfg.n_layers - 1)
    inner = model.original_model
    mlp = inner.model.layers[layer].mlp if model.cfg.gated_mlp else inner.transformer.h[layer].mlp
    seen = {}
    names = ["gate_proj", "up_proj", "down_proj"] if model.cfg.gated_mlp else ["c_fc", "c_proj"]
    hooks = [
        getattr(mlp, name).register_forward_hook(
            lambda module, given, gives, name=name: seen.update({name: (given[0], gives)})
        )
        for name in names
    ]
    point = hook_point(model, layer, "mlp_post")
    ids = tokenize(model, TEXTS[0])
    with torch.no_grad():
        model(ids.ids)
    for hook in hooks:
        hook.remove()
    found = activations(model, ids, point).values[point]
    if model.cfg.gated_mlp:
        by_hand = torch.nn.functional.silu(seen["gate_proj"][1]) * seen["up_proj"][1]
        goes_in = seen["down_proj"][0]
    else:
        by_hand = seen["c_fc"][1].relu()
        goes_in = seen["c_proj"][0]
    assert (found - goes_in[0, 1:]).abs().max() < 1e-5
    assert (found - by_hand[0, 1:]).abs().max() < 1e-5
    assert found.shape == (len(ids.pieces(0)) - 1, model.cfg.d_mlp)
    assert (found < 0).any() == model.cfg.gated_mlp


@pytest.mark.parametrize("layer", [0, -1])
def test_the_sites_of_a_layer_add_up(model, layer):
    points = {site: hook_point(model, layer, site) for site in language.SITES}
    found = activations(model, TEXTS[:3], list(points.values())).values
    at = {site: found[point] for site, point in points.items()}
    assert torch.allclose(at["resid_pre"] + at["attn_out"], at["resid_mid"], atol=1e-3)
    assert torch.allclose(at["resid_mid"] + at["mlp_out"], at["resid_post"], atol=1e-3)
    with torch.no_grad():
        out = at["mlp_post"] @ model.blocks[layer].mlp.W_out
        bias = model.blocks[layer].mlp.b_out
        out = out if bias is None else out + bias
    assert torch.allclose(out, at["mlp_out"], rtol=1e-3, atol=1e-2)


# What it costs


@pytest.fixture
def ran(model):
    """Which blocks were begun, and whether the unembedding was."""
    seen = []
    hooks = [
        block.register_forward_pre_hook(lambda *_, i=i: seen.append(i))
        for i, block in enumerate(model.blocks)
    ]
    hooks.append(model.unembed.register_forward_pre_hook(lambda *_: seen.append("unembed")))
    yield seen
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("layer", [0, 2, -1])
def test_what_comes_after_the_last_point_is_not_run(model, ran, layer):
    layer = min(layer, model.cfg.n_layers - 1)
    activations(model, TEXTS[2:5], [hook_point(model, layer, "mlp_post")])
    assert ran == list(range(layer % model.cfg.n_layers + 1))
    ran.clear()
    next(stream(model, TEXTS[2:5], [hook_point(model, 0, "resid_pre")]))
    assert ran == [0]
    ran.clear()
    model(tokenize(model, "All of it").ids)
    assert ran == [*range(model.cfg.n_layers), "unembed"], "and nothing is left behind"


@pytest.mark.quiet
def test_an_early_layer_takes_less_time(smollm2, record_property):
    tokens = tokenize(smollm2, ["The quick brown fox jumps over the lazy dog; " * 4] * 16)
    n = int(tokens.is_text.sum())
    best = {2: float("inf"), -1: float("inf")}
    for layer in (2, -1, 2):
        began = time.perf_counter()
        activations(smollm2, tokens, hook_point(smollm2, layer, "mlp_post"), progress=False)
        best[layer] = min(best[layer], time.perf_counter() - began)
    record_property(
        "budget",
        f"SmolLM2, 16 texts of {tokens.ids.shape[1]} tokens, one thread: layer 2 "
        f"{n / best[2]:.0f} tokens/s, all 30 layers {n / best[-1]:.0f}",
    )
    assert best[2] < best[-1] / 3  # 2.7 layers of 29.7


def test_a_stream_has_the_same_rows(model):
    points = points_of(model)
    whole = activations(model, TEXTS, points)
    blocks = list(stream(model, iter(TEXTS), points, batch_size=3))
    assert len(blocks) == 3
    text = torch.cat([block.text for block in blocks])
    position = torch.cat([block.position for block in blocks])
    order = (text * 1000 + position).argsort()
    assert torch.equal(text[order], whole.text) and torch.equal(position[order], whole.position)
    for point in points:
        values = torch.cat([block.values[point] for block in blocks])[order]
        assert alike(values, whole.values[point])
    of_tokens = list(stream(model, tokenize(model, TEXTS), points, batch_size=3))
    assert sum(map(len, of_tokens)) == len(whole)


def test_a_stream_holds_one_batch_however_many_texts_there_are(one_layer):
    taken, alive = itertools.count(), []

    def endless():
        for i in taken:
            yield f"This is text number {i}; there is no end of them."

    point = hook_point(one_layer, 0, "mlp_post")
    blocks = stream(one_layer, endless(), point, batch_size=4)
    for n, block in enumerate(itertools.islice(blocks, 50), start=1):
        assert len(set(block.text.tolist())) == 4
        alive.append(weakref.ref(block.values[point]))
        assert sum(ref() is not None for ref in alive) <= 2, "this one and the one before"
        assert next(taken) <= 4 * n + 64 + n
    blocks.close()


# Bad input


@pytest.mark.parametrize("function", [activations, lambda *a, **k: next(stream(*a, **k))])
@pytest.mark.parametrize(
    ("texts", "points", "options", "words"),
    [
        ([], "blocks.0.mlp.hook_post", {}, "there are no texts; give at least one."),
        ([""], "blocks.0.mlp.hook_post", {}, "text 0 is empty; leave it out."),
        (["a"], [], {}, r"points is \[\]; use names that `hook_point` gives, such as"),
        (["a"], "blocks.1.mlp.hook_post", {}, r"points is \['blocks.1.mlp.hook_post'\]; use names"),
        (["a"], "blocks.0.attn.hook_pattern", {}, "has no activation for each token"),
        (["a b c", "d"], "pos_embed.hook_in", {}, "has no activation for each token"),
        (["a"], "blocks.0.mlp.hook_post", {"batch_size": 0}, "batch_size is 0; use at least 1."),
        (["a"], "blocks.0.mlp.hook_post", {"max_tokens": 500}, "max_tokens is 500; use 2 to 128"),
        (
            ["a"],
            "blocks.0.mlp.hook_post",
            {"positions": lambda tokens: tokens.ids[:, :1] > 0},
            "positions gave",
        ),
    ],
)
def test_bad_input_is_one_sentence(one_layer, function, texts, points, options, words):
    with pytest.raises(ValueError, match=words):
        function(one_layer, texts, points, **options)


def test_tokens_are_cut_before(one_layer):
    with pytest.raises(ValueError, match="these texts are tokens already; give max_tokens to"):
        activations(one_layer, tokenize(one_layer, "a"), "hook_embed", max_tokens=5)


@pytest.mark.parametrize(("layer", "site"), [(30, "mlp_post"), (-31, "mlp_post"), (0, "post")])
def test_an_unknown_place_is_one_sentence(smollm2, layer, site):
    with pytest.raises(ValueError, match=rf'layer is {layer} and site "{site}"; use 0 to 29 and'):
        hook_point(smollm2, layer, site)


def test_an_error_leaves_nothing_behind(one_layer):
    with pytest.raises(ValueError):
        activations(one_layer, "a", "blocks.0.attn.hook_pattern")
    assert not any(point.fwd_hooks for point in one_layer.hook_dict.values())

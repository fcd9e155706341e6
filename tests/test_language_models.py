"""The models are those that were published, loaded once converted, and no network is asked."""

import hashlib
import json
import shutil
import subprocess
import sys

import gguf
import kernel_run
import numpy as np
import pytest
import torch
from language_models import TEXTS, load
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from course_utils import assets, language
from course_utils.language import conversion, loading

pytest_plugins = ["language_fixtures"]
pytestmark = pytest.mark.together("language models")

# Loading, in a fresh process that has no network and no home


LOADS = """
import json, os, sys, time
from course_utils import language

began = time.perf_counter()
model = language.load_smollm2()
seconds = time.perf_counter() - began
guess = language.next_token(model, "The capital of France is", 1)[0].token
ours = language.load_one_layer("B")
language.next_token(ours, "def main(", 1)
try:
    with open("/proc/self/status") as file:
        status = file.read().split("VmHWM:")[1].split()[0]
except OSError:
    status = 0
print(json.dumps({"seconds": seconds, "guess": guess, "peak": int(status) / 1e6,
                  "blocked": sys.network_is_blocked,
                  "set": sorted(name for name in os.environ if name.startswith(("HF", "TRANSF")))}))
"""


@pytest.mark.quiet
def test_models_load_from_files_without_network_home_or_a_word(tmp_path, record_property):
    load("smollm2")  # sees to it that it is there
    home = tmp_path / "home"
    environment = kernel_run.offline_environment(home)
    command = [sys.executable, "-W", "error", "-c", LOADS]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=kernel_run.NETWORK_BLOCK
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    said = json.loads(ran.stdout)
    assert said["blocked"] and said["guess"] == " Paris" and said["set"] == []
    assert list(home.iterdir()) == [], "nothing is written, no network was tried"
    record_property(
        "budget",
        f"load_smollm2: {said['seconds']:.1f} s of 3, verified, after the import; with "
        f"both models the process peaks at {said['peak']:.2f} GB of 2",
    )


@pytest.mark.parametrize("trained", [True, False])
def test_models_are_as_notebooks_need_them(trained):
    for name in ("smollm2", "one-layer"):
        found = load(name, trained)
        parameters = list(found.parameters())
        assert {p.dtype for p in parameters} == {torch.float32}
        assert not any(p.requires_grad or p.is_meta for p in parameters)
        assert {str(p.device) for p in parameters} == {"cpu"}
        assert not found.training and not found.original_model.training
        assert found.tokenizer.pad_token_id is not None
        assert found.tokenizer.padding_side == "right"
        assert not found.compatibility_mode


def test_sizes(smollm2, one_layer):
    published, ours = (30, 576, 1536, 8192, 49152), (1, 128, 512, 128, 4096)
    for found, sizes in ((smollm2, published), (one_layer, ours)):
        cfg = found.cfg
        assert (cfg.n_layers, cfg.d_model, cfg.d_mlp, cfg.n_ctx, cfg.d_vocab) == sizes
    assert smollm2.n_params_total == 134_515_008


def test_nothing_is_folded_into_the_weights(smollm2):
    """The same logits as transformers alone gives for the converted files."""
    folder = assets.path(language.SMOLLM2)
    config = LlamaConfig.from_json_file(folder / conversion.CONFIG)
    config._attn_implementation = "eager"
    weights = {k: v.float() for k, v in load_file(folder / conversion.WEIGHTS).items()}
    plain = LlamaForCausalLM.from_pretrained(None, config=config, state_dict=weights).eval()
    ids = language.tokenize(smollm2, TEXTS[0]).ids
    goes_in = []
    plain.model.layers[2].mlp.down_proj.register_forward_pre_hook(
        lambda module, given: goes_in.append(given[0])
    )
    with torch.no_grad():
        assert (plain(ids).logits - smollm2(ids)).abs().max() < 1e-3
    found = language.activations(smollm2, TEXTS[0], language.hook_point(smollm2, 2, "mlp_post"))
    assert (found.values["blocks.2.mlp.hook_post"] - goes_in[0][0, 1:]).abs().max() < 1e-5


def test_a_conversation_is_written_as_the_model_knows_it(smollm2):
    text = smollm2.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Say hello."}], tokenize=False, add_generation_prompt=True
    )
    assert text.endswith("<|im_start|>user\nSay hello.<|im_end|>\n<|im_start|>assistant\n")
    tokens = language.tokenize(smollm2, text)
    assert tokens.ids[0, :2].tolist() == [0, 1], "each special token is one token"
    assert language.next_token(smollm2, text, 1)[0].token == "Hello"


# Our own, and untrained ones


def test_the_two_seeds_are_different_networks():
    a, b = (language.load_one_layer(seed) for seed in "AB")
    losses = [language.loss(found, TEXTS[:3]).nanmean().item() for found in (a, b)]
    assert losses[0] == pytest.approx(losses[1], rel=0.2)
    W_in = [found.blocks[0].mlp.W_in for found in (a, b)]
    assert torch.nn.functional.cosine_similarity(*W_in, dim=0).mean().abs() < 0.1


@pytest.mark.parametrize("seed", ["A", "B"])
def test_the_untrained_one_is_what_training_began_with(seed):
    found = language.load_one_layer(seed, trained=False)
    config = GPT2Config.from_json_file(loading.OURS / "one_layer_config.json")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed({"A": 1, "B": 2}[seed])  # as tools/train_tiny_lm.py does
        first = GPT2LMHeadModel(config)
    assert torch.equal(found.W_E, first.transformer.wte.weight)
    assert torch.equal(found.blocks[0].mlp.W_out, first.transformer.h[0].mlp.c_proj.weight)


def test_what_is_missing_is_one_sentence(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match='seed is \'C\'; use "A" or "B"'):
        language.load_one_layer("C")
    monkeypatch.setattr(loading, "OURS", tmp_path)
    with pytest.raises(assets.Missing, match=r"config\.json is missing: download the course again"):
        language.load_one_layer()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    with pytest.raises(assets.Missing) as caught:
        language.load_smollm2()
    assert str(caught.value) == (
        "smollm2-135m is not there yet: run `python -m course_utils models`, with a network, once."
    )


# Converted from the file in which it is published


TINY = LlamaConfig(
    vocab_size=263, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
    tie_word_embeddings=True, rms_norm_eps=1e-5, attn_implementation="eager",
)  # fmt: skip
NAMES = {  # llama.cpp's for each of ours, and whether it has a layer's number
    "model.embed_tokens": "token_embd", "model.norm": "output_norm",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip


def in_their_order(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp rotates neighbours where transformers rotates the two halves of a head."""
    rows = weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2)
    return np.ascontiguousarray(rows).reshape(weight.shape)


def write_gguf(path, plain: LlamaForCausalLM) -> dict[str, torch.Tensor]:
    """A file as the published one. Returns the weights that its 4 bits stand for."""
    file = gguf.GGUFWriter(path, "llama")
    file.add_name("Tiny")
    file.add_context_length(TINY.max_position_embeddings)
    file.add_embedding_length(TINY.hidden_size)
    file.add_block_count(TINY.num_hidden_layers)
    file.add_feed_forward_length(TINY.intermediate_size)
    file.add_head_count(TINY.num_attention_heads)
    file.add_head_count_kv(TINY.num_key_value_heads)
    file.add_rope_dimension_count(16)
    file.add_rope_freq_base(10000.0)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_vocab_size(TINY.vocab_size)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("smollm")
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = list(language.tokens._bytes())
    merges = ["Ġ Ġ", "i n", "in t", "Ċ Ċ"]
    file.add_token_list([*special, *letters, *(m.replace(" ", "") for m in merges)])
    file.add_token_types([3] * 3 + [1] * 260)
    file.add_token_merges(merges)
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_unk_token_id(0)
    file.add_pad_token_id(2)
    file.add_add_bos_token(False)
    file.add_chat_template("{{ messages }}")
    meant = {}
    for name, tensor in plain.state_dict().items():
        if name == "lm_head.weight":
            continue
        value, number = tensor.numpy(), name.split(".")[2] if "layers" in name else None
        key = name.removesuffix(".weight").removeprefix(f"model.layers.{number}.")
        theirs = NAMES[key] if number is None else f"blk.{number}.{NAMES[key]}"
        heads = {"attn_q": 4, "attn_k": 2}.get(NAMES[key], 0)
        if value.ndim == 1:
            file.add_tensor(f"{theirs}.weight", value)
            meant[name] = tensor
            continue
        kind = gguf.GGMLQuantizationType.Q4_1
        packed = gguf.quants.quantize(in_their_order(value, heads) if heads else value, kind)
        file.add_tensor(f"{theirs}.weight", packed, raw_dtype=kind)
        back = gguf.quants.dequantize(gguf.quants.quantize(value, kind), kind)
        meant[name] = torch.tensor(back)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return meant


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A published model of 0.1 MB: its file, and itself with the weights of 4 bits."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = LlamaForCausalLM(TINY).eval().requires_grad_(False)
    for p in plain.parameters():
        p.mul_(5).add_(0.01)  # norms, too, are something else than 1
    meant = write_gguf(path, plain)
    plain.load_state_dict(meant, strict=False)
    plain.tie_weights()
    return path, plain


@pytest.fixture
def published(tiny, tmp_path, monkeypatch):
    """It lies in the cache as if it had been fetched just now."""
    file, _ = tiny
    pinned = assets.Asset(
        "smollm2-135m", "no-such-package", "1", "x.gguf", file.stat().st_size,
        hashlib.sha256(file.read_bytes()).hexdigest(), "MIT", "tests", recipe="float16",
    )  # fmt: skip
    monkeypatch.setattr(assets, "ASSETS", {"smollm2-135m": pinned})
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    place = tmp_path / "smollm2-135m-1.gguf"
    shutil.copy(file, place)
    return place


def test_conversion_keeps_what_the_model_computes(tiny, published, capfd):
    said = []
    folder = language.fetch_smollm2(said.append)
    assert said[0] == "Converting smollm2-135m (once) ..."
    assert capfd.readouterr() == ("", ""), "no bar of transformers"
    assert not published.exists() and assets.state("smollm2-135m") == "ready"
    found, plain = language.load_smollm2(), tiny[1]
    ids = language.tokenize(found, "int x = 10;", bos=False).ids
    expected = plain(ids).logits
    assert expected.std() > 0.3
    assert (found(ids) - expected).abs().max() < 5e-3 * expected.abs().max()  # of half precision
    weights = load_file(folder / conversion.WEIGHTS)
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    for name, tensor in plain.state_dict().items():
        if name != "lm_head.weight":
            assert torch.allclose(weights[name].float(), tensor, rtol=1e-3, atol=1e-6), name


def test_conversion_keeps_the_tokenizer_but_for_what_it_puts_right(published):
    language.fetch_smollm2(lambda line: None)
    found = language.load_smollm2()
    assert language.tokenize(found, "int  1").pieces(0) == ["", "int", "  ", "1"]
    assert found.tokenizer.bos_token == "<|endoftext|>"
    assert (found.tokenizer.eos_token_id, found.tokenizer.pad_token_id) == (2, 2)
    assert language.tokenize(found, "<|im_start|>in").ids.tolist()[0][:2] == [0, 1]


def test_a_truncated_converted_file_is_repaired_when_it_is_loaded(published, tiny, capsys):
    folder = language.fetch_smollm2()
    whole = (folder / conversion.WEIGHTS).read_bytes()
    (folder / conversion.WEIGHTS).write_bytes(whole[:-1])
    with pytest.raises(assets.Missing, match="check the network, or the proxy"):
        language.load_smollm2()
    shutil.copy(tiny[0], published)
    capsys.readouterr()
    assert language.load_smollm2().cfg.n_layers == 2
    assert f"{folder} is damaged, so it is made again." in capsys.readouterr().out
    assert (folder / conversion.WEIGHTS).read_bytes() == whole


def test_untrained_networks_differ_by_seed_and_draw_nothing_from_the_global_randomness(published):
    language.fetch_smollm2(lambda line: None)
    before, embeddings = torch.random.get_rng_state(), []
    for options in ({}, {"trained": False}, {"trained": False, "seed": 1}, {"trained": False}):
        embeddings.append(language.load_smollm2(**options).W_E)
        language.load_one_layer(trained=options.get("trained", True))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(embeddings[1], embeddings[3])
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(embeddings[one], embeddings[other], atol=1e-3)

"""Files of autoencoders: whole or not there, one sentence when they can't be read, SAELens's."""

import json
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Generator

from course_utils.sae import (
    Recipe,
    ReluConfig,
    ReluSAE,
    TopKConfig,
    TopKSAE,
    load_sae,
    read_saelens,
    save_sae,
    train,
    write_saelens,
)

NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")
CONFIGS = {
    "topk": TopKConfig(d_in=6, d_sae=24, k=3, k_aux=2, aux_coefficient=0.1),
    "relu": ReluConfig(d_in=6, d_sae=24, l1_coefficient=0.3, resample_every=7),
}
MODELS = {"topk": TopKSAE, "relu": ReluSAE}


def random_sae(kind, seed=0):
    """Weights without any pattern: rows of W_dec have norm 1, W_enc is not their transpose."""
    g = Generator().manual_seed(seed)
    W_dec = torch.nn.functional.normalize(torch.randn(24, 6, generator=g), dim=1)
    W_enc, b_enc = torch.randn(24, 6, generator=g).T, torch.randn(24, generator=g)
    return MODELS[kind](W_enc, b_enc, W_dec, torch.randn(6, generator=g), CONFIGS[kind])


def samples(n=50):
    return torch.randn(n, 6, generator=Generator().manual_seed(9))


def same_weights(one, other):
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in NAMES)


# Our files


@pytest.mark.parametrize("kind", MODELS)
def test_an_autoencoder_comes_back_bit_for_bit(tmp_path, kind):
    sae = random_sae(kind)
    save_sae(sae, tmp_path / "folder" / "sae.safetensors")  # the folder is made
    back = load_sae(tmp_path / "folder" / "sae.safetensors")
    assert type(back) is type(sae)
    assert back.config == sae.config
    assert same_weights(back, sae)
    assert torch.equal(back(samples()), sae(samples()))


@pytest.mark.parametrize("kind", MODELS)
def test_half_the_numbers_take_half_the_space_and_are_32_bits_again(tmp_path, kind):
    sae = random_sae(kind)
    for half in (False, True):
        save_sae(sae, tmp_path / f"{half}.safetensors", half=half)
    with safe_open(tmp_path / "True.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in NAMES} == {torch.float16}
    saved = [os.path.getsize(tmp_path / f"{half}.safetensors") for half in (False, True)]
    assert saved[0] - saved[1] == pytest.approx(
        2 * sum(getattr(sae, n).numel() for n in NAMES), 0.1
    )
    back = load_sae(tmp_path / "True.safetensors")
    for name in NAMES:
        assert getattr(back, name).dtype == torch.float32
        assert torch.equal(getattr(back, name), getattr(sae, name).half().float())


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch, fails):
    path, old = tmp_path / "folder" / "sae.safetensors", random_sae("topk", seed=0)
    save_sae(old, path)

    def full(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="no space left"):
        save_sae(random_sae("topk", seed=1), path)
    monkeypatch.undo()
    assert [file.name for file in path.parent.iterdir()] == ["sae.safetensors"]
    assert same_weights(load_sae(path), old)


def one_sentence(error):
    text = str(error.value)
    return "\n" not in text and text.endswith(".") and not text.endswith("..")


def broken(path, how):
    """A file that is no autoencoder, in the way that `how` says."""
    sae = random_sae("topk")
    tensors = {name: getattr(sae, name).contiguous() for name in NAMES}
    about = {"architecture": "topk", "config": {"d_in": 6, "d_sae": 24, "k": 3}}
    if how == "text":
        path.write_text("This is no file of tensors.")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut off":
        save_sae(sae, path)
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "of others":
        save_file(tensors, path)
    else:
        change = {
            "architecture": {"architecture": "gated"},
            "config": {"config": {"d_in": 6, "d_sae": 24, "colour": 3}},
            "value": {"config": {"d_in": 6, "d_sae": 24, "k": 0}},
            "shape": {"config": {"d_in": 5, "d_sae": 24, "k": 3}},
        }.get(how, {})
        if how == "tensor":
            del tensors["b_dec"]
        save_file(tensors, path, {"about": json.dumps(about | change)})


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("text", "is not a file that this package wrote"),
        ("empty", "is not a file that this package wrote"),
        ("cut off", "is not a file that this package wrote"),
        ("of others", "is not a file that this package wrote: 'about'"),
        ("architecture", "is not a file that this package wrote: 'gated'"),
        ("config", "is not a file that this package wrote.*'colour'"),
        ("value", "is not an autoencoder: k is 0; use at least 1"),
        ("shape", r"is not an autoencoder: W_enc has shape \(6, 24\); \(5, 24\) is needed"),
        ("tensor", "is not an autoencoder: b_dec is missing"),
    ],
)
def test_a_file_that_can_not_be_loaded_is_named_in_one_sentence(tmp_path, how, sentence):
    path = tmp_path / "broken.safetensors"
    broken(path, how)
    with pytest.raises(ValueError, match=f"broken.safetensors {sentence}") as error:
        load_sae(path)
    assert one_sentence(error)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*none\.safetensors\.") as error:
        load_sae(tmp_path / "none.safetensors")
    assert one_sentence(error)


def test_a_checkpoint_is_no_autoencoder_yet(tmp_path):
    path = tmp_path / "run.safetensors"
    recipe = Recipe(steps=2, batch_size=8)
    train(CONFIGS["topk"], samples(), recipe, seed=0, checkpoint=path, progress=False)
    with pytest.raises(ValueError, match=r"run\.safetensors is not an autoencoder") as error:
        load_sae(path)
    assert one_sentence(error)


# SAELens's files. What its 6.54.12 itself wrote, but for the metadata: the keys of cfg.json, and
# the shapes of sae_weights.safetensors, for d_in = 6, d_sae = 24. `benchmarks/sae.py` holds ours
# against SAELens itself.

COMMON = {
    "d_in": 6,
    "d_sae": 24,
    "dtype": "float32",
    "device": "cpu",
    "apply_b_dec_to_input": True,
    "normalize_activations": "none",
    "reshape_activations": "none",
}
THEIRS = {
    "topk": COMMON | {"architecture": "topk", "k": 3, "rescale_acts_by_decoder_norm": False},
    "relu": COMMON | {"architecture": "standard"},
}
SHAPES = {"W_enc": (6, 24), "b_enc": (24,), "W_dec": (24, 6), "b_dec": (6,)}


def write_theirs(folder, kind, **changed):
    """A folder as SAELens writes it, with some entries of the config changed; and its weights."""
    sae, config = random_sae(kind), THEIRS[kind] | {"metadata": {"sae_lens_version": "6.54.12"}}
    folder.mkdir(exist_ok=True)
    (folder / "cfg.json").write_text(json.dumps(config | changed))
    weights = {name: getattr(sae, name).contiguous() for name in NAMES}
    save_file(weights, folder / "sae_weights.safetensors")
    return weights


def by_their_equation(weights, x, kind, k=3, rescale=False, subtract=True):
    """The code and x_hat as SAELens defines them."""
    z = (x - weights["b_dec"] if subtract else x) @ weights["W_enc"] + weights["b_enc"]
    norms = weights["W_dec"].norm(dim=1) if rescale else torch.ones(24)
    z = z * norms
    code = z.relu()
    if kind == "topk":
        code = torch.zeros_like(z).scatter(1, z.topk(k).indices, z.topk(k).values.relu())
    return code, code / norms @ weights["W_dec"] + weights["b_dec"]


@pytest.mark.parametrize("kind", MODELS)
def test_what_we_write_is_what_saelens_writes(tmp_path, kind):
    sae, folder = random_sae(kind), tmp_path / "folder"
    write_saelens(sae, folder, metadata={"model_name": "ours", "hook_name": "here"})
    assert sorted(file.name for file in folder.iterdir()) == [
        "cfg.json",
        "sae_weights.safetensors",
    ]
    config = json.loads((folder / "cfg.json").read_text())
    metadata = config.pop("metadata")
    assert config == THEIRS[kind]
    assert metadata.pop("sae_lens_version").startswith("6.")
    assert metadata == {"model_name": "ours", "hook_name": "here"}
    weights = load_file(folder / "sae_weights.safetensors")
    assert {name: tuple(w.shape) for name, w in weights.items()} == SHAPES
    assert all(w.dtype == torch.float32 for w in weights.values())
    code, x_hat = by_their_equation(weights, samples(), kind)
    torch.testing.assert_close(code, sae.encode(samples()))
    torch.testing.assert_close(x_hat, sae(samples()))


@pytest.mark.parametrize("kind", MODELS)
def test_what_we_write_we_read_bit_for_bit(tmp_path, kind):
    sae = random_sae(kind)
    write_saelens(sae, tmp_path)
    back = read_saelens(tmp_path)
    assert type(back) is type(sae)
    assert same_weights(back, sae)
    assert torch.equal(back(samples()), sae(samples()))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("subtract", [True, False])
def test_what_saelens_writes_computes_the_same_here(tmp_path, kind, subtract):
    weights = write_theirs(tmp_path, kind, apply_b_dec_to_input=subtract)
    sae = read_saelens(tmp_path)
    code, x_hat = by_their_equation(weights, samples(), kind, subtract=subtract)
    torch.testing.assert_close(sae.encode(samples()), code)
    torch.testing.assert_close(sae(samples()), x_hat)


def test_codes_that_are_multiplied_by_norms_keep_their_x_hat(tmp_path):
    weights = write_theirs(tmp_path, "topk", rescale_acts_by_decoder_norm=True)
    weights["W_dec"] *= torch.linspace(0.1, 3, 24)[:, None]
    save_file(weights, tmp_path / "sae_weights.safetensors")
    sae = read_saelens(tmp_path)
    code, x_hat = by_their_equation(weights, samples(), "topk", rescale=True)
    torch.testing.assert_close(sae.encode(samples()), code)
    torch.testing.assert_close(sae(samples()), x_hat)
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(24))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"architecture": "gated"}, 'architecture is \'gated\'; only "standard" and "topk" can be'),
        ({"normalize_activations": "layer_norm"}, "normalize_activations is 'layer_norm'"),
        ({"reshape_activations": "hook_z"}, "reshape_activations is 'hook_z'"),
        ({"d_in": 7}, r"W_enc has shape \(6, 24\); \(7, 24\) is needed"),
    ],
)
def test_what_is_not_ours_to_read_is_said(tmp_path, changed, sentence):
    write_theirs(tmp_path, "topk", **changed)
    with pytest.raises(ValueError, match=sentence) as error:
        read_saelens(tmp_path)
    assert one_sentence(error)


@pytest.mark.parametrize("name", ["cfg.json", "sae_weights.safetensors"])
@pytest.mark.parametrize("how", ["missing", "broken"])
def test_files_of_saelens_that_are_missing_or_broken(tmp_path, name, how):
    write_theirs(tmp_path, "topk")
    (tmp_path / name).unlink()
    if how == "broken":
        (tmp_path / name).write_text("{")
    said = f"has no {name}" if how == "missing" else f"{name} can't be read"
    with pytest.raises(ValueError, match=said) as error:
        read_saelens(tmp_path)
    assert one_sentence(error)

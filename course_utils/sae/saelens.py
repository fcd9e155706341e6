"""SAELens's files: a folder with `cfg.json` and `sae_weights.safetensors`.

SAELens needs an older transformer_lens than this course, so that the two can't live in one
environment. Through its files either can use what the other has trained. Its name for our ReLU
autoencoders is "standard"; "topk" it is for both.

Source: SAELens 6 (https://github.com/decoderesearch/SAELens), `sae_lens/saes`.
"""

import json
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from course_utils.sae.files import assemble, replace_file
from course_utils.sae.model import SAE
from course_utils.sae.relu import ReluConfig, ReluSAE
from course_utils.sae.topk import TopKConfig, TopKSAE

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")
VERSION = "6.0.0"  # the first with this layout


def write_saelens(
    sae: SAE, folder: str | Path, *, metadata: dict[str, object] | None = None
) -> None:
    """Write an autoencoder so that `sae_lens.SAE.load_from_disk(folder)` reads it.

    Each file is replaced as a whole, the config last.

    Args:
        metadata: what else to say, such as {"model_name": ..., "hook_name": ...}.
    """
    config = sae.config
    about = {
        "architecture": "topk" if isinstance(sae, TopKSAE) else "standard",
        "d_in": config.d_in,
        "d_sae": config.d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": VERSION, **(metadata or {})},
    }
    if isinstance(sae, TopKSAE):
        about |= {"k": sae.config.k, "rescale_acts_by_decoder_norm": False}
    weights = {name: getattr(sae, name).float().contiguous() for name in NAMES}
    replace_file(Path(folder) / WEIGHTS, save(weights))
    replace_file(Path(folder) / CONFIG, json.dumps(about, indent=2).encode())


def read_saelens(folder: str | Path) -> SAE:
    """Read an autoencoder that SAELens (6 or later) or `write_saelens` wrote.

    It computes the same code and the same x_hat. Rows of its W_dec may have any norm; if the file
    says that codes are to be multiplied by these norms, they are moved into the encoder.

    Raises:
        ValueError: a file is missing or can't be read, weights don't fit the config, or it is an
            autoencoder of a kind that is not here.
    """
    folder = Path(folder)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise ValueError(f"{folder} has no {name}; it is no autoencoder of SAELens.")
    try:
        about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kind, sizes = about["architecture"], {name: about[name] for name in ("d_in", "d_sae")}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / CONFIG} can't be read: {error!r}.") from error
    for key, usual in (("normalize_activations", "none"), ("reshape_activations", "none")):
        if about.get(key, usual) != usual:
            raise ValueError(f"{folder}: {key} is {about[key]!r}; only {usual!r} can be read.")
    try:
        weights = {name: w.float() for name, w in load_file(folder / WEIGHTS).items()}
    except SafetensorError as error:
        raise ValueError(f"{folder / WEIGHTS} can't be read: {error}.") from error
    if kind == "topk" and isinstance(about.get("k"), int):
        sae = assemble(TopKSAE, TopKConfig(**sizes, k=about["k"]), weights)
    elif kind == "standard":
        sae = assemble(ReluSAE, ReluConfig(**sizes), weights)
    else:
        raise ValueError(f'{folder}: architecture is {kind!r}; only "standard" and "topk" can be.')
    if about.get("rescale_acts_by_decoder_norm"):
        sae = _norms_in_encoder(sae)
    if not about.get("apply_b_dec_to_input", True):
        sae = _with(sae, b_enc=sae.b_enc + sae.b_dec @ sae.W_enc)
    return sae


def _norms_in_encoder(sae: SAE) -> SAE:
    """Codes of x times the norms of W_dec, and rows of norm 1: x_hat stays the same."""
    norms = torch.linalg.vector_norm(sae.W_dec, dim=1).clamp_min(1e-8)
    return _with(
        sae, W_enc=sae.W_enc * norms, b_enc=sae.b_enc * norms, W_dec=sae.W_dec / norms[:, None]
    )


def _with(sae: SAE, **changed: Float[Tensor, "..."]) -> SAE:
    weights = {name: getattr(sae, name) for name in NAMES} | changed
    return assemble(type(sae), sae.config, weights)

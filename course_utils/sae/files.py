"""Autoencoders and checkpoints on disk: one safetensors file each, whole or not there at all."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from course_utils.sae.model import SAE
from course_utils.sae.relu import ReluConfig, ReluSAE
from course_utils.sae.topk import TopKConfig, TopKSAE

Config = ReluConfig | TopKConfig
ARCHITECTURES: dict[str, tuple[type, type[SAE]]] = {
    "relu": (ReluConfig, ReluSAE),
    "topk": (TopKConfig, TopKSAE),
}


def architecture(config: Config) -> str:
    """The name of an architecture in files: "topk" or "relu"."""
    return next(name for name, (kind, _) in ARCHITECTURES.items() if isinstance(config, kind))


def replace_file(path: str | Path, content: bytes) -> None:
    """Write a file so that there is always the old one or the new one, never a part."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)  # what is left of a failure


def write_tensors(path: str | Path, tensors: dict[str, Tensor], about: dict[str, object]) -> None:
    """A safetensors file of some tensors, with what there is to say about them in its header."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    replace_file(path, save(contiguous, {"about": json.dumps(about)}))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    """What `write_tensors` wrote, independent of the file from now on.

    Raises:
        ValueError: there is no such file, or it is not one of these.
    """
    if not Path(path).is_file():
        raise ValueError(f"there is no file {path}.")
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["about"])
            return {name: file.get_tensor(name).clone() for name in file.keys()}, about
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a file that this package wrote: {error}.") from error


def save_sae(sae: SAE, path: str | Path, *, half: bool = False) -> None:
    """Write an autoencoder with its config to one file, which `load_sae` reads.

    Args:
        half: keep the weights with 16 bits, in half the space. `load_sae` gives 32 again.
    """
    tensors = {"W_enc": sae.W_enc, "b_enc": sae.b_enc, "W_dec": sae.W_dec, "b_dec": sae.b_dec}
    if half:
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    about = {"architecture": architecture(sae.config), "config": asdict(sae.config)}
    write_tensors(path, tensors, about)


def load_sae(path: str | Path) -> SAE:
    """Read an autoencoder that `save_sae` wrote; its weights have at least 32 bits.

    Raises:
        ValueError: there is no such file, or it is not one of these.
    """
    tensors, about = read_tensors(path)
    tensors = {name: x.float() if x.itemsize < 4 else x for name, x in tensors.items()}
    try:
        kind, model = ARCHITECTURES[about["architecture"]]
        return assemble(model, kind(**about["config"]), tensors)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a file that this package wrote: {error}.") from error
    except ValueError as error:
        raise ValueError(f"{path} is not an autoencoder: {error}") from error


def assemble(model: type[SAE], config: Config, tensors: dict[str, Tensor]) -> SAE:
    """An autoencoder of tensors in any layout; each latent's weights come to lie together.

    Raises:
        ValueError: a tensor is missing, or its shape does not fit the config.
    """
    d_in, d_sae = config.d_in, config.d_sae
    shapes = {"W_enc": (d_in, d_sae), "b_enc": (d_sae,), "W_dec": (d_sae, d_in), "b_dec": (d_in,)}
    for name, shape in shapes.items():
        if name not in tensors:
            raise ValueError(f"{name} is missing.")
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tuple(tensors[name].shape)}; {shape} is needed.")
    W_enc, b_enc, W_dec, b_dec = (tensors[name] for name in shapes)
    return model(W_enc.T.contiguous().T, b_enc, W_dec.contiguous(), b_dec, config)

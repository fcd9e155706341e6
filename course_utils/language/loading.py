"""Two models: a published one of 30 layers, and our own of one layer.

Both come from files on this machine, in 32 bits, on the CPU, in evaluation mode and without
gradients for their weights. No model hub is ever asked.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.initialization import no_init_weights

from course_utils import assets
from course_utils.language.conversion import CONFIG, SMOLLM2, SPECIAL, TOKENIZER, WEIGHTS, convert

OURS = Path(__file__).resolve().parent.parent / "weights"
SEEDS = {"A": 1, "B": 2}  # as in tools/train_tiny_lm.py
SPECIAL_OF_OURS = {"bos_token": "<|bos|>", "eos_token": "<|eos|>", "pad_token": "<|pad|>"}


def load_smollm2(*, trained: bool = True, seed: int = 0) -> TransformerBridge:
    """SmolLM2-135M-Instruct: 30 layers of 576 dimensions, each with 1,536 gated neurons.

    A neuron's activation is silu(gate) * up, where gate and up are two linear functions of the
    normed residual stream; it may be negative. A text begins with <|endoftext|> (see
    `conversion`). It reads up to 8,192 tokens, out of 49,152.

    Args:
        trained: False gives the control: the same layers, random weights (normal, standard
            deviation 0.02; norms 1).
        seed: of the random weights.

    Raises:
        assets.Missing: the weights are not on this machine and cannot be fetched now.

    Source: Allal et al., "SmolLM2" (2025); `assets`, "smollm2-135m" (Apache-2.0), quantised to
    4 bits by others.
    """
    folder = assets.path(SMOLLM2, convert)
    config = LlamaConfig.from_json_file(folder / CONFIG)
    special = json.loads((folder / SPECIAL).read_text(encoding="utf-8"))
    weights = _in_32_bits(folder / WEIGHTS) if trained else None
    model = _build(LlamaForCausalLM, config, weights, seed)
    return _bridge("SmolLM2-135M-Instruct", model, folder / TOKENIZER, special)


def load_one_layer(seed: str = "A", *, trained: bool = True) -> TransformerBridge:
    """Our own transformer: one layer of 128 dimensions, with 512 ReLU neurons in its MLP.

    Small enough to know every neuron of it, as in Towards Monosemanticity. A text begins with
    <|bos|>, and at most 128 tokens are read, out of 4,096, with it. How it was trained is in the
    model card beside its weights.

    Args:
        seed: "A" or "B". They were trained alike, from other random weights, on the text in
            another order.
        trained: False gives the control: the random weights that training began with.

    Raises:
        ValueError: there is no such seed.
        assets.Missing: its weights are not in this copy of the course.

    Source: Bricken et al., "Towards Monosemanticity" (2023), for the shape; trained by
    `tools/train_tiny_lm.py`.
    """
    if seed not in SEEDS:
        raise ValueError(f'seed is {seed!r}; use "A" or "B".')
    needed = ["one_layer_config.json", "one_layer_tokenizer.json", f"one_layer_{seed}.safetensors"]
    for name in needed:
        if not (OURS / name).is_file():
            raise assets.Missing(f"{OURS / name} is missing: download the course again.")
    config, tokenizer, weights = (OURS / name for name in needed)
    model = _build(
        GPT2LMHeadModel,
        GPT2Config.from_json_file(config),
        _in_32_bits(weights) if trained else None,
        SEEDS[seed],
    )
    return _bridge(f"one-layer-{seed}", model, tokenizer, SPECIAL_OF_OURS)


def _in_32_bits(file: Path) -> dict[str, Tensor]:
    """The weights, one after the other: what is read of the file counts as memory until it is shut.

    All at once, the peak would be half as high again.
    """
    with safe_open(file, "pt") as weights:
        names = list(weights.keys())
    found, threads = {}, torch.get_num_threads()
    # Hundreds of short tasks: on a busy machine, waiting for a second thread takes 20 times longer.
    torch.set_num_threads(1)
    try:
        for name in names:
            with safe_open(file, "pt") as weights:
                found[name] = weights.get_tensor(name).float()
    finally:
        torch.set_num_threads(threads)
    return found


def _build(
    kind: type[PreTrainedModel], config: Any, weights: dict[str, Tensor] | None, seed: int
) -> PreTrainedModel:
    """The layers, with these weights or with random ones."""
    if weights is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return kind(config)
    with no_init_weights():
        model = kind(config)
    missing, unexpected = model.load_state_dict(weights, strict=False, assign=True)
    model.tie_weights()
    if unexpected or set(missing) - set(model.all_tied_weights_keys):
        raise RuntimeError(f"the weights do not fit the model: {missing}, {unexpected}")
    return model


def _bridge(
    name: str, model: PreTrainedModel, tokenizer: Path, special: dict[str, str | None]
) -> TransformerBridge:
    """The model as transformer_lens has it, with a tokenizer that puts <bos> before a text."""
    backend, bos = Tokenizer.from_file(str(tokenizer)), special["bos_token"]
    backend.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, backend.token_to_id(bos))]
    )
    # transformer_lens asks a hub for another tokenizer unless this one has these two.
    known = {"name_or_path": name, "add_bos_token": True}
    with torch.random.fork_rng(devices=[]):  # it draws random weights, and replaces them
        bridge = TransformerBridge.boot_transformers(
            name,
            hf_model=model.eval(),
            tokenizer=PreTrainedTokenizerFast(tokenizer_object=backend, **special, **known),
            device="cpu",
        )
    return bridge.requires_grad_(False).eval()

"""The published model, from the file in which it is published to what loads in a second.

The file is in llama.cpp's format: weights of 4 bits each (Q4_1; 8 bits for the embedding), and the
tokenizer among its metadata. Reading it takes half a minute and 1.5 GB of memory, so it is done
once. The weights it stands for are written in half precision: half the disk, and next to nothing
lost (logits change by 0.03 where they spread by 7, the distribution by 3e-6 nats).
"""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

from safetensors.torch import save
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer, LlamaForCausalLM

from course_utils import assets

SMOLLM2 = "smollm2-135m"  # its name among the assets
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
SPECIAL = "special_tokens.json"


def fetch_smollm2(report: Callable[[str], object] = print) -> Path:
    """The folder with the published model, downloaded and converted first unless it is there.

    Raises:
        assets.Missing: it is not to be had now.
    """
    return assets.fetch(SMOLLM2, report, convert)


def convert(file: Path, folder: Path) -> None:
    """Read a model in llama.cpp's format and write it as transformers has it, in half precision.

    Two things are put right that transformers 5.23 leaves out or takes as they are:

    - This tokenizer splits off every digit before anything else (what llama.cpp does for its
      `tokenizer.ggml.pre`, "smollm"). Without that, two spaces before a digit, as in indented
      code, become two tokens that the model has hardly ever seen so.
    - What begins a text. The file names <|im_start|>, which begins a turn of a conversation; but
      text that the model was trained to continue begins with <|endoftext|>. Of 16 short texts
      it predicts a token at 3.31 nats after the latter, 3.53 after nothing and 3.59 after the
      former.
    """
    # Its bars, which cannot be switched off, are a mess wherever they are not on a terminal.
    with redirect_stderr(io.StringIO()):
        model = LlamaForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype="float16", local_files_only=True
        )
    weights = model.state_dict()
    if model.config.tie_word_embeddings:
        del weights["lm_head.weight"]
    # By way of bytes, so that a full disk is an OSError like any other.
    (folder / WEIGHTS).write_bytes(save(weights))
    config = model.config.to_diff_dict()
    for here in ("quantization_config", "dtype", "_name_or_path"):  # of this reading, not of it
        config.pop(here, None)
    (folder / CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")

    tokenizer = AutoTokenizer.from_pretrained(
        file.parent, gguf_file=file.name, local_files_only=True
    )
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    (folder / TOKENIZER).write_text(backend.to_str(), encoding="utf-8")
    special = {
        "bos_token": "<|endoftext|>",
        "eos_token": tokenizer.eos_token,
        "pad_token": tokenizer.pad_token,
        "chat_template": tokenizer.chat_template,
    }
    (folder / SPECIAL).write_text(json.dumps(special, indent=1), encoding="utf-8")

"""The autoencoders that come with the course; `weights/SAE.md` says how good they are."""

from pathlib import Path

from course_utils.sae.files import load_sae
from course_utils.sae.model import SAE

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
SHIPPED = ("one_layer_A", "one_layer_B", "smollm2_layer4")


def load_shipped(name: str) -> SAE:
    """One of three TopK autoencoders, k = 32, trained by `tools/train_saes.py`.

        one_layer_A      the 512 neurons of our one-layer transformer A -> 4,096 latents
        one_layer_B      the same of B
        smollm2_layer4   the residual stream of SmolLM2-135M after layer 4 (of 0 to 29), 576 ->
                         4,608 latents

    Raises:
        ValueError: there is none of this name, or its file is missing from this copy of the course.
    """
    if name not in SHIPPED:
        raise ValueError(f'name is "{name}"; use one of {", ".join(SHIPPED)}.')
    return load_sae(WEIGHTS / f"{name}_sae.safetensors")

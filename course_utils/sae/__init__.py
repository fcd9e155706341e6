"""Sparse autoencoders: activations as sums of a few directions out of many, and how to find these.

    config = TopKConfig(d_in=512, d_sae=4096, k=32)
    trained = train(config, activations, Recipe(steps=2_000), seed=0, checkpoint="run.safetensors")
    code = trained.sae.encode(x)          # (batch, d_sae), 0 for most
    x_hat = trained.sae.decode(code)      # (batch, d_in); trained.sae(x) is both
    save_sae(trained.sae, "sae.safetensors")
    sae = load_sae("sae.safetensors")

`activations` are a tensor (rows, d_in), the path of a .safetensors or .npy file, or a stream of
(batch, d_in) tensors. Stopped at any moment, the same call goes on from its checkpoint, and gives
the same to the last bit. `trained.history` has the loss, the error, L0, the fraction of variance
unexplained and the number of dead latents of every step.

Read `model` first, then `topk`: the equation and its gradients by hand, in products that `sparse`
makes cheap. `training` is the loop, `recipe` says how long and how fast, `data` where batches come
from, `centre` where they lie, `descent` a step. `files` writes and reads.
`planted` makes activations from a dictionary that is known, to see what is found of it.

Sources: Bricken et al., "Towards Monosemanticity" (2023); Gao et al., "Scaling and evaluating
sparse autoencoders" (2024).
"""

from course_utils.sae.acting import set_latent
from course_utils.sae.agreement import code_correlations
from course_utils.sae.columns import column_blocks, columns
from course_utils.sae.files import load_sae, save_sae
from course_utils.sae.formulas import encode, keep_norms, sae_loss, top_k
from course_utils.sae.model import SAE, Gradients
from course_utils.sae.planted import Planted, planted
from course_utils.sae.progress import Progress
from course_utils.sae.pursuit import matching_pursuit, pursue
from course_utils.sae.recipe import Recipe
from course_utils.sae.relu import ReluConfig, ReluSAE
from course_utils.sae.saelens import read_saelens, write_saelens
from course_utils.sae.scores import (
    best_cosines,
    cosines,
    recovered,
    shrunk,
    variance_explained,
)
from course_utils.sae.shipped import SHIPPED, load_shipped
from course_utils.sae.sweep import load_sweep
from course_utils.sae.topk import TopKConfig, TopKSAE
from course_utils.sae.training import Trained, train

__all__ = [
    "SAE",
    "SHIPPED",
    "Gradients",
    "Planted",
    "Progress",
    "Recipe",
    "ReluConfig",
    "ReluSAE",
    "TopKConfig",
    "TopKSAE",
    "Trained",
    "best_cosines",
    "code_correlations",
    "column_blocks",
    "columns",
    "cosines",
    "encode",
    "keep_norms",
    "load_sae",
    "load_shipped",
    "load_sweep",
    "matching_pursuit",
    "planted",
    "pursue",
    "read_saelens",
    "recovered",
    "sae_loss",
    "save_sae",
    "set_latent",
    "shrunk",
    "top_k",
    "train",
    "variance_explained",
    "write_saelens",
]

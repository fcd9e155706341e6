"""Language models to look into, and ways to look. The only package that knows transformer_lens.

`loading` gives two models, a published one and our own, as transformer_lens's `TransformerBridge`;
`conversion` brings the published one here. `tokens` says which characters a token stands for,
`points` what the places are called where one can listen. `activations` listens there for many
texts, `splicing` changes what passes there, `predictions` says what a model expects, and what a
neuron does to that.

Both models have their weights as they were trained: nothing is folded or centred, and
`enable_compatibility_mode` must not be called. So hook points hold what the model itself computes.
What transformer_lens has, such as `tools.analysis` (sparse probes, interchange interventions, the
logit lens), takes these models as they are.
"""

from course_utils.language.activations import Activations, activations, stream
from course_utils.language.conversion import SMOLLM2, fetch_smollm2
from course_utils.language.loading import load_one_layer, load_smollm2
from course_utils.language.points import SITES, hook_point
from course_utils.language.predictions import (
    Guess,
    direction_effect,
    logit_effect,
    loss,
    next_token,
    top_tokens,
)
from course_utils.language.splicing import splice, spliced
from course_utils.language.tokens import Tokens, from_ids, spell, tokenize

__all__ = [
    "SITES",
    "SMOLLM2",
    "Activations",
    "Guess",
    "Tokens",
    "activations",
    "direction_effect",
    "fetch_smollm2",
    "from_ids",
    "hook_point",
    "load_one_layer",
    "load_smollm2",
    "logit_effect",
    "loss",
    "next_token",
    "spell",
    "splice",
    "spliced",
    "stream",
    "tokenize",
    "top_tokens",
]

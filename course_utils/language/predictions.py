"""What a model expects to come next, how wrong it is, and what a neuron does to that."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from transformer_lens.model_bridge import TransformerBridge

from course_utils.language.tokens import Tokens, spell, tokenize
from course_utils.progress_bar import progress_bar

MOST_LOGITS = 40_000_000  # at once: 160 MB


class Guess(NamedTuple):
    """A token, as a string, with its probability or score."""

    token: str
    score: float


def next_token(model: TransformerBridge, text: str, k: int = 5, *, bos: bool = True) -> list[Guess]:
    """The k likeliest next tokens with their probabilities, the likeliest first.

    Args:
        text: at most as long as the model reads.
        k: 1 to the size of the vocabulary.
        bos: as for `tokenize`.

    Raises:
        ValueError: k is out of range, or as for `tokenize`.
    """
    ids = tokenize(model, text, bos=bos).ids
    with torch.no_grad():
        logits = model(ids, use_cache=False, logits_to_keep=1)[0, -1]
    return top_tokens(model, logits.softmax(-1), k)


def top_tokens(
    model: TransformerBridge,
    scores: Float[Tensor, " vocab"],
    k: int = 8,
    *,
    largest: bool = True,
) -> list[Guess]:
    """The k tokens with the largest scores, or with the smallest.

    Raises:
        ValueError: k is below 1 or more than there are, or there is not one score for each token.
    """
    if not 1 <= k <= model.cfg.d_vocab or len(scores) != model.cfg.d_vocab:
        raise ValueError(
            f"k is {k} and there are {len(scores)} scores; use 1 to {model.cfg.d_vocab}, and a "
            "score for each token."
        )
    values, ids = scores.topk(k, largest=largest)
    return [Guess(spell(model, i), v) for i, v in zip(ids.tolist(), values.tolist())]


def loss(
    model: TransformerBridge,
    texts: str | Sequence[str] | Tokens,
    *,
    batch_size: int = 16,
    max_tokens: int | None = None,
    progress: bool = True,
) -> Float[Tensor, "n_texts longest"]:
    """How surprised the model is by each token: -log p(token | those before it), in nats.

    NaN where there is nothing to predict (what begins a text, or the first token if nothing does)
    and where there is padding: take the `.nanmean()`. A model that knows nothing has
    log(vocabulary), 10.8 for SmolLM2 and 8.3 for our own.

    Args:
        batch_size: at most that many texts are run at once, fewer if their logits would take more
            than 160 MB.
        max_tokens: as for `tokenize`; not for texts that are cut into tokens already.
        progress: show a bar if it takes more than a second.

    Raises:
        ValueError: batch_size is below 1, or as for `tokenize`.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; use at least 1.")
    tokens = texts if isinstance(texts, Tokens) else tokenize(model, texts, max_tokens=max_tokens)
    found = torch.full(tokens.ids.shape, torch.nan)
    order = tokens.lengths.argsort(descending=True, stable=True)
    with progress_bar("Reading texts", len(order), show=progress) as done, torch.no_grad():
        while len(order):
            longest = int(tokens.lengths[order[0]])
            n = max(1, min(batch_size, MOST_LOGITS // (longest * model.cfg.d_vocab)))
            batch, order = order[:n], order[n:]
            ids = tokens.ids[batch, :longest]
            logits = model(ids, use_cache=False)
            for i, text in enumerate(batch.tolist()):  # one by one, for the memory
                found[text, 1:longest] = F.cross_entropy(
                    logits[i, :-1], ids[i, 1:], reduction="none"
                )
            done(len(batch))
    return found.masked_fill(~tokens.is_text, torch.nan)


def logit_effect(model: TransformerBridge, layer: int, neuron: int) -> Float[Tensor, " vocab"]:
    """What a neuron adds to every logit directly, past all later layers, if its activation is 1.

        (w - mean(w)) * g  W_U, minus its mean over the vocabulary;   w = W_out[neuron]

    g are the weights of the final norm. The mean of w is taken off where that norm takes off the
    mean (our own model), not where it does not (SmolLM2). Times the activation at a token, and
    divided by the norm's scale there (hook point "ln_final.hook_scale"), it is exactly what the
    neuron contributes, that scale held fixed. A constant added to all logits changes no
    probability: hence the second mean.

    Large entries are the tokens it makes likelier, negative ones those it makes less likely, if its
    activation is positive; neurons of SmolLM2 also have negative activations.

    Raises:
        ValueError: there is no such layer or neuron.

    Source: "direct logit attribution", Elhage et al., "A Mathematical Framework" (2021).
    """
    cfg = model.cfg
    if not -cfg.n_layers <= layer < cfg.n_layers or not 0 <= neuron < cfg.d_mlp:
        raise ValueError(
            f"layer is {layer} and neuron {neuron}; use layers 0 to {cfg.n_layers - 1} and neurons "
            f"0 to {cfg.d_mlp - 1}."
        )
    return direction_effect(model, model.blocks[layer].mlp.W_out[neuron])


def direction_effect(
    model: TransformerBridge, w: Float[Tensor, " d_model"]
) -> Float[Tensor, " vocab"]:
    """The same for any direction w of the residual stream: what adding w does to every logit.

    See `logit_effect` for the equation. A latent that is a direction d of neurons writes w = d
    W_out.

    Raises:
        ValueError: w is not (d_model,).
    """
    cfg = model.cfg
    if w.shape != (cfg.d_model,):
        raise ValueError(f"w has shape {tuple(w.shape)}; ({cfg.d_model},) is needed.")
    with torch.no_grad():
        if cfg.normalization_type == "LN":
            w = w - w.mean()
        effect = (w * model.ln_final.weight) @ model.W_U
        return effect - effect.mean()

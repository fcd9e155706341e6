"""What a mean over tokens needs: which ones to leave out, where to stop, and the means of texts."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge

from course_utils.language.activations import Activations, stream
from course_utils.language.points import hook_point
from course_utils.language.tokens import Tokens, tokenize

AFTER = 3  # the layer after which they stand out in SmolLM2
RATIO = 2.0
TOGETHER = 8  # texts that are read at once, and among which a token is massive or not


def massive(residual: Float[Tensor, "rows d_model"], ratio: float = RATIO) -> Bool[Tensor, " rows"]:
    """Which tokens have a residual stream more than `ratio` times as long as the median one.

    A few tokens of a text, often a first sign or space, serve the heads as a place to look at when
    there is nothing to look for. Two neurons of layer 2 give them activations 20 times as large as
    all others, whatever they mean: any mean over tokens is then about those few. Look after
    layer 3, where they stand out most.

    Source: Sun et al., "Massive Activations in Large Language Models" (2024).
    """
    length = residual.norm(dim=1)
    return length > ratio * length.median()


def up_to_first(
    tokens: Tokens, pieces: Sequence[str]
) -> tuple[Tokens, Bool[Tensor, "n_texts longest"]]:
    """The texts up to the first of these pieces, and which token that is.

    The token that has the piece stays whole, such as `);` for `;`. Of a character that is several
    tokens only the last counts as the sign, as the others do not know yet what they will be; they
    are left out. A text without any of the pieces has no token left.

    Raises:
        ValueError: a piece is empty.
    """
    has = torch.stack([tokens.containing(piece) for piece in pieces]).any(0)
    places = torch.arange(has.shape[1])
    start = torch.where(has, places, has.shape[1]).amin(1, keepdim=True)
    same = (tokens.offsets == tokens.offsets.gather(1, _at(start, has.shape[1]))).all(-1)
    own = has & same & (places >= start)
    sign = own & ~own.roll(-1, 1).index_fill(1, torch.tensor([has.shape[1] - 1]), False)
    kept = tokens.is_text & ((places < start) | sign) & has.any(1, keepdim=True)
    return replace(tokens, is_text=kept), sign


def before_the_sign(
    tokens: Tokens, is_sign: Bool[Tensor, "n_texts longest"]
) -> tuple[Tokens, Bool[Tensor, "n_texts longest"]]:
    """The same texts without their last token, which is the sign, and the token before it in its
    place: a control. Both as `up_to_first` gives them."""
    kept = tokens.is_text & ~is_sign
    places = torch.arange(1, kept.shape[1] + 1)
    return replace(tokens, is_text=kept), kept & (places == (places * kept).amax(1, keepdim=True))


def _at(start: Tensor, longest: int) -> Tensor:
    return start.clamp_max(longest - 1)[..., None].expand(-1, -1, 2)


def text_means(
    model: TransformerBridge,
    texts: Sequence[str] | Tokens,
    layers: Sequence[int],
    sites: Sequence[str] = ("resid_post", "mlp_post"),
    *,
    progress: bool = True,
) -> dict[str, Float[Tensor, "layers n_texts units"]]:
    """The mean activations of each text at some sites in some layers.

    Tokens with massive activations are left out, unless a text has no others. Memory does not grow
    with the number of tokens.

    Raises:
        ValueError: as for `stream` and `hook_point`.
    """
    points = {site: [hook_point(model, layer, site) for layer in layers] for site in sites}
    look = hook_point(model, min(AFTER, model.cfg.n_layers - 1), "resid_post")
    wanted = [look, *(point for some in points.values() for point in some)]
    tokens = texts if isinstance(texts, Tokens) else tokenize(model, texts)
    means: dict[str, Tensor] = {}
    for block in stream(model, tokens, wanted, batch_size=TOGETHER, progress=progress):
        found, weights = _weights(block, ~massive(block.values[look]))
        for site, some in points.items():
            values = torch.stack([weights @ block.values[point] for point in some])
            if site not in means:
                means[site] = values.new_empty(len(layers), len(tokens.ids), values.shape[2])
            means[site][:, found] = values
    return means


def _weights(block: Activations, keep: Tensor) -> tuple[Tensor, Tensor]:
    """Which texts there are, and of each the share of every token in its mean: (texts, rows)."""
    found = block.text.unique()
    own = block.text == found[:, None]
    some = (own & keep).any(1, keepdim=True)
    own = torch.where(some, own & keep, own).float()
    return found, own / own.sum(1, keepdim=True)

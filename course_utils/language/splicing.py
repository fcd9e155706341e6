"""Put something else in the place of what a model computes: ablate, patch, or splice in."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge

from course_utils.language.points import check_points
from course_utils.language.tokens import Tokens, tokenize

Replacement = Callable[[Tensor], Tensor] | Tensor | float


@contextmanager
def spliced(
    model: TransformerBridge,
    point: str,
    by: Replacement,
    *,
    units: Sequence[int] | None = None,
) -> Iterator[TransformerBridge]:
    """Within it, the model goes on from the replacement, whatever it is asked.

        with spliced(model, point, 0.0, units=[7]):
            loss(model, texts)                          # neuron 7 is ablated

    x at the hook point becomes by(x), or by itself: a number (0: zero ablation) or a tensor of one
    value per unit (their means: mean ablation). An autoencoder is by=lambda x: decode(encode(x)).
    Contexts may be nested; at one point the outer one acts first. What begins a text (position 0)
    is replaced too.

    Args:
        point: see `hook_point`.
        by: a function gets (text, position, unit) and gives the same shape.
        units: replace only these, of the last dimension. None: all.

    Raises:
        ValueError: the point is unknown, or, when the model runs, the replacement has another
            shape or there is no such unit.
    """
    check_points(model, [point])

    def replace(x: Tensor, hook: object) -> Tensor:
        new = by(x) if callable(by) else torch.as_tensor(by)
        sizes = zip(reversed(new.shape), reversed(x.shape))
        spreads = new.dim() <= x.dim() and all(n in (1, m) for n, m in sizes)
        if not (new.shape == x.shape if callable(by) else spreads):
            raise ValueError(f"the replacement is {tuple(new.shape)}; {point} is {tuple(x.shape)}.")
        new = new.to(x.dtype).expand_as(x)
        if units is None:
            return new
        if not units or not all(0 <= unit < x.shape[-1] for unit in units):
            raise ValueError(f"units is {units}; use some of 0 to {x.shape[-1] - 1}, or None.")
        chosen = torch.zeros(x.shape[-1], dtype=torch.bool)
        chosen[list(units)] = True
        return torch.where(chosen, new, x)

    with model.hooks(fwd_hooks=[(point, replace)]):
        yield model


def splice(
    model: TransformerBridge,
    point: str,
    by: Replacement,
    texts: str | Sequence[str] | Tokens,
    *,
    units: Sequence[int] | None = None,
) -> Float[Tensor, "n_texts longest vocab"]:
    """Logits when a hook point is replaced; `splice(model, point, lambda x: x, texts)` are those
    without.

    All at once, and a logit for every token of the vocabulary: 0.2 MB a token for SmolLM2. For more
    than a few texts use `loss` within `spliced`. Where there is padding the logits mean nothing.

    Args and Raises: as for `spliced` and `tokenize`.
    """
    tokens = texts if isinstance(texts, Tokens) else tokenize(model, texts)
    with spliced(model, point, by, units=units), torch.no_grad():
        return model(tokens.ids, use_cache=False)

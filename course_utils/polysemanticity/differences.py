"""What a sign adds to a token: its activations minus those of the other tokens of its text.

One row a text, not a token: tokens of one text are alike, and counting each of them would make
intervals too narrow. `values` has shape (..., n_tokens, n_units), with layers in front if there
are several; `text` says which text a token is of.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

Values = Float[Tensor, "*layers n_tokens n_units"]
Rows = Float[Tensor, "*layers n_texts n_units"]


def differences(
    values: Values, text: Int[Tensor, " n_tokens"], is_sign: Bool[Tensor, " n_tokens"]
) -> Rows:
    """For each text, the mean at its signs minus the mean at its other tokens.

    Texts without a sign, or with nothing else, have no row. The rows are in the order of the texts.

    Both means are of the *same* text, so what its language, its topic or its length add to every
    token is taken out. What all signs share stays in: a semicolon and a comma differ from other
    tokens in similar ways. So two directions of this kind are no strangers to begin with, and
    the fair comparison is with another sign.

    Raises:
        ValueError: no text has both.
    """
    return weights(text, is_sign).to(values.dtype) @ values


def weights(
    text: Int[Tensor, " n_tokens"], is_sign: Bool[Tensor, " n_tokens"]
) -> Float[Tensor, "n_texts n_tokens"]:
    """What each token counts in each text's difference, which is this matrix times the values.

    Raises:
        ValueError: no text has both a sign and another token.
    """
    own = torch.nn.functional.one_hot(text).T.bool()  # (texts, tokens)
    sign, other = own & is_sign, own & ~is_sign
    used = sign.any(1) & other.any(1)
    if not used.any():
        raise ValueError("no text has both a sign and another token; are the signs marked?")
    sign, other = sign[used].double(), other[used].double()
    return sign / sign.sum(1, keepdim=True) - other / other.sum(1, keepdim=True)


def random_signs(
    text: Int[Tensor, " n_tokens"],
    is_sign: Bool[Tensor, " n_tokens"],
    *,
    generator: Generator | None = None,
) -> Bool[Tensor, " n_tokens"]:
    """As many signs in every text as it has, at random places: the label shuffled over tokens."""
    order = torch.rand(len(text), generator=generator).argsort()
    order = order[text[order].argsort(stable=True)]  # the texts in order, each shuffled
    old = text.argsort(stable=True)
    shuffled = torch.zeros_like(is_sign)
    shuffled[order] = is_sign[old]
    return shuffled


def random_directions(
    values: Values,
    text: Int[Tensor, " n_tokens"],
    is_sign: Bool[Tensor, " n_tokens"],
    *,
    n: int = 100,
    generator: Generator | None = None,
) -> Float[Tensor, "*layers {n} n_units"]:
    """Mean differences of n random choices of signs: directions that mean nothing.

    Their cosines are the null "no sign": how large one gets from the tokens of these texts alone.

    Raises:
        ValueError: n is below 1, or no text has a sign and something else.
    """
    return random_weights(text, is_sign, n=n, generator=generator).to(values.dtype) @ values


def random_weights(
    text: Int[Tensor, " n_tokens"],
    is_sign: Bool[Tensor, " n_tokens"],
    *,
    n: int = 100,
    generator: Generator | None = None,
) -> Float[Tensor, "{n} n_tokens"]:
    """What each token counts in each of the `random_directions`.

    Raises:
        ValueError: as for `random_directions`.
    """
    if n < 1:
        raise ValueError(f"n is {n}; use at least 1.")
    signs = (random_signs(text, is_sign, generator=generator) for _ in range(n))
    return torch.stack([weights(text, random).mean(0) for random in signs])

"""What all sparse autoencoders here have in common: the weights, and how a code is decoded.

    f = encode(x),   x_hat = f W_dec + b_dec         W_dec: (d_sae, d_in), rows of norm 1

Row i of W_dec is the direction of latent i, and f_i says how much of it there is in x, in the
unit of x. How a code is found is what the architectures differ in: see `topk` and `relu`.

Source: Bricken et al., "Towards Monosemanticity" (2023).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor


@dataclass(frozen=True)
class SAE:
    """The weights. In rows or columns: latent i reads with W_enc[:, i] and writes W_dec[i]."""

    W_enc: Float[Tensor, "d_in d_sae"]
    b_enc: Float[Tensor, " d_sae"]
    W_dec: Float[Tensor, "d_sae d_in"]
    b_dec: Float[Tensor, " d_in"]
    config: Any

    @classmethod
    def begin(
        cls,
        config: Any,
        x: Float[Tensor, "rows d_in"],
        b_dec: Tensor,
        generator: Generator,
        *,
        data_share: float = 0.0,
    ) -> "SAE":
        """Untrained: directions of norm 1, W_enc = W_dec^T, and b_enc = 0.

        An encoder that starts as the decoder's transpose leaves fewer latents dead.

        Args:
            x: some activations, for directions that begin near them, and for architectures that fit
                their start to them.
            data_share: each direction is so much of a random activation's, x - b_dec, and for the
                rest random. 0: only random.

        Source: Gao et al., "Scaling and evaluating sparse autoencoders" (2024), section 2.4.
        """
        W_dec = torch.randn(config.d_sae, config.d_in, generator=generator)
        W_dec /= W_dec.norm(dim=1, keepdim=True)
        if data_share:
            some = x[torch.randint(len(x), (config.d_sae,), generator=generator)] - b_dec
            W_dec.lerp_(torch.nn.functional.normalize(some, dim=1), data_share)
            W_dec /= W_dec.norm(dim=1, keepdim=True)
        # A latent's weights lie together in memory, for the encoder too: W_enc is a view.
        return cls(W_dec.clone().T, torch.zeros(config.d_sae), W_dec, b_dec, config)

    def encode(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_sae"]:
        """The code of each sample: how much of each latent is in it, 0 for most."""
        raise NotImplementedError

    def decode(self, code: Float[Tensor, "batch d_sae"]) -> Float[Tensor, "batch d_in"]:
        """x_hat = f W_dec + b_dec."""
        return torch.addmm(self.b_dec, code, self.W_dec)

    def __call__(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_in"]:
        """x_hat: what is left of x when it has gone through its code."""
        return self.decode(self.encode(x))

    def gradients(
        self,
        x: Float[Tensor, "batch d_in"],
        dead: Bool[Tensor, " d_sae"] | None = None,
        step: int | None = None,
        *,
        batch: int | None = None,
        prepared: object = None,
    ) -> "Gradients":
        """The derivative of the loss on a batch, given which latents are dead."""
        raise NotImplementedError

    def prepare(self) -> object:
        """What `gradients` can use for all parts of a batch."""
        return None

    def revive(
        self,
        samples: Callable[[], Float[Tensor, "batch d_in"]],
        dead: Bool[Tensor, " d_sae"],
        step: int,
        generator: Generator,
    ) -> Int[Tensor, " reborn"]:
        """After each step: change dead latents, if it is time to, and return which."""
        return torch.empty(0, dtype=torch.int64)

    def parameters(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four tensors, each contiguous; the encoder as W_enc.T, a row a latent."""
        return self.W_enc.T, self.b_enc, self.W_dec, self.b_dec


def best_factor(x_hat: Float[Tensor, "batch d_in"], x: Float[Tensor, "batch d_in"]) -> float:
    """The g with the smallest |x - g x_hat|^2 over the batch; 1 if x_hat is 0."""
    square = total_square(x_hat)
    return torch.dot(x_hat.flatten(), x.flatten()).item() / square if square else 1.0


@dataclass(frozen=True)
class Gradients:
    """Of one batch: the derivatives of the loss, and what the training looks at besides.

    `error` is the mean over samples of |x - x_hat|^2, `loss` that and all penalties. `l0` is how
    many latents are active in a sample, `fired` which are in any.
    """

    W_enc: Float[Tensor, "d_in d_sae"]
    b_enc: Float[Tensor, " d_sae"]
    W_dec: Float[Tensor, "d_sae d_in"]
    b_dec: Float[Tensor, " d_in"]
    loss: float
    error: float
    l0: float
    fired: Bool[Tensor, " d_sae"]


def total_square(x: Float[Tensor, "batch d_in"]) -> float:
    """The sum of all squares."""
    flat = x.view(-1)
    return torch.dot(flat, flat).item()


def check_sizes(**sizes: int) -> None:
    """Raise ValueError unless all are at least 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; use at least 1.")


def check_rows(x: Tensor, d_in: int) -> None:
    """Raise ValueError unless x is (batch, d_in) with at least one sample."""
    if x.ndim != 2 or x.shape[1] != d_in or not len(x):
        raise ValueError(f"x has shape {tuple(x.shape)}; (batch, {d_in}) is needed.")

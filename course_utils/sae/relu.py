"""ReLU with an L1 penalty: a number in the code costs what it is worth, so that most are 0.

    f = ReLU((x - b_dec) W_enc + b_enc),   x_hat = f W_dec + b_dec
    loss = mean over samples of |x - x_hat|^2 + l1_coefficient * sum_i f_i

As rows of W_dec have norm 1, the penalty can't be dodged by a small f and a large row. It also
makes what is active smaller than it should be: "shrinkage", which `topk` has not.

A latent that is never active gets no gradient and stays dead. Now and then all dead ones are born
again, each as the direction of a sample that was reconstructed badly.

Source: Bricken et al., "Towards Monosemanticity" (2023), appendix "Advice for Training Sparse
Autoencoders".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from course_utils.sae.largest import BLOCK
from course_utils.sae.model import (
    SAE,
    Gradients,
    best_factor,
    check_rows,
    check_sizes,
    total_square,
)
from course_utils.sae.sparse import Places

SPARSE = 0.1  # up to this share of active latents, sparse products are faster than dense ones


@dataclass(frozen=True)
class ReluConfig:
    """Which autoencoder.

    Args:
        d_in: how long an activation is.
        d_sae: how many latents.
        l1_coefficient: what a code's sum costs beside the error. The unit is that of training: by
            default activations are scaled to a mean norm of sqrt(d_in).
        l1_warmup_steps: the first steps, in which it rises linearly from 0; fewer latents die.
        resample_every: after so many steps, dead latents are born again; None leaves them dead.

    Raises:
        ValueError: a value is out of range.
    """

    d_in: int
    d_sae: int
    l1_coefficient: float = 1.0
    l1_warmup_steps: int = 0
    resample_every: int | None = None

    def __post_init__(self) -> None:
        check_sizes(d_in=self.d_in, d_sae=self.d_sae)
        if not 0 <= self.l1_coefficient < float("inf"):
            raise ValueError(f"l1_coefficient is {self.l1_coefficient}; use a number of 0 or more.")
        if self.l1_warmup_steps < 0:
            raise ValueError(f"l1_warmup_steps is {self.l1_warmup_steps}; use at least 0.")
        if self.resample_every is not None:
            check_sizes(resample_every=self.resample_every)

    def l1_at(self, step: int) -> float:
        """The coefficient of step 0, 1, ..."""
        return self.l1_coefficient * min(1.0, (step + 1) / (self.l1_warmup_steps + 1))


@dataclass(frozen=True)
class ReluSAE(SAE):
    """A ReLU autoencoder."""

    config: ReluConfig

    @classmethod
    def begin(
        cls,
        config: ReluConfig,
        x: Float[Tensor, "rows d_in"],
        b_dec: Float[Tensor, " d_in"],
        generator: Generator,
        *,
        data_share: float = 0.0,
    ) -> "ReluSAE":
        """As `SAE.begin`, but W_enc = g W_dec^T, and b_enc = -g l1_coefficient / 2.

        For g = 1 this would be the best code if the directions were orthogonal: from each product
        the penalty takes half of its coefficient. So most numbers of the code are 0 from the first
        step on. The factor g is the one with which x_hat fits the activations x best.

        Source: the first step of Daubechies et al., "An iterative thresholding algorithm for
        linear inverse problems with a sparsity constraint" (2004).
        """
        plain = super().begin(config, x, b_dec, generator, data_share=data_share)
        plain.b_enc.sub_(config.l1_coefficient / 2)
        r = x[:2048] - b_dec
        g = best_factor(plain.encode(x[:2048]) @ plain.W_dec, r)
        return cls(plain.W_enc * g, plain.b_enc * g, plain.W_dec, b_dec, config)

    def encode(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_sae"]:
        """f = ReLU((x - b_dec) W_enc + b_enc).

        Raises:
            ValueError: x is not (batch, d_in).
        """
        check_rows(x, self.config.d_in)
        return torch.addmm(self.b_enc, x - self.b_dec, self.W_enc).relu_()

    def gradients(
        self,
        x: Float[Tensor, "batch d_in"],
        dead: Bool[Tensor, " d_sae"] | None = None,
        step: int | None = None,
        *,
        batch: int | None = None,
        prepared: object = None,
    ) -> Gradients:
        """The derivative of the loss by hand.

        With r = x - b_dec, each sample contributes, and the batch averages,

            dx_hat = 2 (x_hat - x),                      dW_dec = f^T dx_hat,
            dz = (dx_hat W_dec^T + l1) [f > 0],          dW_enc = r^T dz,     db_enc = dz,
            db_dec = dx_hat - dz W_enc^T

        Once few numbers of f are not 0, all products but the encoder's are sparse.

        Args:
            dead: has no influence here.
            step: of the warm-up of the penalty; None takes the whole penalty.
            batch: of how many samples x is a part, over which to average; None means x is all.
            prepared: has no influence here.

        Raises:
            ValueError: x is not (batch, d_in).
        """
        check_rows(x, self.config.d_in)
        l1 = self.config.l1_coefficient if step is None else self.config.l1_at(step)
        r = x - self.b_dec
        blocks = self._codes(r)
        first = next(blocks)
        if _count_active(first) <= SPARSE * first.numel():
            return self._sparse_gradients(r, first, blocks, l1, batch or len(x))
        return self._dense_gradients(r, first, blocks, l1, batch or len(x))

    def _codes(self, r: Tensor) -> Iterator[Tensor]:
        """f for some samples after the others, each overwritten by the next."""
        rows = max(1, BLOCK // self.config.d_sae)
        f = r.new_empty(min(rows, len(r)), self.config.d_sae)
        for some in r.split(rows):
            yield torch.addmm(self.b_enc, some, self.W_enc, out=f[: len(some)]).relu_()

    def _sparse_gradients(
        self, r: Tensor, first: Tensor, rest: Iterator[Tensor], l1: float, batch: int
    ) -> Gradients:
        parts = []
        for f in _chain(first, rest):
            place = f.view(-1).nonzero().squeeze(1)
            sample = place.div(f.shape[1], rounding_mode="floor")
            counts = torch.bincount(sample, minlength=len(f))
            parts.append((f.view(-1)[place], place - sample * f.shape[1], counts))
        values, latent, counts = (torch.cat(part) for part in zip(*parts))
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        places = Places(latent, offsets, self.config.d_sae)
        miss = places.decode(values, self.W_dec).sub_(r)  # x_hat - x
        error = total_square(miss) / batch
        dx_hat = miss.mul_(2 / batch)
        dz = places.dots(dx_hat, self.W_dec).add_(l1 / batch)
        dW_dec, dW_enc_T = places.sums(values, dx_hat), places.sums(dz, r)
        db_enc = places.totals(dz)
        fired = torch.zeros(self.config.d_sae, dtype=torch.bool)
        fired[latent] = True
        return Gradients(
            W_enc=dW_enc_T.T,
            b_enc=db_enc,
            W_dec=dW_dec,
            b_dec=dx_hat.sum(0) - db_enc @ self.W_enc.T,
            loss=error + l1 * values.sum().item() / batch,
            error=error,
            l0=len(values) / batch,
            fired=fired,
        )

    def _dense_gradients(
        self, r: Tensor, first: Tensor, rest: Iterator[Tensor], l1: float, batch: int
    ) -> Gradients:
        """In blocks of samples, so that f and dz stay in the processor's cache."""
        dW_enc_T, dW_dec = torch.zeros_like(self.W_dec), torch.zeros_like(self.W_dec)
        db_enc, dx_total = torch.zeros_like(self.b_enc), torch.zeros_like(self.b_dec)
        price = torch.full_like(self.b_enc, l1 / batch)
        fired = torch.zeros(self.config.d_sae, dtype=torch.bool)
        error, total, active = 0.0, 0.0, 0
        dz = torch.empty_like(first)
        for f, some in zip(_chain(first, rest), r.split(len(first))):
            miss = torch.addmm(some, f, self.W_dec, beta=-1)  # x_hat - x
            error += total_square(miss) / batch
            dx_hat = miss.mul_(2 / batch)
            d = torch.addmm(price, dx_hat, self.W_dec.T, out=dz[: len(f)])
            torch.ops.aten.threshold_backward.grad_input(d, f, 0, grad_input=d)  # where f > 0
            dW_dec.addmm_(f.T, dx_hat)
            dW_enc_T.addmm_(d.T, some)
            db_enc += d.sum(0)
            dx_total += dx_hat.sum(0)
            fired |= f.amax(0) > 0
            total += f.sum().item() / batch
            active += _count_active(f)
        return Gradients(
            W_enc=dW_enc_T.T,
            b_enc=db_enc,
            W_dec=dW_dec,
            b_dec=dx_total - db_enc @ self.W_enc.T,
            loss=error + l1 * total,
            error=error,
            l0=active / batch,
            fired=fired,
        )

    def revive(
        self,
        samples: Callable[[], Float[Tensor, "batch d_in"]],
        dead: Bool[Tensor, " d_sae"],
        step: int,
        generator: Generator,
    ) -> Int[Tensor, " reborn"]:
        """After step 1, 2, ...: dead latents are born again, and returned; else none.

        Each takes the direction of a sample (x - b_dec), which is drawn with a probability
        proportional to the square of its |x - x_hat|^2. It reads in that direction too, with a
        fifth of the mean norm of the living, so that it disturbs little.

        Degenerate case: there are never more than samples that have an error.
        """
        if not self.config.resample_every or step % self.config.resample_every:
            return torch.empty(0, dtype=torch.int64)
        which, x = dead.nonzero().squeeze(1), samples()
        chance = (x - self(x)).square().sum(1).square()
        which = which[: int((chance > 0).sum())]
        if not len(which):
            return which
        chosen = torch.multinomial(chance, len(which), generator=generator)
        directions = torch.nn.functional.normalize(x[chosen] - self.b_dec, dim=1)
        self.W_dec[which] = directions
        norms = torch.linalg.vector_norm(self.W_enc, dim=0)
        living = norms[~dead]
        self.W_enc.T[which] = directions * 0.2 * (living if len(living) else norms).mean()
        self.b_enc[which] = 0
        return which


def _count_active(f: Tensor) -> int:
    # NumPy counts truths ten times as fast as PyTorch counts numbers.
    return int(np.count_nonzero(f.bool().numpy()))


def _chain(first: Tensor, rest: Iterator[Tensor]) -> Iterator[Tensor]:
    yield first
    yield from rest

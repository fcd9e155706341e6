"""TopK: the code is the k largest numbers that the encoder finds, and 0 elsewhere.

    z = (x - b_dec) W_enc + b_enc,   f = ReLU(TopK(z)),   x_hat = f W_dec + b_dec

Sparsity is not bought with a penalty that makes all activations smaller, as in `relu`: it is set.
A latent that is never among the k largest gets no gradient and stays dead. So dead ones have a
task of their own, AuxK: to say with their k_aux largest numbers what the others leave over.

Source: Gao et al., "Scaling and evaluating sparse autoencoders" (2024), sections 2.3 and A.2.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from course_utils.sae.largest import BLOCK, Largest
from course_utils.sae.model import (
    SAE,
    Gradients,
    best_factor,
    check_rows,
    check_sizes,
    total_square,
)
from course_utils.sae.sparse import Places


@dataclass(frozen=True)
class TopKConfig:
    """Which autoencoder.

    Args:
        d_in: how long an activation is.
        d_sae: how many latents.
        k: how many of them a sample may use, at most d_sae.
        k_aux: how many dead latents a sample may use in AuxK; None means d_in / 2.
        aux_coefficient: how much AuxK counts beside the error; 0 leaves the dead alone.

    Raises:
        ValueError: a value is out of range.
    """

    d_in: int
    d_sae: int
    k: int = 32
    k_aux: int | None = None
    aux_coefficient: float = 1 / 32

    def __post_init__(self) -> None:
        check_sizes(d_in=self.d_in, d_sae=self.d_sae, k=self.k)
        if self.k > self.d_sae:
            raise ValueError(f"k is {self.k}; use at most d_sae = {self.d_sae}.")
        if self.k_aux is not None:
            check_sizes(k_aux=self.k_aux)
        if not 0 <= self.aux_coefficient < float("inf"):
            raise ValueError(
                f"aux_coefficient is {self.aux_coefficient}; use a number of 0 or more."
            )


@dataclass(frozen=True)
class TopKSAE(SAE):
    """A TopK autoencoder: `encode_sparse` is its code as k values and their places."""

    config: TopKConfig

    @classmethod
    def begin(
        cls,
        config: TopKConfig,
        x: Float[Tensor, "rows d_in"],
        b_dec: Float[Tensor, " d_in"],
        generator: Generator,
        *,
        data_share: float = 0.0,
    ) -> "TopKSAE":
        """As `SAE.begin`; from directions that begin near activations, W_enc = g W_dec^T.

        Such directions are alike, so that k of them would say the same k times. The factor g is the
        one with which x_hat fits the activations x best.
        """
        plain = super().begin(config, x, b_dec, generator, data_share=data_share)
        if not data_share:
            return plain
        g = best_factor(plain(x[:2048]) - b_dec, x[:2048] - b_dec)
        return cls(plain.W_enc * g, plain.b_enc, plain.W_dec, b_dec, config)

    def encode(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_sae"]:
        """f = ReLU(TopK((x - b_dec) W_enc + b_enc)): at most k numbers a sample are not 0."""
        values, indices = self.encode_sparse(x)
        return x.new_zeros(len(x), self.config.d_sae).scatter_(1, indices, values)

    def encode_sparse(
        self, x: Float[Tensor, "batch d_in"]
    ) -> tuple[Float[Tensor, "batch k"], Int[Tensor, "batch k"]]:
        """The same as (values, indices), in no order; a value of 0 is no use of its latent.

        Raises:
            ValueError: x is not (batch, d_in).
        """
        check_rows(x, self.config.d_in)
        return self._code_of(x - self.b_dec, self.prepare())

    def prepare(self) -> Largest:
        """What finds the k largest, with these weights."""
        return Largest(self.W_enc.T, self.b_enc, self.config.k)

    def _code_of(self, r: Tensor, find: Largest) -> tuple[Tensor, Tensor]:
        values, indices = find(r)
        return values.relu_(), indices

    def __call__(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_in"]:
        """x_hat, by way of the sparse code."""
        values, indices = self.encode_sparse(x)
        places = Places.of_rows(indices, self.config.d_sae)
        return places.decode(values.flatten(), self.W_dec) + self.b_dec

    def gradients(
        self,
        x: Float[Tensor, "batch d_in"],
        dead: Bool[Tensor, " d_sae"] | None = None,
        step: int | None = None,
        *,
        batch: int | None = None,
        prepared: Largest | None = None,
    ) -> Gradients:
        """The derivative of the loss by hand, with every product but the encoder's sparse.

        The loss is the mean over samples of |x - x_hat|^2. With r = x - b_dec, each sample
        contributes, and the batch averages,

            dx_hat = 2 (x_hat - x),                   dW_dec = f^T dx_hat,
            dz = dx_hat W_dec^T [f > 0],              dW_enc = r^T dz,     db_enc = dz,
            db_dec = dx_hat - dz W_enc^T

        If some latents are `dead`, AuxK adds aux_coefficient * |e - e_hat|^2, where e = x - x_hat
        counts as a constant and e_hat = a W_dec, with a the k_aux largest z of dead latents. With
        less than k_aux dead latents, it counts proportionally less.

        Args:
            dead: which latents are; None stands for none.
            step: has no influence here.
            batch: of how many samples x is a part, over which to average; None means x is all.
            prepared: what `prepare` returns, to use it for several parts.

        Raises:
            ValueError: x is not (batch, d_in).
        """
        batch = batch or len(x)
        check_rows(x, self.config.d_in)
        r = x - self.b_dec
        values, indices = self._code_of(r, prepared or self.prepare())
        values, places = values.flatten(), Places.of_rows(indices, self.config.d_sae)
        active = values > 0
        miss = places.decode(values, self.W_dec).sub_(r)  # x_hat - x
        squared = total_square(miss) / batch
        dx_hat = miss.mul_(2 / batch)
        dz = places.dots(dx_hat, self.W_dec).mul_(active)
        dW_dec, dW_enc_T = places.sums(values, dx_hat), places.sums(dz, r)
        db_enc = places.totals(dz)
        fired = torch.zeros(self.config.d_sae, dtype=torch.bool)
        fired[places.latent[active]] = True
        loss = squared
        if dead is not None and self.config.aux_coefficient and bool(dead.any()):
            auxiliary = self._add_auxiliary(r, dx_hat, dead, dW_enc_T, db_enc, dW_dec, batch)
            loss += auxiliary
        db_dec = dx_hat.sum(0) - db_enc @ self.W_enc.T
        l0 = active.sum().item() / batch
        return Gradients(dW_enc_T.T, db_enc, dW_dec, db_dec, loss, squared, l0, fired)

    def _add_auxiliary(
        self,
        r: Tensor,
        dx_hat: Tensor,
        dead: Tensor,
        dW_enc_T: Tensor,
        db_enc: Tensor,
        dW_dec: Tensor,
        batch: int,
    ) -> float:
        """Adds what AuxK contributes to three gradients, and returns its loss.

        The dead are few, or soon will be, so that their part of the matrices is multiplied densely.
        """
        which = dead.nonzero().squeeze(1)
        k_aux = self.config.k_aux or max(1, self.config.d_in // 2)
        coefficient = self.config.aux_coefficient * min(1.0, len(which) / k_aux)
        encoder, decoder, bias = self.W_enc.T[which], self.W_dec[which], self.b_enc[which]
        total = 0.0
        d_encoder, d_decoder = torch.zeros_like(encoder), torch.zeros_like(decoder)
        d_bias = torch.zeros_like(bias)
        rows = max(1, BLOCK // len(which))
        for some, d_hat in zip(r.split(rows), dx_hat.split(rows)):
            a = torch.addmm(bias, some, encoder.T)
            if len(which) > k_aux:
                least = a.topk(k_aux, sorted=False).values.amin(1, keepdim=True)
                chosen = a >= least
                a.mul_(chosen)
            # e_hat - e; dx_hat is -2 e / batch
            miss = (a @ decoder).add_(d_hat, alpha=batch / 2)
            total += total_square(miss)
            d_miss = miss.mul_(2 * coefficient / batch)
            d_decoder.addmm_(a.T, d_miss)
            da = d_miss @ decoder.T
            if len(which) > k_aux:
                da.mul_(chosen)
            d_encoder.addmm_(da.T, some)
            d_bias += da.sum(0)
        dW_enc_T.index_add_(0, which, d_encoder)
        dW_dec.index_add_(0, which, d_decoder)
        db_enc.index_add_(0, which, d_bias)
        return coefficient * total / batch

"""One step against the gradient, which leaves every direction of the decoder at norm 1."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.optim.adam import adam

from course_utils.sae.model import SAE, Gradients
from course_utils.sae.recipe import Recipe
from course_utils.sae.team import in_parts

NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")
LATENTS = 256  # at a time: their weights, gradients and averages fit into a core's cache
EPSILON = 1e-8


def remove_parallel(
    gradient: Float[Tensor, "d_sae d_in"], W_dec: Float[Tensor, "d_sae d_in"]
) -> None:
    """Take from each row of the gradient what lies along that row of W_dec, in place.

    A step along a row would be undone by `normalise_rows`, and Adam would wrongly count it.
    """
    along = torch.linalg.vecdot(gradient, W_dec)
    gradient.addcmul_(W_dec, along.unsqueeze(1), value=-1)


def normalise_rows(W_dec: Float[Tensor, "d_sae d_in"]) -> None:
    """Give every row norm 1, in place."""
    W_dec.div_(torch.linalg.vector_norm(W_dec, dim=1, keepdim=True).clamp_min_(1e-12))


class Descent:
    """Adam on the four tensors of an autoencoder, which are changed in place.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015); Bricken et al.,
    "Towards Monosemanticity" (2023), on unit norms.
    """

    def __init__(self, sae: SAE, recipe: Recipe) -> None:
        self.sae, self.recipe = sae, recipe
        self.averages = {
            f"{name}.{average}": torch.zeros_like(weights)
            for name, weights in zip(NAMES, sae.parameters())
            for average in ("mean", "square")
        }

    def step(self, parts: list[Gradients], number: int) -> None:
        """Step `number` of the recipe, against the sum of these gradients, which are used up."""
        b_dec = [part.b_dec for part in parts]
        self._move(("b_dec",), slice(None), [b_dec], number)

        def move(latents: slice) -> None:
            gradients = [
                [part.W_enc.T[latents] for part in parts],
                [part.b_enc[latents] for part in parts],
                [part.W_dec[latents] for part in parts],
            ]
            self._move(("W_enc", "b_enc", "W_dec"), latents, gradients, number)

        in_parts(move, len(self.sae.b_enc), longest=LATENTS)

    def _move(
        self, names: tuple[str, ...], which: slice, gradients: list[list[Tensor]], number: int
    ) -> None:
        all_weights = dict(zip(NAMES, self.sae.parameters()))
        weights = [all_weights[name][which] for name in names]
        totals = [some[0] for some in gradients]
        for total, some in zip(totals, gradients):
            for more in some[1:]:
                total += more
        if "W_dec" in names:
            remove_parallel(totals[-1], weights[-1])
        recipe = self.recipe
        adam(
            weights,
            totals,
            [self.averages[f"{name}.mean"][which] for name in names],
            [self.averages[f"{name}.square"][which] for name in names],
            [],
            [torch.tensor(float(number)) for _ in names],
            fused=True,
            amsgrad=False,
            maximize=False,
            weight_decay=0.0,
            lr=recipe.learning_rate_at(number),
            beta1=recipe.beta_1,
            beta2=recipe.beta_2,
            eps=EPSILON,
        )
        if "W_dec" in names:
            normalise_rows(weights[-1])

    def forget(self, latents: Int[Tensor, " some"]) -> None:
        """Let Adam begin anew with some latents, which have been changed by hand."""
        for name, average in self.averages.items():
            if not name.startswith("b_dec"):
                average[latents] = 0

    def state(self) -> dict[str, Tensor]:
        """Adam's averages of the gradient and of its square."""
        return self.averages

    def resume(self, state: dict[str, Tensor]) -> None:
        for name, average in self.averages.items():
            average.copy_(state[name])

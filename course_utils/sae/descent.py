"""One step against the gradient, which leaves every direction of the decoder at norm 1."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_utils.sae.model import SAE, Gradients
from course_utils.sae.recipe import Recipe

NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")


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
        self.parameters = sae.parameters()
        self.adam = torch.optim.Adam(
            self.parameters, betas=(recipe.beta_1, recipe.beta_2), fused=True
        )

    def step(self, gradients: Gradients, number: int) -> None:
        """Step `number` of the recipe; the gradients are used up."""
        remove_parallel(gradients.W_dec, self.sae.W_dec)
        self.adam.param_groups[0]["lr"] = self.recipe.learning_rate_at(number)
        downhill = (gradients.W_enc.T, gradients.b_enc, gradients.W_dec, gradients.b_dec)
        for parameter, gradient in zip(self.parameters, downhill):
            parameter.grad = gradient
        self.adam.step()
        for parameter in self.parameters:
            parameter.grad = None
        normalise_rows(self.sae.W_dec)

    def state(self) -> dict[str, Tensor]:
        """Adam's averages and its count of steps; empty before the first step."""
        found = self.adam.state_dict()["state"]
        return {f"{NAMES[i]}.{key}": value for i in found for key, value in found[i].items()}

    def resume(self, state: dict[str, Tensor]) -> None:
        full = self.adam.state_dict()
        full["state"] = {
            i: {
                key.split(".")[1]: value
                for key, value in state.items()
                if key.split(".")[0] == name
            }
            for i, name in enumerate(NAMES)
            if state
        }
        self.adam.load_state_dict(full)

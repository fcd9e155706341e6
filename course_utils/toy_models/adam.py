"""Adam on one array of weights, in place, for gradients that are written by hand."""

import math

import torch
from torch import Tensor

from course_utils.toy_models.config import Recipe
from course_utils.toy_models.fast import EPSILON

BETA_1, BETA_2 = 0.9, 0.98  # a shorter memory than usual: these trainings have few steps


class Adam:
    """Moves `weights` against `gradient`: write into that, then call `step`.

    The recipe says the learning rate of each step, and the weight decay. Every buffer is made
    here, and a step only writes into them. With other averages, `torch.optim.AdamW` does the same.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), Algorithm 1.
    """

    def __init__(self, weights: Tensor, recipe: Recipe) -> None:
        self.weights, self.recipe, self.taken = weights, recipe, 0
        self.moments, self.targets = torch.zeros(2, 2, *weights.shape, dtype=weights.dtype)
        self.gradient, self.squared = self.targets
        self.root = torch.empty_like(weights)
        rates = torch.tensor([1 - BETA_1, 1 - BETA_2], dtype=weights.dtype)
        self.rates = rates.view(2, *[1] * weights.ndim)

    def step(self) -> None:
        """One step against the gradient."""
        rate = self.recipe.learning_rate_at(self.taken)
        self.taken += 1
        correction = math.sqrt(1 - BETA_2**self.taken)  # both averages started at 0
        size = rate * correction / (1 - BETA_1**self.taken)
        mean, square = self.moments
        torch.mul(self.gradient, self.gradient, out=self.squared)
        self.moments.lerp_(self.targets, self.rates)
        torch.sqrt(square, out=self.root).add_(EPSILON * correction)
        if self.recipe.weight_decay:
            self.weights.mul_(1 - rate * self.recipe.weight_decay)
        self.weights.addcdiv_(mean, self.root, value=-size)

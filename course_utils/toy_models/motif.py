"""Asymmetric superposition: a neuron with two features, large in from one, large out to the other.

    big:    W_in[j, big]   >= 2 W_in[j, small]       (sizes)
    small:  W_out[small, j] >= 2 W_out[big, j]

and for both a visible product of weight in and weight out: the neuron serves them.

Source: Elhage et al., "Toy Models of Superposition" (2022), "Computation in Superposition".
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_utils.toy_models.absolute import AbsoluteNetwork

VISIBLE = 0.15  # of 1, which is what in times out is in an exact network
LOPSIDED = 2.0

Triples = Bool[Tensor, "d_hidden n_features n_features"]


def lopsided_pairs(network: AbsoluteNetwork) -> tuple[Triples, Triples]:
    """Masks of (neuron, big, small): out the opposite way, and as a control, out the same way.

    `big` has the larger weight in. *Opposite*: `small` has the larger weight out. *The same way*:
    `big` has that too. Both only where the neuron serves both features.
    """
    size_in, out = network.W_in.abs(), network.W_out.T
    serves = size_in * out >= VISIBLE
    both = serves[:, :, None] & serves[:, None, :]
    larger_in = size_in[:, :, None] >= LOPSIDED * size_in[:, None, :]
    smaller_out = out[:, None, :] >= LOPSIDED * out[:, :, None]
    larger_out = out[:, :, None] >= LOPSIDED * out[:, None, :]
    return both & larger_in & smaller_out, both & larger_in & larger_out


def additions(
    network: AbsoluteNetwork, feature: int, output: int, sign: float = 1.0
) -> tuple[Float[Tensor, " d_hidden"], float]:
    """What each neuron adds to an output, and what the bias adds, at x[feature] = sign alone."""
    added = (sign * network.W_in[:, feature]).relu() * network.W_out[output]
    return added, float(network.b[output])


def interference_left(network: AbsoluteNetwork, neuron: int, big: int, small: int) -> float:
    """Of what `neuron` adds to output `small` when `big` is there alone, the share that is left
    when the others have added theirs; at most 0 if they take all of it away.

    The sign of `big` is the one that this neuron answers to.
    """
    sign = float(torch.sign(network.W_in[neuron, big]))
    added, bias = additions(network, big, small, sign)
    return float((added.sum() + bias) / added[neuron])

"""A network without training: four edge filters, and one unit that is to find squares.

image - 1/2  ->  four edge filters, ReLU  ->  weights, bias, ReLU  ->  max over the map
"""

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor
from torch.nn import functional as F

from course_utils import stimuli

# On which side of the edge white is, as a direction in `stimuli.edge`: above, left, below, right.
EDGE_ANGLES = (0.0, 90.0, 180.0, 270.0)
HALF_SIDE = 6.0  # of the squares that are looked for, in pixels
# What the unit meets. A hash is two lines that cross two others: as much of each edge as a square
# has and a little more, in other places. A unit that counts edges takes it for a square.
TASK_KINDS = (*stimuli.KINDS, "hash")


def edge_filter(angle: float) -> Float[Tensor, "5 5"]:
    """5 x 5 weights for an edge with white on the left of a direction, as in `stimuli.edge`.

        n / sum |n|,   n: how far a pixel is to the left of the line through the middle

    The weights add up to 0, so that uniform grey gives 0, and their sizes to 1: the response to
    the best edge is half of its contrast. `angle` is in degrees, and any number will do.
    """
    y, x = torch.meshgrid(torch.arange(2.0, -3, -1), torch.arange(-2.0, 3), indexing="ij")
    a = torch.tensor(angle).deg2rad()
    n = y * a.cos() - x * a.sin()
    return n / n.abs().sum()


def edge_maps(images: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 4 h w"]:
    """ReLU of the four edge filters at every place: white above, left, below and right."""
    filters = torch.stack([edge_filter(angle) for angle in EDGE_ANGLES]).to(images.dtype)
    return F.conv2d(images - 0.5, filters[:, None], padding=2).relu()


def strongest(
    maps: Float[Tensor, "batch 4 h w"], weights: Float[Tensor, "4 k k"], bias: float = 0.0
) -> Float[Tensor, " batch"]:
    """How strongly a unit of the second layer fires where it fires most: 0 if nowhere.

    Its weights say where each kind of edge should be, seen from the middle of the k x k field;
    k is odd, at most as large as the map allows.
    """
    k = weights.shape[-1]
    return (F.conv2d(maps, weights[None], padding=k // 2) + bias).relu().amax((1, 2, 3))


def square_task(
    n: int, *, noise: float = 0.05, generator: Generator | None = None
) -> tuple[Float[Tensor, "{n} 1 32 32"], Int64[Tensor, " {n}"]]:
    """Outlines anywhere in the image and their kinds, as numbers in TASK_KINDS; 0 is a square.

    All have the same size, contrast and orientation (half of the side is 6 pixels), because a
    unit made by hand is for one size. Every kind comes equally often, give or take one.

    Args:
        n: number of images, at least 1.
        noise: standard deviation of each pixel's noise, at least 0.
        generator: source of randomness; None uses torch's global one.
    """
    kinds = torch.randperm(n, generator=generator) % len(TASK_KINDS)
    # The same images whatever the default dtype is, which decides what a generator draws.
    same = {"generator": generator, "dtype": torch.float32}
    # Up to 5.5 pixels off the middle, so that all outlines are whole, broken squares just so.
    position = 11 * torch.rand(n, 2, **same) - 5.5
    images = torch.randn(n, 1, 32, 32, **same) * noise
    for kind, name in enumerate(TASK_KINDS):
        i = (kinds == kind).nonzero().flatten()
        if len(i):
            images[i] += _outline(name, position[i])
    return images.clamp_(0, 1), kinds


def _outline(kind: str, position: Tensor) -> Tensor:
    if kind != "hash":
        return stimuli.shape(kind, position=position, radius=HALF_SIDE, polarity=0.8)
    lines = [
        stimuli.bar(angle, length=15, centre=position + torch.tensor(aside), polarity=0.8)
        for angle, aside in ((0, (0, 3)), (0, (0, -3)), (90, (3, 0)), (90, (-3, 0)))
    ]
    return torch.stack(lines).amax(0)

"""Feature visualisation: an image that drives a unit as much as possible, by gradient ascent.

The image is the sigmoid of numbers that the ascent changes. What keeps it from becoming noise that
happens to drive the unit can be switched off, one by one: random shifts (`jitter`), waves instead
of pixels (`fourier`), and the colours of photographs instead of red, green and blue (`colours`).

An image is always found, whatever the network has learned. So compare its drive with that of
random images, of photographs, and with an untrained network's.

Source: Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill, 2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from course_utils.vision.photographs import drive, image_channels, photographs

PLACES = ("centre", "mean")
Prepare = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Ascent:
    """How an image is found.

    Args:
        size: height and width in pixels, at least 2. Of EfficientNet-Lite0 the middle unit looks at
            the middle of images of 1 + 32 k pixels; see `layers.receptive_field`.
        n_steps: at least 1.
        rate: learning rate of Adam, above 0; about how much the sigmoid's arguments change a step.
        jitter: before each step the image is shifted by up to so many pixels both ways, at random,
            what leaves at one side entering at the other. About an eighth of the size that
            `receptive_pixels` finds is good: 8 in block9, 4 in block5, 1 in block2. 0 switches it
            off, as a unit that sees 3 pixels needs.
        fourier: change the strengths of waves, the larger the longer (1 / frequency), as in
            photographs; else pixels, all alike.
        colours: change them along the axes, and as much, as colours vary in photographs; else red,
            green and blue, each for itself. Grey images have no use for it.
        at: "centre" drives the unit in the middle of the map, "mean" the whole map on average.

    Raises:
        ValueError: a value is out of range; the sentence says which and what to use.
    """

    size: int = 97
    n_steps: int = 128
    rate: float = 0.1
    jitter: int = 4
    fourier: bool = True
    colours: bool = True
    at: str = "centre"

    def __post_init__(self) -> None:
        if self.size < 2 or self.n_steps < 1 or not self.rate > 0 or self.jitter < 0:
            raise ValueError(
                f"size is {self.size}, n_steps {self.n_steps}, rate {self.rate} and jitter "
                f"{self.jitter}; use at least 2, 1, a rate above 0, and a jitter of 0 or more."
            )
        if self.at not in PLACES:
            raise ValueError(f'at is "{self.at}"; use "centre" or "mean".')


@dataclass(frozen=True)
class Visualisation:
    """An image and how much it drives the unit.

    Args:
        image: (channels, size, size), from 0 to 1.
        value: of the objective for that image, not shifted.
        history: the objective at each step, shifts included; or of each random image.
    """

    image: Float[Tensor, "channels size size"]
    value: float
    history: Float[Tensor, " n_steps"]


def unit_objective(
    model: nn.Module,
    layer: str,
    unit: int,
    *,
    at: str = "centre",
    prepare: Prepare = lambda images: images,
) -> Callable[[Float[Tensor, "batch channels h w"]], Float[Tensor, " batch"]]:
    """The function from images to how much they drive a unit; gradients go through it.

    Args:
        model, layer: as for `photographs.drive`, which also says what is meant by drive.
        unit: its number in the layer.
        at: "centre" of the map, or the "mean" over it.
        prepare: from images to what the model takes.

    Raises (the function that is returned):
        ValueError: the layer or the unit is unknown.
    """

    def objective(images: Tensor) -> Tensor:
        maps = drive(model, layer, prepare(images))
        if not 0 <= unit < maps.shape[1]:
            raise ValueError(f'unit is {unit}; "{layer}" has 0 to {maps.shape[1] - 1}.')
        maps = maps[:, unit]
        if at == "mean":
            return maps.mean((1, 2))
        return maps[:, maps.shape[1] // 2, maps.shape[2] // 2]

    return objective


def visualise(
    model: nn.Module,
    layer: str,
    unit: int,
    config: Ascent | None = None,
    *,
    prepare: Prepare = lambda images: images,
    seed: int = 0,
) -> Visualisation:
    """Gradient ascent from a nearly grey image to one that drives the unit.

    Args:
        model, layer, unit, prepare: as for `unit_objective`. The image is grey if the model takes
            one channel.
        seed: of the first image and the shifts. Other seeds show what else drives the unit.

    Degenerate case: nothing happens where the gradient is 0, as of a unit that is never driven.

    Raises:
        ValueError: the layer or the unit is unknown.
    """
    config = config or Ascent()
    objective = unit_objective(model, layer, unit, at=config.at, prepare=prepare)
    generator, channels = Generator().manual_seed(seed), image_channels(model)
    numbers = 0.1 * _numbers(config, channels, 1, generator)
    numbers.requires_grad_()
    optimiser = torch.optim.Adam([numbers], lr=config.rate)
    history = torch.zeros(config.n_steps)
    for step in range(config.n_steps):
        shift = torch.randint(-config.jitter, config.jitter + 1, (2,), generator=generator)
        with torch.enable_grad():
            image = as_image(numbers, config).roll(shift.tolist(), (2, 3))
            value = objective(image).sum()
            (numbers.grad,) = torch.autograd.grad(-value, numbers)
        optimiser.step()
        history[step] = value.detach()
    with torch.no_grad():
        image = as_image(numbers, config)
        return Visualisation(image[0].clone(), float(objective(image)), history)


def best_of_random(
    model: nn.Module,
    layer: str,
    unit: int,
    config: Ascent | None = None,
    *,
    prepare: Prepare = lambda images: images,
    seed: int = 0,
    batch_size: int = 16,
) -> Visualisation:
    """The control: of as many random images as the ascent has steps, the one that drives most.

    They are made of the same waves and colours (or pixels), with numbers drawn from a normal
    distribution and a standard deviation from 1/4 to 4, a different one each time: from pale to
    nearly black and white. The network looks as often as in the ascent; that each step of the
    ascent also takes a gradient, which costs about two looks more, is not made up for.

    Args and Raises: as for `visualise`; batch_size images are shown at once.
    """
    config = config or Ascent()
    objective = unit_objective(model, layer, unit, at=config.at, prepare=prepare)
    generator = Generator().manual_seed(seed)
    values, best, most = [], None, -torch.inf
    with torch.no_grad():
        for start in range(0, config.n_steps, batch_size):
            n = min(batch_size, config.n_steps - start)
            numbers = _numbers(config, image_channels(model), n, generator)
            contrast = 4 ** (2 * torch.rand(n, generator=generator) - 1)
            images = as_image(numbers * contrast.view(-1, *[1] * (numbers.dim() - 1)), config)
            drives = objective(images)
            if best is None or float(drives.max()) > most:
                best, most = images[drives.argmax()].clone(), float(drives.max())
            values.append(drives)
    return Visualisation(best, most, torch.cat(values))


def as_image(
    numbers: Float[Tensor, "batch channels *_"], config: Ascent
) -> Float[Tensor, "batch channels {config.size} {config.size}"]:
    """From the numbers that the ascent changes to images from 0 to 1.

        image = sigmoid(M z),   z = waves * scale (fourier) or the numbers themselves

    Standard normal numbers give arguments of the sigmoid with variance 1, on average over the
    pixels and colours.

    Args:
        numbers: with fourier (batch, channels, size, size // 2 + 1, 2), the real and imaginary
            parts of each wave's strength; else (batch, channels, size, size).
    """
    size = config.size
    z = numbers
    if config.fourier:
        f = torch.fft.fftfreq(size)
        scale = 1 / torch.hypot(f[:, None], f).clamp_min(1 / size)
        scale *= size / (2 * scale.square().sum()).sqrt()
        half = scale[:, : size // 2 + 1].clone()  # the others follow, for the image is real
        for column in (0, -1) if size % 2 == 0 else (0,):
            half[:, column] *= 2**0.5  # these have no others, and only half of each counts
        z = torch.fft.irfft2(torch.view_as_complex(numbers) * half, (size, size), norm="ortho")
    if config.colours and z.shape[1] == 3:
        z = torch.einsum("ij,bjhw->bihw", colour_mixing(), z)
    return z.sigmoid()


@lru_cache(maxsize=1)
def colour_mixing() -> Float[Tensor, "3 3"]:
    """From independent numbers to colours that vary together as those of photographs do.

        M M^T = 3 C / tr C,   C = covariance of red, green and blue over pixels

    Column k of M is the k-th axis of colour, the strongest first: eigenvectors of C times the
    roots of their eigenvalues. All photographs of `photographs` that have colour count alike.
    """
    C = torch.zeros(3, 3, dtype=torch.float64)
    for image in photographs(128).values():
        if not torch.equal(image[0], image[1]):
            C += torch.cov(image.flatten(1).double())
    strength, axes = torch.linalg.eigh(3 * C / C.trace())
    axes = axes * axes.sum(0).sign()  # eigenvectors have no sign of their own: towards white
    return (axes * strength.sqrt()).flip(1).float()


def _numbers(config: Ascent, channels: int, n: int, generator: Generator) -> Tensor:
    size = config.size
    shape = (size, size // 2 + 1, 2) if config.fourier else (size, size)
    return torch.randn(n, channels, *shape, generator=generator)

"""Photographs, and what in them excites a unit most.

The photographs are those that scikit-image and scikit-learn carry with them, so nothing is
fetched. In images rows are counted from the top and columns from the left, from 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F

# Of things and places. Left out: scans, drawings, what a microscope or a doctor's camera shows.
IN_SCIKIT_IMAGE = (
    *("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("hubble_deep_field", "moon", "rocket", "stereo_motorcycle"),
)
IN_SCIKIT_LEARN = ("china", "flower")
FURTHEST = 4096  # pixels; a unit that sees further than half of that is taken to see everything

Prepare = Callable[[Tensor], Tensor]


def photographs(size: int | None = None) -> dict[str, Float[Tensor, "3 h w"]]:
    """Fourteen photographs by name, RGB from 0 to 1: a cat, a rocket, coins, grass, a temple, ...

    Those without colour (brick, camera, coins, grass, gravel, moon) have three equal channels.

    Args:
        size: None leaves them as they are, from 300 to 741 pixels a side. A number takes the
            square in the middle, scaled to that height and width, so that they can be stacked.

    Raises:
        ValueError: size is below 1.

    Source: `skimage.data` and `sklearn.datasets.load_sample_images`; their documentation names the
    photographers.
    """
    # Here and not above: together they take a second to load, and few notebooks need them.
    from skimage import data
    from sklearn.datasets import load_sample_image

    if size is not None and size < 1:
        raise ValueError(f"size is {size}; use at least 1 pixel, or None for the whole pictures.")
    arrays = {name: getattr(data, name)() for name in IN_SCIKIT_IMAGE}
    arrays["motorcycle"] = arrays.pop("stereo_motorcycle")[0]  # what the left eye sees
    # Of the sky a part is enough, and a network takes little memory for it.
    arrays["hubble"] = arrays.pop("hubble_deep_field")[:512, :640]
    arrays |= {name: load_sample_image(f"{name}.jpg") for name in IN_SCIKIT_LEARN}
    images = {}
    for name, array in arrays.items():
        image = torch.tensor(array).float() / 255
        image = image.permute(2, 0, 1) if image.dim() == 3 else image.expand(3, -1, -1)
        images[name] = (image if size is None else _middle_square(image, size)).contiguous()
    return images


def drive(
    model: nn.Module, layer: str, images: Float[Tensor, "batch channels h w"]
) -> Float[Tensor, "batch units map_h map_w"]:
    """What the units of a layer are driven by: its output, or, of a ReLU or ReLU6, its input.

    The same order as the activation, but also below 0, and above 6 where ReLU6 makes everything
    alike; and its gradient never vanishes for that reason. Layers after this one are not run.
    Gradients reach the images if they require them.

    Args:
        model: a network with a dict `hooks` from names to modules; `layer` is one of the names.
        images: as the model wants them.

    Raises:
        ValueError: the layer is unknown.
    """
    if layer not in model.hooks:
        raise ValueError(f'layer is "{layer}"; use one of {", ".join(model.hooks)}.')
    module, kept = model.hooks[layer], []
    before = isinstance(module, nn.ReLU | nn.ReLU6)

    def keep(module: nn.Module, *call: object) -> None:
        kept.append((call[0][0] if before else call[1]).clone())  # others may work on it in place
        raise _Enough

    hook = (module.register_forward_pre_hook if before else module.register_forward_hook)(keep)
    try:
        model(images)
    except _Enough:
        pass
    finally:
        hook.remove()
    return kept[0]


@dataclass(frozen=True)
class Field:
    """Which pixels the units of a layer see, along one axis of the image.

    Unit i of the map looks at pixel `centre + stride * i`, which ends in 1/2 if it sees an even
    number of them. It sees `reach` pixels around that one; the `size` in the middle matter most.
    What lies outside of the image is padding.
    """

    centre: float
    stride: int
    reach: int
    size: int

    def start(self, i: Int[Tensor, " *places"]) -> Int[Tensor, " *places"]:
        """The first of the `size` pixels of unit i."""
        return (self.centre + self.stride * i - (self.size - 1) / 2).floor().long()


def receptive_pixels(
    model: nn.Module,
    layer: str,
    length: int = 64,
    *,
    share: float = 0.95,
    prepare: Prepare = lambda images: images,
    shortest: int = 64,
    n_probes: int = 8,
    seed: int = 0,
) -> Field:
    """The receptive field of a layer's units along an axis of `length` pixels, from gradients.

    Two neighbouring units in the middle of a strip of noise are asked which of its pixels change
    them, in any channel: how far they reach, and how far apart they are. That is what kernel
    sizes, strides, padding and pooling say, whatever the weights unless they are exactly 0. The
    strip is lengthened by multiples of 64 until the field fits, which changes nothing if the
    strides multiply to a divisor of 64. Deep units reach far more pixels than matter to them. So
    the size is the smallest part in the middle that holds a share of

        w(column) = sum over probes v, rows and colours of (d v . units / d pixel)^2

    with v standard normal, which does depend on the weights.

    Args:
        model, layer: as for `drive`.
        length: height or width of the image. How a network pads may depend on it.
        share: above 0 and below 1, of w. With 1 the size is the reach.
        prepare: from images to what the model takes.
        shortest: the strip to start with; more only saves time.
        n_probes, seed: of v, at least 1; of it and the noise.

    Raises:
        ValueError: the layer is unknown, share is not above 0 and at most 1, a number is below 1,
            or the units reach more than half of 4,096 pixels, perhaps everything.

    Source of the size: Luo et al., "Understanding the Effective Receptive Field" (2016).
    """
    if not 0 < share <= 1 or min(length, shortest, n_probes) < 1:
        raise ValueError(
            f"share is {share}, length {length}, shortest {shortest} and n_probes {n_probes}; use "
            "a share above 0 and at most 1, and at least 1 for the others."
        )
    noise = Generator().manual_seed(seed)
    length = 64 * max(1, shortest // 64) + length % 64
    while length <= FURTHEST:
        strip = torch.rand(
            1, image_channels(model), 33, length, generator=noise, requires_grad=True
        )
        with torch.enable_grad():
            maps = drive(model, layer, prepare(strip))
        i = maps.shape[3] // 2 - 1
        units = maps[0, :, maps.shape[2] // 2, max(i, 0) :]

        def influence(place: int, units: Tensor = units, strip: Tensor = strip) -> Tensor:
            v = torch.randn(len(units), generator=noise)
            (gradient,) = torch.autograd.grad(units[:, place] @ v, strip, retain_graph=True)
            return gradient[0].double().square().sum((0, 1))

        seen = [influence(place) for place in (0, 1) if i >= 0]
        ends = [w.nonzero().flatten()[[0, -1]].tolist() for w in seen if w.any()]
        if len(ends) == 2 and ends[0][0] > 0 and ends[1][1] < length - 1:
            (first, last), (following, _) = ends
            stride, size = following - first, last - first + 1
            if share < 1:
                w = sum(influence(0) for _ in range(n_probes))
                size = _smallest(w[first : last + 1], share)
            return Field((first + last) / 2 - stride * i, stride, last - first + 1, size)
        length += 64 * (length // 64)
    raise ValueError(
        f'units of "{layer}" reach more than {FURTHEST // 2} pixels, or none; use another layer.'
    )


@dataclass(frozen=True)
class Patches:
    """Parts of photographs that drive a unit most, the strongest first.

    `values` are what drives the unit there, in its photograph (see `drive`), `names` those of the
    photographs, and `corners` the (row, column) of each patch's first pixel in them.
    """

    images: Float[Tensor, "k channels side side"]
    values: Float[Tensor, " k"]
    names: tuple[str, ...]
    corners: Int[Tensor, "k 2"]


def top_patches(
    model: nn.Module,
    layer: str,
    units: int | Sequence[int],
    images: Mapping[str, Float[Tensor, "channels _ _"]],
    k: int = 9,
    *,
    per_image: int = 2,
    side: int | None = None,
    share: float = 0.95,
    prepare: Prepare = lambda images: images,
) -> Patches | dict[int, Patches]:
    """The k patches of some photographs that drive a unit most; a dict by unit for several.

    A patch is a square around the middle of a unit's receptive field, as `receptive_pixels` finds
    it for the size of the photograph. Two patches of a photograph never overlap (the stronger one
    is taken), and there are at most `per_image` of them: neighbours show nearly the same. Patches
    that would stick out are not considered, for there the unit sees padding too.

    Photographs are shown one at a time, as large as they are: memory goes with the largest.

    Args:
        model, layer: as for `drive`.
        units: a number, or several; the photographs are shown only once.
        images: by name, (channels, h, w), of any sizes.
        k: at least 1; there are fewer if the photographs do not have as many.
        per_image: at least 1.
        side: of the patches in pixels. None: the size of the receptive field, for the share.
        share: as for `receptive_pixels`.
        prepare: from images to what the model takes.

    Degenerate case: images smaller than the patch are left out.

    Raises:
        ValueError: a layer or unit is unknown, a count is below 1, or no image is large enough.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014).
    """
    several = [units] if isinstance(units, int) else list(units)
    if min(k, per_image, len(several), 1 if side is None else side) < 1:
        raise ValueError(
            f"k is {k}, per_image {per_image}, side {side} and units {several}; use at least 1 for "
            "the numbers, and at least one unit."
        )
    look = partial(receptive_pixels, model, layer, prepare=prepare)
    anywhere = look(share=share)
    side = side or anywhere.size
    look = partial(look, share=1.0, shortest=2 * anywhere.reach + 2 * anywhere.stride)
    lengths = {64 + n % 64 for image in images.values() for n in image.shape[1:]}
    fields = {n: replace(look(n), size=side) for n in lengths}
    found: dict[int, list] = {unit: [] for unit in several}
    for name, image in images.items():
        if min(image.shape[1:]) < side:
            continue
        with torch.no_grad():
            maps = drive(model, layer, prepare(image[None]))[0]
        if not all(0 <= unit < len(maps) for unit in several):
            raise ValueError(f'units are {several}; "{layer}" has 0 to {len(maps) - 1}.')
        starts = [
            fields[64 + n % 64].start(torch.arange(n_map))
            for n, n_map in zip(image.shape[1:], maps.shape[1:])
        ]
        inside = [(s >= 0) & (s + side <= n) for s, n in zip(starts, image.shape[1:])]
        rows, columns = (s[whole] for s, whole in zip(starts, inside))
        maps = maps[several][:, inside[0]][:, :, inside[1]]
        for unit, values in zip(several, maps):
            for value, i, j in _peaks(values, rows, columns, side, per_image):
                found[unit].append((value, name, int(rows[i]), int(columns[j])))
    if not any(found.values()):
        raise ValueError(
            f"no image has room for {side} x {side} pixels; use larger ones, or a smaller side."
        )
    best = {u: _cut(sorted(those, reverse=True)[:k], images, side) for u, those in found.items()}
    return best[units] if isinstance(units, int) else best


def _peaks(
    values: Tensor, rows: Tensor, columns: Tensor, side: int, n: int
) -> list[tuple[float, int, int]]:
    """The n largest values of a map, (value, i, j), whose patches do not overlap."""
    values, peaks = values.clone(), []
    while len(peaks) < n and values.numel() and bool((values > -torch.inf).any()):
        i, j = divmod(int(values.argmax()), values.shape[1])
        peaks.append((float(values[i, j]), i, j))
        near = ((rows - rows[i]).abs() < side)[:, None] & ((columns - columns[j]).abs() < side)
        values[near] = -torch.inf
    return peaks


def _cut(best: list, images: Mapping[str, Tensor], side: int) -> Patches:
    values, names, rows, columns = zip(*best)
    cut = [images[n][:, r : r + side, c : c + side] for n, r, c in zip(names, rows, columns)]
    return Patches(torch.stack(cut), torch.tensor(values), names, torch.tensor([rows, columns]).T)


def _middle_square(image: Tensor, size: int) -> Tensor:
    h, w = image.shape[1:]
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    square = image[None, :, top : top + side, left : left + side]
    return F.interpolate(square, (size, size), mode="bilinear", antialias=True)[0].clamp(0, 1)


def _smallest(w: Tensor, share: float) -> int:
    """How many of the pixels, around the middle one or two, hold this share of the sum."""
    paired = (w + w.flip(0)) / 2
    outer = paired[: len(w) // 2].cumsum(0) * 2 / w.sum()  # lost without the outermost ones
    return len(w) - 2 * int((outer <= 1 - share).sum())


def image_channels(model: nn.Module) -> int:
    """Of the images that the model takes: those of its first convolution."""
    return next(m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d))


class _Enough(Exception):
    """What was asked for has been seen; the rest of the network need not run."""

"""What the units of a network do when images are shown: the one place where hooks are set."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn


def activations(
    model: nn.Module,
    images: Float[Tensor, "batch channels h w"],
    layers: Sequence[str],
    *,
    batch_size: int = 64,
    at: str = "everywhere",
) -> dict[str, Tensor]:
    """Outputs of some layers, by name; the layers after the last of them are not run.

    Args:
        model: a network with a dict `hooks` from names to modules, such as `SmallCNN` or
            `EfficientNetLite0`.
        images: as the model wants them.
        layers: names out of `model.hooks`.
        batch_size: how many images are run at once; memory grows with it.
        at: "everywhere" gives maps, (batch, units, h, w); "centre" the value at the middle of the
            map, "max" the largest and "mean" the mean over it, each (batch, units). The middle of
            the map need not look at the middle of the image: see `receptive_field`.

    Raises:
        ValueError: a layer is unknown, none is asked for, or `at` is none of the four.
    """
    reduce = {
        "everywhere": lambda maps: maps,
        "centre": lambda maps: maps[..., maps.shape[-2] // 2, maps.shape[-1] // 2],
        "max": lambda maps: maps.amax((-2, -1)),
        "mean": lambda maps: maps.mean((-2, -1)),
    }
    if at not in reduce:
        raise ValueError(f'at is "{at}"; use one of {", ".join(reduce)}.')
    unknown = [name for name in layers if name not in model.hooks]
    if unknown or not layers:
        raise ValueError(f"layers is {list(layers)}; use some of {', '.join(model.hooks)}.")
    kept: dict[str, list[Tensor]] = {name: [] for name in layers}

    def keep(name: str, output: Tensor) -> None:
        # A view would keep the whole map in memory, and change with what works in place on it.
        kept[name].append(reduce[at](output.detach()).clone())
        if all(len(batches) == len(kept[name]) for batches in kept.values()):
            raise _Enough

    hooks = [
        model.hooks[name].register_forward_hook(lambda *call, name=name: keep(name, call[2]))
        for name in layers
    ]
    try:
        with torch.no_grad():
            for batch in images.split(batch_size):
                try:
                    model(batch)
                except _Enough:
                    pass
    finally:
        for hook in hooks:
            hook.remove()
    return {name: torch.cat(batches) for name, batches in kept.items()}


def receptive_field(
    model: nn.Module,
    images: Float[Tensor, "batch channels h w"],
    layer: str,
    *,
    n_probes: int = 8,
    generator: Generator | None = None,
) -> tuple[Float[Tensor, " 2"], float]:
    """Where the middle units of a layer look: the centre (x, y) and the spread, in pixels.

        w(pixel) = mean over probes v of sum over images and channels of (d v . units / d pixel)^2

    with v standard normal, so that w is the sum over units. The centre is the mean of the pixels'
    places weighted by w, as in `stimuli` from the middle of the image, with y upwards; the spread
    is the standard deviation from there, along either axis. The pixels that have any influence
    reach several times as far.

    The centre is off if the padding is uneven: EfficientNet-Lite0 pads images of even sizes at
    their right and lower ends, those of 1 + 32 k pixels evenly (down to a sixteenth of the size).
    And training may move it.

    Args:
        model, layer: as for `activations`.
        images: as the model wants them. Photographs or noise; what a unit is sensitive to depends
            on what it sees.
        n_probes: at least 1.
        generator: source of randomness; None uses torch's global one.

    Raises:
        ValueError: the layer is unknown, n_probes is below 1, or no pixel has any influence.

    Source: the "effective receptive field" of Luo et al. (2016).
    """
    if layer not in model.hooks or n_probes < 1:
        raise ValueError(
            f'layer is "{layer}" and n_probes is {n_probes}; use one of {", ".join(model.hooks)}, '
            "and at least 1 probe."
        )
    kept: list[Tensor] = []

    def keep(*call: object) -> None:
        kept.append(call[2])
        raise _Enough

    images = images.detach().clone().requires_grad_()
    hook = model.hooks[layer].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            model(images)
    except _Enough:
        pass
    finally:
        hook.remove()
    middle = kept[0][..., kept[0].shape[-2] // 2, kept[0].shape[-1] // 2]
    w = torch.zeros(images.shape[-2:])
    for _ in range(n_probes):
        v = torch.randn(middle.shape[1], generator=generator)
        (gradient,) = torch.autograd.grad((middle @ v).sum(), images, retain_graph=True)
        w += gradient.square().sum((0, 1))
    if not bool(w.sum() > 0):
        raise ValueError(f'no pixel has any influence on "{layer}"; use other images.')
    w = w / w.sum()
    x, y = (torch.arange(n) - (n - 1) / 2 for n in (w.shape[1], w.shape[0]))
    centre = torch.stack([w.sum(0) @ x, -(w.sum(1) @ y)])
    squares = w.sum(0) @ (x - centre[0]) ** 2 + w.sum(1) @ (-y - centre[1]) ** 2
    return centre, float((squares / 2).sqrt())


class _Enough(Exception):
    """What was asked for has been seen; the rest of the network need not run."""

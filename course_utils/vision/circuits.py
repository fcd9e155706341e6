"""Circuits in a `SmallCNN`: switch connections off, and see what the network still can.

A connection carries what one unit contributes to one unit of the next layer (or to a class), and
contributions add up before the ReLU. So a connection can be switched off exactly: take what it
carries out of the sum, and put something else in its place.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from course_utils.vision.small_cnn import SmallCNN

ABLATIONS = ("zero", "mean", "resample")


@dataclass(frozen=True)
class Circuit:
    """Which connections are on.

    Args:
        conv2: (c2, c1), whether unit o of conv2 hears unit i of conv1.
        fc: (n_classes, c2), whether a class hears unit o of conv2.

    `~circuit` is all that is not in it. A circuit of units has the connections among them, and
    those to all classes: to tell squares, others must be told as well.
    """

    conv2: Bool[Tensor, "c2 c1"]
    fc: Bool[Tensor, "n_classes c2"]

    @classmethod
    def of_units(
        cls,
        model: SmallCNN,
        *,
        conv1: Collection[int] | None = None,
        conv2: Collection[int] | None = None,
    ) -> "Circuit":
        """The connections among some units; None means every unit of that layer.

        Raises:
            ValueError: there is no unit with such a number.
        """
        c1, c2 = model.config.channels
        on1, on2 = _chosen("conv1", conv1, c1), _chosen("conv2", conv2, c2)
        return cls(on2[:, None] & on1, on2.expand(model.config.n_classes, -1).clone())

    def __invert__(self) -> "Circuit":
        return Circuit(~self.conv2, ~self.fc)

    def without(
        self,
        units: Collection[tuple[str, int]] = (),
        connections: Collection[tuple[str, int, int]] = (),
    ) -> "Circuit":
        """The same with more switched off; a unit is off when nothing hears it.

        Args:
            units: (layer, unit), layer "conv1" or "conv2".
            connections: (layer, from, to), the layer of the unit that is heard.
        """
        on = {"conv1": self.conv2.clone(), "conv2": self.fc.clone()}
        for layer, unit in units:
            on[layer][:, unit] = False
        for layer, unit, to in connections:
            on[layer][to, unit] = False
        return Circuit(on["conv1"], on["conv2"])


class Trace:
    """What every connection carries for a set of images: the whole network, laid open.

    Attributes:
        carried: (n_images, c2, c1, h, w), what each unit of conv1 adds to each of conv2. Computed
            when a circuit first asks for single connections between the two, and then kept: it
            takes 0.13 MB an image for the usual network and 32 pixels.
        total: (n_images, c2, h, w), their sum and the bias.
        fired: (n_images, c2), the largest value of each unit of conv2 over its map, at least 0.
    """

    def __init__(
        self,
        model: SmallCNN,
        images: Float[Tensor, "n_images 1 size size"],
        labels: Int[Tensor, " n_images"],
        *,
        seed: int = 0,
    ) -> None:
        """`seed` chooses, for each image, the other image that resample ablation takes."""
        self.model, self.labels = model, labels
        self.other = torch.randperm(len(images), generator=Generator().manual_seed(seed))
        with torch.no_grad():
            self.maps = F.max_pool2d(model.relu1(model.conv1(images - 0.5)), 2)
            self.total = model.conv2(self.maps)
            self.fired = self.total.relu().amax((2, 3))

    @cached_property
    def carried(self) -> Float[Tensor, "n_images c2 c1 h w"]:
        weight = self.model.conv2.weight.detach()
        c2, c1, k, _ = weight.shape
        # Each map of conv1 by itself, through the c2 filters that listen to it.
        each = weight.transpose(0, 1).reshape(c1 * c2, 1, k, k)
        carried = F.conv2d(self.maps, each, padding=k // 2, groups=c1)
        return carried.unflatten(1, (c1, c2)).transpose(1, 2)

    def logits(
        self, circuit: Circuit, ablation: str = "resample"
    ) -> Float[Tensor, "n_images n_classes"]:
        """The class scores when only the connections of the circuit are on.

        What a connection that is off carries is replaced by

        * "zero": nothing. Also the usual amount is missing, so that the sums that follow are
          unlike any that the network has ever seen;
        * "mean": what it carries on average over the images, at each place of the map;
        * "resample": what it carries for another image, one at random for each image. Every
          value is then one that occurs, and no information about this image comes through.

        Degenerate case: with every connection on, the network's own scores.

        Raises:
            ValueError: the ablation is unknown.

        Source: Wang et al., "Interpretability in the Wild" (2022), for mean ablation against zero;
        Chan et al., "Causal Scrubbing" (2022), for resampling.
        """
        if ablation not in ABLATIONS:
            raise ValueError(f'ablation is "{ablation}"; use one of {", ".join(ABLATIONS)}.')

        def instead(value: Tensor) -> Tensor:
            if ablation == "zero":
                return torch.zeros_like(value)
            return value.mean(0).expand_as(value) if ablation == "mean" else value[self.other]

        fired = self.fired.clone()
        changed = (~circuit.conv2).any(1) & circuit.fc.any(0)  # the rest nobody hears
        for unit in changed.nonzero().flatten().tolist():
            lost = self.carried[:, unit, ~circuit.conv2[unit]].sum(1)
            total = self.total[:, unit] - lost + instead(lost)
            fired[:, unit] = total.relu().amax((1, 2))
        weight = self.model.fc.weight
        heard = fired @ (weight * circuit.fc).T
        return heard + instead(self.fired) @ (weight * ~circuit.fc).T + self.model.fc.bias

    def strengths(self) -> dict[str, Tensor]:
        """How much each connection carries, with its sign, on average over the images.

        "conv1": (c2, c1), what unit i adds to unit o at the place where o fires most;
        "conv2": (n_classes, c2), weight times how strongly the unit fires.
        """
        place = self.total.flatten(2).argmax(2)[:, :, None, None]
        at_peak = self.carried.flatten(3).take_along_dim(place, 3).squeeze(3)
        return {
            "conv1": at_peak.mean(0),
            "conv2": self.model.fc.weight * self.fired.mean(0),
        }


def detection(
    logits: Float[Tensor, "n_images n_classes"], labels: Int[Tensor, " n_images"], target: int
) -> float:
    """Balanced accuracy of "is this the target?", the answer being the class of largest score.

    The mean of two shares: targets that are called so, and others that are not. Chance is 1/2,
    also for a network that gives the same answer to everything.

    Raises:
        ValueError: there is no image of the target, or none of another class.
    """
    said, true = logits.argmax(1) == target, labels == target
    if true.all() or not true.any():
        raise ValueError(
            f"use images of class {target} and of others: one kind alone says nothing."
        )
    return float((said[true].float().mean() + (~said[~true]).float().mean()) / 2)


def recovered(score: float, whole: float, nothing: float) -> float:
    """What a circuit keeps of what the whole network can: its *faithfulness*.

        (score - nothing) / (whole - nothing)

    1 as good as the whole network, 0 as bad as with everything off; it may be beyond either. Of
    all that is NOT in the circuit, the same number says how *complete* the circuit is: 0 when
    nothing is left outside.

    Degenerate case: NaN when the whole network is no better than nothing.

    Source: Marks et al., "Sparse Feature Circuits" (2024).
    """
    return (score - nothing) / (whole - nothing) if whole != nothing else float("nan")


def most_needed_units(trace: Trace, target: int, ablation: str = "resample") -> list[int]:
    """The units of conv2, the most needed first, found from the end.

    Switch off the unit without which the cross-entropy of "is this the target?", each side
    counting half, is lowest; go on with the rest until none is left. The first k of the list are a
    circuit of k units. Better ones may exist: the search never takes a step back.
    """
    kept, gone = list(range(trace.fired.shape[1])), []
    while kept:
        losses = [
            _cross_entropy(
                trace.logits(
                    Circuit.of_units(trace.model, conv2=[u for u in kept if u != unit]), ablation
                ),
                trace.labels == target,
                target,
            )
            for unit in kept
        ]
        gone.append(kept.pop(min(range(len(kept)), key=losses.__getitem__)))
    return gone[::-1]


def _cross_entropy(logits: Tensor, true: Tensor, target: int) -> float:
    """Of the answers "target" and "another"; the margin is all that counts."""
    others = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1).logsumexp(1)
    loss = F.softplus(torch.where(true, 1.0, -1.0) * (others - logits[:, target]))
    return float((loss[true].mean() + loss[~true].mean()) / 2)


def _chosen(layer: str, units: Collection[int] | None, n: int) -> Tensor:
    on = torch.zeros(n, dtype=torch.bool)
    for unit in range(n) if units is None else units:
        if not 0 <= unit < n:
            raise ValueError(f"{layer} has no unit {unit}; use 0 to {n - 1}.")
        on[unit] = True
    return on

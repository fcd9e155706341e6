"""A CNN small enough to be understood as a whole, and its training.

    x - 1/2  ->  conv1, ReLU  ->  max over 2 x 2  ->  conv2, ReLU  ->  max over the map  ->  fc

Two layers of convolution, no batch norm: a unit of conv2 is a ReLU of a sum of filtered maps of
conv1, and a class score is a weighted sum of how strongly each unit of conv2 fires anywhere.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class CNNConfig:
    """Sizes of a `SmallCNN`.

    Args:
        n_classes: at least 2.
        channels: units of conv1 and conv2, each at least 1.
        kernels: sides of their filters in pixels; odd, so that a filter has a middle. One pixel of
            conv2's input is two of the image.

    Raises:
        ValueError: a value is out of range; the sentence says which and what to use.
    """

    n_classes: int = 6
    channels: tuple[int, int] = (8, 16)
    kernels: tuple[int, int] = (5, 7)

    def __post_init__(self) -> None:
        if self.n_classes < 2:
            raise ValueError(f"n_classes is {self.n_classes}; use at least 2.")
        if min(self.channels) < 1:
            raise ValueError(f"channels is {self.channels}; use at least one unit in each layer.")
        if min(self.kernels) < 1 or not all(k % 2 for k in self.kernels):
            raise ValueError(f"kernels is {self.kernels}; use odd numbers, such as 5 and 7.")


class SmallCNN(nn.Module):
    """The network above for grey images from 0 to 1; its first weights come from `seed`."""

    def __init__(self, config: CNNConfig | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config = config or CNNConfig()
        (c1, c2), (k1, k2) = config.channels, config.kernels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv1 = nn.Conv2d(1, c1, k1, padding=k1 // 2)
            self.conv2 = nn.Conv2d(c1, c2, k2, padding=k2 // 2)
            self.fc = nn.Linear(c2, config.n_classes)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()

    @property
    def hooks(self) -> dict[str, nn.Module]:
        """Where `layers.activations` listens: both layers after their ReLU."""
        return {"conv1": self.relu1, "conv2": self.relu2}

    def forward(self, x: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch n_classes"]:
        x = F.max_pool2d(self.relu1(self.conv1(x - 0.5)), 2)
        return self.fc(self.relu2(self.conv2(x)).amax((2, 3)))


def train_cnn(
    images: Float[Tensor, "n_images 1 h w"],
    labels: Int[Tensor, " n_images"],
    config: CNNConfig | None = None,
    *,
    seed: int = 0,
    n_steps: int = 400,
    batch_size: int = 64,
    learning_rate: float = 0.01,
) -> SmallCNN:
    """Train by AdamW on the cross-entropy, with a learning rate that rises and falls (one cycle).

    The seed decides on the first weights and on which images come when. The result is in
    evaluation mode, its gradients off. 400 steps of 64 images of 32 x 32 pixels take about 6 s.

    Raises:
        ValueError: a label is below 0 or not below n_classes; there is no image; n_steps or
            batch_size is below 1.

    Source of the schedule: Smith and Topin, "Super-Convergence" (2018).
    """
    model = SmallCNN(config, seed=seed)
    if min(len(images), n_steps, batch_size) < 1:
        raise ValueError(
            f"there are {len(images)} images, n_steps is {n_steps} and batch_size is {batch_size}; "
            "use at least one of each."
        )
    if not 0 <= int(labels.min()) <= int(labels.max()) < model.config.n_classes:
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; use 0 to n_classes - 1, which is "
            f"{model.config.n_classes - 1}."
        )
    generator = Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, learning_rate, total_steps=n_steps + 1
    )
    for _ in range(n_steps):
        batch = torch.randint(len(images), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval().requires_grad_(False)


def accuracy_by_class(
    logits: Float[Tensor, "batch n_classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, " n_classes"]:
    """Of the images of each class, the share whose largest score is that class's.

    Degenerate case: a class without images has NaN, for nothing is known.
    """
    right = (logits.argmax(1) == labels).float()
    return torch.stack([right[labels == c].mean() for c in range(logits.shape[1])])

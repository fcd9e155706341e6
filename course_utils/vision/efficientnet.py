"""EfficientNet-Lite0, a published network for photographs, in the order in which it computes.

Source: Tan and Le, "EfficientNet" (2019); the Lite variants have ReLU6 and no squeeze-excitation.
Weights: `assets`, "efficientnet-lite0" (Apache-2.0), trained on ImageNet's 1,000 classes.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils import assets

SIZE = 224  # height and width in pixels that the network was trained on
# kernel size, stride, expansion, channels out, how often
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow does: ceil(size / stride) comes out, more at the end."""

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for size, k, s in zip(x.shape[:-3:-1], self.kernel_size, self.stride):
            total = max((-(-size // s) - 1) * s + k - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


def conv(c_in: int, c_out: int, k: int = 1, stride: int = 1, groups: int = 1) -> SameConv2d:
    return SameConv2d(c_in, c_out, k, stride, groups=groups, bias=False)


class Block(nn.Module):
    """Expand (1x1), filter each channel alone (k x k), project (1x1); add the input if it fits."""

    def __init__(self, k: int, stride: int, expansion: int, c_in: int, c_out: int) -> None:
        super().__init__()
        wide = c_in * expansion
        if expansion > 1:
            self.expand_conv, self.bn0 = conv(c_in, wide), nn.BatchNorm2d(wide, eps=1e-3)
            self.expand = nn.ReLU6()
        self.depthwise_conv = conv(wide, wide, k, stride, groups=wide)
        self.bn1 = nn.BatchNorm2d(wide, eps=1e-3)
        self.project_conv, self.bn2 = conv(wide, c_out), nn.BatchNorm2d(c_out, eps=1e-3)
        self.skips = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.bn0(self.expand_conv(x))) if hasattr(self, "expand") else x
        y = F.relu6(self.bn1(self.depthwise_conv(y)))
        y = self.bn2(self.project_conv(y))
        return x + y if self.skips else y


class EfficientNetLite0(nn.Module):
    """Images to 1,000 class scores, through a stem, 16 blocks and a head.

    `hooks` names the modules whose outputs are worth a look: "stem", "block1.expand" to
    "block15.expand" and "head" after their ReLU6; "block0" to "block15", which have none, so that
    their outputs may be negative and nothing marks out their units as a basis.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = conv(3, 32, 3, 2), nn.BatchNorm2d(32, eps=1e-3)
        self.stem = nn.ReLU6()
        blocks, c_in = [], 32
        for k, stride, expansion, c_out, repeats in STAGES:
            for i in range(repeats):
                blocks.append(Block(k, 1 if i else stride, expansion, c_in, c_out))
                c_in = c_out
        self.blocks = nn.ModuleList(blocks)
        self.conv_head, self.bn1 = conv(320, 1280), nn.BatchNorm2d(1280, eps=1e-3)
        self.head = nn.ReLU6()
        self.fc = nn.Linear(1280, 1000)

    @property
    def hooks(self) -> dict[str, nn.Module]:
        named: dict[str, nn.Module] = {"stem": self.stem}
        for i, block in enumerate(self.blocks):
            if hasattr(block, "expand"):
                named[f"block{i}.expand"] = block.expand
            named[f"block{i}"] = block
        return {**named, "head": self.head}

    def forward(self, x: Float[Tensor, "batch 3 h w"]) -> Float[Tensor, "batch 1000"]:
        x = self.stem(self.bn0(self.conv_stem(x)))
        for block in self.blocks:
            x = block(x)
        x = self.head(self.bn1(self.conv_head(x)))
        return self.fc(x.mean((2, 3)))


def load_efficientnet(*, trained: bool = True, seed: int = 0) -> EfficientNetLite0:
    """The published network in evaluation mode, its gradients off.

    trained=False gives the control: the same layers with random weights (He's for convolutions),
    from the seed. Its batch norms count nothing and so scale nothing.

    Raises:
        assets.Missing: the weights are not on this machine and cannot be fetched now.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = EfficientNetLite0()
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if trained:
        state = torch.load(assets.path("efficientnet-lite0"), weights_only=True)
        # The file says _blocks.0._bn0.weight where this module says blocks.0.bn0.weight.
        model.load_state_dict({k.replace("._", ".").lstrip("_"): v for k, v in state.items()})
    return model.eval().requires_grad_(False)


def prepare(images: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch 3 h w"]:
    """Images from 0 (black) to 1 (white), grey or RGB, as the network wants them.

        (255 x - 127) / 128

    Raises:
        ValueError: there are neither 1 nor 3 channels.
    """
    if images.shape[1] not in (1, 3):
        raise ValueError(f"images have {images.shape[1]} channels; use 1 (grey) or 3 (RGB).")
    return ((255 * images - 127) / 128).expand(-1, 3, -1, -1)

"""ResNet-18 or -50 of any width, dilated or not. Names are torchvision's, whose own blocks do not dilate."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Basic, Bottleneck


class ResNet(nn.Module):
    def __init__(self, options: dict[str, Any]) -> None:
        if options["inner"]:
            raise ValueError("this ResNet has no inner maps")
        width = options["width"]
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        block, growth = (Basic, 1) if options["depth"] == 18 else (Bottleneck, 4)
        inputs = width
        self.channels = []
        for i, count in enumerate(options["blocks"]):
            dilation = 2 ** (i - 1) if options["dilated"] and i >= 2 else 1
            stride = 1 if i == 0 or dilation > 1 else 2
            layers = []
            for j in range(count):
                first = dilation // 2 if j == 0 and dilation > 1 else dilation
                layers.append(block(inputs, width * 2**i, stride if j == 0 else 1, dilation, first))
                inputs = growth * width * 2**i
            self.add_module(f"layer{i + 1}", nn.Sequential(*layers))
            self.channels.append(inputs)

    def stem(self, image: Tensor) -> Tensor:
        """A quarter of the resolution."""
        return F.max_pool2d(F.relu(self.bn1(self.conv1(image)), inplace=True), 3, 2, 1)

    @property
    def stages(self) -> dict[str, nn.Module]:
        return {f"layer{i + 1}": self.get_submodule(f"layer{i + 1}") for i in range(len(self.channels))}

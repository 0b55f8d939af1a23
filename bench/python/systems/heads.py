"""Heads: a task's pyramid, fine to coarse, to its raw prediction. `inputs` are the widths of the levels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.blocks import resize
from torch import Tensor, nn

from .layers import ConvNorm, concat_levels

Levels = list[Tensor]


class HrNetHead(nn.Module):
    """All levels, mixed by a 1x1 convolution."""

    def __init__(self, options: dict[str, Any], inputs: list[int], out: int) -> None:
        super().__init__()
        channels = sum(inputs)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.classify = nn.Conv2d(channels, out, 1)

    def forward(self, levels: Levels) -> Tensor:
        return self.classify(F.relu(self.norm(self.mix(concat_levels(levels))), inplace=True))


class LinearHead(nn.Module):
    """A 1x1 convolution of the finest level."""

    def __init__(self, options: dict[str, Any], inputs: list[int], out: int) -> None:
        super().__init__()
        self.classify = nn.Conv2d(inputs[0], out, 1)

    def forward(self, levels: Levels) -> Tensor:
        return self.classify(levels[0])


class ConvHead(nn.Module):
    """The enlarged levels, a convolution with BatchNorm and activation, 1x1."""

    def __init__(self, options: dict[str, Any], inputs: list[int], out: int) -> None:
        super().__init__()
        channels = sum(inputs)
        width = options["channels"] or channels // options["reduction"]
        kernel = options["kernel"]
        self.upsample = options["upsample"]
        self.activation = {"relu": F.relu, "gelu": F.gelu}[options["activation"]]
        self.conv = nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=options["bias"])
        self.norm = nn.BatchNorm2d(width)
        self.classify = nn.Conv2d(width, out, 1)

    def forward(self, levels: Levels) -> Tensor:
        x = concat_levels(levels)
        if self.upsample > 1:
            x = resize(x, (x.shape[2] * self.upsample, x.shape[3] * self.upsample))
        return self.classify(self.activation(self.norm(self.conv(x))))


class Aspp(nn.Module):
    """Atrous spatial pyramid pooling: branches are called 0, 1, ..."""

    def __init__(self, inputs: int, channels: int, rates: list[int]) -> None:
        super().__init__()
        branches = [ConvNorm(inputs, channels, 1), *(ConvNorm(inputs, channels, 3, dilation=r) for r in rates)]
        self.count = len(branches)
        for i, branch in enumerate(branches):
            self.add_module(str(i), branch)
        self.pool = ConvNorm(inputs, channels, 1)
        self.project = ConvNorm((self.count + 1) * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.get_submodule(str(i))(x) for i in range(self.count)]
        pooled = self.pool(x.mean((2, 3), keepdim=True)).expand_as(parts[0])
        return self.project(torch.cat([*parts, pooled], 1))


class DeepLabHead(ConvNorm):
    """Pooling over the coarsest level, a 3x3 convolution, the prediction. Dropout must be off."""

    def __init__(self, options: dict[str, Any], inputs: list[int], out: int) -> None:
        channels = options["channels"]
        if options["dropout"]:
            raise ValueError("two programs do not drop the same channels: set dropout to 0")
        super().__init__(channels, channels, 3)
        self.aspp = Aspp(inputs[-1], channels, options["rates"])
        self.classify = nn.Conv2d(channels, out, 1)

    def forward(self, levels: Levels) -> Tensor:
        return self.classify(super().forward(self.aspp(levels[-1])))


HEADS = {"hrnet": HrNetHead, "linear": LinearHead, "conv": ConvHead, "deeplab": DeepLabHead}

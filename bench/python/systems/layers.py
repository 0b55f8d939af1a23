"""Layers that several systems share. Maps are [batch, channels, height, width]."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from mtcp_torch.blocks import resize
from torch import Tensor, nn


class ConvNorm(nn.Module):
    """A convolution that keeps the size (or divides it by `stride`), BatchNorm, ReLU."""

    def __init__(self, inputs: int, out: int, kernel: int, *, dilation: int = 1, bias: bool = False) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(inputs, out, kernel, padding=padding, dilation=dilation, bias=bias)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


def projection(inputs: int, out: int, stride: int) -> nn.Sequential | None:
    """What brings a residual block's input to the shape of its output; None where it has that shape."""
    if inputs == out and stride == 1:
        return None
    return nn.Sequential(nn.Conv2d(inputs, out, 1, stride, bias=False), nn.BatchNorm2d(out))


class Basic(nn.Module):
    """Two 3x3 convolutions beside a shortcut, as torchvision's but with any dilation; `first` is the first one's."""

    def __init__(self, inputs: int, out: int, stride: int = 1, dilation: int = 1, first: int | None = None) -> None:
        super().__init__()
        first = first or dilation
        self.conv1 = nn.Conv2d(inputs, out, 3, stride, first, first, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = projection(inputs, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(y)) + shortcut, inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 with the stride, 1x1 to four times the width."""

    def __init__(self, inputs: int, width: int, stride: int = 1, dilation: int = 1, first: int | None = None) -> None:
        super().__init__()
        first = first or dilation
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, first, first, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = projection(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut, inplace=True)


def basics(inputs: int, out: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Basic(inputs if i == 0 else out, out) for i in range(count)))


def concat_levels(levels: Iterable[Tensor]) -> Tensor:
    """All levels at the size of the first, one after the other in the channels."""
    first, *rest = levels
    return torch.cat([first, *(resize(level, first.shape[2:]) for level in rest)], 1) if rest else first

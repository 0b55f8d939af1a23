"""HRNet: branches at strides 4, 8, 16, 32 side by side. Names are timm's; the width of the stem is free."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mtcp_torch.blocks import resize
from torch import Tensor, nn

from .layers import Basic, Bottleneck


def conv_norm(inputs: int, out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)]


class Exchange(nn.Module):
    """Blocks in every branch, then each branch becomes the sum of all, brought to its size."""

    def __init__(self, channels: list[int], blocks: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(Basic(c, c) for _ in range(blocks))) for c in channels)
        count = range(len(channels))
        self.fuse_layers = nn.ModuleList(nn.ModuleList(self.path(channels, s, t) for s in count) for t in count)

    @staticmethod
    def path(channels: list[int], source: int, target: int) -> nn.Module:
        if source == target:
            return nn.Identity()
        if source > target:
            return nn.Sequential(*conv_norm(channels[source], channels[target], 1))
        steps = []
        for step in range(source, target):
            last = step == target - 1
            layers = conv_norm(channels[source], channels[target if last else source], 3, 2)
            steps.append(nn.Sequential(*layers, *([] if last else [nn.ReLU(inplace=True)])))
        return nn.Sequential(*steps)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        sums = []
        for target, paths in enumerate(self.fuse_layers):
            parts = [path(x) for path, x in zip(paths, maps, strict=True)]
            size = maps[target].shape[2:]
            parts = [resize(x, size) if source > target else x for source, x in enumerate(parts)]
            sums.append(F.relu(sum(parts[1:], parts[0]), inplace=True))
        return sums


class HrNet(nn.Module):
    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        stem, width, blocks, modules = (options[key] for key in ("stem", "width", "blocks", "modules"))
        self.conv1, self.bn1 = conv_norm(3, stem, 3, 2)
        self.conv2, self.bn2 = conv_norm(stem, stem, 3, 2)
        self.layer1 = nn.Sequential(*(Bottleneck(stem if i == 0 else 4 * stem, stem) for i in range(blocks)))
        before = [4 * stem]
        for i, count in enumerate(modules):
            channels = [width * 2**b for b in range(i + 2)]
            self.add_module(f"transition{i + 1}", self.transition(before, channels))
            self.add_module(f"stage{i + 2}", nn.ModuleList(Exchange(channels, blocks) for _ in range(count)))
            before = channels
        self.channels = before
        self.stages = len(modules)

    @staticmethod
    def transition(before: list[int], channels: list[int]) -> nn.ModuleList:
        """Adapts widths and starts one more branch from the coarsest."""
        parts: list[nn.Module] = []
        for b, out in enumerate(channels):
            if b == len(before):
                parts.append(nn.Sequential(nn.Sequential(*conv_norm(before[-1], out, 3, 2), nn.ReLU(inplace=True))))
            elif before[b] == out:
                parts.append(nn.Identity())
            else:
                parts.append(nn.Sequential(*conv_norm(before[b], out, 3), nn.ReLU(inplace=True)))
        return nn.ModuleList(parts)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = F.relu(self.bn1(self.conv1(image)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        maps = [self.layer1(x)]
        for i in range(self.stages):
            transition = self.get_submodule(f"transition{i + 1}")
            maps = [step(maps[min(b, len(maps) - 1)]) for b, step in enumerate(transition)]
            for module in self.get_submodule(f"stage{i + 2}"):
                maps = module(maps)
        return maps

"""DeMT (Xu et al. 2023): for each task a deformable mixer over the encoder's levels, then attention over tasks."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.config import Task
from torch import Tensor, nn
from torchvision.ops import deform_conv2d

from .layers import concat_levels
from .outputs import Outputs, heads
from .swin import Swin

SIDE = 3
"""Of the neighbourhood whose coordinates the offset network sees."""


class Reduction(nn.Module):
    """Levels mixed by a linear layer: [batch, rows, columns, channels]."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, levels: list[Tensor]) -> Tensor:
        return self.norm(self.linear(concat_levels(levels).permute(0, 2, 3, 1)))


class Offset(nn.Module):
    """Two numbers for each channel and place, from the coordinates of a neighbourhood that itself may move."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = SIDE * SIDE
        self.p_conv = nn.Conv2d(channels, 2 * taps, 3, padding=1)
        self.opt = nn.Conv2d(2 * taps, 2 * channels, 3, padding=1, groups=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.opt(self.p_conv(x) + grid(x.shape[2], x.shape[3]))


def grid(height: int, width: int) -> Tensor:
    """Rows (from 1) of each place's neighbourhood, then columns: [18, height, width]."""
    around = torch.arange(SIDE) - SIDE // 2
    rows = (torch.arange(height) + 1)[:, None] + around
    columns = (torch.arange(width) + 1)[:, None] + around
    row = rows.T[:, None, :, None].expand(SIDE, SIDE, height, width)
    column = columns.T[None, :, None, :].expand(SIDE, SIDE, height, width)
    return torch.cat([row.reshape(-1, height, width), column.reshape(-1, height, width)]).float()


class Mixer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.offset = Offset(channels)
        self.deform = nn.Conv2d(channels, channels, 1)
        self.deform_norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.norm(F.gelu(self.conv(x)))
        # As many groups of offsets as there are channels: each is read at a place of its own.
        moved = deform_conv2d(mixed, self.offset(mixed), self.deform.weight, self.deform.bias)
        return mixed + self.deform_norm(F.gelu(moved))


class Packed(nn.Module):
    """Linear layers around an attention: a packed projection, what follows it, a linear layer with a norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.in_proj = nn.Linear(channels, 3 * channels)
        self.out_proj = nn.Linear(channels, channels)
        self.linear = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)

    def project(self, x: Tensor, first: int, count: int) -> Tensor:
        """Parts `first` and on of query, key, value: [..., count * channels]."""
        channels = x.shape[-1]
        rows = slice(first * channels, (first + count) * channels)
        return F.linear(x, self.in_proj.weight[rows], self.in_proj.bias[rows])

    def finish(self, x: Tensor) -> Tensor:
        return self.norm(self.linear(self.out_proj(x)))


class PixelAttention(nn.Module):
    """At every place each task asks all tasks, as the released code trained it."""

    def __init__(self, options: dict[str, Any], names: list[str], channels: int) -> None:
        super().__init__()
        self.count = options["heads"]
        self.fusion = Packed(channels)
        self.query = nn.ModuleDict({name: Packed(channels) for name in names})

    def forward(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """Maps are [batch, rows, columns, channels]."""
        tokens = torch.stack([x.flatten(0, 2) for x in maps.values()], 1)
        # An attention over one key is its value.
        shared = self.fusion.finish(self.fusion.project(tokens, 2, 1))
        return {name: x + self.answer(self.query[name], x, shared) for name, x in maps.items()}

    def answer(self, own: Packed, x: Tensor, shared: Tensor) -> Tensor:
        q = own.project(x.flatten(0, 2).unsqueeze(1), 0, 1)
        k, v = own.project(shared, 1, 2).chunk(2, 2)
        q, k, v = (y.unflatten(2, (self.count, -1)).transpose(1, 2) for y in (q, k, v))
        asked = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return own.finish(asked).reshape(x.shape)


class DeMt(nn.Module):
    def __init__(self, trial: dict[str, Any], tasks: tuple[Task, ...], size: tuple[int, int]) -> None:
        super().__init__()
        model = trial["model"]
        reduction, _ = model["decoder"]["blocks"]
        if reduction["reduce"] != "linear-norm" or reduction["level"] or reduction["skip"]:
            raise ValueError("this DeMT mixes all levels at the finest size by a linear layer")
        names = [task.name for task in tasks]
        channels = reduction["channels"]
        self.backbone = Swin(model["backbone"])
        mixers = nn.ModuleDict({name: Mixer(channels) for name in names})
        self.decoder = nn.ModuleList([Reduction(sum(self.backbone.channels), channels), mixers])
        self.interaction = PixelAttention(model["interaction"], names, channels)
        self.heads = heads(trial, tasks, [channels])

    def forward(self, image: Tensor) -> Outputs:
        reduce, mixers = self.decoder
        shared = reduce(self.backbone(image)).permute(0, 3, 1, 2)
        mixed = self.interaction({name: mix(shared).permute(0, 2, 3, 1) for name, mix in mixers.items()})
        return Outputs({name: self.heads[name]([x.permute(0, 3, 1, 2)]) for name, x in mixed.items()})

"""Swin stages that start from a feature map, as MT-CP's task decoders use them.

Maps travel as [batch, height, width, channels]. Parameter names are those of transformers' Swin before
version 5. Windows are taken whatever the size of the map: a map smaller than a window is padded to one
window, and odd blocks shift it all the same.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCKED = -100.0
"""Added to a logit between two cells that only the cyclic shift made neighbours."""


class Dense(nn.Module):
    """A linear layer one level down, where the names want it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x)


def split_windows(x: Tensor, window: int) -> Tensor:
    """[B,H,W,C] -> [B * windows, window * window, C]; H and W are multiples of the window."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // window, window, width // window, window, channels)
    return x.transpose(2, 3).reshape(-1, window * window, channels)


def join_windows(x: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of `split_windows`."""
    x = x.reshape(-1, height // window, width // window, window, window, x.shape[-1])
    return x.transpose(2, 3).reshape(-1, height, width, x.shape[-1])


def relative_position_index(window: int) -> Tensor:
    """Row of the bias table for every (query cell, key cell) of a window: [window^2, window^2]."""
    cells = torch.arange(window)
    row, column = (axis.reshape(-1) for axis in torch.meshgrid(cells, cells, indexing="ij"))
    rows = row[:, None] - row[None, :] + window - 1
    columns = column[:, None] - column[None, :] + window - 1
    return rows * (2 * window - 1) + columns


def shift_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """Logit offsets of shifted windows over a padded map: [windows, window^2, window^2]."""

    def region(length: int) -> Tensor:
        position = torch.arange(length)
        return (position >= length - window).long() + (position >= length - shift).long()

    regions = 3 * region(height)[:, None] + region(width)[None, :]
    cells = split_windows(regions[None, :, :, None], window).squeeze(-1)
    return (cells[:, :, None] != cells[:, None, :]) * BLOCKED


class WindowSelfAttention(nn.Module):
    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("index", relative_position_index(window), persistent=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """x: [B * windows, cells, C]; mask: [windows, cells, cells]."""
        count, cells, channels = x.shape
        query, key, value = (
            layer(x).reshape(count, cells, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        bias = self.relative_position_bias_table[self.index].permute(2, 0, 1)
        logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1) + bias
        if mask is not None:
            windows = mask.shape[0]
            logits = logits.reshape(-1, windows, self.heads, cells, cells) + mask[None, :, None].to(x.dtype)
            logits = logits.reshape(count, self.heads, cells, cells)
        return (logits.softmax(-1) @ value).transpose(1, 2).reshape(count, cells, channels)


class Attention(nn.Module):
    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.add_module("self", WindowSelfAttention(channels, heads, window))
        self.output = Dense(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return self.output(self.get_submodule("self")(x, mask))


class SwinBlock(nn.Module):
    def __init__(self, channels: int, heads: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.window = window
        self.shift = window // 2 if shifted else 0
        self.layernorm_before = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, window)
        self.layernorm_after = nn.LayerNorm(channels)
        self.intermediate = Dense(channels, 4 * channels)
        self.output = Dense(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.layernorm_before(x))
        return x + self.output(F.gelu(self.intermediate(self.layernorm_after(x))))

    def attend(self, x: Tensor) -> Tensor:
        _, height, width, _ = x.shape
        # The zeros come after the norm, and unshifted windows attend to them like to any other cell.
        x = F.pad(x, (0, 0, 0, -width % self.window, 0, -height % self.window))
        padded = x.shape[1:3]
        mask = None
        if self.shift:
            x = x.roll((-self.shift, -self.shift), (1, 2))
            mask = shift_mask(*padded, self.window, self.shift)
        x = self.attention(split_windows(x, self.window), mask)
        x = join_windows(x, self.window, *padded)
        if self.shift:
            x = x.roll((self.shift, self.shift), (1, 2))
        return x[:, :height, :width]


class PatchMerging(nn.Module):
    """Halves a map and doubles its channels; an odd side is padded with zeros."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        corners = [x[:, row::2, column::2] for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))]
        return self.reduction(self.norm(torch.cat(corners, -1)))


class SwinStage(nn.Module):
    def __init__(self, channels: int, depth: int, heads: int, window: int, last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(SwinBlock(channels, heads, window, j % 2 == 1) for j in range(depth))
        if not last:
            self.downsample = PatchMerging(channels)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class SwinDecoder(nn.Module):
    """A representation -> its pyramid, fine to coarse, both [B,C,H,W]."""

    def __init__(self, channels: int, depths: tuple[int, ...], heads: tuple[int, ...], window: int) -> None:
        super().__init__()
        widths = [channels * 2**i for i in range(len(depths))]
        self.layers = nn.ModuleList(
            SwinStage(width, depths[i], heads[i], window, last=i == len(depths) - 1) for i, width in enumerate(widths)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)

    def forward(self, representation: Tensor) -> list[Tensor]:
        x = representation.permute(0, 2, 3, 1)
        pyramid = []
        for i, (stage, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            x = stage(x)
            pyramid.append(norm(x).permute(0, 3, 1, 2))
            if i + 1 < len(self.layers):
                x = stage.downsample(x)  # of the map before its output norm
        return pyramid

"""InvPT (Ye and Xu 2022): preliminary predictions of every task, then attention of all tasks' tokens at rising
resolution, whose scores are handed from stage to stage."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.blocks import resize
from mtcp_torch.config import Task
from torch import Tensor, nn

from .layers import ConvNorm
from .outputs import Outputs, heads
from .vit import Vit

Maps = dict[str, Tensor]


class Preliminary(nn.Module):
    """A task's features and first prediction, merged."""

    def __init__(self, inputs: int, channels: int, out: int, classes: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(ConvNorm(inputs, inputs, 3), ConvNorm(inputs, channels, 3))
        self.classify = nn.Conv2d(channels, classes, 1)
        self.mix = nn.Conv2d(channels + classes, out, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.blocks(x)
        prediction = self.classify(features)
        return self.mix(torch.cat([features, prediction], 1)), prediction


class Query(nn.Module):
    """Half the resolution: a strided convolution of each channel on its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Attention(nn.Module):
    """Queries at half the resolution, keys and values pooled to the same grid in every stage."""

    def __init__(self, names: list[str], channels: int, count: int, pool: int, fuses: bool) -> None:
        super().__init__()
        self.heads, self.pool, self.scale = count, pool, channels**-0.5
        self.query = nn.ModuleDict({name: Query(channels) for name in names})
        self.q, self.k, self.v, self.proj = (nn.Linear(channels, channels) for _ in range(4))
        self.fuse = nn.Conv2d(2 * count, count, 1) if fuses else None

    def forward(self, grids: Maps, before: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """Attended maps at half the resolution, and the scores as [batch * heads * tasks, keys, rows, columns]."""
        queries = [query(grids[name]) for name, query in self.query.items()]
        pooled = self.tokens([F.avg_pool2d(x, self.pool, ceil_mode=True) for x in grids.values()])
        q, k, v = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.q, self.tokens(queries)), (self.k, pooled), (self.v, pooled))
        )
        scores = q @ k.transpose(2, 3) * self.scale
        grid = queries[0].shape[2:]
        if before is not None:
            # [batch, heads, queries of all tasks, keys] and back: a task's queries are a map.
            finer = resize(before, grid).flatten(2).transpose(1, 2).reshape(scores.shape)
            scores = self.fuse(torch.cat([scores, finer], 1))
        mixed = self.proj((scores.softmax(3) @ v).transpose(1, 2).flatten(2))
        maps = [part.transpose(1, 2).unflatten(2, grid) for part in mixed.chunk(len(queries), 1)]
        return maps, scores.reshape(-1, *grid, scores.shape[3]).permute(0, 3, 1, 2)

    @staticmethod
    def tokens(maps: list[Tensor]) -> Tensor:
        return torch.cat([x.flatten(2).transpose(1, 2) for x in maps], 1)


class Mlp(nn.Module):
    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, ratio * channels)
        self.fc2 = nn.Linear(ratio * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


def embedding(channels: int) -> nn.Sequential:
    return nn.Sequential(*(ConvNorm(wide, channels, 3, dilation=2) for wide in (2 * channels, channels)))


class Stage(nn.Module):
    """Stage `i`: for all but the first twice the resolution and half the channels, then joint attention."""

    def __init__(self, options: dict[str, Any], names: list[str], width: int, i: int) -> None:
        super().__init__()
        channels = width // 2**i
        if i > 0:
            self.embed = nn.ModuleDict({name: embedding(channels) for name in names})
            self.widen = nn.ModuleDict({name: nn.Conv2d(channels, width, 1) for name in names})
        self.norm1 = nn.LayerNorm(channels)
        self.attn = Attention(names, channels, options["heads"], 2 ** (i + 1), i > 0)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, options["mlp_ratio"])
        self.norm = nn.LayerNorm(len(names) * channels)
        self.first = i == 0

    def up(self, maps: Maps, skip: Tensor) -> Maps:
        return {name: embed(resize(maps[name], skip.shape[2:])) + skip for name, embed in self.embed.items()}

    def forward(self, maps: Maps, before: Tensor | None) -> tuple[Maps, Maps, Tensor]:
        """The next maps, their contributions to the result, and scores."""
        size = next(iter(maps.values())).shape[2:]
        x = Attention.tokens(list(maps.values()))
        normed = self.norm1(x).transpose(1, 2).chunk(len(maps), 2)
        attended, scores = self.attn({n: y.unflatten(2, size) for n, y in zip(maps, normed, strict=True)}, before)
        x = x + Attention.tokens([resize(y, size) for y in attended])
        x = x + self.mlp(self.norm2(x))
        parts = x.chunk(len(maps), 1)
        whole = self.norm(torch.cat(parts, 2)).chunk(len(maps), 2)
        as_map = {n: y.transpose(1, 2).unflatten(2, size) for n, y in zip(maps, whole, strict=True)}
        wide = as_map if self.first else {name: layer(as_map[name]) for name, layer in self.widen.items()}
        return {n: y.transpose(1, 2).unflatten(2, size) for n, y in zip(maps, parts, strict=True)}, wide, scores


class InvPtDecoder(nn.Module):
    def __init__(self, options: dict[str, Any], names: list[str], inputs: int, width: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(Stage(options, names, width, i) for i in range(options["stages"]))
        self.skips = nn.ModuleDict()
        for i in range(1, options["stages"]):
            out = width // 2**i
            # The first stage has half the resolution of the encoder's maps, the second all of it, the third twice.
            same, twice = nn.Conv2d(inputs, out, 3, padding=1), nn.ConvTranspose2d(inputs, out, 3, 2, 1, 1)
            self.skips[str(i)] = same if i == 1 else twice
        self.project = nn.ModuleDict({name: ConvNorm(width, width, 3, bias=True) for name in names})

    def forward(self, maps: Maps, levels: list[Tensor]) -> Maps:
        finest = tuple(side * 2 ** len(self.stages) for side in next(iter(maps.values())).shape[2:])
        sums: Maps = {}
        scores = None
        for i, stage in enumerate(self.stages):
            if i > 0:
                maps = stage.up(maps, self.skips[str(i)](levels[-2 - i]))
            maps, wide, scores = stage(maps, scores)
            for name, part in wide.items():
                part = resize(part, finest)
                sums[name] = sums[name] + part if name in sums else part
        return {name: project(sums[name]) for name, project in self.project.items()}


class InvPt(nn.Module):
    def __init__(self, trial: dict[str, Any], tasks: tuple[Task, ...], size: tuple[int, int]) -> None:
        super().__init__()
        model = trial["model"]
        names = [task.name for task in tasks]
        first = model["decoder"]
        if first["coarsen"] != 2 or model["interaction"]["stages"] > 3:
            raise ValueError("this InvPT starts at half the encoder's resolution and ends at four times of it at most")
        self.backbone = Vit(model["backbone"], size)
        inputs, width = self.backbone.channels[-1], first["out"]
        self.decoder = nn.ModuleDict({t.name: Preliminary(inputs, first["channels"], width, t.channels) for t in tasks})
        self.interaction = InvPtDecoder(model["interaction"], names, inputs, width)
        self.heads = heads(trial, tasks, [width])

    def forward(self, image: Tensor) -> Outputs:
        outputs = Outputs()
        levels = self.backbone(image)
        coarse = resize(levels[-1], tuple(side // 2 for side in levels[-1].shape[2:]))
        maps: Maps = {}
        for name, first in self.decoder.items():
            maps[name], prediction = first(coarse)
            outputs.predict(name, prediction)
        for name, x in self.interaction(maps, levels).items():
            outputs.final[name] = self.heads[name]([x])
        return outputs

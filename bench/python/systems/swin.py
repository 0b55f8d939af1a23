"""Swin as an encoder: four maps, each through a norm of its own. Names are transformers' before version 5."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mtcp_torch.swin import SwinStage
from torch import Tensor, nn

PATCH = 4


class Patches(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(3, channels, PATCH, PATCH)


class Embeddings(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patch_embeddings = Patches(channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, image: Tensor) -> Tensor:
        """[batch, rows, columns, channels]"""
        image = F.pad(image, (0, -image.shape[3] % PATCH, 0, -image.shape[2] % PATCH))
        return self.norm(self.patch_embeddings.projection(image).permute(0, 2, 3, 1))


class Swin(nn.Module):
    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        depths, count, window = (options[key] for key in ("depths", "heads", "window"))
        if options["drop_path"] or options["mlp_ratio"] != 4:
            raise ValueError("this Swin drops no path and has MLPs of four times the width")
        self.channels = [options["embed"] * 2**i for i in range(len(depths))]
        self.embeddings = Embeddings(options["embed"])
        last = len(depths) - 1
        stages = (SwinStage(c, depths[i], count[i], window, i == last) for i, c in enumerate(self.channels))
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(stages)})
        norms = {f"stage{i + 1}": nn.LayerNorm(c) for i, c in enumerate(self.channels)}
        self.hidden_states_norms = nn.ModuleDict(norms)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.embeddings(image)
        maps = []
        stages = self.encoder["layers"]
        for i, (stage, norm) in enumerate(zip(stages, self.hidden_states_norms.values(), strict=True)):
            x = stage(x)
            maps.append(norm(x).permute(0, 3, 1, 2))
            if i < len(stages) - 1:
                x = stage.downsample(x)
        return maps

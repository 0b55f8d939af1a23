"""timm's vision transformer as an encoder: token maps after some of its blocks, the last one's through the norm."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


class Vit(nn.Module):
    """Its own names are timm's. `size`: of the images; the table of positions must fit it."""

    def __init__(self, options: dict[str, Any], size: tuple[int, int]) -> None:
        from timm.models.vision_transformer import Block, PatchEmbed

        super().__init__()
        channels, depth, patch = (options[key] for key in ("channels", "depth", "patch"))
        self.grid = tuple(side // patch for side in size)
        if list(self.grid) != list(options["grid"]) or not options["class_token"] or options["drop_path"]:
            raise ValueError("this ViT has a table of positions of the image's size, a class token, and drops no path")
        self.patch_embed = PatchEmbed(size, patch, 3, channels)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, channels))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid[0] * self.grid[1], channels))
        norm = partial(nn.LayerNorm, eps=1e-6)
        ratio, heads = options["mlp_ratio"], options["heads"]
        self.blocks = nn.ModuleList(Block(channels, heads, ratio, qkv_bias=True, norm_layer=norm) for _ in range(depth))
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.taps = options["taps"]
        self.channels = [channels] * len(self.taps)

    def forward(self, image: Tensor) -> list[Tensor]:
        places = self.patch_embed(image)
        x = torch.cat([self.cls_token.expand(len(places), -1, -1), places], 1) + self.pos_embed
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i + 1 in self.taps:
                tokens = self.norm(x) if i + 1 == len(self.blocks) else x
                maps.append(tokens[:, 1:].transpose(1, 2).unflatten(2, self.grid))
        return maps

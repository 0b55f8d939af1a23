"""A sluice network of small ResNets, written from the paper's formulas: its code is a recurrent network in DyNet."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from .backbones import narrow
from .fixture import Outputs, write

TASKS = {"semseg": 5, "depth": 1, "normals": 3}
WIDTHS = [8, 16, 32, 64]
MIXED = 2


class Sluice(nn.Module):
    """alpha mixes halves of the channels of all tasks after each stage, beta mixes a task's stages."""

    def __init__(self) -> None:
        super().__init__()
        halves = 2 * len(TASKS)
        self.encoders = nn.ModuleDict({t: narrow(ResNet(BasicBlock, [2, 2, 2, 2]), 8) for t in TASKS})
        self.alpha = nn.ParameterList([torch.zeros(halves, halves) for _ in WIDTHS])
        self.beta = nn.ParameterDict({t: torch.zeros(len(WIDTHS)) for t in TASKS})
        wide = WIDTHS[MIXED]
        self.project = nn.ModuleDict(
            {t: nn.ModuleDict({str(i): nn.Conv2d(c, wide, 1) for i, c in enumerate(WIDTHS) if c != wide}) for t in TASKS}
        )
        self.heads = nn.ModuleDict({t: nn.Conv2d(wide, n, 1) for t, n in TASKS.items()})

    def forward(self, x: Tensor) -> Outputs:
        maps = [e.maxpool(F.relu(e.bn1(e.conv1(x)))) for e in self.encoders.values()]
        stages = []
        for i, alpha in enumerate(self.alpha):
            maps = [getattr(e, f"layer{i + 1}")(y) for e, y in zip(self.encoders.values(), maps, strict=True)]
            halves = torch.stack([half for y in maps for half in y.chunk(2, 1)])
            mixed = torch.einsum("pq,qbchw->pbchw", alpha, halves)
            maps = [torch.cat((mixed[2 * t], mixed[2 * t + 1]), 1) for t in range(len(TASKS))]
            stages.append(maps)
        size = stages[MIXED][0].shape[2:]
        out = {}
        for t, task in enumerate(TASKS):
            total = torch.zeros(())
            for i, maps in enumerate(stages):
                y = maps[t] if i == MIXED else self.project[task][str(i)](maps[t])
                total = total + self.beta[task][i] * F.interpolate(y, size, mode="bilinear")
            out[task] = self.heads[task](total)
        return out


def rename(name: str) -> str | None:
    part, rest = name.split(".", 1)
    if part == "encoders":
        return None if ".fc." in rest else f"backbone.{rest}"
    if part == "alpha":
        return f"backbone.units.layer{int(rest) + 1}.0.alpha"
    if part == "beta":
        return f"decoder.{rest}.beta"
    task, rest = rest.split(".", 1)
    return f"heads.{task}.classify.{rest}" if part == "heads" else f"decoder.{task}.project.{rest}"


def write_sluice(folder: Path) -> None:
    encoder = {"type": "resnet", "depth": 18, "width": 8, "blocks": [2, 2, 2, 2], "dilated": False}
    model = {
        "backbone": {
            "type": "per_task",
            "encoder": encoder,
            "unit": {"type": "subspace_stitch"},
            "after": ["layer1", "layer2", "layer3", "layer4"],
        },
        "decoder": {"type": "layer_mix", "level": MIXED},
    }
    tasks = {t: {"head": {"type": "linear"}} for t in TASKS}
    write(folder, "sluice", Sluice(), (64, 96), rename, {"model": model, "tasks": tasks})

"""Cross-stitch networks (Misra et al. 2016): an encoder for each task; after a stage each task's map becomes a learnt
mixture of all tasks' maps."""

from __future__ import annotations

from typing import Any

import torch
from mtcp_torch.config import Task
from torch import Tensor, nn

from .outputs import Outputs, heads
from .resnet import ResNet

Maps = dict[str, Tensor]


class Unit(nn.Module):
    """A weight for each channel of every pair of tasks; called 0.<target>.<source>."""

    def __init__(self, names: list[str], channels: int) -> None:
        super().__init__()
        pairs = {t: nn.ParameterDict({s: nn.Parameter(torch.empty(channels)) for s in names}) for t in names}
        self.add_module("0", nn.ModuleDict(pairs))

    def forward(self, maps: Maps) -> Maps:
        weights = self.get_submodule("0").items()
        return {t: sum(maps[s] * own[s][:, None, None] for s in maps) for t, own in weights}


class CrossStitch(nn.Module):
    def __init__(self, trial: dict[str, Any], tasks: tuple[Task, ...], size: tuple[int, int]) -> None:
        super().__init__()
        options = trial["model"]["backbone"]
        if options["unit"]["weights"] != "channel":
            raise ValueError("these units have a weight for each channel")
        self.names = [task.name for task in tasks]
        self.backbone = nn.ModuleDict({name: ResNet(options["encoder"]) for name in self.names})
        self.stages = list(self.backbone[self.names[0]].stages)
        channels = dict(zip(self.stages, self.backbone[self.names[0]].channels, strict=True))
        self.backbone["units"] = nn.ModuleDict({s: Unit(self.names, channels[s]) for s in options["after"]})
        self.heads = heads(trial, tasks, list(channels.values()))

    def forward(self, image: Tensor) -> Outputs:
        units = self.backbone["units"]
        maps = {name: self.backbone[name].stem(image) for name in self.names}
        levels: dict[str, list[Tensor]] = {name: [] for name in self.names}
        for stage in self.stages:
            maps = {name: self.backbone[name].stages[stage](x) for name, x in maps.items()}
            if stage in units:
                maps = units[stage](maps)
            for name, x in maps.items():
                levels[name].append(x)
        return Outputs({name: self.heads[name](levels[name]) for name in self.names})

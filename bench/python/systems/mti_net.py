"""MTI-Net (Vandenhende et al. 2020): predictions at every scale, coarse to fine, then distillation on every scale."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.config import Task
from torch import Tensor, nn

from .hrnet import HrNet
from .layers import basics, concat_levels
from .outputs import Outputs, heads

Maps = dict[str, Tensor]


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(F.relu(self.fc1(x.mean((2, 3))))).sigmoid()[:, :, None, None]


class Propagation(nn.Module):
    """What the tasks found at one scale, for the next finer one."""

    def __init__(self, tasks: list[str], channels: int, reduction: int) -> None:
        super().__init__()
        wide = len(tasks) * channels
        narrow = max(1, wide // 4)
        self.groups = channels
        self.blocks = basics(wide, narrow, 2)
        self.attend = nn.Conv2d(narrow, wide, 1)
        self.reduce = basics(wide, channels, 1)
        self.gates = nn.ModuleDict({task: Gate(channels, reduction) for task in tasks})

    def forward(self, maps: Maps) -> Maps:
        whole = torch.cat(list(maps.values()), 1)
        scores = self.attend(self.blocks(whole))
        # The released code takes the softmax over groups of adjacent channels, not over tasks.
        mask = scores.unflatten(1, (self.groups, -1)).softmax(2).flatten(1, 2)
        shared = self.reduce(mask * whole)
        return {task: gate(shared) + maps[task] for task, gate in self.gates.items()}


class First(nn.Module):
    """A task's features and prediction at one scale."""

    def __init__(self, inputs: int, channels: int, out: int) -> None:
        super().__init__()
        self.blocks = basics(inputs, channels, 2)
        self.classify = nn.Conv2d(channels, out, 1)


class Message(nn.Module):
    """What a task lets another one have: features through a spatial gate of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, source: Tensor) -> Tensor:
        return self.conv(source) * self.gate(source).sigmoid()


class Decoder(nn.Module):
    def __init__(self, options: dict[str, Any], channels: list[int], tasks: tuple[Task, ...]) -> None:
        super().__init__()
        if options["attention"] != "parity" or options["binary"]:
            raise ValueError("this MTI-Net has the released code's attention and real weights")
        names = [task.name for task in tasks]
        self.scales = nn.ModuleList()
        for s, own in enumerate(channels):
            inputs = sum(channels[s : s + 2])
            scale = nn.ModuleDict({task.name: First(inputs, own, task.channels) for task in tasks})
            if s > 0:
                scale["propagate"] = Propagation(names, own, options["reduction"])
            self.scales.append(scale)
        self.names = names

    def forward(self, levels: list[Tensor], outputs: Outputs) -> list[Maps]:
        found: list[Maps] = []
        propagated: Maps = {}
        for s in range(len(levels) - 1, -1, -1):
            scale, maps = self.scales[s], {}
            for name in self.names:
                before = [propagated[name]] if propagated else []
                maps[name] = scale[name].blocks(concat_levels([levels[s], *before]))
                outputs.predict(name, scale[name].classify(maps[name]))
            found.insert(0, maps)
            if s > 0:
                propagated = scale["propagate"](maps)
        return found


class Distillation(nn.Module):
    def __init__(self, options: dict[str, Any], channels: list[int], names: list[str]) -> None:
        super().__init__()
        if options["gate_from"] != "source" or options["binary"]:
            raise ValueError("this distillation has gates of the source and real weights")
        self.levels = nn.ModuleList(
            nn.ModuleDict({t: nn.ModuleDict({s: Message(width) for s in names if s != t}) for t in names})
            for width in channels
        )

    def forward(self, found: list[Maps]) -> list[Maps]:
        return [
            {t: maps[t] + sum(message(maps[s]) for s, message in own.items()) for t, own in level.items()}
            for level, maps in zip(self.levels, found, strict=True)
        ]


class MtiNet(nn.Module):
    def __init__(self, trial: dict[str, Any], tasks: tuple[Task, ...], size: tuple[int, int]) -> None:
        super().__init__()
        model = trial["model"]
        names = [task.name for task in tasks]
        self.backbone = HrNet(model["backbone"])
        channels = self.backbone.channels
        self.decoder = Decoder(model["decoder"], channels, tasks)
        self.interaction = Distillation(model["interaction"], channels, names)
        self.heads = heads(trial, tasks, channels)

    def forward(self, image: Tensor) -> Outputs:
        outputs = Outputs()
        levels = self.interaction(self.decoder(self.backbone(image), outputs))
        for task, head in self.heads.items():
            outputs.final[task] = head([maps[task] for maps in levels])
        return outputs

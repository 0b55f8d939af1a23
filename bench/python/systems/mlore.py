"""MLoRE (Yang et al. 2024): at every tap two mixtures of low-rank experts, which all tasks share and each task's router
picks from; the taps are mixed place by place."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.config import Task
from torch import Tensor, nn

from .outputs import Outputs, heads
from .vit import Vit

Maps = dict[str, Tensor]


class LowRank(nn.Module):
    """3x3 to `rank` channels, 1x1 back."""

    def __init__(self, channels: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, rank, 3, padding=1)
        self.up = nn.Conv2d(rank, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x))


class Experts(nn.ModuleList):
    """Experts are linear: what an image takes from them is one convolution into all ranks and one back."""

    def forward(self, x: Tensor, share: Tensor) -> Tensor:
        """share: [batch, experts]"""
        down, up = [expert.down for expert in self], [expert.up for expert in self]
        ranks = torch.tensor([layer.out_channels for layer in down])
        narrow = F.conv2d(x, torch.cat([d.weight for d in down]), torch.cat([d.bias for d in down]), padding=1)
        narrow = narrow * share.repeat_interleave(ranks, 1)[:, :, None, None]
        bias = share @ torch.stack([u.bias for u in up])
        return F.conv2d(narrow, torch.cat([u.weight for u in up], 1)) + bias[:, :, None, None]


class Router(nn.Module):
    """Shares of the experts, 0 for all but the `top` ones, and the gain of the task's own branch."""

    def __init__(self, channels: int, places: int, options: dict[str, Any]) -> None:
        super().__init__()
        narrow = max(1, channels // 4)
        self.count, self.top = len(options["ranks"]), options["top"]
        self.conv1 = nn.Conv2d(channels, narrow, 1)
        self.norm = nn.LayerNorm(narrow)
        self.conv3 = nn.Conv2d(narrow, narrow, 1)
        self.places = nn.Linear(places, 1)
        self.places_norm = nn.LayerNorm(channels)
        self.conv2 = nn.Conv2d(channels, narrow, 1)
        self.scores = nn.Conv2d(2 * narrow, 2 * self.count + 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        local = F.gelu(self.norm(self.conv1(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        first = self.conv3(local).mean((2, 3), keepdim=True)
        whole = F.gelu(self.places_norm(self.places(x.flatten(2)).squeeze(2)))
        second = self.conv2(whole[:, :, None, None])
        scores = self.scores(torch.cat([first, second], 1)).flatten(1)
        clean, gain = scores[:, : self.count], scores[:, -1]
        best = clean.topk(self.top, 1)
        share = torch.zeros_like(clean).scatter(1, best.indices, best.values.softmax(1))
        return share, gain[:, None, None, None]


class Own(nn.Module):
    """What a module has for each task."""

    def __init__(self, channels: int, places: int, options: dict[str, Any]) -> None:
        super().__init__()
        self.add_module("in", nn.Conv2d(channels, channels, 1))
        self.router = Router(channels, places, options)
        self.expert_norm = nn.BatchNorm2d(channels)
        self.own = LowRank(channels, options["own_rank"])
        self.norm = nn.BatchNorm2d(channels)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, experts: Experts, generic: nn.Conv2d) -> tuple[Tensor, Tensor]:
        """The task's next map, and its shares of the experts."""
        x = self.get_submodule("in")(x)
        share, gain = self.router(x)
        general = self.expert_norm(experts(x, share))
        # The convolution that all tasks share learns for itself only: nothing flows back through it.
        mixed = self.norm(general + self.own(x) * gain + generic(x.detach()))
        return self.out(F.gelu(mixed)), share


class Mixture(nn.ModuleDict):
    """Experts and the 3x3 convolution that all tasks share, and every task's own part."""

    def __init__(self, names: list[str], channels: int, places: int, options: dict[str, Any]) -> None:
        super().__init__({name: Own(channels, places, options) for name in names})
        self["experts"] = Experts(LowRank(channels, rank) for rank in options["ranks"])
        self["generic"] = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, maps: Maps) -> tuple[Maps, Tensor]:
        """The next maps; the squared coefficient of variation of the experts' mean shares."""
        results = {name: self[name](x, self["experts"], self["generic"]) for name, x in maps.items()}
        shares = torch.cat([share for _, share in results.values()]).mean(0)
        return {name: y for name, (y, _) in results.items()}, (shares.std() / shares.mean()).square()


class Mix(nn.Module):
    """At each place a softmax over the taps."""

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(taps * channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, taps, 3, padding=1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        shares = self.conv2(F.gelu(self.norm(self.conv1(torch.cat(maps, 1))))).softmax(1)
        return (torch.stack(maps, 1) * shares[:, :, None]).sum(1)


class Mlore(nn.Module):
    def __init__(self, trial: dict[str, Any], tasks: tuple[Task, ...], size: tuple[int, int]) -> None:
        super().__init__()
        options = trial["model"]["decoder"]
        if options["noise"] or options["select"] != "before_softmax":
            raise ValueError("two programs do not draw the same noise; experts are dropped before the softmax here")
        names, channels = [task.name for task in tasks], options["channels"]
        self.backbone = Vit(trial["model"]["backbone"], size)
        places = self.backbone.grid[0] * self.backbone.grid[1]

        def tap(inputs: int) -> nn.ModuleDict:
            mixtures = {str(i): Mixture(names, channels, places, options) for i in range(2)}
            return nn.ModuleDict({"reduce": nn.Conv2d(inputs, channels, 1), **mixtures})

        taps = nn.ModuleList(tap(inputs) for inputs in self.backbone.channels)
        mix = nn.ModuleDict({name: Mix(channels, len(taps)) for name in names})
        self.decoder = nn.ModuleDict({"taps": taps, "mix": mix})
        self.balance = options["balance"]
        self.heads = heads(trial, tasks, [channels])

    def forward(self, image: Tensor) -> Outputs:
        outputs = Outputs()
        taken: dict[str, list[Tensor]] = {name: [] for name in self.heads}
        for tap, level in zip(self.decoder["taps"], self.backbone(image), strict=True):
            shared = tap["reduce"](level)
            maps = {name: shared for name in taken}
            for i in range(2):
                maps, variation = tap[str(i)](maps)
                outputs.penalties.append(self.balance * variation)
            for name, x in maps.items():
                taken[name].append(x)
        for name, mix in self.decoder["mix"].items():
            outputs.final[name] = self.heads[name]([mix(taken[name])])
        return outputs

"""Whole networks: training steps and evaluation of MT-CP, training steps of compared systems."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from mtcp_torch.config import NYUD, Config, LossConfig, Task
from mtcp_torch.training import objective, task_loss
from safetensors.torch import load_file
from systems_torch.fixture import spread
from torch import Tensor

from piece import Piece, Sizes
from systems import SYSTEMS, Outputs, system


class NetworkPiece(Piece):
    """A network on an image and labels. Its results are losses and the norms of gradients."""

    prefix = ""  # the weights of the fixtures
    tasks: tuple[Task, ...]
    clipped: Tensor | float = 1.0
    """By what the step multiplied the gradients; its results are those before that."""

    def give(self, data: dict[str, Tensor]) -> None:
        self.image, self.labels = data.pop("image").to(memory_format=self.format), data
        self.losses: dict[str, float] = {}

    def made_up(self, batch: int, size: tuple[int, int]) -> dict[str, Tensor]:
        data = {"image": self.draw("image", (batch, 3, *size))}
        for task in self.tasks:
            if task.kind == "classes":
                label = self.draw(task.name, (batch, 1, *size), 0.5, 0.5)
                data[task.name] = (label * task.channels).to(torch.uint8)
            elif task.kind == "depth":
                data[task.name] = self.draw(task.name, (batch, 1, *size), 5.0, 4.5)
            else:
                label = self.draw(task.name, (batch, 3, *size))
                data[task.name] = label / label.norm(dim=1, keepdim=True)
        return data

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Parameters by mtcp's names."""
        return dict(self.module.named_parameters())

    def outputs(self) -> dict[str, Tensor]:
        """Losses and the norm of every gradient; whole gradients would be as large as the network."""
        known = {n: p.grad for n, p in self.parameters().items() if p.grad is not None}
        gradients = {f"norm.{n}": gradient.norm() / self.clipped for n, gradient in known.items()}
        return {f"loss.{n}": torch.tensor(v) for n, v in self.losses.items()} | gradients


class TrainingStepPiece(NetworkPiece):
    """A training step of MT-CP. Without files, the full-size network of the paper on made-up data.

    `config`: JSON file of `mtcp_torch.config.Config`, or a fixture's. `weights`, `data`: safetensors; `data`
    holds `image` and the labels of every task. Without them weights are drawn by name, and a batch of `batch`
    samples of `height` x `width` is made up.
    """

    defaults: Sizes = {"config": None, "weights": None, "data": None, "batch": 1, "height": 480, "width": 640}

    def __init__(self, s: Sizes, **how: Any) -> None:
        from mtcp_torch.model import Mtcp

        self.config = Config.read(Path(s["config"])) if s["config"] else Config(NYUD)
        self.tasks = self.config.tasks
        super().__init__(Mtcp(self.config), **how)
        if s["weights"]:
            self.module.load_hub_state(load_file(s["weights"]))
        self.give(load_file(s["data"]) if s["data"] else self.made_up(s["batch"], (s["height"], s["width"])))

    def create_optimizer(self, fused: bool) -> torch.optim.Optimizer:
        rate, decay = self.config.optimizer.rate, self.config.optimizer.decay
        return torch.optim.AdamW(self.module.parameters(), lr=rate, weight_decay=decay, fused=fused)

    def state(self) -> dict[str, Tensor]:
        return self.module.hub_state()

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return self.module.hub_parameters()

    def step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        losses = objective(self.config, self.module(self.image), self.labels)
        losses.total.backward()
        self.optimizer.step()
        self.losses = losses.numbers()


class EvaluationPiece(TrainingStepPiece):
    """MT-CP's forward pass in evaluation mode, without gradients; sizes as for `training_step`."""

    def __init__(self, s: Sizes, **how: Any) -> None:
        super().__init__(s, **how)
        self.module.eval()
        self.predictions: dict[str, Tensor] = {}

    @torch.no_grad()
    def step(self) -> None:
        self.predictions = self.module(self.image).prediction

    def outputs(self) -> dict[str, Tensor]:
        return {f"prediction.{task}": tensor for task, tensor in self.predictions.items()}


@dataclass
class Weighted:
    """Losses under fixed weights of the tasks, intermediate predictions included."""

    tasks: tuple[Task, ...]
    weights: dict[str, float]

    def __call__(self, outputs: Outputs, labels: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        named, terms = {}, list(outputs.penalties)
        for task in self.tasks:
            stages = outputs.intermediate.get(task.name, [])
            predictions = {f"final.{task.name}": outputs.final[task.name]}
            predictions |= {f"intermediate.{task.name}.{i}": stage for i, stage in enumerate(stages)}
            for name, prediction in predictions.items():
                named[name] = task_loss(task, LossConfig(), prediction, labels[task.name])
                terms.append(self.weights[task.name] * named[name])
        return sum(terms), named


class SystemStepPiece(NetworkPiece):
    """A training step of a compared system.

    `row`: where the composition is written; it is not read. `trial`: mtcp's resolved sections of that row. `system`:
    which of `systems` it is. `tasks`: name, kind and channels of each.
    """

    defaults: Sizes = {"system": None, "row": None, "trial": None, "tasks": None, "batch": 4, "height": 64, "width": 96}

    def __init__(self, s: Sizes, **how: Any) -> None:
        if s["system"] not in SYSTEMS:
            raise SystemExit(f"system_step needs a system, one of {', '.join(SYSTEMS)}, and its sections")
        self.trial = s["trial"]
        self.tasks = tuple(Task(**task) for task in s["tasks"])
        size = (s["height"], s["width"])
        super().__init__(system(s["system"])(self.trial, self.tasks, size), **how)
        self.objective = Weighted(self.tasks, self.trial["scheme"]["weights"])
        self.give(self.made_up(s["batch"], size))

    def spread(self, key: str, shape: tuple[int, ...]) -> tuple[float, float]:
        # Offsets are a convolution of coordinates: with ordinary weights everything would be read outside the map.
        return (0.0, 0.02) if key.endswith("offset.opt.weight") else spread(key, shape)

    def create_optimizer(self, fused: bool) -> torch.optim.Optimizer:
        options = dict(self.trial["optimizer"])
        kind, rate, decay, groups = (options.pop(key) for key in ("type", "rate", "weight_decay", "groups"))
        rest = dict(self.parameters())
        sections = []
        for group in groups:
            named = [name for name in rest if fnmatchcase(name, group["parameters"])]
            own = {"lr": rate * group.get("rate", 1.0), "weight_decay": group.get("weight_decay", decay)}
            sections.append({"params": [rest.pop(name) for name in named], **own})
        sections.append({"params": list(rest.values())})
        common = {"lr": rate, "weight_decay": decay, "fused": fused}
        if kind == "sgd":
            return torch.optim.SGD(sections, momentum=options["momentum"], nesterov=options["nesterov"], **common)
        optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
        return optimizer(sections, betas=tuple(options["betas"]), eps=options["epsilon"], **common)

    def step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        total, losses = self.objective(self.module(self.image), self.labels)
        total.backward()
        clip = self.trial["train"]["clip"]
        if clip is not None:
            norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), clip)
            self.clipped = (clip / (norm + 1e-6)).clamp(max=1.0)
        self.optimizer.step()
        self.losses = {name: value.item() for name, value in (losses | {"total": total}).items()}

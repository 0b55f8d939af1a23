"""What a system gives in training, and the heads that all systems end in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mtcp_torch.config import Task
from torch import Tensor, nn

from .heads import HEADS


@dataclass
class Outputs:
    """Raw predictions, [batch, channels, height, width]."""

    final: dict[str, Tensor] = field(default_factory=dict)
    intermediate: dict[str, list[Tensor]] = field(default_factory=dict)
    """In the order in which they are made."""
    penalties: list[Tensor] = field(default_factory=list)
    """Scalars that are added to the losses as they are."""

    def predict(self, task: str, prediction: Tensor) -> None:
        self.intermediate.setdefault(task, []).append(prediction)


def heads(trial: dict[str, Any], tasks: tuple[Task, ...], inputs: list[int]) -> nn.ModuleDict:
    """The head of every task on levels of `inputs` channels."""

    def head(task: Task) -> nn.Module:
        options = trial["tasks"][task.name]["head"]
        return HEADS[options["type"]](options, inputs, task.channels)

    return nn.ModuleDict({task.name: head(task) for task in tasks})

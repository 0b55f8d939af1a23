"""Task losses, the objective over them, and a training step.

Predictions and labels are [B,C,H,W]; class labels are [B,1,H,W]. 255 marks what is not known. A loss without
a valid pixel is 0 and gives no gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from .blocks import resize
from .config import Config, LossConfig, Task

if TYPE_CHECKING:
    from .model import Mtcp, Outputs

IGNORE = 255


def valid_mean(errors: Tensor, valid: Tensor) -> Tensor:
    """Mean of `errors` where `valid`."""
    return torch.where(valid, errors, errors.new_zeros(())).sum() / valid.sum().clamp(min=1)


def cross_entropy(prediction: Tensor, label: Tensor) -> Tensor:
    target = label[:, 0].long()
    return F.cross_entropy(prediction, target, ignore_index=IGNORE, reduction="sum") / (target != IGNORE).sum().clamp(
        min=1
    )


def depth_l1(prediction: Tensor, label: Tensor, below: float = float("inf")) -> Tensor:
    """Mean absolute error in metres; labels of `below` metres and more do not count."""
    return valid_mean((prediction - label).abs(), (label != IGNORE) & (label < below))


def unit(x: Tensor) -> Tensor:
    return x / (x.norm(dim=1, keepdim=True) + 1e-12)


def normals_l1(prediction: Tensor, label: Tensor) -> Tensor:
    """Sum of absolute errors of unit vectors over the number of valid elements, three to a pixel."""
    return valid_mean((unit(prediction) - label).abs(), label != IGNORE)


def normals_mse(prediction: Tensor, label: Tensor) -> Tensor:
    """Squared error of the prediction as it is, over the number of valid elements."""
    return valid_mean((prediction - label).square(), label != IGNORE)


def task_loss(task: Task, config: LossConfig, prediction: Tensor, label: Tensor) -> Tensor:
    """Loss of a raw prediction of any size, which is first resized to the label's."""
    prediction = resize(prediction, label.shape[2:])
    if task.kind == "classes":
        return cross_entropy(prediction, label)
    if task.kind == "depth":
        return depth_l1(prediction, label)
    return normals_l1(prediction, label) if config.normals == "l1" else normals_mse(prediction, label)


@dataclass
class Losses:
    final: dict[str, Tensor]
    intermediate: dict[str, list[Tensor]]
    coherence: Tensor | None
    total: Tensor

    def numbers(self) -> dict[str, float]:
        values = {f"final.{t}": v.item() for t, v in self.final.items()}
        for t, stages in self.intermediate.items():
            values |= {f"intermediate.{t}.{i}": v.item() for i, v in enumerate(stages)}
        if self.coherence is not None:
            values["coherence"] = self.coherence.item()
        return values | {"total": self.total.item()}


def objective(config: Config, outputs: Outputs, labels: dict[str, Tensor]) -> Losses:
    settings = config.losses

    def of(task: Task, prediction: Tensor) -> Tensor:
        return task_loss(task, settings, prediction, labels[task.name])

    def combined(losses: dict[str, Tensor]) -> Tensor:
        if not settings.log:
            return torch.stack(list(losses.values())).sum()
        terms = [settings.weights.get(t, 1.0) * torch.log(1 + settings.epsilon + loss) for t, loss in losses.items()]
        return torch.stack(terms).sum()

    final = {task.name: of(task, outputs.prediction[task.name]) for task in config.tasks}
    intermediate = {
        task.name: [of(task, p) for p in outputs.intermediate[task.name]]
        for task in config.tasks
        if task.name in outputs.intermediate
    }
    total = combined(final)
    if intermediate:
        stages = range(len(next(iter(intermediate.values()))))
        total = total + torch.stack([combined({t: s[i] for t, s in intermediate.items()}) for i in stages]).mean()
    coherence = torch.stack(list(outputs.coherence.values())).sum() if outputs.coherence else None
    if coherence is not None:
        total = total + settings.coherence * coherence
    return Losses(final, intermediate, coherence, total)


def adamw(config: Config, model: Mtcp) -> torch.optim.AdamW:
    """Decoupled decay on every parameter, norms and biases too."""
    return torch.optim.AdamW(
        model.parameters(),
        lr=config.optimizer.rate,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=config.optimizer.decay,
    )


def step(
    model: Mtcp, optimizer: torch.optim.Optimizer, image: Tensor, labels: dict[str, Tensor]
) -> tuple[Outputs, Losses]:
    """Forward, backward and update; gradients stay on the parameters until the next step."""
    optimizer.zero_grad(set_to_none=True)
    outputs = model(image)
    losses = objective(model.config, outputs, labels)
    losses.total.backward()
    optimizer.step()
    return outputs, losses

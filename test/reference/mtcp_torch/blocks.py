"""What MT-CP puts behind its task decoders: pyramid fusion, coherence fusion, trace-back and heads.

All maps are [batch, channels, height, width].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import InteractionConfig, RefinementConfig, Task


def resize(x: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Bilinear, half-pixel centres."""
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)


def enlarge(x: Tensor) -> Tensor:
    """Bilinear to twice the size, corners on corners."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class ChannelGate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 16)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        pooled = (x.mean((2, 3)), x.amax((2, 3)))
        average, maximum = (self.fc2(self.fc1(p).relu()) for p in pooled)
        return x * (average + maximum).sigmoid()[:, :, None, None]


class SpatialGate(nn.Module):
    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * self.norm(self.conv(summary)).sigmoid()


class Cbam(nn.Module):
    def __init__(self, channels: int, kernel: int = 7) -> None:
        super().__init__()
        self.channel = ChannelGate(channels)
        self.spatial = SpatialGate(kernel)

    def forward(self, x: Tensor) -> Tensor:
        return self.spatial(self.channel(x))


class PyramidFusion(nn.Module):
    """A pyramid -> one map of `channels` at its finest level."""

    def __init__(self, widths: list[int], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)
        self.output = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, pyramid: list[Tensor]) -> Tensor:
        *finer, fused = (lateral(level) for lateral, level in zip(self.lateral, pyramid, strict=True))
        for level in reversed(finer):
            fused = F.interpolate(fused, level.shape[2:], mode="nearest") + level
        return self.output(fused)


def affinity(query: Tensor, key: Tensor, values: Tensor) -> Tensor:
    """Every position becomes a mean of `values` over positions, by softmax of query . key."""
    batch, channels, height, width = values.shape
    weights = (query.flatten(2).transpose(1, 2) @ key.flatten(2)).softmax(-1)
    mixed = values.flatten(2) @ weights.transpose(1, 2)
    return mixed.reshape(batch, channels, height, width)


def channel_merge(main: Tensor, auxiliary: Tensor) -> Tensor:
    """Every channel becomes a sum of `main`'s channels by their mean product with `auxiliary`'s."""
    m, a = main.flatten(2), auxiliary.flatten(2)
    return ((m @ a.transpose(1, 2)) / m.shape[2] @ m).reshape(main.shape)


class CoherenceFusion(nn.Module):
    """A task's map and those of the others -> the task's map, and the coherence loss where there is one."""

    def __init__(self, others: list[str], channels: int, config: InteractionConfig) -> None:
        super().__init__()
        if config.variant == "code" and config.merge == "channel":
            raise ValueError("the code's interaction merges by affinity only")
        self.config = config
        wide = channels * len(others)
        self.gates = nn.ModuleDict({other: nn.Conv2d(channels, channels, 1) for other in others})
        self.cbam_main, self.norm_main = Cbam(channels), nn.BatchNorm2d(channels)
        if config.variant == "code":
            self.mix = nn.Conv2d(wide, wide, 1)
            self.cbam_query, self.norm_query = Cbam(wide), nn.BatchNorm2d(wide)
            self.cbam_key, self.norm_key = Cbam(wide), nn.BatchNorm2d(wide)
        else:
            self.reduce = nn.Conv2d(wide, channels, 1)
            self.cbam_aux, self.norm_aux = Cbam(channels), nn.BatchNorm2d(channels)
        self.cbam_out = Cbam(channels, kernel=7 if config.variant == "code" else 1)
        self.norm_out = nn.BatchNorm2d(channels)
        if config.residual == "gamma":
            self.gamma = nn.Parameter(torch.zeros(channels))

    def forward(self, main: Tensor, others: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        mixed, coherence = self.mixed(main, others)
        if self.config.residual == "gamma":
            mixed = main + self.gamma[:, None, None] * mixed
        return mixed, coherence

    def mixed(self, main: Tensor, others: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        gated = torch.cat([others[name] * gate(others[name]).sigmoid() for name, gate in self.gates.items()], 1)
        main = self.norm_main(self.cbam_main(main))
        coherence = None
        if self.config.variant == "code":
            mixed = self.mix(gated).relu()
            query = self.norm_query(self.cbam_query(mixed)).relu()
            key = self.norm_key(self.cbam_key(mixed)).relu()
            merged = affinity(query, key, main)
        else:
            main = main.relu()
            auxiliary = self.norm_aux(self.cbam_aux(self.reduce(gated))).relu()
            coherence = (1 - F.cosine_similarity(main, auxiliary, dim=1, eps=1e-8)).mean()
            if self.config.merge == "affinity":
                merged = affinity(main, auxiliary, main)
            else:
                merged = channel_merge(main, auxiliary)
        return self.norm_out(self.cbam_out(merged)), coherence


class RefinementStage(nn.Module):
    """Spatial refinement: what came so far meets one stage of the task's decoder."""

    def __init__(self, inputs: int, width: int, channels: int, carries: bool) -> None:
        super().__init__()
        self.cbam_prediction, self.cbam_feature = Cbam(inputs), Cbam(width)
        self.prediction, self.prediction_norm = nn.Conv2d(inputs + width, channels, 1), nn.BatchNorm2d(channels)
        self.carries = carries
        if carries:
            self.feature, self.feature_norm = nn.Conv2d(inputs + width, width, 1), nn.BatchNorm2d(width)

    def forward(self, prediction: Tensor, feature: Tensor) -> tuple[Tensor, Tensor | None]:
        feature = self.cbam_feature(feature)
        prediction = resize(self.cbam_prediction(prediction), feature.shape[2:])
        both = torch.cat([prediction, feature], 1)
        refined = self.prediction_norm(self.prediction(both)).relu()
        return refined, self.feature_norm(self.feature(both)).relu() if self.carries else None


class IntermediateHead(nn.Module):
    def __init__(self, channels: int, outputs: int, convolutions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        if convolutions == 2:
            self.conv2 = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.classify = nn.Conv2d(channels, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        if hasattr(self, "conv2"):
            x = self.conv2(x)
        return self.classify(self.norm(x).relu())


class Refinement(nn.Module):
    """Trace-back from the coarsest decoder stage to the finest; predictions at all but the last."""

    def __init__(self, widths: list[int], channels: int, task: Task, config: RefinementConfig) -> None:
        super().__init__()
        self.skip = config.skip
        carries_feature = config.carry == "feature"
        self.stages = nn.ModuleList()
        inputs = channels
        for i, width in enumerate(reversed(widths)):
            carries = carries_feature and i + 1 < len(widths)
            self.stages.append(RefinementStage(inputs, width, channels, carries))
            inputs = width if carries_feature else channels
        convolutions = config.intermediate_convolutions.get(task.name, 2)
        self.predict = nn.ModuleList(IntermediateHead(channels, task.channels, convolutions) for _ in widths[1:])

    def forward(self, x: Tensor, pyramid: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Every stage's output, coarse to fine, and the intermediate predictions at their own sizes."""
        outputs, start = [], x
        for stage, feature in zip(self.stages, reversed(pyramid), strict=True):
            refined, carried = stage(x, feature)
            outputs.append(refined)
            x = refined if carried is None else carried
        if self.skip:
            outputs[-1] = outputs[-1] + start
        return outputs, [head(x) for head, x in zip(self.predict, outputs[:-1], strict=True)]


class ClassHead(nn.Module):
    """Classes (twice the size of its input) and normals (the same size)."""

    def __init__(self, channels: int, task: Task) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, task.channels, 1)
        self.enlarges = task.kind == "classes"

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.norm(self.conv1(x)).relu())
        return enlarge(x) if self.enlarges else x


class DepthHead(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // 2, 1)
        self.conv2 = nn.Conv2d(channels // 2, hidden, 1)
        self.conv3 = nn.Conv2d(hidden, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.conv2(enlarge(self.conv1(x))).relu())

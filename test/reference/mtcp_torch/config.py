"""What a reference run consists of, as plain data with a JSON form.

Every number that the two implementations must agree on is here; nothing is read from anywhere else.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Task:
    name: str
    kind: Literal["classes", "depth", "normals"]
    channels: int


@dataclass(frozen=True)
class BackboneConfig:
    """Mask2Former over Swin. The defaults are facebook/mask2former-swin-small-ade-semantic."""

    embed: int = 96
    depths: tuple[int, ...] = (2, 2, 18, 2)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    window: int = 7
    hidden: int = 256
    attention_heads: int = 8
    pixel_layers: int = 6
    pixel_feedforward: int = 1024
    query_layers: int = 9
    """Layers of the transformer decoder; there is one mask prediction more, before the first layer."""
    query_feedforward: int = 2048
    queries: int = 100


@dataclass(frozen=True)
class RepresentationConfig:
    """How mask logits scale the pixel embeddings."""

    layers: Literal["last", "mean"] = "mean"
    activation: Literal["none", "sigmoid"] = "none"


@dataclass(frozen=True)
class DecoderConfig:
    """Swin stages on the representation: `hidden`, 2 `hidden`, 4 `hidden` ... channels."""

    depths: tuple[int, ...] = (1, 2, 1)
    heads: tuple[int, ...] = (2, 2, 2)
    window: int = 7


@dataclass(frozen=True)
class InteractionConfig:
    variant: Literal["paper", "code"] = "paper"
    merge: Literal["affinity", "channel"] = "affinity"
    """`channel` exists for the paper variant only."""
    residual: Literal["none", "gamma"] = "none"
    """`gamma`: the task's map, and the module's output times a learnt number for each channel."""


@dataclass(frozen=True)
class RefinementConfig:
    carry: Literal["feature", "prediction"] = "feature"
    skip: bool = False
    """The map that refinement starts from is added to the last stage's output."""
    intermediate_convolutions: dict[str, int] = field(default_factory=dict)
    """Of a task's intermediate heads before their norm, 1 or 2; 2 for tasks that are not here."""


@dataclass(frozen=True)
class LossConfig:
    normals: Literal["l1", "mse"] = "l1"
    """`l1`: unit predictions, L1 over valid elements. `mse`: as predicted, squared error over the same."""
    log: bool = True
    """Log projection of every task loss, and weights on final and intermediate losses alike."""
    epsilon: float = 1e-6
    weights: dict[str, float] = field(default_factory=dict)
    """Used only with the log projection; absent tasks have weight 1."""
    coherence: float = 1.0
    """Weight of the cosine loss, which only the paper's interaction has."""


@dataclass(frozen=True)
class OptimizerConfig:
    rate: float = 5e-5
    decay: float = 1e-4


@dataclass(frozen=True)
class Config:
    tasks: tuple[Task, ...]
    backbone: BackboneConfig = BackboneConfig()
    representation: RepresentationConfig = RepresentationConfig()
    decoder: DecoderConfig = DecoderConfig()
    interaction: InteractionConfig | None = InteractionConfig()
    refinement: RefinementConfig | None = RefinementConfig()
    depth_hidden: int = 32
    """Channels before the last convolution of a depth head."""
    losses: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = OptimizerConfig()

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @staticmethod
    def from_json(data: dict[str, Any]) -> Config:
        def part(kind: type, name: str) -> Any:
            value = data.get(name, {})
            if value is None:
                return None
            return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})

        return Config(
            tasks=tuple(Task(**task) for task in data["tasks"]),
            backbone=part(BackboneConfig, "backbone"),
            representation=part(RepresentationConfig, "representation"),
            decoder=part(DecoderConfig, "decoder"),
            interaction=part(InteractionConfig, "interaction"),
            refinement=part(RefinementConfig, "refinement"),
            depth_hidden=data.get("depth_hidden", 32),
            losses=part(LossConfig, "losses"),
            optimizer=part(OptimizerConfig, "optimizer"),
        )

    @staticmethod
    def read(path: Path) -> Config:
        data = json.loads(path.read_text())
        return Config.from_json(data.get("config", data))


NYUD = (Task("semseg", "classes", 40), Task("depth", "depth", 1), Task("normals", "normals", 3))
"""The three tasks of NYUD-v2."""

"""The pieces of a network that are timed, and the registry of everything that can be.

A step is forward, backward down to the piece's inputs, and an AdamW update of its parameters. transformers is
imported only where it is used: it takes hundreds of megabytes, which would count as the piece's own.
"""

from __future__ import annotations

import json
import math
from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.blocks import Cbam, affinity
from mtcp_torch.swin import SwinStage
from mtcp_torch.training import cross_entropy
from torch import Tensor, nn

from networks import EvaluationPiece, SystemStepPiece, TrainingStepPiece
from piece import Piece, Sizes


class SwinStagePiece(Piece):
    """Blocks of one Swin stage, every second shifted, without downsampling."""

    prefix = "swin_stage/"
    defaults: Sizes = {"batch": 2, "height": 60, "width": 80, "channels": 256, "heads": 2, "depth": 2, "window": 7}

    def __init__(self, s: Sizes, **how: Any) -> None:
        super().__init__(SwinStage(s["channels"], s["depth"], s["heads"], s["window"], True), **how)
        self.add_input("input", s["batch"], s["channels"], s["height"], s["width"])
        self.add_upstream(s["batch"], s["channels"], s["height"], s["width"])

    def forward(self) -> Tensor:
        return self.module(self.inputs["input"].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvPiece(Piece):
    """3x3 convolution without bias, BatchNorm, ReLU."""

    prefix = "conv/"
    defaults: Sizes = {"batch": 2, "height": 120, "width": 160, "channels": 256, "kernel": 3}

    def __init__(self, s: Sizes, **how: Any) -> None:
        conv = nn.Conv2d(s["channels"], s["channels"], s["kernel"], padding=s["kernel"] // 2, bias=False)
        super().__init__(nn.Sequential(conv, nn.BatchNorm2d(s["channels"]), nn.ReLU()), **how)
        self.add_input("input", s["batch"], s["channels"], s["height"], s["width"])
        self.add_upstream(s["batch"], s["channels"], s["height"], s["width"])


class CbamPiece(Piece):
    """1x1 convolution without bias, BatchNorm, CBAM."""

    prefix = "cbam/"
    defaults: Sizes = {"batch": 2, "height": 120, "width": 160, "channels": 256, "kernel": 7}

    def __init__(self, s: Sizes, **how: Any) -> None:
        channels = s["channels"]
        conv = nn.Conv2d(channels, channels, 1, bias=False)
        super().__init__(nn.Sequential(conv, nn.BatchNorm2d(channels), Cbam(channels, s["kernel"])), **how)
        self.add_input("input", s["batch"], channels, s["height"], s["width"])
        self.add_upstream(s["batch"], channels, s["height"], s["width"])


class AffinityPiece(Piece):
    """The merge of coherence fusion: no parameters. `inner`: channels of query and key."""

    prefix = "affinity/"
    defaults: Sizes = {"batch": 2, "height": 60, "width": 80, "channels": 256, "inner": 256}

    def __init__(self, s: Sizes, **how: Any) -> None:
        super().__init__(nn.Module(), **how)
        size = (s["height"], s["width"])
        # Products over `inner` channels go through a softmax: keep them of the order of one.
        self.add_input("query", s["batch"], s["inner"], *size, scale=1 / math.sqrt(s["inner"]))
        self.add_input("key", s["batch"], s["inner"], *size)
        self.add_input("values", s["batch"], s["channels"], *size)
        self.add_upstream(s["batch"], s["channels"], *size)

    def forward(self) -> Tensor:
        return affinity(*self.inputs.values())


class CrossEntropyPiece(Piece):
    """Bilinear resize to `scale` times the size, half-pixel centres, and cross entropy; no parameters."""

    prefix = "cross_entropy/"
    defaults: Sizes = {"batch": 2, "height": 240, "width": 320, "classes": 40, "scale": 2}

    def __init__(self, s: Sizes, **how: Any) -> None:
        super().__init__(nn.Module(), **how)
        self.add_input("input", s["batch"], s["classes"], s["height"], s["width"])
        self.size = (s["height"] * s["scale"], s["width"] * s["scale"])
        # Labels of `classes` and above are unknown: about a twentieth of them.
        label = ((self.draw("label", (s["batch"], 1, *self.size), 0.5, 0.5) * (s["classes"] * 1.05)).floor()).long()
        self.label = torch.where(label < s["classes"], label, 255)

    def forward(self) -> Tensor:
        logits = F.interpolate(self.inputs["input"], self.size, mode="bilinear", align_corners=False)
        return cross_entropy(logits, self.label)


class DeformablePiece(Piece):
    """Multi-scale deformable self-attention over three levels, the first `height` x `width`, each twice the last."""

    prefix = "deformable_attention/"
    defaults: Sizes = {"batch": 2, "height": 15, "width": 20, "channels": 256, "heads": 8}

    def __init__(self, s: Sizes, **how: Any) -> None:
        from transformers.models.mask2former import modeling_mask2former as mask2former

        attention = mask2former.Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention
        module = attention(s["channels"], s["heads"], 3, 4)
        super().__init__(module, **how)
        self.shapes = [(s["height"] * 2**i, s["width"] * 2**i) for i in range(3)]
        cells = sum(h * w for h, w in self.shapes)
        for key in ("input", "position"):
            self.add_input(key, s["batch"], cells, s["channels"])
        self.add_upstream(s["batch"], cells, s["channels"])
        ratios = torch.ones(s["batch"], 3, 2)
        points = mask2former.Mask2FormerPixelDecoderEncoderOnly.get_reference_points
        self.points = points(self.shapes, ratios, "cpu")

    def forward(self) -> Tensor:
        return self.module(
            self.inputs["input"],
            encoder_hidden_states=self.inputs["input"],
            position_embeddings=self.inputs["position"],
            reference_points=self.points,
            spatial_shapes_list=self.shapes,
        )[0]


class AdamwPiece(Piece):
    """The update alone, of `tensors` tensors with `parameters` numbers in all, with a fixed gradient."""

    prefix = "adamw/"
    defaults: Sizes = {"parameters": 50_000_000, "tensors": 50}

    def __init__(self, s: Sizes, **how: Any) -> None:
        module = nn.ParameterList(torch.empty(s["parameters"] // s["tensors"]) for _ in range(s["tensors"]))
        super().__init__(module, **how)
        for i, parameter in enumerate(module):
            parameter.grad = self.draw(f"gradient.{i}", tuple(parameter.shape), scale=1e-3)

    def step(self) -> None:
        self.optimizer.step()


PIECES: dict[str, type[Piece]] = {
    "swin_stage": SwinStagePiece,
    "conv": ConvPiece,
    "cbam": CbamPiece,
    "affinity": AffinityPiece,
    "cross_entropy": CrossEntropyPiece,
    "deformable_attention": DeformablePiece,
    "adamw": AdamwPiece,
    "training_step": TrainingStepPiece,
    "evaluation": EvaluationPiece,
    "system_step": SystemStepPiece,
}


def build(name: str, sizes: Sizes, channels_last: bool = False, fused: bool = False) -> tuple[Piece, Sizes]:
    """A piece and its sizes, those of `sizes` over the defaults."""
    kind = PIECES[name]
    unknown = sizes.keys() - kind.defaults.keys()
    if unknown:
        raise SystemExit(f"{name} has no size {sorted(unknown)}; it has {json.dumps(kind.defaults)}")
    complete = kind.defaults | sizes
    return kind(complete, channels_last=channels_last, fused=fused), complete

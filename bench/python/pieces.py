"""The pieces that are timed: a part of a network, or all of it, taken through one training step.

A step is forward, backward down to the piece's inputs, and an AdamW update of its parameters. What goes in is
drawn from the names of the tensors (mtcp_torch.fixtures.weights), so another program can draw the same numbers;
`Piece.drawn` lists them. Maps are [batch, channels, height, width]. transformers is imported only where it is
used: it takes hundreds of megabytes, which would count as the piece's own.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "reference"))

from mtcp_torch.blocks import Cbam, affinity  # noqa: E402
from mtcp_torch.config import NYUD, Config  # noqa: E402
from mtcp_torch.fixtures.weights import spread, values  # noqa: E402
from mtcp_torch.swin import SwinStage  # noqa: E402
from mtcp_torch.training import cross_entropy, objective  # noqa: E402

Sizes = dict[str, Any]


class Piece:
    """A function of tensors and of a module's parameters. Subclasses say what `forward` is."""

    defaults: Sizes
    prefix: str
    """Put before the name of a tensor when it is drawn."""

    def __init__(self, module: nn.Module, channels_last: bool, fused: bool, rate: float = 5e-5, decay: float = 1e-4):
        self.drawn: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, Tensor] = {}
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.module = module
        for key, tensor in self.state().items():
            tensor.copy_(self.draw(key, tuple(tensor.shape), *spread(key, tuple(tensor.shape))))
        self.module.to(memory_format=self.format)
        parameters = list(module.parameters())
        self.optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=fused) if parameters else None
        self.upstream: Tensor | None = None
        self.output: Tensor | None = None

    def state(self) -> dict[str, Tensor]:
        return {n: t for n, t in self.module.state_dict().items() if t.is_floating_point()}

    def draw(self, key: str, shape: tuple[int, ...], offset: float = 0.0, scale: float = 1.7) -> Tensor:
        name = f"{self.prefix}{key}"
        self.drawn[name] = {"shape": list(shape), "offset": offset, "scale": scale}
        return values(name, shape, offset, scale)

    def add_input(self, key: str, *shape: int, scale: float = 1.7) -> None:
        tensor = self.draw(key, shape, scale=scale)
        if tensor.ndim == 4:
            tensor = tensor.to(memory_format=self.format)
        self.inputs[key] = tensor.requires_grad_()

    def add_upstream(self, *shape: int) -> None:
        """The gradient of the output, for pieces that end in a tensor."""
        tensor = self.draw("upstream", shape)
        self.upstream = tensor.to(memory_format=self.format) if tensor.ndim == 4 else tensor

    def forward(self) -> Tensor:
        return self.module(*self.inputs.values())

    def step(self) -> None:
        for tensor in (*self.inputs.values(), *self.module.parameters()):
            tensor.grad = None
        output = self.forward()
        output.backward(self.upstream)
        if self.optimizer is not None:
            self.optimizer.step()
        self.output = output.detach()

    def outputs(self) -> dict[str, Tensor]:
        """Results of the latest step: the output, gradients, and parameters as they are now."""
        named = self.inputs | dict(self.module.named_parameters())
        gradients = {f"gradient.{n}": t.grad for n, t in named.items() if t.grad is not None}
        parameters = {f"parameter.{n}": t.detach() for n, t in self.module.named_parameters()}
        return ({} if self.output is None else {"output": self.output}) | gradients | parameters


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


class TrainingStepPiece(Piece):
    """A training step of MT-CP. Without files, the full-size network of the paper on made-up data.

    `config`: JSON file of `mtcp_torch.config.Config`, or a fixture's. `weights`, `data`: safetensors; `data`
    holds `image` and the labels of every task. Without them weights are drawn by name, and a batch of `batch`
    samples of `height` x `width` is made up.
    """

    prefix = ""  # the weights of the fixtures
    defaults: Sizes = {"config": None, "weights": None, "data": None, "batch": 1, "height": 480, "width": 640}

    def __init__(self, s: Sizes, **how: Any) -> None:
        from mtcp_torch.model import Mtcp

        self.config = Config.read(Path(s["config"])) if s["config"] else Config(NYUD)
        super().__init__(Mtcp(self.config), **how, **asdict(self.config.optimizer))
        if s["weights"]:
            self.module.load_hub_state(load_file(s["weights"]))
        data = load_file(s["data"]) if s["data"] else self.made_up(s)
        self.image, self.labels = data.pop("image").to(memory_format=self.format), data
        self.losses: dict[str, float] = {}

    def state(self) -> dict[str, Tensor]:
        return self.module.hub_state()

    def made_up(self, s: Sizes) -> dict[str, Tensor]:
        size = (s["height"], s["width"])
        data = {"image": self.draw("image", (s["batch"], 3, *size))}
        for task in self.config.tasks:
            if task.kind == "classes":
                label = self.draw(task.name, (s["batch"], 1, *size), 0.5, 0.5)
                data[task.name] = (label * task.channels).to(torch.uint8)
            elif task.kind == "depth":
                data[task.name] = self.draw(task.name, (s["batch"], 1, *size), 5.0, 4.5)
            else:
                label = self.draw(task.name, (s["batch"], 3, *size))
                data[task.name] = label / label.norm(dim=1, keepdim=True)
        return data

    def step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        losses = objective(self.config, self.module(self.image), self.labels)
        losses.total.backward()
        self.optimizer.step()
        self.losses = losses.numbers()

    def outputs(self) -> dict[str, Tensor]:
        """Losses and the norm of every gradient; whole gradients would be as large as the network."""
        gradients = {f"norm.{n}": p.grad.norm() for n, p in self.module.hub_parameters().items() if p.grad is not None}
        return {f"loss.{n}": torch.tensor(v) for n, v in self.losses.items()} | gradients


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
}


def build(name: str, sizes: Sizes, channels_last: bool = False, fused: bool = False) -> tuple[Piece, Sizes]:
    """A piece and its sizes, those of `sizes` over the defaults."""
    kind = PIECES[name]
    unknown = sizes.keys() - kind.defaults.keys()
    if unknown:
        raise SystemExit(f"{name} has no size {sorted(unknown)}; it has {json.dumps(kind.defaults)}")
    complete = kind.defaults | sizes
    return kind(complete, channels_last=channels_last, fused=fused), complete

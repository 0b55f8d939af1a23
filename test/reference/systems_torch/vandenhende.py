"""Systems of SimonVandenhende/Multi-Task-Learning-PyTorch on small backbones."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from .authors import repository, stub
from .backbones import SIZE, narrow, small_hrnet
from .fixture import Outputs, write

TASKS = {"semseg": 5, "depth": 1, "normals": 3}
P = SimpleNamespace(
    TASKS=SimpleNamespace(NAMES=list(TASKS), NUM_OUTPUT=TASKS),
    AUXILARY_TASKS=SimpleNamespace(NAMES=list(TASKS), NUM_OUTPUT=TASKS),
)
CHANNELS = {"conv": 8, "layer1": 8, "layer2": 16, "layer3": 32, "layer4": 64, "layer1_without_conv": 8}
RESNET = {"type": "resnet", "depth": 18, "width": 8, "blocks": [2, 2, 2, 2]}
HRNET = {"type": "hrnet", "width": 4, "modules": [1, 1, 1], "blocks": 1, "upsample": "nearest"}
PLAIN = {"type": "bottlenecks", "count": 0, "level": -1}


def substitute(name: str, rules: list[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name, count = re.subn(pattern, replacement, name)
        if count:
            return name
    return name


DEEPLAB_NAMES = [
    (r"0\.convs\.4\.1\.", "aspp.pool.conv."),
    (r"0\.convs\.4\.2\.", "aspp.pool.norm."),
    (r"0\.convs\.(\d)\.0\.", r"aspp.\1.conv."),
    (r"0\.convs\.(\d)\.1\.", r"aspp.\1.norm."),
    (r"0\.project\.0\.", "aspp.project.conv."),
    (r"0\.project\.1\.", "aspp.project.norm."),
    (r"^(.*\.|)1\.", r"\1conv."),
    (r"^(.*\.|)2\.", r"\1norm."),
    (r"^(.*\.|)4\.", r"\1classify."),
]


def deeplab_name(name: str) -> str:
    return substitute(name, DEEPLAB_NAMES)


def encoder(dilated: Any) -> nn.Module:
    return dilated(narrow(ResNet(BasicBlock, [2, 2, 2, 2]), 8))


class Trunk(nn.Module):
    """HRNet's levels; the systems are written for a backbone that gives a list."""

    def __init__(self) -> None:
        super().__init__()
        self.net = small_hrnet(4, (1, 1, 1), 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        m = self.net
        return m.stages(m.act2(m.bn2(m.conv2(m.act1(m.bn1(m.conv1(x)))))))


def trunk_name(name: str) -> str | None:
    """`net.<timm's name>` to ours; the classifier is left out."""
    name = name.removeprefix("net.")
    return f"backbone.{name}" if name.startswith(("conv", "bn", "layer1", "transition", "stage")) else None


def heads(slot: dict[str, Any]) -> dict[str, Any]:
    return {t: {"head": slot} for t in TASKS}


def write_vandenhende(folder: Path, authors: Path) -> None:
    stub("torchvision.models.utils", load_state_dict_from_url=None)
    stub("termcolor", colored=str)
    with repository(authors, "Multi-Task-Learning-PyTorch") as load:
        deeplab(folder, load)
        stitched(folder, load)
        attention(folder, load)
        distillation(folder, load)


def per_task(load: Any) -> tuple[nn.ModuleDict, nn.ModuleDict]:
    """Encoders and plain 1x1 heads; the DeepLab head has a fixture of its own."""
    dilated = load("models.resnet_dilated").ResnetDilated
    backbones = nn.ModuleDict({t: encoder(dilated) for t in TASKS})
    return backbones, nn.ModuleDict({t: nn.Conv2d(64, n, 1) for t, n in TASKS.items()})


def deeplab(folder: Path, load: Any) -> None:
    head = load("models.aspp").DeepLabHead(64, 5)
    head[0].project[3].p = 0.0
    net = load("models.models").SingleTaskModel(encoder(load("models.resnet_dilated").ResnetDilated), head, "semseg")

    def rename(name: str) -> str:
        part, rest = name.split(".", 1)
        return name if part == "backbone" else f"heads.semseg.{deeplab_name(rest)}"

    slot = {"type": "deeplab", "dropout": 0}
    setting = {"model": {"backbone": RESNET}, "tasks": {"semseg": {"head": slot}}}
    write(folder, "stl-deeplab", net, SIZE, rename, setting)


def encoder_name(name: str) -> str | None:
    if name.startswith("backbone."):
        return name
    if name.startswith("heads."):
        _, task, rest = name.split(".", 2)
        return f"heads.{task}.classify.{rest}"
    return name


def stitched(folder: Path, load: Any) -> None:
    stages = ["layer1", "layer2", "layer3", "layer4"]
    net = load("models.cross_stitch").CrossStitchNetwork(P, *per_task(load), stages, CHANNELS, 0.9, 0.1)
    rules = [(r"cross_stitch\.(\w+)\.cross_stitch_unit\.(\w+)\.(\w+)\.param", r"backbone.units.\1.0.\2.\3")]
    model = {"backbone": {"type": "per_task", "encoder": RESNET, "unit": {"type": "cross_stitch"}, "after": stages}}
    write(folder, "cross-stitch", net, SIZE, lambda n: substitute(encoder_name(n), rules),
          {"model": model, "tasks": heads(PLAIN)})  # fmt: skip

    every = ["conv", "layer1_without_conv", "layer2", "layer3", "layer4"]
    net = load("models.nddr_cnn").NDDRCNN(P, *per_task(load), every, every, CHANNELS, 0.9, 0.1)
    ours = {"conv": "stem", "layer1_without_conv": "layer1"}

    def nddr_name(name: str) -> str | None:
        match = re.match(r"nddr\.(\w+)\.layer\.(\w+)\.(\d)\.(.*)", name)
        if not match:
            return encoder_name(name)
        stage, task, part, rest = match.groups()
        return f"backbone.units.{ours.get(stage, stage)}.0.{task}.{'conv' if part == '0' else 'norm'}.{rest}"

    model = {"backbone": {"type": "per_task", "encoder": RESNET, "unit": {"type": "nddr"}}}
    write(folder, "nddr", net, SIZE, nddr_name, {"model": model, "tasks": heads(PLAIN)})


def attention(folder: Path, load: Any) -> None:
    backbones, decoders = per_task(load)
    down = {"layer1": True, "layer2": False, "layer3": False, "layer4": False}
    net = load("models.mtan").MTAN(P, backbones["semseg"], decoders, list(down), CHANNELS, down)
    parts = {"0": "conv1", "1": "norm1", "3": "conv2", "4": "norm2"}

    def rename(name: str) -> str | None:
        if match := re.match(r"attention_(\d)\.(\w+)\.(\d)\.(.*)", name):
            stage, task, part, rest = match.groups()
            return f"decoder.attention.{int(stage) - 1}.{task}.{parts[part]}.{rest}"
        if match := re.match(r"refine_(\d)\.0\.(.*)", name):
            return f"decoder.refine.{int(match[1]) - 1}.{match[2]}"
        return encoder_name(name)

    model = {"backbone": {**RESNET, "inner": True}, "decoder": {"type": "mtan"}}
    write(folder, "mtan", net, (48, 64), rename, {"model": model, "tasks": heads(PLAIN)})


def flatten(out: dict[str, Any]) -> Outputs:
    """Final predictions, and intermediate ones in the order in which ours are made."""
    results = {t: out[t] for t in TASKS}
    if "deep_supervision" in out:
        for place, scale in enumerate((3, 2, 1, 0)):
            results |= {f"{t}.{place}": out["deep_supervision"][f"scale_{scale}"][t] for t in TASKS}
    return results | {f"{t}.0": out[f"initial_{t}"] for t in TASKS if f"initial_{t}" in out}


def distillation(folder: Path, load: Any) -> None:
    hrnet = load("models.seg_hrnet")
    channels = [4, 8, 16, 32]

    padnet = load("models.padnet")
    bottleneck = load("models.resnet").Bottleneck

    class Pad(nn.Module):
        """PADNet.forward over the same modules, with 16 channels instead of 256."""

        def __init__(self) -> None:
            super().__init__()
            self.trunk = Trunk()
            self.fuse = hrnet.HighResolutionFuse(channels, 16)
            self.initial_task_prediction_heads = padnet.InitialTaskPredictionModule(P, list(TASKS), sum(channels), 16)
            self.multi_modal_distillation = padnet.MultiTaskDistillationModule(list(TASKS), list(TASKS), 16)
            self.heads = nn.ModuleDict(
                {t: nn.Sequential(bottleneck(16, 4), bottleneck(16, 4), nn.Conv2d(16, n, 1)) for t, n in TASKS.items()}
            )

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            first = self.initial_task_prediction_heads(self.fuse(self.trunk(x)))
            mixed = self.multi_modal_distillation(first)
            return {t: self.heads[t](mixed[t]) for t in TASKS} | {f"initial_{t}": first[t] for t in TASKS}

    net = Pad()

    def pad_name(name: str) -> str | None:
        if name.startswith("trunk."):
            return trunk_name(name.removeprefix("trunk."))
        return substitute(name, [
            (r"^fuse\.last_layer\.0\.", "decoder.0.conv."),
            (r"^fuse\.last_layer\.1\.", "decoder.0.norm."),
            (r"^initial_task_prediction_heads\.layers\.(\w+)\.", r"decoder.1.\1.blocks."),
            (r"^initial_task_prediction_heads\.conv_out\.(\w+)\.", r"decoder.1.\1.classify."),
            (r"^multi_modal_distillation\.self_attention\.(\w+)\.(\w+)\.attention\.0\.",
             r"interaction.levels.0.\1.\2.gate."),
            (r"^multi_modal_distillation\.self_attention\.(\w+)\.(\w+)\.conv\.", r"interaction.levels.0.\1.\2.conv."),
            (r"^heads\.(\w+)\.2\.", r"heads.\1.classify."),
            (r"^heads\.(\w+)\.(\d)\.", r"heads.\1.blocks.\2."),
        ])  # fmt: skip

    decoder = {"type": "sequence", "blocks": [{"type": "concat", "reduce": "conv-norm-relu"}, {"type": "initial", "channels": 16}]}
    model = {"backbone": HRNET, "decoder": decoder, "interaction": {"type": "distill"}}
    write(folder, "pad-net", net, (64, 96), pad_name, {"model": model, "tasks": heads({"type": "bottlenecks"})},
          lambda m, x: flatten(m(x)))  # fmt: skip

    decoders = nn.ModuleDict({t: hrnet.HighResolutionHead(channels, n) for t, n in TASKS.items()})
    layers = load("models.layers")
    init = layers.SEBlock.__init__
    layers.SEBlock.__init__ = lambda self, c, r=2: init(self, c, r)  # 4 channels have no sixteenth
    net = load("models.mti_net").MTINet(P, Trunk(), channels, decoders)
    layers.SEBlock.__init__ = init

    def mti_name(name: str) -> str | None:
        if name.startswith("backbone."):
            return trunk_name(name.removeprefix("backbone."))
        return substitute(name, [
            (r"^fpm_scale_(\d)\.non_linear\.2\.", r"decoder.scales.\1.propagate.attend."),
            (r"^fpm_scale_(\d)\.non_linear\.(\d)\.", r"decoder.scales.\1.propagate.blocks.\2."),
            (r"^fpm_scale_(\d)\.dimensionality_reduction\.", r"decoder.scales.\1.propagate.reduce.0."),
            (r"^fpm_scale_(\d)\.se\.(\w+)\.squeeze\.0\.", r"decoder.scales.\1.propagate.gates.\2.fc1."),
            (r"^fpm_scale_(\d)\.se\.(\w+)\.squeeze\.2\.", r"decoder.scales.\1.propagate.gates.\2.fc2."),
            (r"^scale_(\d)\.refinement\.(\w+)\.", r"decoder.scales.\1.\2.blocks."),
            (r"^scale_(\d)\.decoders\.(\w+)\.", r"decoder.scales.\1.\2.classify."),
            (r"^distillation_scale_(\d)\.self_attention\.(\w+)\.(\w+)\.attention\.0\.",
             r"interaction.levels.\1.\2.\3.gate."),
            (r"^distillation_scale_(\d)\.self_attention\.(\w+)\.(\w+)\.conv\.", r"interaction.levels.\1.\2.\3.conv."),
            (r"^heads\.(\w+)\.last_layer\.0\.", r"heads.\1.mix."),
            (r"^heads\.(\w+)\.last_layer\.1\.", r"heads.\1.norm."),
            (r"^heads\.(\w+)\.last_layer\.3\.", r"heads.\1.classify."),
        ])  # fmt: skip

    model = {"backbone": HRNET, "decoder": {"type": "mti", "reduction": 2}, "interaction": {"type": "distill"}}
    write(folder, "mti-net", net, (64, 96), mti_name, {"model": model, "tasks": heads({"type": "hrnet"})},
          lambda m, x: flatten(m(x)))  # fmt: skip

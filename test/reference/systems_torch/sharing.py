"""LibMTL's architectures over small dilated ResNets: MMoE, CGC, PLE, DSelect-k, learning to branch."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from .authors import repository
from .backbones import narrow
from .fixture import Outputs, spread, write
from .vandenhende import PLAIN, RESNET, TASKS, heads, substitute

SIZE = (48, 64)
IMAGE = (3, *SIZE)
STAGES = ["stem", "layer1", "layer2", "layer3", "layer4"]
# A branching network in its third round of a hundred passes.
PASSES = 250
BRANCHING = {"type": "ltb", "temperature": 2, "round": 100, "warmup": 40}
EPOCHS = 40
Rules = list[tuple[str, str]]


def write_sharing(folder: Path, authors: Path) -> None:
    with repository(authors, "LibMTL") as load:
        # The package without its __init__, which imports solvers of weighting schemes.
        package = types.ModuleType("LibMTL")
        package.__path__ = [str(authors / "LibMTL" / "LibMTL")]
        sys.modules["LibMTL"] = package
        dilated = load("LibMTL.model.resnet_dilated").ResnetDilated

        def encoder() -> nn.Module:
            net = narrow(ResNet(BasicBlock, [2, 2, 2, 2]), 8)
            net.feature_dim = 64
            return dilated(net)

        def build(name: str, **settings: Any) -> nn.Module:
            decoders = nn.ModuleDict({t: nn.Conv2d(64, n, 1) for t, n in TASKS.items()})
            kind = getattr(load(f"LibMTL.architecture.{name}"), name)
            arguments = (list(TASKS), encoder, decoders, False, False, torch.device("cpu"))
            return kind(*arguments, img_size=list(IMAGE), **settings)

        def save(name: str, net: nn.Module, rules: Rules, backbone: dict[str, Any], **more: Any) -> None:
            rules = [*rules, (r"^decoders\.(\w+)\.", r"heads.\1.classify.")]
            setting = {"model": {"backbone": backbone}, "tasks": heads(PLAIN)}
            write(folder, name, net, SIZE, lambda key: substitute(key, rules), setting, **more)

        gates = (r"^gate_specific\.(\w+)\.0\.", r"backbone.gates.\1.")
        shared = (r"^experts_shared\.", "backbone.experts.")
        own = (r"^experts_specific\.", "backbone.own.")
        save("mmoe", build("MMoE", num_experts=[3]), [gates, shared], {"type": "mmoe", "encoder": RESNET, "experts": 3})
        cgc = {"type": "cgc", "encoder": RESNET, "shared": 2, "own": 1}
        save("cgc", build("CGC", num_experts=[2, 1, 1, 1]), [gates, shared, own], cgc)
        layered(save, build("PLE", num_experts=[1, 1, 1, 1]))
        selecting(save, build("DSelect_k", num_experts=[3], num_nonzeros=2, kgamma=1.0), shared)
        branching(save, build("LTB"))
        del sys.modules["LibMTL"]


def layered(save: Any, net: nn.Module) -> None:
    rules = []
    for i, stage in enumerate(STAGES):
        rules.append((rf"^encoder\.gate_specific\.(\w+)\.{i}\.0\.", rf"backbone.gates.\1.{stage}."))
        places = ((r"specific_layer\.0\.(\w+)\.(\d)", r"own.\1.\2"), (r"shared_layer\.0\.(\d)", r"experts.\1"))
        for place, ours in places:
            pattern = place.replace(".0", f".{i}", 1)
            if i == 0:
                rules.append((rf"^encoder\.{pattern}\.0\.", rf"backbone.{ours}.conv1."))
                rules.append((rf"^encoder\.{pattern}\.1\.", rf"backbone.{ours}.bn1."))
            else:
                rules.append((rf"^encoder\.{pattern}\.", rf"backbone.{ours}.layer{i}."))
    save("ple", net, rules, {"type": "ple", "encoder": RESNET})


def selecting(save: Any, net: nn.Module, shared: tuple[str, str]) -> None:
    # The digits of each expert's number. NumPy's conversion of text to truth differs between versions.
    codes = [[bit == "1" for bit in f"{expert:02b}"] for expert in range(3)]
    net._binary_codes = torch.tensor(codes)[None]
    kept: list[Tensor] = []
    net._entropy_reg_loss = kept.append

    def forward(m: nn.Module, x: Tensor) -> Outputs:
        kept.clear()
        out = m(x)
        if not kept:
            return out
        # Both parts of the extra loss, which LibMTL computes for its last task alone.
        at = f"penalty.backbone.gates.{list(TASKS)[-1]}"
        entropy = -(kept[0] * torch.log(kept[0] + 1e-6)).sum()
        return out | {f"{at}.entropy": entropy, f"{at}.existing": (1 / kept[0].sum(-1)).sum()}

    def draw(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
        offset, scale = spread(name, shape)
        # Most digits are neither 0 nor 1.
        return (offset, round(0.3 * scale, 6)) if ".digits." in name else (offset, scale)

    rules = [
        shared,
        (r"^_z_logits\.(\w+)\.", r"backbone.gates.\1.digits."),
        (r"^_w_logits\.(\w+)\.", r"backbone.gates.\1.weights."),
    ]
    save("dselect-k", net, rules, {"type": "dselect_k", "encoder": RESNET, "experts": 3}, forward=forward, draw=draw)


def branching(save: Any, net: nn.Module) -> None:
    """Draws are inputs here, one for each stage; what LibMTL has in one tensor is one parameter for each stage."""
    inner = net.encoder
    count = len(TASKS)

    class Stages(type(inner)):
        @property
        def alpha(self) -> Tensor:
            return torch.stack([torch.zeros(count, count), *self.scores, torch.zeros(count, count)])

    del inner.alpha
    inner.scores = nn.ParameterList([torch.empty(count, count) for _ in STAGES[:-1]])
    inner.__class__ = Stages
    for i in range(len(STAGES) - 1):
        inner.register_buffer(f"passes{i}", torch.zeros(1))
        inner.register_buffer(f"draws{i}", torch.zeros(count, count))
    net.epochs = EPOCHS

    def draw(logits: Tensor, dim: int, tau: float, hard: bool) -> Tensor:
        assert hard
        if not inner.training:  # here evaluation takes the most probable branch
            return F.one_hot(logits.argmax(dim), count).to(logits)
        uniform = torch.stack([torch.full((count, count), 0.5), *(getattr(inner, f"draws{i}") for i in range(4)),
                               torch.full((count, count), 0.5)])  # fmt: skip
        soft = ((logits - torch.log(-torch.log(uniform * (1 - 1e-6) + 5e-7))) / tau).softmax(dim)
        return F.one_hot(soft.argmax(dim), count) - soft.detach() + soft

    def forward(m: nn.Module, x: Tensor) -> Outputs:
        nonlocal inner
        inner = m.encoder
        m.epoch = int(inner.passes0.item()) // BRANCHING["round"]
        with mock.patch.object(F, "gumbel_softmax", draw):
            out = m(x)
        if m.training:
            for i in range(len(STAGES) - 1):
                getattr(inner, f"passes{i}").add_(1)
        return out

    rules = []
    for i, stage in enumerate(STAGES):
        rules += [
            (rf"^encoder\.scores\.{i}$", f"backbone.units.{stage}.alpha"),
            (rf"^encoder\.passes{i}$", f"backbone.units.{stage}.passes"),
            (rf"^encoder\.draws{i}$", f"backbone.units.{stage}.gumbel"),
        ]
    rules += [
        (r"^encoder\.resnet_conv\.(\w+)\.0\.", r"backbone.\1.conv1."),
        (r"^encoder\.resnet_conv\.(\w+)\.1\.", r"backbone.\1.bn1."),
    ]
    for i in range(4):
        for t, task in enumerate(TASKS):
            rules.append((rf"^encoder\.resnet_layer\.{i}\.{t}\.", f"backbone.{task}.layer{i + 1}."))

    def values(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
        if name.endswith(".passes"):
            return float(PASSES), 0.0
        if name.endswith((".gumbel", ".alpha")):
            return (0.5, 0.5) if name.endswith(".gumbel") else (0.0, 1.0)
        return spread(name, shape)

    backbone = {"type": "per_task", "encoder": RESNET, "unit": BRANCHING, "after": STAGES[:-1]}
    save("ltb", net, rules, backbone, forward=forward, draw=values, noises=(".gumbel",))

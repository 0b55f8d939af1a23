"""The released MT-CP, as NYUD-v2's and as PASCAL-Context's network, run on the authors' own modules.

Their widths are written into the code; a copy of it with an eighth of them is run. Everything else is theirs: the
window of 7, the interaction, trace-back and heads, two or one convolution in the intermediate heads. Mask2Former is
transformers', small, with an odd number of queries. 96x160 is no multiple of the decoders' windows at any stage.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from mtcp_torch.backbone import mask2former
from mtcp_torch.config import BackboneConfig
from mtcp_torch.fixtures.weights import spread as mtcp_spread
from mtcp_torch.names import to_hub
from timm.layers import DropPath, to_2tuple, trunc_normal_
from torch import Tensor, nn
from transformers import Mask2FormerForUniversalSegmentation

from .authors import repository, stub
from .fixture import Outputs, write

SIZE = (96, 160)
BACKBONE = BackboneConfig(
    embed=8, depths=(1, 2, 1, 1), heads=(1, 2, 2, 4), window=7, hidden=32, attention_heads=4,
    pixel_layers=1, pixel_feedforward=48, query_layers=3, query_feedforward=48, queries=5,
)  # fmt: skip
NARROWER = {"1024": "128", "512": "64", "256": "32"}
NYUD = {"semseg": 7, "depth": 1, "normals": 3}
PASCAL = {"semseg": 7, "human_parts": 4, "saliency": 1}
THEIRS = {"saliency": "sal"}

CBAM = {
    "ChannelGate.mlp.1": "channel.fc1", "ChannelGate.mlp.3": "channel.fc2",
    "SpatialGate.spatial.conv": "spatial.conv", "SpatialGate.spatial.bn": "spatial.norm",
}  # fmt: skip
COHERENCE = {
    "cbam_sem": "cbam_main", "cbam_dep": "cbam_query", "cbam_dep2": "cbam_key", "shared_dep2": "cbam_out",
    "cbam_sem_norm": "norm_main", "cbam_dep_norm": "norm_query", "cbam_dep2_norm": "norm_key",
    "shared_dep2_norm": "norm_out", "conv1": "mix",
}  # fmt: skip
TRACE = {
    "sem_cbam": "cbam_prediction", "dep_cbam": "cbam_feature", "sem_conv": "prediction", "b1": "prediction_norm",
    "dep_conv": "feature", "b2": "feature_norm",
}  # fmt: skip
SWIN = {
    "norm1": "layernorm_before", "norm2": "layernorm_after", "attn.proj": "attention.output.dense",
    "attn.relative_position_bias_table": "attention.self.relative_position_bias_table",
    "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense",
    **{f"attn.{part}": f"attention.self.{part}" for part in ("query", "key", "value")},
}  # fmt: skip


class Split(nn.Module):
    """Queries, keys and values apart, as we have them; the authors' attention reads them as one linear layer."""

    def __init__(self, qkv: nn.Linear) -> None:
        super().__init__()
        channels = qkv.in_features
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.query(x), self.key(x), self.value(x)], -1)


def swap(name: str, table: dict[str, str]) -> str:
    """The longest key that `name` begins with, replaced."""
    for key in sorted(table, key=len, reverse=True):
        if name == key or name.startswith(f"{key}."):
            return table[key] + name[len(key) :]
    return name


def narrow(checkout: Path, below: Path) -> Path:
    """A copy of their models with an eighth of the channels."""
    shutil.copytree(checkout / "models", below / "models")
    for file in ("models_nyud_CL.py", "models_pascal_CL.py", "utils.py"):
        path = below / "models" / file
        text = path.read_text()
        for wide, thin in NARROWER.items():
            text = re.sub(rf"\b{wide}\b", thin, text)
        path.write_text(text)
    return below


def renamer(tasks: list[str], single: set[str]) -> Any:
    """Names of their network to ours; `single` have one convolution in their intermediate heads."""
    nyud = "depth" in tasks
    heads = dict(zip(("semseg", "depth", "normals") if nyud else ("semseg", "human", "sal"), tasks, strict=True))
    fusions = dict(zip(("semseg", "depth" if nyud else "human", "normal"), tasks, strict=True))
    predicts = dict(zip(("sem", "depth", "normals"), tasks, strict=True))

    def numbered(text: str) -> str:
        return tasks[int(text or 1) - 1]

    def rename(name: str) -> str | None:
        if name.startswith("backbon."):
            inner = name.removeprefix("backbon.")
            if inner.startswith(("class_predictor", "criterion")) or ".encoder.swin.layernorm." in inner:
                return None
            return to_hub(f"backbone.{inner}")
        if match := re.match(r"transformer(\d)\.(.*)", name):
            task, rest = numbered(match[1]), match[2]
            if block := re.match(r"(layers\.\d\.blocks\.\d\.)(?:attn\.qkv\.(.*)|(.*))", rest):
                return f"decoder.{task}.{block[1]}{swap('attn.' + block[2] if block[2] else block[3], SWIN)}"
            if norm := re.match(r"norm(\d)\.(.*)", rest):
                return f"decoder.{task}.norms.{norm[1]}.{norm[2]}"
            return f"decoder.{task}.{rest}" if rest.startswith("layers.") else None
        if match := re.match(r"fpn_(\w+)\.(lateral_convs|fpn_convs)\.(\d)\.(.*)", name):
            task = fusions[match[1]]
            if match[2] == "lateral_convs":
                return f"fusion.{task}.lateral.{match[3]}.{match[4]}"
            return f"fusion.{task}.output.{match[4]}" if match[3] == "0" else None
        if match := re.match(r"gaaf(\d?)\.(.*)", name):
            task, rest = numbered(match[1]), match[2]
            others = [t for t in tasks if t != task]
            if rest.startswith(("conv2.", "conv3.")):
                return None
            rest = swap(rest, COHERENCE | {"gate1": f"gates.{others[0]}", "gate2": f"gates.{others[1]}"})
            head, _, tail = rest.partition(".")
            return f"interaction.{task}.{head}.{swap(tail, CBAM)}"
        if match := re.match(r"trace_back(\d?)\.spf_modules\.(\d)\.(.*)", name):
            task, stage, rest = numbered(match[1]), match[2], swap(match[3], TRACE)
            if stage == "3" or (stage == "2" and rest.startswith(("feature.", "feature_norm."))):
                return None
            head, _, tail = rest.partition(".")
            return f"refinement.{task}.stages.{stage}.{head}.{swap(tail, CBAM)}"
        if match := re.match(r"(\w+)_pred_layers\.(\d)\.module\.(.*)", name):
            task = predicts[match[1]]
            layers = ("conv1", "norm", "", "classify") if task in single else ("conv1", "conv2", "norm", "", "classify")
            index, _, tail = match[3].partition(".")
            return f"refinement.{task}.predict.{match[2]}.{layers[int(index)]}.{tail}"
        if match := re.match(r"project_(\w+)\.(\d)\.(.*)", name):
            task = heads[match[1]]
            layers = {"0": "conv1", "2": "conv2", "4": "conv3"} if task == "depth" else {"0": "conv1", "1": "norm", "3": "conv2"}
            return f"heads.{task}.{layers[match[2]]}.{match[3]}"
        return None

    return rename


def build(load: Any, module: str, name: str, tasks: dict[str, int]) -> nn.Module:
    decoders = {THEIRS.get(task, task): channels for task, channels in tasks.items()}
    small = Mask2FormerForUniversalSegmentation(mask2former(BACKBONE).config)
    with (
        mock.patch.object(Mask2FormerForUniversalSegmentation, "from_pretrained", lambda *_, **__: small),
        mock.patch.object(nn.Module, "cuda", lambda self: self),
    ):
        return getattr(load(f"models.{module}"), name)(nn.Identity(), decoders, list(decoders), 0)


def predictions(tasks: dict[str, int]) -> Any:
    """What they give, without the last enlargement; intermediate ones coarse to fine."""
    groups = ("alpha", "beta", "charlie")

    def run(net: nn.Module, image: Tensor) -> Outputs:
        out = net(image)
        results = {task: out[THEIRS.get(task, task)] for task in tasks}
        for task, group in zip(tasks, groups, strict=True):
            for i, key in enumerate(k for k in out if k.startswith(group)):
                results[f"{task}.{i}"] = out[key]
        return results

    return run


def setting(tasks: dict[str, int], single: set[str]) -> dict[str, Any]:
    b = BACKBONE
    model = {
        "backbone": {
            "type": "mask2former", "mask_layers": "last", "channels": b.hidden, "heads": b.attention_heads,
            "encoder": {"embed": b.embed, "depths": b.depths, "heads": b.heads, "window": b.window, "drop_path": 0},
            "pixel_decoder": {"layers": b.pixel_layers, "feedforward": b.pixel_feedforward},
            "transformer_decoder": {"layers": b.query_layers, "feedforward": b.query_feedforward, "queries": b.queries},
        },
        "decoder": {"type": "hfp"}, "fusion": {"type": "dfpn"}, "interaction": {"type": "cfm", "variant": "code"},
        "refinement": {"type": "srm", "intermediate_convolutions": {task: 1 for task in sorted(single)}},
    }  # fmt: skip
    enlarge = {"semseg": 2, "normals": 1} if "depth" in tasks else {"semseg": 4, "human_parts": 4, "saliency": 1}
    heads = {t: {"type": "depth"} if t == "depth" else {"type": "mlp", "upsample": enlarge[t]} for t in tasks}
    kinds = {"depth": "depth", "normals": "normals", "saliency": "binary"}
    return {
        "model": model,
        "tasks": {t: {"head": slot} for t, slot in heads.items()},
        "kinds": {t: {"kind": kinds.get(t, "classes"), "channels": n} for t, n in tasks.items()},
    }


def write_mtcp(folder: Path, authors: Path) -> None:
    stub("timm.models.layers", DropPath=DropPath, trunc_normal_=trunc_normal_, to_2tuple=to_2tuple)
    stub("matplotlib", pyplot=None)
    stub("matplotlib.pyplot")
    stub("utils", __path__=[])
    stub("utils.utils", blockPrint=None, enablePrint=None)
    stub("utils.common_config", fill_list_to_length=None)
    with tempfile.TemporaryDirectory() as below, repository(authors, "MT-CP", copy=narrow(authors / "MT-CP", Path(below))) as load:
        for name, module, model, tasks, single in (
            ("mt-cp", "models_nyud_CL", "MultiTaskModel_NYUD", NYUD, set()),
            ("mt-cp-pascal", "models_pascal_CL", "MultiTaskModel_PASCAL", PASCAL, {"human_parts", "saliency"}),
        ):
            net = build(load, module, model, tasks)
            for part in net.modules():
                if hasattr(part, "qkv"):
                    part.qkv = Split(part.qkv)
            write(folder, name, net, SIZE, renamer(list(tasks), single), setting(tasks, single), predictions(tasks), mtcp_spread, roundings=6)
    for module in ("utils", "utils.utils", "utils.common_config", "matplotlib", "matplotlib.pyplot"):
        del sys.modules[module]

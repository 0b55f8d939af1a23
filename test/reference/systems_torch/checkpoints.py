"""Checkpoints of other libraries in small: which tensors a file has under which names, and what the network makes of
them. The tensors' values are drawn from their names, so the fixture holds names, shapes and sampled outputs alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mtcp_torch.fixtures.files import write_json
from mtcp_torch.fixtures.weights import values
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from transformers import SwinConfig, SwinForImageClassification
from transformers.models.swin.modeling_swin import SwinBackbone

from .backbones import hrnet_maps, narrow, resnet_maps, small_hrnet
from .fixture import Outputs, sample, spread
from .newer_checkpoints import newer_checkpoints

SIZE = (64, 96)
SWIN = {
    "embed_dim": 8, "depths": [1, 2, 1, 1], "num_heads": [1, 2, 2, 4], "window_size": 4, "drop_path_rate": 0.0,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip


def classifier(block: type[nn.Module], blocks: list[int]) -> ResNet:
    model = narrow(ResNet(block, blocks), 8)
    model.fc = nn.Linear(model.fc.in_features // 8, 10)
    return model


def vit_maps(m: VisionTransformer, x: Tensor) -> Outputs:
    taken = m.forward_intermediates(x, indices=[0, 1], output_fmt="NCHW", intermediates_only=True)
    # Taps are raw, but for the last block's, which goes through the final norm.
    last = m.norm(taken[-1].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return {"level0": taken[0], "level1": last}


def swin_maps(m: SwinForImageClassification, x: Tensor) -> Outputs:
    """The stages of a classifier, each through a norm that does nothing but normalise: what a new norm does."""
    config = SwinConfig(**SWIN, out_features=["stage1", "stage2", "stage3", "stage4"])
    backbone = SwinBackbone(config).double().eval()
    own = {k: v for k, v in m.state_dict().items() if k.startswith("swin.")}
    missing, unexpected = backbone.load_state_dict(own, strict=False)
    assert all("hidden_states_norms" in name for name in missing) and all("pooler" in n for n in unexpected)
    return {f"level{i}": y for i, y in enumerate(backbone(x).feature_maps)}


def timm_swin_maps(m: SwinTransformer, x: Tensor) -> Outputs:
    """As above: every stage through a norm without weights."""
    maps = [y.permute(0, 2, 3, 1) for y in m.forward_intermediates(x, intermediates_only=True)]
    return {f"level{i}": F.layer_norm(y, y.shape[-1:]).permute(0, 3, 1, 2) for i, y in enumerate(maps)}


OLD_NAMES = (
    ("attention.q_proj", "attention.self.query"),
    ("attention.k_proj", "attention.self.key"),
    ("attention.v_proj", "attention.self.value"),
    ("attention.o_proj", "attention.output.dense"),
    ("attention.relative_position_bias.relative", "attention.self.relative"),
    ("mlp.fc1", "intermediate.dense"),
    ("mlp.fc2", "output.dense"),
)


def hub_name(name: str) -> str:
    """As files on the hub call it, which transformers 4 wrote."""
    for new, old in OLD_NAMES:
        name = name.replace(new, old)
    return name


HEADS = ("fc.", "head.", "classifier.", "final_layer.", "incre_modules.", "downsamp_modules.", "decode_head.")


def checkpoint(
    model: nn.Module,
    maps: Callable[[Any, Tensor], Outputs],
    size: tuple[int, int] = SIZE,
    rename: Callable[[str], str] = lambda name: name,
) -> dict[str, object]:
    model = model.double().eval()
    tensors: dict[str, dict[str, object]] = {}
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            name = rename(key)
            # Whatever classifies is left out by its name alone; its numbers would be the most of the file.
            shape = (1,) if name.startswith(HEADS) else tuple(tensor.shape)
            offset, scale = spread(name, shape)
            tensors[name] = {"shape": shape, "offset": offset, "scale": scale}
            if not tensor.is_floating_point():
                tensors[name]["dtype"] = "int32"
            elif not name.startswith(HEADS):
                tensor.copy_(values(name, shape, offset, scale))
        image = values("image", (1, 3, *size), 0.0, 1.7).double()
        outputs = maps(model, image)
    return {
        "size": size,
        "tensors": tensors,
        "outputs": {name: {"shape": list(x.shape), "cells": sample(x)} for name, x in outputs.items()},
    }


def write_checkpoints(folder: Path) -> None:
    torch.manual_seed(0)
    vit = VisionTransformer(img_size=64, patch_size=16, embed_dim=128, depth=2, num_heads=2, num_classes=7)
    classifier_swin = SwinForImageClassification(SwinConfig(**SWIN, num_labels=5))
    timm_swin = SwinTransformer(
        img_size=SIZE, embed_dim=8, depths=(1, 2, 1, 1), num_heads=(1, 2, 2, 4), window_size=2, num_classes=5
    )
    cases = {
        "resnet18": checkpoint(classifier(BasicBlock, [2, 1, 1, 1]), resnet_maps),
        "resnet50": checkpoint(classifier(Bottleneck, [1, 1, 1, 1]), resnet_maps),
        "hrnet": checkpoint(small_hrnet(4, (1, 1, 1), 1), hrnet_maps),
        "vit": checkpoint(vit, vit_maps, (64, 64)),
        "swin": checkpoint(classifier_swin, swin_maps, rename=hub_name),
        "swin-timm": checkpoint(timm_swin, timm_swin_maps),
        **newer_checkpoints(checkpoint),
    }
    write_json(folder / "checkpoints.json", cases)

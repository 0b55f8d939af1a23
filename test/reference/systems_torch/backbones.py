"""Backbones of torchvision, timm and transformers in small configurations."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from timm.layers import resample_abs_pos_embed
from timm.models.hrnet import HighResolutionNet, cfg_cls
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from transformers import SwinConfig
from transformers.models.swin.modeling_swin import SwinBackbone

from .fixture import Outputs, write

SIZE = (44, 60)


def levels(maps: list[Tensor]) -> Outputs:
    return {f"level{i}": x for i, x in enumerate(maps)}


def dilate(stage: nn.Module, dilation: int) -> None:
    """What SimonVandenhende/Multi-Task-Learning-PyTorch models/resnet_dilated.py describes."""
    for m in stage.modules():
        if not isinstance(m, nn.Conv2d):
            continue
        if m.stride == (2, 2):
            m.stride = (1, 1)
            if m.kernel_size == (3, 3):
                m.dilation = m.padding = (dilation // 2, dilation // 2)
        elif m.kernel_size == (3, 3):
            m.dilation = m.padding = (dilation, dilation)


def resnet_maps(m: ResNet, x: Tensor) -> Outputs:
    x = m.maxpool(m.relu(m.bn1(m.conv1(x))))
    maps = []
    for stage in (m.layer1, m.layer2, m.layer3, m.layer4):
        x = stage(x)
        maps.append(x)
    return levels(maps)


def narrow(model: ResNet, width: int) -> ResNet:
    """The same network with every channel count divided by 64 / width."""
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            m.out_channels = m.out_channels * width // 64
            m.in_channels = m.in_channels if m.in_channels == 3 else m.in_channels * width // 64
            m.weight = nn.Parameter(torch.empty(m.out_channels, m.in_channels, *m.kernel_size))
        if isinstance(m, nn.BatchNorm2d):
            channels = m.num_features * width // 64
            m.__init__(channels)
    return model


def resnets(folder: Path) -> None:
    for depth, block, blocks, dilated in (
        (18, BasicBlock, [2, 1, 2, 2], True),
        (18, BasicBlock, [1, 2, 1, 1], False),
        (50, Bottleneck, [1, 1, 2, 2], True),
    ):
        model = narrow(ResNet(block, blocks), 8)
        if dilated:
            dilate(model.layer3, 2)
            dilate(model.layer4, 4)
        write(
            folder,
            f"resnet{depth}{'-dilated' if dilated else ''}",
            model,
            SIZE,
            lambda name: None if name.startswith("fc") else name,
            {"model": {"type": "resnet", "depth": depth, "dilated": dilated, "width": 8, "blocks": blocks}},
            resnet_maps,
        )


def hrnet_maps(m: HighResolutionNet, x: Tensor) -> Outputs:
    x = m.act2(m.bn2(m.conv2(m.act1(m.bn1(m.conv1(x))))))
    return levels(m.stages(x))


def small_hrnet(width: int, modules: tuple[int, int, int], blocks: int) -> HighResolutionNet:
    cfg = {**cfg_cls["hrnet_w18_small_v2"]}
    cfg["stage1"] = {**cfg["stage1"], "num_blocks": (blocks,)}
    for i, count in zip((2, 3, 4), modules, strict=True):
        cfg[f"stage{i}"] = {
            "num_modules": count,
            "num_branches": i,
            "block_type": "BASIC",
            "num_blocks": (blocks,) * i,
            "num_channels": tuple(width * 2**b for b in range(i)),
            "fuse_method": "SUM",
        }
    return HighResolutionNet(cfg, head="classification")


def hrnet(folder: Path) -> None:
    keep = ("conv", "bn", "layer1", "transition", "stage")
    write(
        folder,
        "hrnet",
        small_hrnet(4, (1, 2, 2), 2),
        (64, 96),
        lambda name: name if name.startswith(keep) else None,
        {"model": {"type": "hrnet", "width": 4, "modules": [1, 2, 2], "blocks": 2, "upsample": "nearest"}},
        hrnet_maps,
    )


def vit(folder: Path) -> None:
    model = VisionTransformer(img_size=(48, 64), patch_size=16, embed_dim=24, depth=4, num_heads=3, num_classes=0)

    def maps(m: VisionTransformer, x: Tensor) -> Outputs:
        rows, columns = x.shape[2] // 16, x.shape[3] // 16
        tokens = m.patch_embed.proj(x).flatten(2).transpose(1, 2)
        positions = resample_abs_pos_embed(m.pos_embed, [rows, columns], old_size=[3, 4])
        y = torch.cat([m.cls_token.expand(x.shape[0], -1, -1), tokens], 1) + positions
        taken = []
        for i, block in enumerate(m.blocks):
            y = block(y)
            if i in (1, 2, 3):
                t = m.norm(y) if i == 3 else y
                taken.append(t[:, 1:].transpose(1, 2).reshape(x.shape[0], -1, rows, columns))
        return levels(taken)

    m = {"type": "vit", "channels": 24, "depth": 4, "heads": 3, "taps": [2, 3, 4], "grid": [3, 4]}
    for name, size in (("vit", (48, 64)), ("vit-grown", (80, 64)), ("vit-shrunk", (32, 48))):
        model.patch_embed.strict_img_size = False
        model.zero_grad()
        write(folder, name, model, size, lambda n: n, {"model": m}, maps)


SWIN = {"type": "swin", "embed": 8, "depths": [1, 2, 1, 1], "heads": [1, 2, 2, 4], "window": 4, "drop_path": 0}


def small_swin() -> SwinBackbone:
    config = SwinConfig(
        embed_dim=8, depths=[1, 2, 1, 1], num_heads=[1, 2, 2, 4], window_size=4, drop_path_rate=0.0,
        out_features=["stage1", "stage2", "stage3", "stage4"], hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return SwinBackbone(config)


def swin_name(name: str) -> str | None:
    """transformers' name to ours; the last norm, which no map goes through, is left out."""
    name = name.removeprefix("swin.")
    if name.startswith("layernorm."):
        return None
    for old, new in (
        ("attention.q_proj", "attention.self.query"),
        ("attention.k_proj", "attention.self.key"),
        ("attention.v_proj", "attention.self.value"),
        ("attention.o_proj", "attention.output.dense"),
        ("attention.relative_position_bias.relative", "attention.self.relative"),
        ("mlp.fc1", "intermediate.dense"),
        ("mlp.fc2", "output.dense"),
    ):
        name = name.replace(old, new)
    return name


def swin(folder: Path) -> None:
    maps = lambda m, x: levels(list(m(x).feature_maps))  # noqa: E731
    write(folder, "swin", small_swin(), SIZE, swin_name, {"model": SWIN}, maps)


def write_backbones(folder: Path) -> None:
    torch.manual_seed(0)
    resnets(folder)
    hrnet(folder)
    vit(folder)
    swin(folder)
    print(f"timm {timm.__version__}")

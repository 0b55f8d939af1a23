"""Backbones of the years after 2022 in small configurations: DINOv2, DINOv3, ConvNeXt, MiT, Swin V2, and ViTDet's pyramid."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import torch
from timm.layers import LayerNorm, SwiGLUPacked, resample_abs_pos_embed
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from transformers import ConvNextConfig, ConvNextV2Config, SegformerConfig, Swinv2Config
from transformers.models.convnext.modeling_convnext import ConvNextBackbone
from transformers.models.convnextv2.modeling_convnextv2 import ConvNextV2Backbone
from transformers.models.segformer.modeling_segformer import SegformerModel
from transformers.models.swinv2.modeling_swinv2 import Swinv2Backbone

from .backbones import levels
from .fixture import Outputs, write


def dinov2_maps(m: VisionTransformer, x: Tensor) -> Outputs:
    rows, columns = (n // 14 for n in x.shape[2:])
    patches = m.patch_embed.proj(x).flatten(2).transpose(1, 2)
    prefix = 0 if m.no_embed_class else 1
    positions = resample_abs_pos_embed(m.pos_embed, [rows, columns], old_size=[3, 4], num_prefix_tokens=prefix)
    own = m.cls_token.expand(x.shape[0], -1, -1)
    if m.no_embed_class:
        registers = m.reg_token.expand(x.shape[0], -1, -1)
        y = torch.cat([own, registers, patches + positions], 1)
    else:
        y = torch.cat([own, patches], 1) + positions
    return levels(token_maps(m, y, (rows, columns), lambda block, z: block(z)))


def token_maps(m, y: Tensor, grid: tuple[int, int], run) -> list[Tensor]:
    taken = []
    for i, block in enumerate(m.blocks):
        y = run(block, y)
        if i > 0:
            t = m.norm(y)[:, m.num_prefix_tokens :]
            taken.append(t.transpose(1, 2).reshape(y.shape[0], -1, *grid))
    return taken


def dinov2(folder: Path) -> None:
    sizes = {"img_size": (42, 56), "patch_size": 14, "embed_dim": 24, "depth": 3, "num_heads": 3, "num_classes": 0}
    plain = VisionTransformer(**sizes, init_values=1e-5)
    model = {"type": "dinov2", "channels": 24, "depth": 3, "heads": 3, "taps": [2, 3], "grid": [3, 4]}
    registers = VisionTransformer(
        **sizes, init_values=1e-5, reg_tokens=2, no_embed_class=True, mlp_ratio=4, mlp_layer=SwiGLUPacked, act_layer=torch.nn.SiLU,
    )  # fmt: skip
    own = {"registers": 2, "class_position": False, "hidden": 48, "mlp": "swiglu"}
    for name, m, size, options in (
        ("dinov2", plain, (42, 56), {}),
        ("dinov2-grown", plain, (70, 56), {"antialias": True}),
        ("dinov2-registers", registers, (28, 42), own),
    ):
        m.patch_embed.strict_img_size = False
        m.zero_grad()
        write(folder, name, m, size, lambda n: n.replace("reg_token", "register_tokens"), {"model": {**model, **options}}, dinov2_maps)


def dinov3(folder: Path) -> None:
    model = Eva(
        img_size=64, patch_size=16, embed_dim=24, depth=3, num_heads=2, num_classes=0, qkv_bias=True, init_values=1e-5,
        rope_type="dinov3", rope_temperature=100, rope_rotate_half=True, use_rot_pos_emb=True, use_abs_pos_emb=False,
        num_reg_tokens=2, use_fc_norm=False, norm_layer=partial(LayerNorm, eps=1e-5), dynamic_img_size=True, global_pool="token",
    )  # fmt: skip

    def rename(name: str) -> str:
        return name.replace("reg_token", "register_tokens").replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma")

    def maps(m: Eva, x: Tensor) -> Outputs:
        rows, columns = (n // 16 for n in x.shape[2:])
        patches = m.patch_embed.proj(x).flatten(2).transpose(1, 2)
        first = [t.expand(x.shape[0], -1, -1) for t in (m.cls_token, m.reg_token)]
        rope = m.rope.get_embed([rows, columns])
        y = torch.cat([*first, patches], 1)
        return levels(token_maps(m, y, (rows, columns), lambda block, z: block(z, rope=rope)))

    setting = {"type": "dinov3", "channels": 24, "depth": 3, "heads": 2, "taps": [2, 3], "registers": 2}
    write(folder, "dinov3", model, (48, 80), rename, {"model": setting}, maps)


STAGES = ["stage1", "stage2", "stage3", "stage4"]


def feature_maps(m: nn.Module, x: Tensor) -> Outputs:
    return levels(list(m(x).feature_maps))


def convnext(folder: Path) -> None:
    sizes = {"hidden_sizes": [8, 12, 16, 20], "depths": [1, 2, 1, 1], "out_features": STAGES}
    model = {"type": "convnext", "depths": [1, 2, 1, 1], "channels": [8, 12, 16, 20], "drop_path": 0}
    write(
        folder, "convnext", ConvNextBackbone(ConvNextConfig(**sizes, layer_scale_init_value=1e-6)), (64, 96), lambda n: n,
        {"model": model}, feature_maps,
    )  # fmt: skip
    v2 = ConvNextV2Backbone(ConvNextV2Config(**sizes))
    write(folder, "convnext-v2", v2, (64, 96), lambda n: n, {"model": {**model, "version": 2}}, feature_maps)


MIT_NAMES = (
    (r"^stages\.(\d)\.patch_embeddings\.", r"encoder.patch_embeddings.\1."),
    (r"^stages\.(\d)\.layer_norm\.", r"encoder.layer_norm.\1."),
    (r"^stages\.(\d)\.blocks\.(\d+)\.", r"encoder.block.\1.\2."),
    (r"layernorm_before", "layer_norm_1"),
    (r"layernorm_after", "layer_norm_2"),
    (r"attention\.q_proj", "attention.self.query"),
    (r"attention\.k_proj", "attention.self.key"),
    (r"attention\.v_proj", "attention.self.value"),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"sequence_reduction\.sequence_reduction", "self.sr"),
    (r"sequence_reduction\.layer_norm", "self.layer_norm"),
    (r"mlp\.fc(\d)", r"mlp.dense\1"),
)


def mit_name(name: str) -> str:
    """As files on the hub call it, which transformers 4 wrote."""
    for pattern, to in MIT_NAMES:
        name = re.sub(pattern, to, name)
    return name


def mit(folder: Path) -> None:
    sizes = {"hidden_sizes": [8, 12, 20, 24], "depths": [1, 2, 1, 1], "num_attention_heads": [1, 2, 5, 8]}
    config = SegformerConfig(**sizes, sr_ratios=[4, 2, 2, 1], drop_path_rate=0.0, hidden_dropout_prob=0.0)

    def maps(m: SegformerModel, x: Tensor) -> Outputs:
        taken = []
        for stage in m.stages:
            x = stage(x)
            taken.append(x)
        return levels(taken)

    model = {"type": "mit", "depths": [1, 2, 1, 1], "channels": [8, 12, 20, 24], "reductions": [4, 2, 2, 1], "drop_path": 0}
    # 44x60: maps of odd sizes, which strides round up and reductions round down.
    write(folder, "mit", SegformerModel(config), (44, 60), mit_name, {"model": model}, maps)


def swin_v2(folder: Path) -> None:
    for name, window, before in (("swin-v2", 6, [0, 0, 0, 0]), ("swin-v2-finetuned", 4, [3, 3, 3, 2])):
        config = Swinv2Config(
            embed_dim=8, depths=[1, 2, 2, 1], num_heads=[1, 2, 2, 4], window_size=window, image_size=(64, 96),
            pretrained_window_sizes=before, drop_path_rate=0.0, out_features=STAGES,
        )  # fmt: skip
        model = {"type": "swin_v2", "embed": 8, "depths": [1, 2, 2, 1], "heads": [1, 2, 2, 4], "window": window,
                 "pretrained_windows": before, "drop_path": 0}  # fmt: skip
        write(folder, name, Swinv2Backbone(config), (64, 96), lambda n: n, {"model": model}, feature_maps)


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of NCHW maps."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Projection(nn.Conv2d):
    """A convolution without a bias, and its norm."""

    def __init__(self, inputs: int, out: int, kernel: int) -> None:
        super().__init__(inputs, out, kernel, padding=kernel // 2, bias=False)
        self.norm = ChannelNorm(out, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(super().forward(x))


class SimplePyramid(nn.Module):
    """What detectron2's modeling/backbone/vit.py describes (SimpleFeaturePyramid with norm "LN"), in its names."""

    def __init__(self, net: VisionTransformer, width: int, out: int) -> None:
        super().__init__()
        self.net = net
        up = [nn.ConvTranspose2d(width, width // 2, 2, 2)]
        twice = [
            nn.ConvTranspose2d(width, width // 2, 2, 2), ChannelNorm(width // 2, eps=1e-6), nn.GELU(),
            nn.ConvTranspose2d(width // 2, width // 4, 2, 2),
        ]  # fmt: skip
        for i, (layers, inner) in enumerate(((twice, width // 4), (up, width // 2), ([], width), ([nn.MaxPool2d(2, 2)], width))):
            setattr(self, f"simfp_{i + 2}", nn.Sequential(*layers, Projection(inner, out, 1), Projection(out, out, 3)))

    def forward(self, x: Tensor) -> Outputs:
        last = dinov2_maps(self.net, x)["level1"]
        return levels([getattr(self, f"simfp_{i}")(last) for i in (2, 3, 4, 5)])


def simple_pyramid(folder: Path) -> None:
    net = VisionTransformer(img_size=(42, 56), patch_size=14, embed_dim=24, depth=3, num_heads=3, num_classes=0, init_values=1e-5)
    net.patch_embed.strict_img_size = False
    encoder = {"type": "dinov2", "channels": 24, "depth": 3, "heads": 3, "taps": [2, 3], "grid": [3, 4], "antialias": True}
    model = {"type": "simple_pyramid", "channels": 12, "encoder": encoder}
    write(folder, "simple-pyramid", SimplePyramid(net, 24, 12), (56, 84), lambda n: n.removeprefix("net."), {"model": model})


def write_newer_backbones(folder: Path) -> None:
    torch.manual_seed(0)
    dinov2(folder)
    dinov3(folder)
    convnext(folder)
    mit(folder)
    swin_v2(folder)
    simple_pyramid(folder)

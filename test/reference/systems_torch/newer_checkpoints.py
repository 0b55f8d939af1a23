"""Checkpoints of the backbones in newer_backbones.py, as checkpoints.py has those of older ones."""

from __future__ import annotations

from functools import partial

import torch
from timm.layers import LayerNorm, SwiGLUPacked
from timm.models.convnext import ConvNeXt
from timm.models.eva import Eva
from timm.models.swin_transformer_v2 import SwinTransformerV2
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    ConvNextConfig, ConvNextForImageClassification, Dinov2Config, Dinov2ForImageClassification, DINOv3ViTConfig,
    SegformerConfig, SegformerForSemanticSegmentation, Swinv2Config, Swinv2ForImageClassification,
)  # fmt: skip
from transformers.models.dinov3_vit.modeling_dinov3_vit import DINOv3ViTModel

from .fixture import Outputs
from .newer_backbones import mit_name

ATTENTION = (("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"))


def normalized(maps: list[Tensor]) -> Outputs:
    """Each through a norm without weights: what a new norm does."""
    moved = [x.permute(0, 2, 3, 1) for x in maps]
    return {f"level{i}": F.layer_norm(x, x.shape[-1:], eps=1e-6).permute(0, 3, 1, 2) for i, x in enumerate(moved)}


def levels(maps: list[Tensor]) -> Outputs:
    return {f"level{i}": x for i, x in enumerate(maps)}


def grid(tokens: Tensor, x: Tensor, patch: int, prefix: int) -> Tensor:
    rows, columns = (n // patch for n in x.shape[2:])
    return tokens[:, prefix:].transpose(1, 2).reshape(x.shape[0], -1, rows, columns)


def dinov2_hub(name: str) -> str:
    for new, old in ATTENTION:
        name = name.replace(f"attention.{new}", f"attention.attention.{old}")
    return name.replace("attention.o_proj", "attention.output.dense")


def dinov2_maps(m: Dinov2ForImageClassification, x: Tensor) -> Outputs:
    d = m.dinov2
    hidden = d.embeddings(x)
    taken = []
    for layer in d.encoder.layer:
        hidden = layer(hidden)
        taken.append(grid(d.layernorm(hidden), x, 14, 1))
    return levels(taken)


def timm_tokens(m: nn.Module, x: Tensor, patch: int) -> Outputs:
    taken = m.forward_intermediates(x, indices=[0, 1], norm=True, output_fmt="NCHW", intermediates_only=True)
    return levels(taken)


def dinov3_maps(m: DINOv3ViTModel, x: Tensor) -> Outputs:
    hidden = m.embeddings(x)
    cos, sin = (t.to(x) for t in m.rope_embeddings(x))
    taken = []
    for layer in m.model.layer:
        hidden = layer(hidden, position_embeddings=(cos, sin))
        taken.append(grid(m.norm(hidden), x, 16, 1 + m.config.num_register_tokens))
    return levels(taken)


def convnext_maps(m: ConvNextForImageClassification, x: Tensor) -> Outputs:
    x = m.convnext.embeddings(x)
    taken = []
    for stage in m.convnext.encoder.stages:
        x = stage(x)
        taken.append(x)
    return normalized(taken)


def mit_maps(m: SegformerForSemanticSegmentation, x: Tensor) -> Outputs:
    taken = []
    for stage in m.segformer.stages:
        x = stage(x)
        taken.append(x)
    return levels(taken)


def swin_v2_maps(m: Swinv2ForImageClassification, x: Tensor) -> Outputs:
    hidden, size = m.swinv2.embeddings(x)
    taken = []
    for stage in m.swinv2.encoder.layers:
        hidden, before, sizes = stage(hidden, size)[:3]
        size = sizes[2:]
        taken.append(before.transpose(1, 2).reshape(x.shape[0], -1, *sizes[:2]))
    return levels(taken)


def timm_maps(m: nn.Module, x: Tensor) -> list[Tensor]:
    return m.forward_intermediates(x, intermediates_only=True)


def newer_checkpoints(checkpoint) -> dict[str, object]:
    torch.manual_seed(0)
    dinov2 = Dinov2ForImageClassification(
        Dinov2Config(hidden_size=48, num_hidden_layers=2, num_attention_heads=3, image_size=28, patch_size=14, num_labels=5)
    )
    registers = VisionTransformer(
        img_size=42, patch_size=14, embed_dim=48, depth=2, num_heads=3, num_classes=5, init_values=1e-5, reg_tokens=2,
        no_embed_class=True, mlp_ratio=4, mlp_layer=SwiGLUPacked, act_layer=nn.SiLU,
    )  # fmt: skip
    dinov3 = DINOv3ViTModel(
        DINOv3ViTConfig(
            hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=3, num_register_tokens=2,
            use_gated_mlp=True, hidden_act="silu",
        )
    )  # fmt: skip
    dinov3_timm = Eva(
        img_size=64, patch_size=16, embed_dim=48, depth=2, num_heads=3, num_classes=5, qkv_bias=False, init_values=1e-5,
        rope_type="dinov3", rope_temperature=100, rope_rotate_half=True, use_rot_pos_emb=True, use_abs_pos_emb=False,
        num_reg_tokens=2, use_fc_norm=False, norm_layer=partial(LayerNorm, eps=1e-5), dynamic_img_size=True,
        swiglu_mlp=True, mlp_ratio=2,
    )  # fmt: skip
    convnext = ConvNextForImageClassification(
        ConvNextConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 2, 1, 1], num_labels=5)
    )
    convnext_timm = ConvNeXt(depths=(1, 2, 1, 1), dims=(8, 12, 16, 20), use_grn=True, ls_init_value=None, num_classes=5)
    mit = SegformerForSemanticSegmentation(
        SegformerConfig(hidden_sizes=[8, 12, 20, 24], depths=[1, 2, 1, 1], num_attention_heads=[1, 2, 5, 8],
                        sr_ratios=[4, 2, 1, 1], decoder_hidden_size=8, num_labels=3)
    )  # fmt: skip
    swin = {"depths": [1, 2, 1, 1], "num_heads": [1, 2, 2, 4], "embed_dim": 8}
    swin_v2 = Swinv2ForImageClassification(
        Swinv2Config(**swin, window_size=4, image_size=64, num_labels=5, pretrained_window_sizes=[3, 3, 3, 2])
    )
    swin_v2_timm = SwinTransformerV2(img_size=64, window_size=4, num_classes=5, **swin)
    return {
        "dinov2": checkpoint(dinov2, dinov2_maps, (42, 56), dinov2_hub),
        "dinov2-timm": checkpoint(registers, partial(timm_tokens, patch=14), (42, 42)),
        "dinov3": checkpoint(dinov3, dinov3_maps, (48, 64), lambda n: n.removeprefix("model.")),
        "dinov3-timm": checkpoint(dinov3_timm, partial(timm_tokens, patch=16), (48, 64)),
        "convnext": checkpoint(convnext, convnext_maps),
        "convnext-timm": checkpoint(convnext_timm, lambda m, x: normalized(timm_maps(m, x))),
        "mit": checkpoint(mit, mit_maps, rename=mit_name_with_prefix),
        "swin-v2": checkpoint(swin_v2, swin_v2_maps, (64, 64)),
        "swin-v2-timm": checkpoint(swin_v2_timm, lambda m, x: levels(timm_maps(m, x)), (64, 64)),
    }


def mit_name_with_prefix(name: str) -> str:
    prefix = "segformer."
    return prefix + mit_name(name.removeprefix(prefix)) if name.startswith(prefix) else name

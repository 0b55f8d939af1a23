"""InvPT, DeMT, MLoRE and MTFormer on small backbones, from their authors' code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from mtcp_torch.swin import SwinBlock
from timm.layers import DropPath, to_2tuple, trunc_normal_
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from .authors import repository, stub
from .fixture import Outputs, spread, write
from .vandenhende import HRNET, TASKS, P, Trunk, heads, substitute, trunk_name

VIT = {"type": "vit", "channels": 16, "depth": 4, "heads": 2, "taps": [1, 2, 3, 4], "grid": [8, 8]}


class Taps(nn.Module):
    """Token maps after every block of a small ViT; the last one through the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.net = VisionTransformer(img_size=(128, 128), embed_dim=16, depth=4, num_heads=2, num_classes=0)

    def forward(self, x: Tensor) -> list[Tensor]:
        m = self.net
        y = m.patch_embed(x)
        y = torch.cat([m.cls_token.expand(len(x), -1, -1), y], 1) + m.pos_embed
        taken = []
        for block in m.blocks:
            y = block(y)
            taken.append(y[:, 1:])
        return [*taken[:-1], m.norm(y)[:, 1:]]


def write_transformers(folder: Path, authors: Path) -> None:
    # What timm and PyTorch called these when the code was written.
    stub("timm.models.layers", DropPath=DropPath, trunc_normal_=trunc_normal_, to_2tuple=to_2tuple)
    with repository(authors, "Multi-Task-Transformer", "InvPT") as load:
        invpt(folder, load)
    with repository(authors, "DeMT", "src") as load:
        demt(folder, load)
    with repository(authors, "MLoRE") as load:
        mlore(folder, load)
    with repository(authors, "MTFormer") as load:
        mtformer(folder, load)


def invpt(folder: Path, load: Any) -> None:
    stub("utils.utils", to_2tuple=to_2tuple)
    stub("utils", utils=sys.modules["utils.utils"])
    nn.SyncBatchNorm, kept = nn.BatchNorm2d, nn.SyncBatchNorm
    decoder = load("models.transformers.transformer_decoder")
    p = SimpleNamespace(
        TASKS=P.TASKS, embed_dim=12, PRED_OUT_NUM_CONSTANT=4, mtt_resolution_downsample_rate=2,
        spatial_dim=[[8, 8]] * 4, backbone_channels=[16] * 4,
    )  # fmt: skip

    class InvPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = Taps()
            self.decoder = decoder.TransformerDecoder(p)
            self.heads = nn.ModuleDict({t: decoder.MLPHead(16, n) for t, n in TASKS.items()})

        def forward(self, x: Tensor) -> Outputs:
            features, first = self.decoder(self.trunk(x))
            final = {t: self.heads[t](features[t]) for t in TASKS}
            return final | {f"{t}.0": first[t] for t in TASKS}

    tasks = list(TASKS)
    rules = [
        (r"^trunk\.net\.", "backbone."),
        (r"^decoder\.preliminary_decoder\.(\w+)\.(\d)\.conv\.", r"decoder.\1.blocks.\2.conv."),
        (r"^decoder\.preliminary_decoder\.(\w+)\.(\d)\.bn1\.", r"decoder.\1.blocks.\2.norm."),
        (r"^decoder\.intermediate_head\.(\w+)\.", r"decoder.\1.classify."),
        (r"^decoder\.invpt\.mix_proj\.(\w+)\.0\.", r"decoder.\1.mix."),
        (r"^decoder\.scale_embed\.0\.", "interaction.skips.2."),
        (r"^decoder\.scale_embed\.1\.", "interaction.skips.1."),
        (r"^decoder\.invpt\.norm_mts\.(\d)\.", r"interaction.stages.\1.norm."),
        (r"^decoder\.invpt\.mt_proj\.(\w+)\.0\.", r"interaction.project.\1.conv."),
        (r"^decoder\.invpt\.mt_proj\.(\w+)\.1\.", r"interaction.project.\1.norm."),
        (r"\.blocks\.0\.attn\.proj_(\w)\.", r".attn.\1."),
        (r"\.blocks\.0\.attn\.fuse_attn\.", r".attn.fuse."),
        (r"\.blocks\.0\.", "."),
        (r"^heads\.(\w+)\.linear_pred\.", r"heads.\1.classify."),
    ]
    unused = ("decoder.scale_embed.2", "decoder.invpt.norm_mt.", "decoder.invpt.redu_chan.0",
              "decoder.invpt.invpt_stages.0.blocks.0.attn.fuse_attn")  # fmt: skip

    def rename(name: str) -> str | None:
        if name.startswith(unused):
            return None
        if name.startswith("trunk."):
            return name.replace("trunk.net.", "backbone.")
        for pattern in ("redu_chan", "patch_embed", "conv_proj_q"):
            if f".{pattern}." in name:
                return per_task(name, pattern)
        return substitute(name, rules).replace("decoder.invpt.invpt_stages.", "interaction.stages.")

    def per_task(name: str, pattern: str) -> str:
        parts = name.split(".")
        at = parts.index(pattern)
        if pattern == "redu_chan":
            return ".".join(["interaction.stages", parts[at + 1], "widen", tasks[int(parts[at + 2])], *parts[at + 3 :]])
        task = tasks[int(parts[at + 1])]
        stage = parts[3]
        if pattern == "patch_embed":
            layer = {"1": "0.conv", "2": "0.norm", "4": "1.conv", "5": "1.norm"}[parts[at + 3]]
            return ".".join(["interaction.stages", stage, "embed", task, layer, *parts[at + 4 :]])
        layer = {"conv": "conv", "bn": "norm"}[parts[at + 2]]
        return ".".join(["interaction.stages", stage, "attn.query", task, layer, *parts[at + 3 :]])

    model = {
        "backbone": VIT,
        "decoder": {"type": "invpt_preliminary", "channels": 12, "out": 16},
        "interaction": {"type": "invpt"},
    }
    write(folder, "invpt", InvPT(), (128, 128), rename, {"model": model, "tasks": heads({"type": "linear"})})
    nn.SyncBatchNorm = kept
    del sys.modules["utils"], sys.modules["utils.utils"]


class Attention17(nn.MultiheadAttention):
    """What PyTorch 1.7 computed for keys that have more rows than the query: they become a longer sequence."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        length, batch, channels = query.shape
        q, k, v = (
            F.linear(x, w, b)
            for x, w, b in zip(
                (query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True
            )
        )
        rows = batch * self.num_heads
        q, k, v = (x.reshape(-1, rows, self.head_dim).transpose(0, 1) for x in (q, k, v))
        weights = torch.softmax(q @ k.transpose(1, 2) / self.head_dim**0.5, -1)
        return self.out_proj((weights @ v).transpose(0, 1).reshape(length, batch, channels)), None


def demt(folder: Path, load: Any) -> None:
    nn.MultiheadAttention, kept = Attention17, nn.MultiheadAttention
    module = load("model.heads.demt_head")
    channels = [4, 8, 16, 32]

    class DeMT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = Trunk()
            self.head = module.DemtHead(
                tasks=list(TASKS), task_channel_mapping={t: {"final": n} for t, n in TASKS.items()},
                in_index=[0, 1, 2, 3], idx_to_planes=dict(enumerate(channels)),
            )  # fmt: skip

        def forward(self, x: Tensor) -> Outputs:
            return self.head(self.trunk(x), x.shape[2:])["final"]

    tasks = list(TASKS)
    parts = {"0": "conv", "2": "norm"}

    def rename(name: str) -> str | None:
        if name.startswith("trunk."):
            return trunk_name(name.removeprefix("trunk."))
        name = name.removeprefix("head.")
        if name.endswith("get_offset.offset") or name.endswith(".offset"):
            return None
        if name.startswith("defor_mixers."):
            pieces = name.split(".")  # defor_mixers.<task>.blocks.blocks.0.<layer>...
            task, rest = tasks[int(pieces[1])], pieces[4:]
            if rest[0] != "3":
                return ".".join(["decoder.1", task, parts[rest[0]], *rest[1:]])
            inner = rest[2:]  # 3.fn.<layer>
            if inner[0] == "2":
                return ".".join(["decoder.1", task, "deform_norm", *inner[1:]])
            if inner[1] == "get_offset":
                return ".".join(["decoder.1", task, "offset", *inner[2:]])
            return ".".join(["decoder.1", task, "deform", *inner[1:]])
        named = substitute(name, [
            (r"^linear1\.0\.", "decoder.0.linear."),
            (r"^linear1\.1\.", "decoder.0.norm."),
            (r"^task_fusion\.in_proj_", "interaction.fusion.in_proj."),
            (r"^task_fusion\.out_proj\.", "interaction.fusion.out_proj."),
            (r"^smlp\.0\.", "interaction.fusion.linear."),
            (r"^smlp\.1\.", "interaction.fusion.norm."),
            (r"^smlp2\.(\d)\.0\.", r"interaction.query.\1.linear."),
            (r"^smlp2\.(\d)\.1\.", r"interaction.query.\1.norm."),
            (r"^task_querys\.(\d)\.in_proj_", r"interaction.query.\1.in_proj."),
            (r"^task_querys\.(\d)\.out_proj\.", r"interaction.query.\1.out_proj."),
            (r"^bottleneck\.(\w+)\.bn\.", r"heads.\1.norm."),
            (r"^bottleneck\.(\w+)\.conv\.", r"heads.\1.conv."),
            (r"^final_logits\.(\w+)\.", r"heads.\1.classify."),
        ])  # fmt: skip
        pieces = named.split(".")
        if pieces[:2] == ["interaction", "query"]:
            pieces[2] = tasks[int(pieces[2])]
        return ".".join(pieces)

    decoder = {"type": "sequence", "blocks": [
        {"type": "concat", "reduce": "linear-norm", "channels": 256}, {"type": "deform_mixer"}]}  # fmt: skip
    model = {"backbone": HRNET, "decoder": decoder, "interaction": {"type": "pixel_attention"}}
    slot = {"type": "conv", "channels": sum(channels) // 8}

    def draw(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
        # Offsets are a convolution of coordinates: with ordinary weights everything would be read outside the map.
        return (0.0, 0.02) if name.endswith("offset.opt.weight") else spread(name, shape)

    setting = {"model": model, "tasks": heads(slot)}
    write(folder, "demt", DeMT(), (64, 64), rename, setting, draw=draw, batch=1)
    nn.MultiheadAttention = kept


def mlore(folder: Path, load: Any) -> None:
    import timm.layers
    import timm.models

    stub("timm.models.helpers", build_model_with_cfg=None, named_apply=None, adapt_input_conv=None)
    names = ("PatchEmbed", "Mlp", "DropPath", "trunc_normal_", "lecun_normal_", "to_2tuple")
    stub("timm.models.layers", **{n: getattr(timm.layers, n) for n in names})
    module = load("models.transformers.MLoRE")
    kept = torch.randn_like
    torch.randn_like = torch.zeros_like
    for name, pre_softmax in (("mlore", True), ("mlore-after", False)):
        p = SimpleNamespace(
            TASKS=P.TASKS, final_embed_dim=16, rank_list=[2, 3, 4, 5], spe_rank=2, topk=2, pre_softmax=pre_softmax
        )

        class Net(nn.Module):
            def __init__(self, p: SimpleNamespace = p) -> None:
                super().__init__()
                self.body = module.MLoRE(p, [1, 2, 3], img_size=(64, 96), embed_dim=16, depth=4, num_heads=2)
                self.heads = nn.ModuleDict({t: module.ConvHead(16, n) for t, n in TASKS.items()})

            def forward(self, x: Tensor) -> Outputs:
                features, _ = self.body(x)
                return {t: self.heads[t](features[t]) for t in TASKS}

        rules = [
            (r"^body\.fea_fuse\.(\d)\.", r"decoder.taps.\1.reduce."),
            (r"^body\.MLoRE_1\.(\d)\.", r"decoder.taps.\1.0."),
            (r"^body\.MLoRE_2\.(\d)\.", r"decoder.taps.\1.1."),
            (r"^body\.task_mask\.(\w+)\.0\.", r"decoder.mix.\1.conv1."),
            (r"^body\.task_mask\.(\w+)\.1\.", r"decoder.mix.\1.norm."),
            (r"^body\.task_mask\.(\w+)\.3\.", r"decoder.mix.\1.conv2."),
            (r"^body\.", "backbone."),
            (r"^heads\.(\w+)\.mt_proj\.0\.", r"heads.\1.conv."),
            (r"^heads\.(\w+)\.mt_proj\.1\.", r"heads.\1.norm."),
            (r"^heads\.(\w+)\.linear_pred\.", r"heads.\1.classify."),
        ]
        inside = [
            (r"\.lora_list_1\.(\d+)\.W\.", r".experts.\1.down."),
            (r"\.lora_list_1\.(\d+)\.M\.", r".experts.\1.up."),
            (r"\.share_conv\.", ".generic."),
            (r"\.conv1\.(\w+)\.", r".\1.in."),
            (r"\.conv3\.(\w+)\.", r".\1.out."),
            (r"\.conv2\.(\w+)\.W\.", r".\1.own.down."),
            (r"\.conv2\.(\w+)\.M\.", r".\1.own.up."),
            (r"\.bn\.(\w+)\.", r".\1.norm."),
            (r"\.bn_all\.(\w+)\.", r".\1.expert_norm."),
            (r"\.router_1\.(\w+)\.0\.ln\.", r".\1.router.norm."),
            (r"\.router_1\.(\w+)\.0\.convsp\.", r".\1.router.places."),
            (r"\.router_1\.(\w+)\.0\.ln_sp\.", r".\1.router.places_norm."),
            (r"\.router_1\.(\w+)\.0\.(conv\d)\.", r".\1.router.\2."),
            (r"\.router_1\.(\w+)\.1\.", r".\1.router.scores."),
        ]

        def rename(key: str, rules: Any = rules, inside: Any = inside) -> str | None:
            ours = substitute(key, rules)
            if ".taps." in ours and ".reduce." not in ours:
                return substitute(ours, inside)
            return ours

        decoder = {
            "type": "mlore", "channels": 16, "ranks": [2, 3, 4, 5], "own_rank": 2, "top": 2, "noise": False,
            "select": "before_softmax" if pre_softmax else "after_softmax",
        }  # fmt: skip
        model = {"backbone": {**VIT, "grid": [4, 6], "class_token": False}, "decoder": decoder}
        slot = {"type": "conv", "upsample": 4, "activation": "gelu", "bias": True}
        write(folder, name, Net(), (64, 96), rename, {"model": model, "tasks": heads(slot)})
    torch.randn_like = kept


def mtformer(folder: Path, load: Any) -> None:
    stub("timm.models.layers", DropPath=DropPath, trunc_normal_=trunc_normal_, to_2tuple=to_2tuple)
    cross = load("models.swim_transformer2_CA_pascal").SwinTransformer
    twice = load("models.models_nyud_CL").Interpolate(scale_factor=2, mode="bilinear", align_corners=True)

    def head(task: str, channels: int) -> nn.Module:
        """project1 and project2 of the NYUD network, and saliency's of the PASCAL one for normals."""
        if task == "depth":
            return nn.Sequential(
                nn.Conv2d(16, 8, 1), twice, nn.Conv2d(8, 6, 1), nn.ReLU(), nn.Conv2d(6, 1, 1), nn.ReLU()
            )
        layers = [nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, channels, 1)]
        return nn.Sequential(*layers, *([twice] if task == "semseg" else []))

    class Stage(nn.Module):
        """Two Swin blocks and a norm, under our names."""

        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([SwinBlock(16, 2, 4, shifted) for shifted in (False, True)])
            self.norm = nn.LayerNorm(16)

        def forward(self, x: Tensor) -> Tensor:
            x = x.permute(0, 2, 3, 1)
            for block in self.blocks:
                x = block(x)
            return self.norm(x).permute(0, 3, 1, 2)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = Trunk()
            self.reduce = nn.Conv2d(8 + 16 + 32, 16, 1)
            self.shared = Stage()
            self.own = nn.ModuleDict({t: Stage() for t in TASKS})
            self.cross = nn.ModuleDict({
                t: cross(window_size=4, depths=(2,), num_heads=(2,), in_chans=48, embed_dim=48, drop_path_rate=0.0,
                         out_indices=(0,)) for t in TASKS
            })  # fmt: skip
            self.heads = nn.ModuleDict({t: head(t, n) for t, n in TASKS.items()})

        def forward(self, x: Tensor) -> Outputs:
            _, *levels = self.trunk(x)
            levels = [F.interpolate(y, levels[0].shape[2:], mode="bilinear") for y in levels]
            shared = self.shared(self.reduce(torch.cat(levels, 1)))
            own = {t: self.own[t](shared) for t in TASKS}
            out = {}
            for t in TASKS:
                others = [own[o] for o in TASKS if o != t]
                out[t] = self.heads[t](self.cross[t].forward2(torch.cat([own[t], *others], 1)))
            return out

    inside = [
        (r"\.attn1\.qkv\.", ".attn.qk."),
        (r"\.attn1\.qkv2\.", ".attn.v."),
        (r"\.attn1\.", ".attn."),
        (r"\.mlp2\.", ".mlp."),
        (r"\.mlp31\.", ".own."),
        (r"\.mlp32\.", ".others.0."),
        (r"\.mlp33\.", ".others.1."),
        (r"\.mlp3\.", ".merge."),
    ]

    def rename(name: str) -> str | None:
        if name.startswith("trunk."):
            return trunk_name(name.removeprefix("trunk."))
        if ".patch_embed." in name:
            return None
        name = substitute(name, [
            (r"^reduce\.", "decoder.0.conv."),
            (r"^shared\.", "decoder.1.shared."),
            (r"^own\.(\w+)\.", r"decoder.1.\1."),
            (r"^cross\.(\w+)\.layers\.0\.", r"interaction.\1."),
            (r"^cross\.(\w+)\.norm0\.", r"interaction.\1.norm."),
            (r"^heads\.depth\.0\.", "heads.depth.conv1."),
            (r"^heads\.depth\.2\.", "heads.depth.conv2."),
            (r"^heads\.depth\.4\.", "heads.depth.conv3."),
            (r"^heads\.(\w+)\.0\.", r"heads.\1.conv1."),
            (r"^heads\.(\w+)\.1\.", r"heads.\1.norm."),
            (r"^heads\.(\w+)\.3\.", r"heads.\1.conv2."),
        ])  # fmt: skip
        return substitute(name, inside) if name.startswith("interaction.") else name

    decoder = {"type": "sequence", "blocks": [
        {"type": "concat", "skip": 1, "reduce": "conv", "channels": 16},
        {"type": "swin_tasks", "heads": 2, "window": 4}]}  # fmt: skip
    model = {
        "backbone": HRNET,
        "decoder": decoder,
        "interaction": {"type": "cross_task_attention", "heads": 2, "window": 4},
    }
    slots = {
        "semseg": {"type": "mlp", "upsample": 2},
        "depth": {"type": "depth", "hidden": 6, "positive": True},
        "normals": {"type": "mlp"},
    }
    tasks = {task: {"head": slot} for task, slot in slots.items()}

    def draw(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
        """Depth is above zero at most places, but not at all, for the head's last ReLU."""
        return (1.6, 0.0) if name == "heads.depth.conv3.bias" else spread(name, shape)

    write(folder, "mtformer", Net(), (64, 96), rename, {"model": model, "tasks": tasks}, draw=draw)

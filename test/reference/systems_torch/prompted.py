"""TaskPrompter with few channels, from its authors' code: without and with their cross-task reweighting."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import timm.layers
from torch import Tensor, nn

from .authors import repository, stub
from .fixture import Outputs, write
from .transformers import VIT
from .vandenhende import TASKS, P, heads, substitute

LAST = VIT["depth"] - 1


def write_prompted(folder: Path, authors: Path) -> None:
    # What timm called these when the code was written.
    stub("timm.models.helpers", build_model_with_cfg=None, named_apply=None, adapt_input_conv=None)
    names = ("PatchEmbed", "Mlp", "DropPath", "trunc_normal_", "lecun_normal_")
    stub("timm.models.layers", **{n: getattr(timm.layers, n) for n in names})
    with repository(authors, "Multi-Task-Transformer", "TaskPrompter") as load:
        module = load("models.transformers.taskprompter")
        taskprompter(folder, "taskprompter", module, reweighting=False)
        taskprompter(folder, "taskprompter-ctr", module, reweighting=True)


def taskprompter(folder: Path, name: str, module: Any, *, reweighting: bool) -> None:
    p = SimpleNamespace(TASKS=P.TASKS, prompt_len=1, use_ctr=reweighting, embed_dim=12, final_embed_dim=10)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = module.TaskPrompter(
                p, [1, 2, 3], img_size=(64, 96), embed_dim=16, depth=4, num_heads=2, chan_nheads=4
            )
            self.heads = nn.ModuleDict({t: module.ConvHead(10, n) for t, n in TASKS.items()})

        def forward(self, x: Tensor) -> Outputs:
            features, _ = self.body(x)
            return {t: self.heads[t](features[t]) for t in TASKS}

    rules = [
        (r"^body\.fea_decode_spa\.(\d)\.(\w+)\.0\.", r"decoder.taps.\1.\2.spatial."),
        (r"^body\.fea_decode_chan\.(\d)\.(\w+)\.0\.", r"decoder.taps.\1.\2.channel."),
        (r"^body\.fea_fuse\.(\d)\.(\w+)\.0\.", r"decoder.taps.\1.\2.reduce."),
        (r"^body\.fea_fuse\.(\d)\.(\w+)\.1\.", r"decoder.taps.\1.\2.conv."),
        (r"^body\.fea_fuse\.(\d)\.(\w+)\.2\.", r"decoder.taps.\1.\2.norm."),
        (r"^body\.fea_fuse\.(\d)\.(\w+)\.4\.", r"decoder.taps.\1.\2.out."),
        (r"^body\.ctr_attn_conv\.(\d)\.(\w+)\.0\.", r"interaction.\1.\2.conv1."),
        (r"^body\.ctr_attn_conv\.(\d)\.(\w+)\.2\.", r"interaction.\1.\2.conv2."),
        (r"^body\.", "backbone."),
        (r"^heads\.(\w+)\.mt_proj\.0\.", r"heads.\1.conv."),
        (r"^heads\.(\w+)\.mt_proj\.1\.", r"heads.\1.norm."),
        (r"^heads\.(\w+)\.linear_pred\.", r"heads.\1.classify."),
    ]

    def rename(key: str) -> str | None:
        # The prompts after the last block are not used.
        return None if f"blocks.{LAST}.attn.token_trans1" in key else substitute(key, rules)

    model = {
        "backbone": {**VIT, "type": "prompted_vit", "grid": [4, 6], "windows": 2},
        "decoder": {"type": "prompted_maps", "channels": 12, "out": 10},
    }
    if reweighting:
        model["interaction"] = {"type": "cross_task_reweighting"}
    slot = {"type": "conv", "levels": "sum", "upsample": 4, "activation": "gelu", "bias": True}
    write(folder, name, Net(), (64, 96), rename, {"model": model, "tasks": heads(slot)})

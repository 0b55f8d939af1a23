"""ATRC on a small HRNet, from its authors' code; every kind of context occurs."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .authors import repository
from .fixture import Outputs, write
from .vandenhende import HRNET, TASKS, Trunk, heads, substitute, trunk_name

KINDS = ["none", "global", "local", "target_label", "source_label"]
CONTEXTS = {
    "semseg": {"semseg": "target_label", "depth": "source_label", "normals": "global"},
    "depth": {"semseg": "local", "depth": "target_label", "normals": "none"},
    "normals": {"semseg": "global", "depth": "none", "normals": "source_label"},
}
AUXILIARY = {"semseg": 5, "depth": 6, "normals": 4}


class Similar:
    """The product of each place with the places around it: what the authors have as a CUDA kernel."""

    @staticmethod
    def apply(query: Tensor, key: Tensor, height: int, width: int) -> Tensor:
        return (around(key, height, width) * query[:, :, None]).sum(1).permute(0, 2, 3, 1)


class Weighting:
    @staticmethod
    def apply(value: Tensor, weights: Tensor, height: int, width: int) -> Tensor:
        return (around(value, height, width) * weights.permute(0, 3, 1, 2)[:, None]).sum(2)


def around(x: Tensor, height: int, width: int) -> Tensor:
    """[batch, channels, taps, rows, columns]; zero outside."""
    batch, channels, rows, columns = x.shape
    taps = F.unfold(x, (height, width), padding=(height // 2, width // 2))
    return taps.reshape(batch, channels, height * width, rows, columns)


def write_relational(folder: Path, authors: Path) -> None:
    with repository(authors, "atrc", "src") as load:
        package = load("model.heads").__name__
        kernels = types.ModuleType(f"{package}.attention_ops")
        kernels.similarFunction, kernels.weightingFunction = Similar, Weighting
        sys.modules[kernels.__name__] = kernels
        atrc(folder, load("model.heads.relationalcontext").RelationalContextHead)
        del sys.modules[kernels.__name__]


def atrc(folder: Path, head: type[nn.Module]) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = Trunk()
            self.head = head(
                atrc_genotype={t: {s: KINDS.index(kind) for s, kind in row.items()} for t, row in CONTEXTS.items()},
                tasks=list(TASKS),
                task_channel_mapping={t: {"final": n, "aux": AUXILIARY[t]} for t, n in TASKS.items()},
                in_index=[0, 1, 2, 3],
                idx_to_planes=dict(enumerate([4, 8, 16, 32])),
            )
            for module in self.modules():
                if isinstance(module, nn.Dropout2d):
                    module.p = 0.0

        def forward(self, x: Tensor) -> Outputs:
            out = self.head(self.trunk(x), x.shape[2:], image=x)
            return out["final"] | {f"{t}.0": y for t, y in out["aux"].items()}

    def rename(name: str) -> str | None:
        if name.startswith("trunk."):
            return trunk_name(name.removeprefix("trunk."))
        name = substitute(name, [
            (r"^head\.bottleneck\.", "decoder.1."),
            (r"^head\.aux_conv\.", "interaction.auxiliary."),
            (r"^head\.aux_logits\.(\w+)\.", r"interaction.auxiliary.\1.classify."),
            (r"^head\.atrc_module\.out_proj\.", "interaction.merge."),
            (r"^head\.atrc_module\.bottleneck\.(\w+)\.0\.", r"interaction.out.\1."),
            (r"^head\.atrc_module\.cp_blocks\.(\w+)\.(\w+)\.(\w+)_project\.", r"interaction.pairs.\1.\2.\3."),
            (r"^head\.final_logits\.(\w+)\.", r"heads.\1.classify."),
        ])  # fmt: skip
        return name.replace(".bn.", ".norm.")

    auxiliary = {
        "depth": {"type": "depth_bins", "bins": AUXILIARY["depth"]},
        "normals": {"type": "normal_directions", "directions": AUXILIARY["normals"]},
    }
    model = {
        "backbone": HRNET,
        "decoder": {"type": "sequence", "blocks": [{"type": "concat"}, {"type": "conv_tasks"}]},
        "interaction": {"type": "relational_context", "contexts": CONTEXTS, "auxiliary": auxiliary, "dropout": 0},
    }
    write(folder, "atrc", Net(), (64, 64), rename, {"model": model, "tasks": heads({"type": "linear"})})

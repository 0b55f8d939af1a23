"""MTMamba and MTMamba++ on a small Swin transformer, from their authors' code.

Scans are those of the reference function of Mamba's authors.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from timm.layers import DropPath, to_2tuple, trunc_normal_
from torch import Tensor, nn

from .authors import repository, stub
from .backbones import SWIN, small_swin, swin_name
from .fixture import Outputs, write
from .vandenhende import TASKS, heads, substitute

SIZE = (32, 64)
STATE = 4
Rules = list[tuple[str, str]]


@contextmanager
def mtmamba(authors: Path) -> Iterator[Any]:
    """The authors' modules, with CUDA's selective scan replaced by the function that it is tested against."""
    stub("timm.models.layers", DropPath=DropPath, trunc_normal_=trunc_normal_, to_2tuple=to_2tuple)
    with repository(authors, "mamba") as load, repository(authors, "MTMamba"):
        # The package without its __init__, which imports kernels.
        package = types.ModuleType("mamba_ssm")
        package.__path__ = [str(authors / "mamba" / "mamba_ssm")]
        sys.modules["mamba_ssm"] = package
        stub("mamba_ssm.ops.triton", layer_norm=None)
        stub("mamba_ssm.ops.triton.layer_norm", _layer_norm_fwd=None)
        interface = load("mamba_ssm.ops.selective_scan_interface")
        interface.selective_scan_fn = interface.selective_scan_ref
        yield load
        for name in [name for name in sys.modules if name.split(".")[0] == "mamba_ssm"]:
            del sys.modules[name]


def forward(net: nn.Module, x: Tensor) -> Outputs:
    """Their code turns numbers into float32 and checks that; here all of it is in the precision of the input."""
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(Tensor, "float", lambda t: t))
        patches.enter_context(mock.patch.object(torch, "float", x.dtype))
        return net(x)


class Levels(nn.Module):
    """The systems are written for a backbone that gives a list and says how wide its maps are."""

    num_features = (8, 16, 32, 64)

    def __init__(self) -> None:
        super().__init__()
        self.net = small_swin()

    def forward(self, x: Tensor) -> list[Tensor]:
        return list(self.net(x).feature_maps)


def write_mamba(folder: Path, authors: Path) -> None:
    p = SimpleNamespace(TASKS=SimpleNamespace(NAMES=list(TASKS), NUM_OUTPUT=TASKS), IMAGE_ORI_SIZE=SIZE)
    trunk = Levels()
    at = r"decoder.stages.\2.\1."
    exchange = r"decoder.stages.\1.exchange."
    common = [
        (r"^expand_layers\.(\w+)_(\d)\.", rf"{at}expand."),
        (r"^concat_layers\.(\w+)_(\d)\.", rf"{at}concat."),
        (r"^final_project\.(\w+)\.", r"heads.\1.classify."),
    ]
    plain = [
        *common,
        (r"^block_1\.(\w+)_(\d)\.", rf"{at}blocks.0."),
        (r"^block_2\.(\w+)_(\d)\.", rf"{at}blocks.1."),
        (r"^block_3\.(\d)\.(norm|op)_share\.", rf"{exchange}shared.\2."),
        (r"^block_3\.(\d)\.(norm|op|in_proj|out_proj)\.(\w+)\.", rf"{exchange}\3.\2."),
        (r"^final_expand\.(\w+)\.", r"decoder.expand.\1."),
    ]
    plus = [
        *common,
        (r"^block_stm\.(\w+)_(\d)\.(\d)\.", rf"{at}blocks.\3."),
        (r"^block_ctm\.(\d)\.0\.norm_share\.", rf"{exchange}shared.norm."),
        (r"^block_ctm\.(\d)\.0\.conv_share\.0\.", rf"{exchange}shared.conv1."),
        (r"^block_ctm\.(\d)\.0\.conv_share\.1\.", rf"{exchange}shared.conv2."),
        (r"^block_ctm\.(\d)\.0\.(norm|op)\.(\w+)\.", rf"{exchange}\3.\2."),
        (r"^final_expand\.(\w+)\.0\.", r"heads.\1.conv."),
        (r"^final_expand\.(\w+)\.1\.", r"heads.\1.norm."),
    ]

    def save(name: str, net: nn.Module, rules: Rules, decoder: dict[str, Any], head: dict[str, Any]) -> None:
        for module in net.modules():
            if isinstance(module, DropPath):
                module.drop_prob = 0.0

        def rename(key: str) -> str | None:
            if key.startswith("backbone.net."):
                name = swin_name(key.removeprefix("backbone.net."))
                return name and f"backbone.{name}"
            return substitute(key, rules)

        decoder = {"type": "mtmamba", "state": STATE, "drop_path": 0, **decoder}
        setting = {"model": {"backbone": SWIN, "decoder": decoder}, "tasks": heads(head)}
        write(folder, name, net, SIZE, rename, setting, forward)

    with mtmamba(authors) as load:
        net = load("models.MTMamba").MTMamba(p, trunk, d_state=STATE)
        save("mtmamba", net, plain, {}, {"type": "linear"})
        with mock.patch.object(nn, "SyncBatchNorm", nn.BatchNorm2d):
            net = load("models.MTMamba_plus").MTMamba_plus(p, trunk, d_state=STATE)
        head = {"type": "conv", "channels": 96, "bias": True}
        save("mtmamba-plus", net, plus, {"exchange": "guided", "expand": 1}, head)

"""What the authors' code calls the tensors of whole networks: `fixtures/systems/names.json`.

For each network a row for each tensor: its name in a file that the authors' code saves, its shape, and its name here,
by the tables that the fixtures' generators have; null for what we do not have. The modules are those of the fixtures, but
whole and unchanged where a fixture takes parts of them, so that names are what `state_dict` says and nothing else.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from mtcp_torch.fixtures.files import write_json
from timm.layers import DropPath, to_2tuple, trunc_normal_
from torch import nn

from . import mtcp, transformers, vandenhende
from .authors import repository, stub

Rows = list[list[Any]]


def recorder(table: dict[str, Rows], theirs: Callable[[str, str], str]) -> Any:
    def record(_folder: Path, name: str, module: nn.Module, _size: Any, rename: Any, *_: Any, **__: Any) -> None:
        table[name] = [
            [theirs(name, key), "x".join(map(str, tensor.shape)), rename(key)]
            for key, tensor in module.state_dict().items()
        ]

    return record


def whole(name: str, key: str) -> str:
    """The fixtures' backbones sit inside a module of ours, and some decoders beside it instead of around it."""
    if name == "pad-net":
        return key.replace("trunk.net.", "backbone.0.").replace("fuse.", "backbone.1.", 1) if not key.startswith("initial") else key
    if name == "mti-net":
        return key.replace("backbone.net.", "backbone.")
    return key.replace("trunk.net.", "backbone.").replace("decoder.", "multi_task_decoder.", 1) if not key.startswith("heads") else key


def write_names(folder: Path, authors: Path) -> None:
    table: dict[str, Rows] = {}
    record = recorder(table, whole)
    stub("torchvision.models.utils", load_state_dict_from_url=None)
    stub("termcolor", colored=str)
    with repository(authors, "Multi-Task-Learning-PyTorch") as load, mock.patch.object(vandenhende, "write", record):
        vandenhende.distillation(folder, load)
    stub("timm.models.layers", DropPath=DropPath, trunc_normal_=trunc_normal_, to_2tuple=to_2tuple)
    with repository(authors, "Multi-Task-Transformer", "InvPT") as load, mock.patch.object(transformers, "write", record):
        transformers.invpt(folder, load)
    with (
        mock.patch.object(mtcp, "write", recorder(table, lambda _, key: key)),
        mock.patch.object(mtcp, "Split", lambda qkv: qkv),
    ):
        mtcp.write_mtcp(Path(tempfile.gettempdir()), authors)
    write_json(folder / "names.json", table)

"""Imports modules from checkouts of the authors' repositories, which are no part of this project.

`--authors FOLDER` names a folder with one checkout for each repository below, at the commit given here. Their packages
have the same names (`models`, `utils`), so one repository's modules are forgotten before the next one's are imported.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMITS = {
    "Multi-Task-Learning-PyTorch": "ed3d9ac1c35493d8d22c4e33574919c326d77b6d",  # SimonVandenhende
    "Multi-Task-Transformer": "870c6be100b95d44ffa0a9591775dd3faa2d5664",  # prismformore
    "atrc": "76d805514aea4fde2be5765edb6ce02091abafe6",  # brdav
    "DeMT": "b638e140b0bf4c37e119f2dd8b9945386103a9fc",  # yangyangxu0
    "MLoRE": "5817007c6b73cc4393d242d3a99c7a7e0b77e6ab",  # YuqiYang213
    "MT-CP": "08c068ee7bc7bdbd8e05c90a3b4c1260ec7e900b",  # Klodivio355
    "MTFormer": "22b31089b34bfe587575c4092d67ab51bc486a54",  # xiaogang00
    "EMA-Net": "59e2e48b6bd267fa863890fc944d53c610fc4c2b",  # Armanfard-Lab
    "LibMTL": "4336804847eaa5e0b924b743d76beec7ac3fdc97",  # median-research-group
    "mamba": "e9594ce1c732d97440f0332fdc43170a2294dbfa",  # state-spaces
    "MTMamba": "a0b4f0b4c5e8cd1766a85a1f20e449a2c73905c9",  # EnVision-Research
}


def stub(name: str, **contents: object) -> None:
    """A module that the authors' code imports and that what we run does not need."""
    module = types.ModuleType(name)
    for key, value in contents.items():
        setattr(module, key, value)
    sys.modules[name] = module


@contextmanager
def repository(folder: Path, name: str, below: str = "", copy: Path | None = None) -> Iterator[object]:
    """`importlib.import_module` inside the checkout `name`, or inside a changed copy of it."""
    root = folder / name
    commit = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert commit.stdout.strip() == COMMITS[name], f"{root} is at {commit.stdout.strip()}, not {COMMITS[name]}"
    root = copy or root
    before = set(sys.modules)
    sys.path.insert(0, str(root / below))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(root / below))
        for key in set(sys.modules) - before:
            module = sys.modules[key]
            # A package without an __init__ has no file, but folders.
            origin = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), "")
            if origin.startswith(str(root)):
                del sys.modules[key]

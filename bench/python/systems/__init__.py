"""Compared systems in PyTorch, each from mtcp's resolved sections of its row, with mtcp's names of parameters.

A system is `System(trial, tasks, size)`: the sections, the tasks, and height and width of the images; in training it
gives `Outputs`. What an experiment can vary and a system here does not is refused.
"""

from __future__ import annotations

from importlib import import_module

from torch import nn

from .outputs import Outputs

SYSTEMS = {
    "cross-stitch": "cross_stitch.CrossStitch",
    "mti-net": "mti_net.MtiNet",
    "invpt": "invpt.InvPt",
    "demt": "demt.DeMt",
    "mlore": "mlore.Mlore",
}
"""Module and class."""


def system(name: str) -> type[nn.Module]:
    """Imported here: some need timm or torchvision, whose memory would count as that of the others."""
    module, kind = SYSTEMS[name].split(".")
    return getattr(import_module(f".{module}", __package__), kind)


__all__ = ["SYSTEMS", "Outputs", "system"]

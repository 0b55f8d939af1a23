"""Compared systems in PyTorch, each from mtcp's resolved sections of its row, with mtcp's names of parameters.

A system is `System(trial, tasks, size)`: the sections, the tasks, and height and width of the images; in training it
gives `Outputs`. What an experiment can vary and a system here does not is refused.
"""

from .mti_net import MtiNet
from .outputs import Outputs

SYSTEMS = {"mti-net": MtiNet}

__all__ = ["SYSTEMS", "Outputs"]

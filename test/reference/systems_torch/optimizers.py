"""Optimizers of torch.optim over a few steps: what each was given and what it made of it."""

from __future__ import annotations

from pathlib import Path

import torch
from mtcp_torch.fixtures.files import write_json
from mtcp_torch.fixtures.weights import values
from torch import nn

STEPS, SIZE = 4, 7


def write_optimizers(folder: Path) -> None:
    cases = {
        "sgd": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
        "sgd nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.02, "nesterov": True}),
        "sgd plain": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.0}),
        "adam": (torch.optim.Adam, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
        "adamw": (torch.optim.AdamW, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
    }
    written = {}
    for name, (optimizer, options) in cases.items():
        parameter = nn.Parameter(values("parameter", (SIZE,), 0, 1).double())
        gradients = values("gradient", (STEPS, SIZE), 0, 1).double()
        torch_optimizer = optimizer([parameter], **options)
        history = []
        for i, gradient in enumerate(gradients):
            for group in torch_optimizer.param_groups:
                group["lr"] = options["lr"] * (1 - i / STEPS)
            parameter.grad = gradient.clone()
            torch_optimizer.step()
            history.append(parameter.detach().tolist())
        written[name] = {"options": options, "parameters": history}
    write_json(folder / "optimizers.json", written)

"""One fixture: a module of somebody else's, its parameters under our names, run once forward and backward.

`<name>.json` holds the setting, and outputs at sampled cells in training and in evaluation mode. `<name>.tsv` has a
row for each parameter and buffer: name, shape, how its values are drawn (see mtcp_torch/fixtures/weights.py), and,
for a parameter, the norm of its gradient and the gradient's product with a drawn direction; for a buffer, the same of
its value after the step; nothing for noise, which is an input. Two numbers instead of a tensor: a wrong gradient changes the product unless it is
orthogonal to a random direction. Everything is computed in double precision.
"""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mtcp_torch.fixtures.files import write_json
from mtcp_torch.fixtures.weights import values
from torch import Tensor, nn

CELLS = 24
BATCH = 2

Outputs = dict[str, Tensor]


def spread(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Offset and scale: nothing stays at a degenerate initial value, and activations keep their size."""
    if name.endswith("running_var"):
        return 1.0, 0.5
    if name.endswith("running_mean") or len(shape) == 0:
        return 0.0, 0.3
    if len(shape) == 1:
        return (1.0, 0.4) if name.endswith("weight") else (0.0, 0.2)
    if "pos_embed" in name or "cls_token" in name or "bias_table" in name:
        return 0.0, 0.5
    return 0.0, round(math.sqrt(3 / math.prod(shape[1:])), 6)


def sample(tensor: Tensor) -> list[float]:
    """CELLS cells, evenly spaced at an odd distance in the flat tensor."""
    stride = max(1, tensor.numel() // CELLS) | 1
    return [float(f"{v:.8g}") for v in tensor.detach().flatten()[::stride].tolist()]


def direction(name: str, tensor: Tensor) -> Tensor:
    return values(f"{name}/direction", tuple(tensor.shape), 0.0, 1.0).to(tensor.dtype)


def summary(name: str, tensor: Tensor) -> list[str]:
    product = (tensor * direction(name, tensor)).sum().item()
    return [f"{tensor.norm().item():.8e}", f"{product:.8e}"]


def step(module: nn.Module, image: Tensor, run: Callable[[nn.Module, Tensor], Outputs]) -> tuple[Outputs, Tensor]:
    """Forward and backward in training mode, against drawn upstream gradients."""
    module.train()
    outputs = run(module, image)
    total = sum((x * values(f"{n}/upstream", tuple(x.shape), 0.0, 1.0).to(x)).sum() for n, x in outputs.items())
    total.backward()
    return outputs, total


def distances(single: nn.Module, exact: nn.Module) -> list[float]:
    """How far the gradients of a float32 run in PyTorch are from the exact ones: what a tolerance must allow."""
    pairs = [
        (a.grad.double(), b.grad)
        for a, b in zip(single.parameters(), exact.parameters(), strict=True)
        if b.grad is not None
    ]
    largest = max(b.norm().item() for _, b in pairs)
    return [((a - b).norm() / max(b.norm().item(), 1e-5 * largest)).item() for a, b in pairs]


def rounded(module: nn.Module, seed: int) -> nn.Module:
    """A copy in float32; all weights but the first copy's get noise as small as its rounding."""
    single = copy.deepcopy(module).float()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in single.parameters() if seed > 0 else ():
            parameter *= 1 + 2**-24 * torch.randn(parameter.shape, generator=generator)
    return single


def write(
    folder: Path,
    name: str,
    module: nn.Module,
    size: tuple[int, int],
    rename: Callable[[str], str | None],
    setting: dict[str, Any],
    forward: Callable[[nn.Module, Tensor], Outputs] | None = None,
    draw: Callable[[str, tuple[int, ...]], tuple[float, float]] = spread,
    batch: int = BATCH,
    roundings: int = 1,
    noises: tuple[str, ...] = (),
) -> None:
    """`rename` turns the module's names into ours; None leaves a tensor out (it must not matter).

    `roundings`: float32 runs to take the worst distance of. Where one puts a ReLU on its other side all gradients behind
    it jump, and which one does is chance; the median of the parameters hardly moves.

    `noises`: ends of the names of buffers that hold what is drawn here at each step.
    """
    module = module.double()
    names = {key: rename(key) for key, t in module.state_dict().items() if t.is_floating_point()}
    drawn: dict[str, tuple[float, float]] = {}
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            ours = names.get(key)
            if ours is None:
                continue
            drawn[ours] = draw(ours, tuple(tensor.shape))
            tensor.copy_(values(ours, tuple(tensor.shape), *drawn[ours]))
    image = values("image", (batch, 3, *size), 0.0, 1.7).double()
    run = forward or (lambda m, x: m(x))

    module.eval()
    with torch.no_grad():
        evaluation = run(module, image)
    module.zero_grad()
    singles = [rounded(module, seed) for seed in range(roundings)]
    outputs, total = step(module, image, run)
    found = []
    for single in singles:
        step(single, image.float(), run)
        found.append(distances(single, module))

    rows = ["name\tshape\toffset\tscale\tnorm\tproduct"]
    parameters = dict(module.named_parameters())
    for key, tensor in module.state_dict().items():
        ours = names.get(key)
        if ours is None:
            continue
        kind = "parameter" if key in parameters else "noise" if ours.endswith(noises) else "buffer"
        if kind == "parameter":
            gradient = parameters[key].grad
            measured = ["none", "none"] if gradient is None else summary(ours, gradient)
        elif kind == "noise":
            measured = ["none", "none"]
        else:
            measured = summary(ours, tensor)
        shape = "x".join(map(str, tensor.shape))
        rows.append("\t".join([f"{kind}/{ours}", shape, *map(repr, drawn[ours]), *measured]))
    (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n")
    write_json(
        folder / f"{name}.json",
        {
            **setting,
            "float32": float(f"{max(map(max, found)):.2g}"),
            "median": float(f"{max(map(statistics.median, found)):.2g}"),
            "image": [batch, 3, *size],
            "outputs": {n: {"shape": list(x.shape), "cells": sample(x)} for n, x in outputs.items()},
            "evaluation": {n: sample(x) for n, x in evaluation.items()},
        },
    )
    count = sum(p.numel() for n, p in parameters.items() if names.get(n) is not None)
    print(f"{name}: {count} parameters, objective {total.item():.6g}")

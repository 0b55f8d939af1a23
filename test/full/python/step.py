"""One training step of the paper's full-size network in PyTorch, in double precision.

    python step.py FOLDER --size 64x96

writes FOLDER/weights.safetensors, FOLDER/batch.safetensors (image and labels) and FOLDER/gradients.safetensors:
`loss.*`, and each parameter's gradient under its name.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from mtcp_torch.config import NYUD, Config
from mtcp_torch.fixtures.weights import fill
from mtcp_torch.model import Mtcp
from mtcp_torch.training import objective
from safetensors.torch import save_file
from torch import Tensor


def batch(height: int, width: int) -> tuple[Tensor, dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, height, width, generator=generator)
    normals = torch.randn(1, 3, height, width, generator=generator)
    labels = {
        "semseg": torch.randint(0, 40, (1, 1, height, width), generator=generator, dtype=torch.int32),
        "depth": 1 + 4 * torch.rand(1, 1, height, width, generator=generator),
        "normals": (normals / normals.norm(dim=1, keepdim=True)).contiguous(),
    }
    labels["semseg"][:, :, :4] = 255
    labels["depth"][:, :, :, :5] = 255
    return image, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="64x96")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    height, width = map(int, options.size.split("x"))
    image, labels = batch(height, width)
    save_file({"image": image} | labels, options.folder / "batch.safetensors")

    model = Mtcp(Config(NYUD))
    with torch.no_grad():
        fill(model)
    save_file({n: t.detach().contiguous() for n, t in model.hub_state().items()}, options.folder / "weights.safetensors")
    model = model.double().train()
    double = {n: t.double() if t.is_floating_point() else t for n, t in labels.items()}
    losses = objective(model.config, model(image.double()), double)
    losses.total.backward()
    tensors = {f"loss.{n.removeprefix('final.')}": torch.tensor(v).float() for n, v in losses.numbers().items()}
    for name, parameter in model.hub_parameters().items():
        tensors[name] = parameter.grad.float().contiguous()
        parameter.grad = None
    save_file(tensors, options.folder / "gradients.safetensors")


if __name__ == "__main__":
    main()

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

    torch.manual_seed(0)
    model = Mtcp(Config(NYUD)).train()
    # What starts at 0 or 1 would hide an error in it.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter += 0.05 * torch.randn_like(parameter)
            elif "relative_position_bias_table" in name:
                parameter.normal_(0, 0.5)
    state = {n: t.detach().clone().contiguous() for n, t in model.hub_state().items()}
    save_file(state, options.folder / "weights.safetensors")
    losses, exact = gradients(model.double(), image.double(), {n: as_double(t) for n, t in labels.items()})
    save_file(losses | {n: g.float().contiguous() for n, g in exact.items()}, options.folder / "gradients.safetensors")


def as_double(label: Tensor) -> Tensor:
    return label.double() if label.is_floating_point() else label


def gradients(
    model: Mtcp, image: Tensor, labels: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    losses = objective(model.config, model(image), labels)
    losses.total.backward()
    found = {}
    for name, parameter in model.hub_parameters().items():
        found[name], parameter.grad = parameter.grad, None
    return {f"loss.{n.removeprefix('final.')}": torch.tensor(v).float() for n, v in losses.numbers().items()}, found


if __name__ == "__main__":
    main()

"""One training step of the paper's full-size network in PyTorch, in double precision.

    python step.py FOLDER --size 64x96

writes FOLDER/weights.safetensors, FOLDER/batch.safetensors (image and labels), FOLDER/gradients.safetensors
(`loss.*`, `margin`, and each parameter's gradient under its name) and FOLDER/updated.safetensors: parameters after
AdamW, and BatchNorm's running statistics. `margin` is how near any ReLU's input comes to 0; see kinks.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from kinks import keep_away
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
    parser.add_argument("--seed", type=int, default=0, help="of the weights")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    height, width = map(int, options.size.split("x"))
    image, labels = batch(height, width)
    save_file({"image": image} | labels, options.folder / "batch.safetensors")

    torch.manual_seed(options.seed)
    model = Mtcp(Config(NYUD)).train()
    # What starts at 0 or 1 would hide an error in it.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter += 0.05 * torch.randn_like(parameter)
            elif "relative_position_bias_table" in name:
                parameter.normal_(0, 0.5)
    model.double()
    wide = image.double()
    # As float32 has them: what is compared are two computations, not two roundings of weights.
    as_float32(model)
    margin = keep_away(lambda: model(wide))
    as_float32(model)
    # Looking has moved the running statistics; they start where a new network's start.
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
    save_file(floats(model.hub_state()), options.folder / "weights.safetensors")
    losses, exact = gradients(model, wide, {n: as_double(t) for n, t in labels.items()})
    numbers = losses | {"margin": torch.tensor(margin).float()}
    save_file(numbers | floats(exact), options.folder / "gradients.safetensors")
    update(model)
    save_file(floats(model.hub_state()), options.folder / "updated.safetensors")


def floats(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}


def as_float32(model: Mtcp) -> None:
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.float())


def update(model: Mtcp) -> None:
    """AdamW, one parameter at a time: its state for all of them at once would double the memory."""
    settings = model.config.optimizer
    for parameter in model.parameters():
        if parameter.grad is not None:
            torch.optim.AdamW([parameter], lr=settings.rate, weight_decay=settings.decay).step()


def as_double(label: Tensor) -> Tensor:
    return label.double() if label.is_floating_point() else label


def gradients(
    model: Mtcp, image: Tensor, labels: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    losses = objective(model.config, model(image), labels)
    losses.total.backward()
    found = {name: p.grad for name, p in model.hub_parameters().items() if p.grad is not None}
    return {f"loss.{n.removeprefix('final.')}": torch.tensor(v).float() for n, v in losses.numbers().items()}, found


if __name__ == "__main__":
    main()

"""transformers' Mask2Former with random weights, and what it makes of images of several sizes.

    python mask2former.py FOLDER --variant swin-s --sizes 96x128,83x117

writes FOLDER/hub/ (as transformers saves a model), FOLDER/memory.safetensors (the same weights under the names they
have in memory) and for each size FOLDER/SIZE.input.safetensors and FOLDER/SIZE.output.safetensors.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

VARIANTS = {
    "swin-t": {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24], "window_size": 7},
    "swin-s": {"embed_dim": 96, "depths": [2, 2, 18, 2], "num_heads": [3, 6, 12, 24], "window_size": 7},
    "swin-b": {"embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "window_size": 12},
    "swin-l": {"embed_dim": 192, "depths": [2, 2, 18, 2], "num_heads": [6, 12, 24, 48], "window_size": 12},
}


def build(variant: str) -> Mask2FormerForUniversalSegmentation:
    torch.manual_seed(0)
    swin = SwinConfig(**VARIANTS[variant], out_features=[f"stage{i}" for i in range(1, 5)])
    model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(backbone_config=swin, num_labels=150))
    # transformers starts norms, biases and position tables at values that would hide an error in them.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter) if parameter.dim() == 1 else 0
        for name, parameter in model.named_parameters():
            if "relative_position_bias_table" in name:
                parameter.normal_(0, 0.5)
    return model.eval()


@torch.no_grad()
def features(model: Mask2FormerForUniversalSegmentation, image: Tensor) -> dict[str, Tensor]:
    level = model.model.pixel_level_module(image, output_hidden_states=True)
    output = model.model(image)
    embeddings, masks = output.pixel_decoder_last_hidden_state, output.masks_queries_logits
    tensors = {f"backbone.encoder.{i}": x for i, x in enumerate(level.encoder_hidden_states)}
    tensors |= {f"backbone.multiscale.{i}": x for i, x in enumerate(level.decoder_hidden_states)}
    tensors |= {"backbone.pixel_embeddings": embeddings}
    tensors |= {f"backbone.masks.{i}": x for i, x in enumerate(masks)}
    scale = torch.stack([mask.sum(1, keepdim=True) for mask in masks]).mean(0)
    return tensors | {"backbone.representation": embeddings * scale}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variant", choices=VARIANTS, default="swin-s")
    parser.add_argument("--sizes", default="96x128,83x117")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    model = build(options.variant)
    model.save_pretrained(options.folder / "hub")
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, options.folder / "memory.safetensors")
    double = model.double()
    for size in filter(None, options.sizes.split(",")):
        height, width = map(int, size.split("x"))
        image = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(height * width))
        save_file({"image": image}, options.folder / f"{size}.input.safetensors")
        outputs = {name: x.float().contiguous() for name, x in features(double, image.double()).items()}
        save_file(outputs, options.folder / f"{size}.output.safetensors")


if __name__ == "__main__":
    main()

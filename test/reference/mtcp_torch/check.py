"""Checks of the reference itself, against what others published or wrote."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import SwinBackbone, SwinConfig

from .backbone import mask2former
from .config import NYUD, BackboneConfig, Config, InteractionConfig, RepresentationConfig
from .model import Mtcp
from .names import from_hub, to_hub
from .swin import SwinDecoder

# Parameters that receive a gradient, counted on the public PyTorch model.
PUBLISHED = {
    "backbone.model.pixel_level_module.encoder": 48_838_602,
    "backbone.model.pixel_level_module.decoder": 5_421_504,
    "backbone.model.transformer_module": 14_458_624,
    "decoder": 66_969_816,
    "fusion": 3_148_800,
    "interaction": 1_443_792,
    "refinement.stages": 10_110_120,
    "heads and intermediate predictions": 992_324,
}


def group(name: str) -> str:
    if name.startswith("refinement."):
        return "refinement.stages" if ".stages." in name else "heads and intermediate predictions"
    if name.startswith("heads."):
        return "heads and intermediate predictions"
    return ".".join(name.split(".")[: 4 if ".pixel_level_module." in name else 3 if name.startswith("backbone") else 1])


def check_counts() -> None:
    """The full-size network in the public code's variant has exactly the public number of parameters."""
    with torch.device("meta"):
        config = Config(NYUD, representation=RepresentationConfig("last"), interaction=InteractionConfig("code"))
        model = Mtcp(config)
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        counts[group(name)] = counts.get(group(name), 0) + parameter.numel()
    assert counts == PUBLISHED, counts
    assert sum(counts.values()) == 151_383_582


def check_names() -> None:
    """The rename table agrees with the names transformers itself saves, and goes both ways."""
    model = mask2former(BackboneConfig(8, (1, 1, 1, 1), (1, 1, 1, 1), 4, 32, 2, 1, 32, 1, 32, 5))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(next(Path(folder).glob("*.safetensors")), "pt") as file:
            saved = set(file.keys())
    ours = {to_hub(f"backbone.model.{n}").removeprefix("backbone.model.") for n, _ in model.named_parameters()}
    assert ours == saved, sorted(ours ^ saved)[:10]
    for name, _ in model.named_parameters():
        assert from_hub(to_hub(f"backbone.model.{name}")) == f"backbone.model.{name}", name


def check_swin() -> None:
    """Our Swin stages equal transformers' ones, on maps that are padded, shifted and smaller than a window."""
    theirs = SwinBackbone(
        SwinConfig(
            embed_dim=16,
            depths=[2, 2, 2],
            num_heads=[2, 2, 4],
            window_size=5,
            drop_path_rate=0.0,
            out_features=["stage1", "stage2", "stage3"],
        )
    ).double()
    ours = SwinDecoder(16, (2, 2, 2), (2, 2, 4), 5).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in theirs.parameters():
        parameter.data.normal_(0.1, 0.3, generator=generator)
    state = {to_hub(f"pixel_level_module.encoder.{n}"): p for n, p in theirs.named_parameters()}
    state = {n.removeprefix("pixel_level_module.encoder."): p for n, p in state.items()}
    for name, parameter in ours.named_parameters():
        parts = name.split(".")
        source = (
            f"hidden_states_norms.stage{int(parts[1]) + 1}.{parts[2]}" if parts[0] == "norms" else f"encoder.{name}"
        )
        parameter.data.copy_(state[source])
    with torch.no_grad():
        embeddings, size = theirs.swin.embeddings(torch.randn(2, 3, 33, 47, generator=generator).double())
        expected = []
        x = embeddings
        for i, stage in enumerate(theirs.swin.encoder.layers):
            x, before, _ = stage(x, size, always_partition=True, output_hidden_states_before_downsampling=True)
            norm = theirs.hidden_states_norms[f"stage{i + 1}"]
            expected.append(norm(before.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
            if i == 0:
                start = embeddings.transpose(1, 2).reshape(2, -1, *size)
            size = ((size[0] + 1) // 2, (size[1] + 1) // 2)
        for level, (a, b) in enumerate(zip(ours(start), expected, strict=True)):
            difference = (a - b).abs().max().item()
            assert difference < 1e-10, (level, difference)


def check() -> None:
    for one in (check_counts, check_names, check_swin):
        one()
        print(f"ok  {(one.__doc__ or one.__name__).splitlines()[0]}")

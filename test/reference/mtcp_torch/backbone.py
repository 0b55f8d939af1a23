"""The shared backbone: Mask2Former's pixel embeddings, scaled by what its queries say of each pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig, Mask2FormerModel, SwinConfig

from .config import BackboneConfig, RepresentationConfig


def mask2former(config: BackboneConfig) -> Mask2FormerModel:
    """Mask2Former without its classifier and without drop path."""
    swin = SwinConfig(
        embed_dim=config.embed,
        depths=list(config.depths),
        num_heads=list(config.heads),
        window_size=config.window,
        drop_path_rate=0.0,
        out_features=[f"stage{i + 1}" for i in range(len(config.depths))],
    )
    model = Mask2FormerModel(
        Mask2FormerConfig(
            backbone_config=swin,
            feature_size=config.hidden,
            mask_feature_size=config.hidden,
            hidden_dim=config.hidden,
            num_attention_heads=config.attention_heads,
            encoder_layers=config.pixel_layers,
            encoder_feedforward_dim=config.pixel_feedforward,
            decoder_layers=config.query_layers + 1,
            dim_feedforward=config.query_feedforward,
            num_queries=config.queries,
        )
    )
    # transformers builds a last norm that no feature map passes through; the file on the hub lacks it too.
    model.pixel_level_module.encoder.swin.layernorm = nn.Identity()
    return model


class Backbone(nn.Module):
    """Image [B,3,H,W] -> representation [B,hidden,H/4,W/4]."""

    def __init__(self, config: BackboneConfig, representation: RepresentationConfig) -> None:
        super().__init__()
        self.model = mask2former(config)
        self.representation = representation

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """The representation, the pixel embeddings, and the mask logits [B,queries,H/4,W/4] of every prediction."""
        output = self.model(image)
        embeddings, masks = output.pixel_decoder_last_hidden_state, output.masks_queries_logits
        return represent(embeddings, masks, self.representation), embeddings, masks


def represent(embeddings: Tensor, masks: tuple[Tensor, ...], config: RepresentationConfig) -> Tensor:
    chosen = masks[-1:] if config.layers == "last" else masks
    if config.activation == "sigmoid":
        chosen = tuple(mask.sigmoid() for mask in chosen)
    scale = torch.stack([mask.sum(1, keepdim=True) for mask in chosen]).mean(0)
    return embeddings * scale

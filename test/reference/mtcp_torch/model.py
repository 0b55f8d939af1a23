"""MT-CP from image to raw predictions, with everything on the way that a comparison may want to see."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from .backbone import Backbone
from .blocks import ClassHead, CoherenceFusion, DepthHead, PyramidFusion, Refinement
from .config import Config
from .names import from_hub, to_hub
from .swin import SwinDecoder


@dataclass
class Outputs:
    representation: Tensor
    pixel_embeddings: Tensor
    masks: tuple[Tensor, ...]
    stages: dict[str, list[Tensor]]
    """Decoder pyramids, fine to coarse."""
    fused: dict[str, Tensor]
    interaction: dict[str, Tensor] = field(default_factory=dict)
    refinement: dict[str, list[Tensor]] = field(default_factory=dict)
    """Outputs of the refinement stages, coarse to fine."""
    intermediate: dict[str, list[Tensor]] = field(default_factory=dict)
    """Raw intermediate predictions, coarse to fine."""
    prediction: dict[str, Tensor] = field(default_factory=dict)
    """Raw predictions of the heads, before the last resize to the input."""
    coherence: dict[str, Tensor] = field(default_factory=dict)


class Mtcp(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        channels, tasks = config.backbone.hidden, config.tasks
        names = [task.name for task in tasks]
        widths = [channels * 2**i for i in range(len(config.decoder.depths))]
        self.backbone = Backbone(config.backbone, config.representation)
        self.decoder = nn.ModuleDict(
            {
                n: SwinDecoder(channels, config.decoder.depths, config.decoder.heads, config.decoder.window)
                for n in names
            }
        )
        self.fusion = nn.ModuleDict({n: PyramidFusion(widths, channels) for n in names})
        if config.interaction is not None:
            self.interaction = nn.ModuleDict(
                {n: CoherenceFusion([o for o in names if o != n], channels, config.interaction) for n in names}
            )
        if config.refinement is not None:
            self.refinement = nn.ModuleDict(
                {t.name: Refinement(widths, channels, t, config.refinement) for t in tasks}
            )
        self.heads = nn.ModuleDict(
            {
                t.name: DepthHead(channels, config.depth_hidden) if t.kind == "depth" else ClassHead(channels, t)
                for t in tasks
            }
        )

    def forward(self, image: Tensor) -> Outputs:
        representation, embeddings, masks = self.backbone(image)
        stages = {name: decoder(representation) for name, decoder in self.decoder.items()}
        fused = {name: fusion(stages[name]) for name, fusion in self.fusion.items()}
        out = Outputs(representation, embeddings, masks, stages, fused)
        current = fused
        if self.config.interaction is not None:
            for name, module in self.interaction.items():
                others = {other: x for other, x in fused.items() if other != name}
                out.interaction[name], coherence = module(fused[name], others)
                if coherence is not None:
                    out.coherence[name] = coherence
            current = out.interaction
        if self.config.refinement is not None:
            for name, module in self.refinement.items():
                out.refinement[name], out.intermediate[name] = module(current[name], stages[name])
            current = {name: outputs[-1] for name, outputs in out.refinement.items()}
        out.prediction = {name: head(current[name]) for name, head in self.heads.items()}
        return out

    def hub_state(self) -> dict[str, Tensor]:
        """Parameters and float buffers under the names that checkpoints use, sharing memory with the model."""
        return {to_hub(n): t for n, t in self.state_dict().items() if t.is_floating_point()}

    def load_hub_state(self, state: dict[str, Tensor]) -> None:
        """The inverse; every tensor must be there and none may be left over."""
        counters = {n: t for n, t in self.state_dict().items() if not t.is_floating_point()}
        self.load_state_dict({from_hub(n): t for n, t in state.items()} | counters)

    def hub_parameters(self) -> dict[str, nn.Parameter]:
        return {to_hub(name): parameter for name, parameter in self.named_parameters()}

"""EMA-Net on a small HRNet: the modules of its authors with few channels, put together as in their network."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from .authors import repository
from .fixture import Outputs, write
from .vandenhende import HRNET, TASKS, Trunk, heads, substitute, trunk_name

SIZE = (32, 64)
POSITIONS = (SIZE[0] // 4) * (SIZE[1] // 4)


def write_emanet(folder: Path, authors: Path) -> None:
    with repository(authors, "EMA-Net") as load:
        module = load("models.emanet")
        fuse = load("models.hrnet").HighResolutionFuse
        bottleneck = load("models.resnet").Bottleneck

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.trunk = Trunk()
                self.fuse = fuse([4, 8, 16, 32], 1)
                self.initial = module.InitialTaskPredictionModule(TASKS, list(TASKS), 60, 16)
                self.affinity = module.AffinityLearningModule(list(TASKS), 16, 8, POSITIONS, 0.3)
                self.heads = nn.ModuleDict(
                    {t: nn.Sequential(bottleneck(8, 2), bottleneck(8, 2), nn.Conv2d(8, n, 1)) for t, n in TASKS.items()}
                )

            def forward(self, x: Tensor) -> Outputs:
                first = self.initial(self.fuse(self.trunk(x)))
                predictions = {f"{t}.0": first[t] for t in TASKS}
                mixed = self.affinity(first)
                return {t: self.heads[t](mixed[f"features_{t}"]) for t in TASKS} | predictions

        def rename(name: str) -> str | None:
            if name.startswith("trunk."):
                return trunk_name(name.removeprefix("trunk."))
            return substitute(name, [
                (r"^fuse\.last_layer\.0\.", "decoder.0.conv."),
                (r"^fuse\.last_layer\.1\.", "decoder.0.norm."),
                (r"^initial\.layers\.(\w+)\.", r"decoder.1.\1.blocks."),
                (r"^initial\.conv_out\.(\w+)\.", r"decoder.1.\1.classify."),
                (r"^affinity\.conv_in\.(\w+)\.", r"interaction.\1.reduce."),
                (r"^affinity\.spatial_att\.projection\.(\w+)\.", r"interaction.\1.value."),
                (r"^affinity\.spatial_att\.fusion\.", "interaction.fuse."),
                (r"^affinity\.conv_out\.(\w+)\.0\.", r"interaction.\1.up."),
                (r"^affinity\.conv_out\.(\w+)\.1\.", r"interaction.\1.norm."),
                (r"^affinity\.conv_out\.(\w+)\.3\.", r"interaction.\1.conv."),
                (r"^heads\.(\w+)\.2\.", r"heads.\1.classify."),
                (r"^heads\.(\w+)\.(\d)\.", r"heads.\1.blocks.\2."),
            ])  # fmt: skip

        blocks = [{"type": "concat", "reduce": "conv-norm-relu"}, {"type": "initial", "channels": 16}]
        model = {
            "backbone": HRNET,
            "decoder": {"type": "sequence", "blocks": blocks},
            "interaction": {"type": "ctal", "channels": 8, "gamma": 0.3},
        }
        write(folder, "ema-net", Net(), SIZE, rename, {"model": model, "tasks": heads({"type": "bottlenecks"})})

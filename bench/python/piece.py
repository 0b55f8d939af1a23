"""What is timed: a module taken through training steps on numbers that are drawn from the names of its tensors.

Another program can draw the same numbers (mtcp_torch.fixtures.weights); `Piece.drawn` lists them. Maps are
[batch, channels, height, width].
"""

from __future__ import annotations

from typing import Any

import torch
from mtcp_torch.fixtures.weights import spread, values
from torch import Tensor, nn

Sizes = dict[str, Any]


class Piece:
    """A function of tensors and of a module's parameters. Subclasses say what `forward` is."""

    defaults: Sizes
    prefix: str
    """Put before the name of a tensor when it is drawn."""

    def __init__(self, module: nn.Module, channels_last: bool, fused: bool) -> None:
        self.drawn: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, Tensor] = {}
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.module = module
        for key, tensor in self.state().items():
            tensor.copy_(self.draw(key, tuple(tensor.shape), *self.spread(key, tuple(tensor.shape))))
        self.module.to(memory_format=self.format)
        self.optimizer = self.create_optimizer(fused) if any(True for _ in module.parameters()) else None
        self.upstream: Tensor | None = None
        self.output: Tensor | None = None

    def state(self) -> dict[str, Tensor]:
        return {n: t for n, t in self.module.state_dict().items() if t.is_floating_point()}

    def spread(self, key: str, shape: tuple[int, ...]) -> tuple[float, float]:
        """Offset and scale of a parameter or buffer."""
        return spread(key, shape)

    def create_optimizer(self, fused: bool) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.module.parameters(), lr=5e-5, weight_decay=1e-4, fused=fused)

    def draw(self, key: str, shape: tuple[int, ...], offset: float = 0.0, scale: float = 1.7) -> Tensor:
        name = f"{self.prefix}{key}"
        self.drawn[name] = {"shape": list(shape), "offset": offset, "scale": scale}
        return values(name, shape, offset, scale).to(torch.get_default_device())

    def add_input(self, key: str, *shape: int, scale: float = 1.7) -> None:
        tensor = self.draw(key, shape, scale=scale)
        if tensor.ndim == 4:
            tensor = tensor.to(memory_format=self.format)
        self.inputs[key] = tensor.requires_grad_()

    def add_upstream(self, *shape: int) -> None:
        """The gradient of the output, for pieces that end in a tensor."""
        tensor = self.draw("upstream", shape)
        self.upstream = tensor.to(memory_format=self.format) if tensor.ndim == 4 else tensor

    def forward(self) -> Tensor:
        return self.module(*self.inputs.values())

    def step(self) -> None:
        for tensor in (*self.inputs.values(), *self.module.parameters()):
            tensor.grad = None
        output = self.forward()
        output.backward(self.upstream)
        if self.optimizer is not None:
            self.optimizer.step()
        self.output = output.detach()

    def outputs(self) -> dict[str, Tensor]:
        """Results of the latest step: the output, gradients, and parameters as they are now."""
        named = self.inputs | dict(self.module.named_parameters())
        gradients = {f"gradient.{n}": t.grad for n, t in named.items() if t.grad is not None}
        parameters = {f"parameter.{n}": t.detach() for n, t in self.module.named_parameters()}
        return ({} if self.output is None else {"output": self.output}) | gradients | parameters

"""Keeps a network away from the kinks of its ReLUs.

Among a million ReLUs a few have inputs within float32's rounding of 0. There single and double precision may take
different sides, and every gradient behind such a cell differs by percents although nothing is wrong. Here the bias in
front of each ReLU (a linear layer's, a convolution's, a BatchNorm's beta) moves, channel by channel and by as little as
it takes, until no input of the ReLU lies within a margin of 0. Weights are drawn at random anyhow; these are a draw at
which the comparison means something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

MARGIN = 2e-5
"""Distance from 0 that inputs of a ReLU keep, over the largest of them."""

VIEWS = ("View", "Reshape", "Permute", "Transpose", "Unsafe", "Squeeze", "Unsqueeze", "TBackward", "Alias", "Expand")
RELUS = {torch.relu, torch.Tensor.relu, F.relu}


def bias_of(x: Tensor) -> Tensor | None:
    """The vector that was added last on the way to `x`."""
    node = x.grad_fn
    while node is not None and node.name().startswith(VIEWS):
        node = node.next_functions[0][0]
    if node is None:
        return None
    vectors = [n.variable for n, _ in node.next_functions if n is not None and hasattr(n, "variable")]
    vectors = [v for v in vectors if v.dim() == 1]
    return vectors[-1] if vectors else None


def clear_of_zero(values: Tensor, margin: float) -> float:
    """The smallest shift after which none of `values` is within `margin` of 0."""
    if not bool((values.abs() < margin).any()):
        return 0.0
    ordered = values.sort().values
    # Shifting the middle of a wide enough gap to 0, or all values to one side of it.
    gaps = ordered[1:] - ordered[:-1] >= 2.5 * margin
    middles = ((ordered[1:] + ordered[:-1]) / 2)[gaps]
    ends = torch.stack([ordered[0] - 1.25 * margin, ordered[-1] + 1.25 * margin])
    choices = torch.cat([middles, ends])
    return -float(choices[choices.abs().argmin()])


class Relus(TorchFunctionMode):
    """Sees every ReLU of a forward pass; `moves` says whether biases are changed."""

    def __init__(self, moves: bool) -> None:
        super().__init__()
        self.moves, self.moved, self.nearest = moves, 0, float("inf")

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in RELUS:
            with torch._C.DisableTorchFunction():
                return self.relu(args[0])
        return func(*args, **(kwargs or {}))

    def relu(self, x: Tensor) -> Tensor:
        largest = float(x.detach().abs().max())
        margin = MARGIN * largest
        bias = bias_of(x) if self.moves else None
        if bias is not None:
            axis = next(i for i in ([1] if x.dim() == 4 else [x.dim() - 1]) if x.shape[i] == bias.shape[0])
            near = (x.detach().abs() < margin).movedim(axis, 0).flatten(1).any(1).nonzero().flatten()
            shift = torch.zeros_like(bias)
            for channel in near.tolist():
                shift[channel] = clear_of_zero(x.detach().select(axis, channel).flatten(), margin)
            self.moved += len(near)
            with torch.no_grad():
                bias += shift
            x = x + shift.reshape([-1 if i == axis else 1 for i in range(x.dim())])
        self.nearest = min(self.nearest, float(x.detach().abs().min()) / largest)
        return x.relu()


@contextmanager
def watching(moves: bool) -> Iterator[Relus]:
    with Relus(moves) as relus:
        yield relus


def keep_away(forward: Callable[[], Any], passes: int = 12) -> float:
    """Moves biases until no ReLU of `forward` is near its kink.

    Returns the distance of the nearest input from 0, over the largest of its ReLU.
    """
    nearest = 0.0
    for _ in range(passes):
        # A layer that is used several times may have been moved for its last use only: look again, from the start.
        with watching(moves=True):
            forward()
        with watching(moves=False) as relus:
            forward()
        nearest = relus.nearest
        if nearest >= MARGIN / 2:
            break
    return nearest

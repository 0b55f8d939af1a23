"""Between transformers' parameter names in memory (version 5) and those of the file on the hub.

Only the Swin encoder was renamed; the pixel decoder has an `fc1` of its own that keeps its name.
"""

from __future__ import annotations

import re

ENCODER = "pixel_level_module.encoder."

# (in memory, on the hub), within the encoder.
RENAMES = (
    ("swin.embeddings.", "embeddings."),
    ("swin.encoder.", "encoder."),
    (".attention.q_proj.", ".attention.self.query."),
    (".attention.k_proj.", ".attention.self.key."),
    (".attention.v_proj.", ".attention.self.value."),
    (".attention.o_proj.", ".attention.output.dense."),
    (".attention.relative_position_bias.", ".attention.self."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
)


def to_hub(name: str) -> str:
    """Name of a `Mtcp` parameter -> its name in fixtures and checkpoints."""
    head, found, tail = name.partition(ENCODER)
    if not found:
        return name
    for memory, hub in RENAMES:
        tail = tail.replace(memory, hub)
    return head + found + tail


def from_hub(name: str) -> str:
    """The inverse of `to_hub`."""
    head, found, tail = name.partition(ENCODER)
    if not found:
        return name
    # `attention.output.dense` must go before `output.dense`, which it contains.
    for memory, hub in RENAMES:
        anchored = re.escape(hub) if hub.startswith(".") else f"^{re.escape(hub)}"
        tail = re.sub(anchored, memory, tail)
    return head + found + tail

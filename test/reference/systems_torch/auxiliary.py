"""Auxiliary losses with torch's own functions: value and gradient of every input, in double precision.

Inputs are drawn from their names (mtcp_torch/fixtures/weights.py), so the fixture holds results alone.
"""

from __future__ import annotations

from pathlib import Path

import torch
from mtcp_torch.fixtures.files import write_json
from mtcp_torch.fixtures.weights import values
from torch import Tensor
from torch.nn import functional as F

BATCH, HEIGHT, WIDTH = 2, 3, 4
TASKS = ("a", "b", "c")
CHANNELS, QUEUE, INSIDE = 5, 7, 6


def drawn(name: str, *shape: int, learnt: bool = False) -> Tensor:
    return values(name, shape, 0.0, 1.0).double().requires_grad_(learnt)


def maps(name: str, channels: int, learnt: bool = False) -> Tensor:
    return drawn(name, BATCH, channels, HEIGHT, WIDTH, learnt=learnt)


def result(loss: Tensor, **inputs: Tensor) -> dict[str, object]:
    gradients = torch.autograd.grad(loss, list(inputs.values()))
    return {
        "loss": loss.item(),
        "gradients": {
            name: (gradient.movedim(1, -1) if gradient.ndim == 4 and name.startswith("map") else gradient)
            .flatten()
            .tolist()
            for name, gradient in zip(inputs, gradients, strict=True)
        },
    }


def features() -> dict[str, object]:
    own, taught = maps("map/own", 3, learnt=True), maps("map/taught", 3)
    a, b = F.normalize(own.flatten(1)), F.normalize(taught.flatten(1))
    # Two unit vectors: |a - b|^2 = 2 - 2 cos
    return result((2 - 2 * F.cosine_similarity(a, b)).mean(), **{"map/own": own})


def attention() -> dict[str, object]:
    """Zagoruyko & Komodakis: normalised maps of mean squares; the teacher has another width."""
    own, taught = maps("map/own", 3, learnt=True), maps("map/wide", 5)
    a, b = (F.normalize(x.pow(2).mean(1).flatten(1)) for x in (own, taught))
    return result((a - b).pow(2).sum(1).mean(), **{"map/own": own})


def classes(temperature: float) -> dict[str, object]:
    own, taught = maps("map/own", 3, learnt=True), maps("map/taught", 3)
    divergence = F.kl_div(
        F.log_softmax(own / temperature, 1), F.log_softmax(taught / temperature, 1), reduction="none", log_target=True
    ).sum(1)
    return result(divergence.mean() * temperature**2, **{"map/own": own})


def binary(temperature: float) -> dict[str, object]:
    own, taught = maps("map/own", 1, learnt=True), maps("map/taught", 1)
    target = torch.sigmoid(taught / temperature)
    cross = F.binary_cross_entropy_with_logits(own / temperature, target)
    return result((cross - F.binary_cross_entropy(target, target)) * temperature**2, **{"map/own": own})


def depth() -> dict[str, object]:
    own, taught = maps("map/own", 1, learnt=True), maps("map/taught", 1)
    return result(F.l1_loss(own, taught), **{"map/own": own})


def normals() -> dict[str, object]:
    own, taught = maps("map/own", 3, learnt=True), maps("map/taught", 3)
    return result((1 - F.cosine_similarity(own, taught, 1)).mean(), **{"map/own": own})


def filters(*shape: int) -> dict[str, object]:
    weight = drawn("weight", *shape, learnt=True)
    matrix = weight.flatten(1)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    identity = torch.eye(matrix.shape[0], dtype=matrix.dtype)
    return {"shape": shape, **result(torch.linalg.matrix_norm(matrix @ matrix.T - identity) ** 2, weight=weight)}


def halves() -> dict[str, object]:
    weight = drawn("weight", 6, 2, 3, 3, learnt=True)
    first, second = weight.flatten(1).chunk(2)
    loss = sum(torch.dot(a, b) ** 2 for a in first for b in second)
    return {"shape": [6, 2, 3, 3], **result(loss, weight=weight)}


def contrast(temperature: float) -> dict[str, object]:
    inputs: dict[str, Tensor] = {}
    vectors, queues = {}, {}
    for task in TASKS:
        own = inputs[f"map/{task}"] = maps(f"map/{task}", INSIDE, learnt=True)
        weights = {}
        for layer, inside in (("hidden", INSIDE), ("out", CHANNELS)):
            for name, shape in (("weight", (CHANNELS, inside)), ("bias", (CHANNELS,))):
                full = f"{task}.{layer}.{name}"
                weights[layer, name] = inputs[full] = drawn(full, *shape, learnt=True)
        hidden = F.linear(own.mean((2, 3)), weights["hidden", "weight"], weights["hidden", "bias"]).relu()
        vectors[task] = F.normalize(F.linear(hidden, weights["out", "weight"], weights["out", "bias"]))
        queues[task] = drawn(f"{task}.queue", QUEUE, CHANNELS)
    # The right one of [same image by another task, earlier images by the other task] is the first.
    right = torch.zeros(BATCH, dtype=torch.long)
    losses = [
        F.cross_entropy(
            torch.cat([(vectors[a] * vectors[b]).sum(1, keepdim=True), vectors[a] @ queues[b].T], 1) / temperature,
            right,
        )
        for a in TASKS
        for b in TASKS
        if a != b
    ]
    after = {task: torch.cat([vectors[task], queues[task]])[:QUEUE].flatten().tolist() for task in TASKS}
    return {**result(sum(losses) / len(losses), **inputs), "queues": after}


def labels() -> dict[str, Tensor]:
    """Label maps as they are stored, channels last, 255 where nothing is known. The last image has no classes."""
    classes = (drawn("label/classes", BATCH, HEIGHT, WIDTH).abs() * 3).floor()
    classes[0, 1, 2] = classes[0, 2, 0] = 255
    classes[1] = 255
    depth = drawn("label/depth", BATCH, HEIGHT, WIDTH).abs() * 4 + 0.5
    depth[1, 0, 3] = 255
    normals = F.normalize(drawn("label/normals", BATCH, HEIGHT, WIDTH, 3), dim=-1)
    normals[0, 0, 0] = normals[1, 2, 2] = 255
    return {"classes": classes[..., None], "depth": depth[..., None], "normals": normals}


def pairwise(sharpness: float, rows: list[int] | None) -> dict[str, object]:
    """Place by place in plain loops: the known places' shares, and the distance of a row from them."""
    inputs = {f"map/{kind}": maps(f"map/{kind}", INSIDE, learnt=True) for kind in ("classes", "depth", "normals")}
    likeness = {
        "classes": lambda a, b: (a == b).double().squeeze(),
        "depth": lambda a, b: (1 - (a - b).abs() / torch.maximum(a, b)).squeeze(),
        "normals": lambda a, b: (1 - (a - b).pow(2).sum() / 2).clamp_min(0),
    }
    total = torch.zeros((), dtype=torch.double)
    for kind, label in labels().items():
        x = inputs[f"map/{kind}"].flatten(2).mT
        errors = []
        for image, places in zip(x, label.flatten(1, 2), strict=True):
            known = [i for i, value in enumerate(places) if not (value == 255).any()]
            for i in known:
                if rows is not None and i not in rows:
                    continue
                shares = torch.softmax(image[known] @ image[i] / INSIDE**0.5, 0)
                alike = torch.stack([likeness[kind](places[i], places[j]) ** sharpness for j in known])
                errors.append((shares - alike / alike.sum()).abs().sum())
        total = total + torch.stack(errors).mean()
    return {**result(total, **inputs), "labels": {kind: label.flatten().tolist() for kind, label in labels().items()}}


def write_auxiliary(folder: Path) -> None:
    cases = {
        "features": features(),
        "attention": attention(),
        "classes": classes(3.0),
        "binary": binary(3.0),
        "depth": depth(),
        "normals": normals(),
        "filters wide": filters(4, 2, 3, 3),
        "filters tall": filters(9, 4),
        "halves": halves(),
        "contrast": contrast(0.2),
        "pairwise": pairwise(4, None),
        # The middles of five equal stretches of twelve places.
        "pairwise, some rows": pairwise(1.5, [1, 3, 6, 8, 10]),
    }
    write_json(folder / "auxiliary.json", cases)

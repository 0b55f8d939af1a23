"""A PyTorch DataLoader over a folder in the NYUD_MT layout, with the input pipelines of the public code.

`python loader.py FOLDER sv|atrc WORKERS BATCH` prints the images a second of an epoch, and processor milliseconds an image, as JSON. Decoding is PIL's,
geometry and colour OpenCV's, as in the originals; OpenCV gets one thread a worker.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
SIZE = (480, 640)
NEAREST, CUBIC, LINEAR = cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LINEAR


def sv(sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    flags = {"image": CUBIC, "semseg": NEAREST, "depth": NEAREST, "normals": NEAREST}
    if random.random() < 0.5:
        sample = {k: cv2.flip(v, 1) for k, v in sample.items()}
        sample["normals"][..., 0] *= -1
    scale = random.choice((1.0, 1.2, 1.5))
    height, width = sample["image"].shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale)
    for key, value in sample.items():
        if scale != 1:
            value = cv2.warpAffine(value, matrix, (width, height), flags=flags[key])
        sample[key] = cv2.resize(value, SIZE[::-1], interpolation=flags[key])
    sample["depth"] = sample["depth"] / scale
    length = np.linalg.norm(sample["normals"], axis=-1, keepdims=True)
    sample["normals"] = sample["normals"] / (length + np.finfo(np.float32).eps)
    sample["image"] = np.clip(sample["image"], 0, 255).astype(np.uint8).astype(np.float32)
    return sample


def convert(image: np.ndarray, alpha: float = 1, beta: float = 0) -> np.ndarray:
    return np.clip(image.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)


def photometric(image: np.ndarray) -> np.ndarray:
    image = image.astype(np.uint8)
    coin = lambda: random.random() < 0.5  # noqa: E731
    if coin():
        image = convert(image, beta=random.uniform(-32, 32))
    first = coin()
    if first and coin():
        image = convert(image, alpha=random.uniform(0.5, 1.5))
    for channel in (1, 0):
        if not coin():
            continue
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        if channel == 1:
            hsv[..., 1] = convert(hsv[..., 1], alpha=random.uniform(0.5, 1.5))
        else:
            hsv[..., 0] = (hsv[..., 0].astype(int) + random.randint(-18, 17)) % 180
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if not first and coin():
        image = convert(image, alpha=random.uniform(0.5, 1.5))
    return image.astype(np.float32)


def atrc(sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    scale = random.uniform(0.5, 2)
    for key, value in sample.items():
        size = [int(s * scale) for s in value.shape[:2]]
        sample[key] = cv2.resize(value, size[::-1], interpolation=LINEAR if key == "image" else NEAREST)
    sample["depth"] = sample["depth"] / scale
    height, width = sample["image"].shape[:2]

    def window() -> tuple[int, int]:
        return random.randint(0, max(height - SIZE[0], 0)), random.randint(0, max(width - SIZE[1], 0))

    top, left = window()
    for _ in range(10):
        labels, counts = np.unique(sample["semseg"][top : top + SIZE[0], left : left + SIZE[1]], return_counts=True)
        counts = counts[labels != 255]
        if len(counts) > 1 and counts.max() / counts.sum() < 0.75:
            break
        top, left = window()
    sample = {k: v[top : top + SIZE[0], left : left + SIZE[1]] for k, v in sample.items()}
    if random.random() < 0.5:
        sample = {k: np.fliplr(v).copy() for k, v in sample.items()}
        sample["normals"][..., 0] *= -1
    sample["image"] = photometric(sample["image"])
    return sample


class Folder(Dataset):
    def __init__(self, root: Path, pipeline: str) -> None:
        self.root, self.pipeline = root, {"sv": sv, "atrc": atrc}[pipeline]
        self.ids = (root / "gt_sets/train.txt").read_text().split()

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        name = self.ids[index]
        labels = np.array(Image.open(self.root / f"segmentation/{name}.png")).astype(np.float32)
        sample = {
            "image": np.array(Image.open(self.root / f"images/{name}.jpg").convert("RGB")).astype(np.float32),
            "semseg": np.where(labels == 0, 255, labels - 1).astype(np.float32),
            "depth": np.load(self.root / f"depth/{name}.npy"),
            "normals": np.load(self.root / f"normals/{name}.npy"),
        }
        sample = self.pipeline(sample)
        sample["image"] = (sample["image"] / 255 - MEAN) / DEVIATION
        fill = {"image": 0, "semseg": 255, "depth": 0, "normals": 0}
        for key, value in sample.items():
            rows, columns = SIZE[0] - value.shape[0], SIZE[1] - value.shape[1]
            if rows or columns:
                around = [(rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)]
                value = np.pad(value, around + [(0, 0)] * (value.ndim - 2), constant_values=fill[key])
            sample[key] = value
        sample["depth"][sample["depth"] == 0] = 255
        sample["normals"][np.linalg.norm(sample["normals"], axis=-1) == 0] = 255
        return {
            k: torch.from_numpy(np.ascontiguousarray(v if v.ndim == 2 else v.transpose(2, 0, 1), np.float32))
            for k, v in sample.items()
        }


def cpu_seconds(pids: list[int]) -> float:
    """Processor time of these processes so far; from /proc, so on Linux only."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    root, pipeline, workers, batch = sys.argv[1:5]
    cv2.setNumThreads(0)
    loader = DataLoader(
        Folder(Path(root), pipeline),
        batch_size=int(batch),
        shuffle=True,
        drop_last=True,
        num_workers=int(workers),
        persistent_workers=True,
    )
    for item in loader:  # starts the workers
        pass
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    began, used, images = time.perf_counter(), cpu_seconds(pids), 0
    for item in loader:
        images += len(item["image"])
    rate, cpu = images / (time.perf_counter() - began), (cpu_seconds(pids) - used) / images
    print(json.dumps({"rate": rate, "cpu": 1000 * cpu}), flush=True)


if __name__ == "__main__":
    main()

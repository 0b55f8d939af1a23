"""The `atrc` pipeline in NumPy and OpenCV, on the maps that make_geometry.py wrote: see ../README.md.

`atrc/plans.json` holds the draws of each case; `atrc/<case>_<map>.npy` what comes out. `atrc/colours.npy` is a
picture of many colours, `atrc/colours_<i>.npy` the same after the distortions that `plans.json` lists.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).parent
FOLDER = HERE / "atrc"
MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
FILL = {"image": 0, "semseg": 255, "human_parts": 255, "saliency": 255, "depth": 0, "normals": 0}


def convert(image: np.ndarray, alpha: float = 1, beta: float = 0) -> np.ndarray:
    return np.clip(image.astype(np.float32) * np.float32(alpha) + np.float32(beta), 0, 255).astype(np.uint8)


def distort(image: np.ndarray, plan: dict[str, Any]) -> np.ndarray:
    image = image.astype(np.uint8)
    if "brightness" in plan:
        image = convert(image, beta=plan["brightness"])
    if "contrast" in plan and plan["contrastFirst"]:
        image = convert(image, alpha=plan["contrast"])
    for key in ("saturation", "hue"):
        if key not in plan:
            continue
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        if key == "saturation":
            hsv[:, :, 1] = convert(hsv[:, :, 1], alpha=plan[key])
        else:
            hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + plan[key]) % 180
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if "contrast" in plan and not plan["contrastFirst"]:
        image = convert(image, alpha=plan["contrast"])
    return image


def run(source: dict[str, np.ndarray], plan: dict[str, Any]) -> dict[str, np.ndarray]:
    out = {}
    h, w = plan["size"]
    for name, value in source.items():
        value = value.astype(np.float32)
        if plan["scale"] != 1:
            size = [int(s * plan["scale"]) for s in value.shape[:2]]
            flag = cv2.INTER_LINEAR if name == "image" else cv2.INTER_NEAREST
            value = cv2.resize(value, size[::-1], interpolation=flag)
            if name == "depth":
                value = value / np.float32(plan["scale"])
        value = value[plan["top"] : plan["top"] + h, plan["left"] : plan["left"] + w]
        if plan["flip"]:
            value = np.fliplr(value).copy()
            if name == "normals":
                value[..., 0] *= -1
        if name == "image":
            value = distort(value, plan["distortion"]) if plan["distortion"] else np.trunc(value)
            value = (value.astype(np.float32) / 255 - MEAN) / DEVIATION
        y, x = (h - value.shape[0]) // 2, (w - value.shape[1]) // 2
        canvas = np.full((h, w, *value.shape[2:]), FILL[name], np.float32)
        canvas[y : y + value.shape[0], x : x + value.shape[1]] = value
        if name == "depth":
            canvas[canvas == 0] = 255
        if name == "normals":
            canvas[np.linalg.norm(canvas, axis=-1) == 0] = 255
        if name == "human_parts" and np.isin(canvas, (0, 255)).all():
            canvas[:] = 255
        out[name] = canvas
    return out


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    geometry = HERE / "geometry"
    source = {"image": np.load(geometry / "image.npy")}
    for name in ("semseg", "depth", "normals"):
        source[name] = np.load(geometry / f"sv_{name}.npy").reshape(23, 31, -1).squeeze()
    source["human_parts"] = np.zeros((23, 31), np.uint8)
    source["human_parts"][15:20, 20:28] = np.arange(5)[:, None] % 7
    source["saliency"] = (source["depth"] > 4).astype(np.uint8)
    plans: list[dict[str, Any]] = [
        {
            "size": [24, 30], "scale": 1.7, "top": 5, "left": 11, "flip": False,
            "distortion": {"brightness": 20.25, "contrastFirst": True, "contrast": 1.3125, "saturation": 1.375, "hue": 7},
        },
        {
            "size": [24, 30], "scale": 0.6, "top": 0, "left": 0, "flip": True,
            "distortion": {"brightness": -25.625, "contrastFirst": False, "contrast": 0.71875, "hue": -13},
        },
        {"size": [12, 40], "scale": 1, "top": 3, "left": 0, "flip": True, "distortion": None},
    ]  # fmt: skip
    for case, plan in enumerate(plans):
        for name, value in run(source, plan).items():
            np.save(FOLDER / f"{case}_{name}.npy", value)
    colours = np.random.default_rng(0).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    colours[0, :16] = np.arange(0, 256, 16)[:, None]
    colours[1, :6] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255]]
    np.save(FOLDER / "colours.npy", colours)
    distortions: list[dict[str, Any]] = [
        {"contrastFirst": True},
        {"contrastFirst": True, "saturation": 0.5},
        {"contrastFirst": False, "saturation": 1.4375},
        {"contrastFirst": False, "hue": 17},
        {"contrastFirst": True, "hue": -18, "saturation": 1.25, "contrast": 1.5, "brightness": 31.5},
    ]
    for i, distortion in enumerate(distortions):
        np.save(FOLDER / f"colours_{i}.npy", distort(colours, distortion))
    (FOLDER / "plans.json").write_text(json.dumps({"plans": plans, "distortions": distortions}, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""OpenCV's warps and resizes for test/modules/support/warp.test.ts, and the sv pipeline as NumPy and OpenCV
compute it for sv.test.ts.

    pip install numpy==2.4.6 opencv-python-headless==4.14.0.94
    python test/reference/data/make_geometry.py
"""

from pathlib import Path

import cv2
import numpy as np

FOLDER = Path(__file__).parent / "geometry"
HEIGHT, WIDTH = 23, 31


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (HEIGHT, WIDTH, 3)).astype("<f4")
    classes = rng.integers(0, 40, (HEIGHT, WIDTH)).astype("<f4")
    np.save(FOLDER / "image.npy", image)
    np.save(FOLDER / "classes.npy", classes)

    for degrees, scale in [(0, 1.2), (0, 1.5), (13.7, 1.0), (-19.9, 0.75), (90, 1.25), (7, 1)]:
        matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, scale)
        for name, source, flag in [
            ("cubic", image, cv2.INTER_CUBIC),
            ("nearest", classes, cv2.INTER_NEAREST),
        ]:
            out = cv2.warpAffine(source, matrix, (WIDTH, HEIGHT), flags=flag)
            np.save(FOLDER / f"warp_{degrees}_{scale}_{name}.npy", out.astype("<f4"))

    for height, width in [(23, 40), (46, 62), (11, 17), (37, 31), (7, 59)]:
        for name, source, flag in [
            ("cubic", image, cv2.INTER_CUBIC),
            ("nearest", classes, cv2.INTER_NEAREST),
        ]:
            out = cv2.resize(source, (width, height), interpolation=flag)
            np.save(FOLDER / f"resize_{height}_{width}_{name}.npy", out.astype("<f4"))

    pipeline(rng, image)


def pipeline(rng: np.random.Generator, image: np.ndarray) -> None:
    semseg = rng.integers(0, 40, (HEIGHT, WIDTH)).astype(np.float32)
    semseg[rng.random((HEIGHT, WIDTH)) < 0.1] = 255
    depth = rng.uniform(0.5, 9, (HEIGHT, WIDTH)).astype("<f4")
    depth[rng.random((HEIGHT, WIDTH)) < 0.1] = 0
    normals = rng.normal(0, 1, (HEIGHT, WIDTH, 3)).astype("<f4")
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals[rng.random((HEIGHT, WIDTH)) < 0.1] = 0
    source = {"image": image, "semseg": semseg, "depth": depth, "normals": normals}
    for name in ["semseg", "depth", "normals"]:
        np.save(FOLDER / f"sv_{name}.npy", source[name].astype("<f4"))

    for case, (flip, degrees, scale, normals_flag) in enumerate(
        [
            (False, 0.0, 1.0, cv2.INTER_NEAREST),
            (True, 0.0, 1.5, cv2.INTER_NEAREST),
            (True, 12.5, 0.8, cv2.INTER_CUBIC),
        ]
    ):
        flags = {
            "image": cv2.INTER_CUBIC,
            "semseg": cv2.INTER_NEAREST,
            "depth": cv2.INTER_NEAREST,
            "normals": normals_flag,
        }
        for name, value in run(source, flags, flip, degrees, scale).items():
            np.save(FOLDER / f"sv{case}_{name}.npy", value.astype("<f4"))


def run(source: dict, flags: dict, flip: bool, degrees: float, scale: float, size=(20, 26)) -> dict:
    maps = {name: value.copy() for name, value in source.items()}
    if flip:
        maps = {name: cv2.flip(value, 1) for name, value in maps.items()}
        maps["normals"][..., 0] *= -1

    # A direction (nx, ny) seen in the image turns with the image.
    phi = np.arctan2(maps["normals"][..., 0], maps["normals"][..., 1]) + np.deg2rad(degrees)
    radius = np.hypot(maps["normals"][..., 0], maps["normals"][..., 1])
    maps["normals"][..., 0] = np.sin(phi) * radius
    maps["normals"][..., 1] = np.cos(phi) * radius
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, scale)
    for name, value in maps.items():
        maps[name] = cv2.warpAffine(value, matrix, (WIDTH, HEIGHT), flags=flags[name])
    maps["depth"] = maps["depth"] / np.float32(scale)

    for name, value in maps.items():
        maps[name] = cv2.resize(value, size[::-1], interpolation=flags[name])
    length = np.linalg.norm(maps["normals"], axis=-1, keepdims=True)
    maps["normals"] = maps["normals"] / (length + np.finfo(np.float32).eps)

    maps["normals"][np.linalg.norm(maps["normals"], axis=-1) == 0] = 255
    maps["depth"][maps["depth"] == 0] = 255
    pixels = np.clip(maps["image"], 0, 255).astype(np.uint8) / 255.0
    maps["image"] = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return maps


if __name__ == "__main__":
    main()

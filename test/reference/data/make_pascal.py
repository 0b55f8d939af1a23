"""Writes a tiny PASCAL_MT and what its labels mean, with scipy and PIL: see ../README.md.

Three images of 6 x 9. The first shows two people whose pieces overlap, beside a dog; the second a person without
pieces and one whose mask is empty; the third nobody. `expected/` holds what the public loaders make of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.ndimage
from PIL import Image
from skimage.morphology import thin

HERE = Path(__file__).parent
ROOT = HERE / "pascal"
SIZE = (6, 9)
PARTS = {"head": 1, "hair": 1, "leye": 1, "torso": 2, "neck": 2, "luarm": 3, "llarm": 4, "rhand": 4, "ruleg": 5, "lfoot": 6}


def box(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def structs(fields: list[str], rows: list[tuple[Any, ...]]) -> np.ndarray:
    """A 1xN struct array as MATLAB writes it."""
    out = np.zeros((1, len(rows)), dtype=[(f, object) for f in fields])
    for i, row in enumerate(rows):
        out[0, i] = row
    return out


def annotation(name: str, objects: list[tuple[str, int, np.ndarray, list[tuple[str, np.ndarray]]]], **options: Any) -> None:
    rows = []
    for label, index, mask, pieces in objects:
        parts = structs(["part_name", "mask"], pieces) if pieces else np.zeros((0, 0))
        rows.append((label, float(index), mask, parts))
    anno = structs(["imname", "objects"], [(name, structs(["class", "class_ind", "mask", "parts"], rows))])
    scipy.io.savemat(ROOT / "human_parts" / f"{name}.mat", {"anno": anno}, **options)


def human_parts(name: str) -> np.ndarray:
    """The public loader's way through the nested arrays."""
    objects = scipy.io.loadmat(ROOT / "human_parts" / f"{name}.mat")["anno"][0][0][1][0]
    target = np.zeros(SIZE, np.uint8)
    if not any(o[1][0][0] == 15 and o[2].sum() > 0 for o in objects):
        return target
    for o in objects:
        if o[1][0][0] == 15 and len(o[3]) != 0:
            for part in o[3][0]:
                target[part[1].astype(bool)] = PARTS[str(part[0][0])]
    return target


def main() -> None:
    folders = ["JPEGImages", "semseg/VOC12", "semseg/pascal-context", "human_parts", "sal_distill", "normals_distill"]
    for folder in [*folders, "pascal-context/trainval", "ImageSets/Context", "ImageSets/Parts", "expected"]:
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    names = ["2008_000001", "2008_000002", "2010 x.3"]
    people = [("torso", box(1, 1, 4, 4)), ("head", box(0, 1, 2, 3)), ("luarm", box(1, 3, 3, 5)), ("lfoot", box(5, 1, 6, 2))]
    other = [("torso", box(2, 4, 5, 6)), ("rhand", box(2, 4, 3, 5)), ("leye", box(0, 5, 1, 6))]
    annotation(
        names[0],
        [
            ("person", 15, box(0, 0, 6, 5), people),
            ("dog", 12, box(3, 6, 6, 9), [("head", box(3, 6, 4, 7)), ("tail", box(4, 8, 5, 9))]),
            ("person", 15, box(0, 4, 5, 6), other),
        ],
        do_compression=True,
    )
    annotation(names[1], [("person", 15, box(2, 2, 4, 4), []), ("person", 15, box(0, 0, 0, 0), people[:1])])
    annotation(names[2], [("cat", 8, box(1, 1, 3, 3), [])], do_compression=True)
    palette = [v for i in range(256) for v in (i, (i * 7) % 256, (i * 13) % 256)]
    for k, name in enumerate(names):
        photo = draw.integers(0, 255, (*SIZE, 3), np.uint8)
        Image.fromarray(photo).save(ROOT / "JPEGImages" / f"{name}.jpg", quality=100, subsampling=0)
        classes = draw.integers(0, 21, SIZE).astype(np.uint8)
        classes[0, :3] = 255
        image = Image.fromarray(classes, mode="P" if k == 0 else "L")
        if k == 0:
            image.putpalette(palette)
        image.save(ROOT / "semseg" / ("VOC12" if k == 0 else "pascal-context") / f"{name}.png")
        np.save(ROOT / "expected" / f"semseg_{k}.npy", classes)
        salient = draw.integers(0, 256, SIZE).astype(np.uint8)
        salient[0, :2] = (127, 128)
        Image.fromarray(salient).save(ROOT / "sal_distill" / f"{name}.png")
        np.save(ROOT / "expected" / f"saliency_{k}.npy", (salient / 255.0 > 0.5).astype(np.uint8))
        context = draw.choice([2, 72, 158, 284, 360, 431, 440], SIZE).astype(np.uint16)
        scipy.io.savemat(ROOT / "pascal-context" / "trainval" / f"{name}.mat", {"LabelMap": context}, do_compression=k > 0)
        vectors = draw.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
        Image.fromarray(vectors).save(ROOT / "normals_distill" / f"{name}.png")
        # Of these numbers chair, floor, person and wall are classes of NYU Depth v2 too.
        laplacian = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
        edges = scipy.ndimage.correlate(context.astype(np.int64), laplacian, mode="mirror") != 0
        np.save(ROOT / "expected" / f"edge_{k}.npy", thin(edges).astype(np.uint8))
        valid = np.isin(context, [72, 158, 284, 440])
        normals = np.where(valid[..., None], 2.0 * vectors / 255.0 - 1.0, 0.0).astype(np.float32)
        np.save(ROOT / "expected" / f"normals_{k}.npy", normals)
        np.save(ROOT / "expected" / f"human_parts_{k}.npy", human_parts(name))
    (ROOT / "ImageSets/Context/train.txt").write_text(f"{names[0]}\n{names[2]}\n")
    (ROOT / "ImageSets/Context/val.txt").write_text(f"{names[1]}\n")
    (ROOT / "ImageSets/Parts/train.txt").write_text(json.dumps({names[0]: [15, 12, 15], names[2]: [8]}))
    mats()


def mats() -> None:
    """MAT files with one variable of each kind."""
    folder = HERE / "mat"
    folder.mkdir(exist_ok=True)
    numbers = np.arange(12).reshape(3, 4)
    variables = {
        "double": numbers / 4 - 1,
        "single": (numbers / 8).astype(np.float32),
        "u8": numbers.astype(np.uint8),
        "u16": (numbers * 5000).astype(np.uint16),
        "i32": (numbers - 6).astype(np.int32),
        "logical": numbers % 2 == 0,
        "text": "a name",
        "cells": np.array([["wall", "floor"]], dtype=object),
        "nested": {"a": 1.5, "b": {"c": "deep"}},
        "empty": np.zeros((0, 0)),
    }
    scipy.io.savemat(folder / "plain.mat", variables)
    scipy.io.savemat(folder / "compressed.mat", variables, do_compression=True)
    scipy.io.savemat(folder / "complex.mat", {"z": np.array([1 + 2j])})


if __name__ == "__main__":
    main()

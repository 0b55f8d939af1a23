"""Writes the official sources of both benchmarks in small, in exactly their formats: see ../README.md.

`sources/nyu/`: nyu_depth_v2_labeled.mat (version 7.3: HDF5 behind a user block of 512 bytes, axes reversed, chunked
and deflated, cell arrays as object references), splits.mat and classMapping40.mat (version 5). `sources/voc/` and
its neighbours: VOC2010 with its splits, VOC12's class maps, PASCAL-Context and PASCAL-Part annotations.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import scipy.io
from PIL import Image

HERE = Path(__file__).parent / "sources"
COUNT, HEIGHT, WIDTH = 5, 12, 16


def nyu() -> None:
    folder = HERE / "nyu"
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    images = draw.integers(0, 256, (COUNT, HEIGHT, WIDTH, 3)).astype(np.uint8)
    depths = np.stack([1 + 0.25 * k + 0.05 * y + 0.02 * x for k in range(COUNT)]).astype(np.float32)
    labels = draw.integers(0, 895, (COUNT, HEIGHT, WIDTH)).astype(np.uint16)
    path = folder / "nyu_depth_v2_labeled.mat"
    with h5py.File(path, "w", userblock_size=512) as file:

        def store(name: str, value: np.ndarray, matlab: str, chunks: tuple[int, ...] | None = None) -> None:
            data = file.create_dataset(name, data=value, chunks=chunks, compression="gzip" if chunks else None)
            data.attrs["MATLAB_class"] = np.bytes_(matlab)

        # MATLAB's [H,W,3,N] lies in the file as [N,3,W,H].
        store("images", images.transpose(0, 3, 2, 1), "uint8", (1, 3, WIDTH, HEIGHT))
        store("depths", depths.transpose(0, 2, 1), "single", (1, WIDTH, HEIGHT))
        store("rawDepths", np.zeros_like(depths).transpose(0, 2, 1), "single", (1, WIDTH, HEIGHT))
        store("labels", labels.transpose(0, 2, 1), "uint16", (1, WIDTH, HEIGHT))
        store("accelData", np.zeros((4, COUNT), np.float32), "single")
        cells = file.create_group("#refs#")
        for name, texts in {"scenes": [f"kitchen_{k:04d}" for k in range(COUNT)], "names": ["wall", "floor"]}.items():
            references = np.empty((1, len(texts)), dtype=h5py.ref_dtype)
            for i, text in enumerate(texts):
                item = cells.create_dataset(f"{name}{i}", data=np.array([[ord(c)] for c in text], np.uint16))
                item.attrs["MATLAB_class"] = np.bytes_("char")
                references[0, i] = item.ref
            store(name, references, "cell")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\x00\x02IM")
    train, test = [3, 4, 5], [1, 2]
    scipy.io.savemat(
        folder / "splits.mat",
        {"trainNdxs": np.array([train], np.uint16).T, "testNdxs": np.array([test], np.uint16).T},
        do_compression=True,
    )
    mapping = (np.arange(894) % 40 + 1).astype(np.uint8)
    scipy.io.savemat(folder / "classMapping40.mat", {"mapClass": mapping[None]}, do_compression=True)
    expected = np.where(labels == 0, 0, mapping[np.maximum(labels, 1) - 1])
    np.savez(folder / "expected.npz", images=images, depths=depths, semseg=expected.astype(np.uint8))
    for name, value in (("images", images), ("depths", depths), ("semseg", expected.astype(np.uint8))):
        np.save(folder / f"expected_{name}.npy", value)
    (folder / "expected.npz").unlink()


def voc() -> None:
    draw = np.random.default_rng(1)
    size = (10, 14)
    pascal = Path(__file__).parent / "pascal"
    for folder in ("VOC2010/JPEGImages", "VOC2010/ImageSets/Main", "VOC2012/SegmentationClass", "context", "parts"):
        (HERE / folder).mkdir(parents=True, exist_ok=True)
    names = ["2008_000001", "2008_000002", "2009_000003"]
    ids = np.array([0, 2, 23, 284, 397, 427, 440, 158])
    for k, name in enumerate(names):
        photo = draw.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(photo).save(HERE / "VOC2010/JPEGImages" / f"{name}.jpg", quality=100, subsampling=0)
        label_map = draw.choice(ids, size).astype(np.uint16)
        scipy.io.savemat(HERE / "context" / f"{name}.mat", {"LabelMap": label_map}, do_compression=True)
        voc_class = {2: 1, 23: 2, 284: 15, 397: 11, 427: 20}
        np.save(HERE / f"expected_context_{k}.npy", np.vectorize(lambda v: voc_class.get(int(v), 0))(label_map).astype(np.uint8))
        source = pascal / "human_parts" / f"{names[k % 2]}.mat"
        (HERE / "parts" / f"{name}.mat").write_bytes(source.read_bytes())
    classes = draw.integers(0, 21, size).astype(np.uint8)
    classes[0] = 255
    image = Image.fromarray(classes, mode="P")
    image.putpalette([v for i in range(256) for v in (i, 255 - i, (7 * i) % 256)])
    image.save(HERE / "VOC2012/SegmentationClass" / f"{names[0]}.png")
    (HERE / "VOC2010/ImageSets/Main/train.txt").write_text(f"{names[0]}\n{names[2]}\n")
    (HERE / "VOC2010/ImageSets/Main/val.txt").write_text(f"{names[1]}\n")


if __name__ == "__main__":
    nyu()
    voc()

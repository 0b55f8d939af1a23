"""Files written by NumPy and Pillow for test/modules/datasets/formats.

    pip install numpy==2.4.6 pillow==13.0.0
    python test/reference/data/make_formats.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent


def npy() -> None:
    folder = HERE / "npy"
    folder.mkdir(exist_ok=True)
    base = np.arange(24).reshape(2, 3, 4)
    values = base * 0.75 - 3
    for dtype in ["<f2", "<f4", "<f8", ">f4"]:
        np.save(folder / f"{dtype[1:]}{'be' if dtype[0] == '>' else ''}.npy", values.astype(dtype))
    np.save(folder / "u1.npy", base.astype("|u1"))
    np.save(folder / "b1.npy", base % 3 == 0)
    np.save(folder / "i4.npy", (base - 7).astype("<i4"))
    np.save(folder / "i8.npy", (base - 7).astype("<i8"))
    np.save(folder / "i8-wide.npy", np.array([1, 2**40], "<i8"))
    np.save(folder / "fortran.npy", np.asfortranarray(values.astype("<f4")))
    np.save(folder / "fortran-i4.npy", np.asfortranarray((base - 7).astype("<i4")))
    np.save(folder / "vector.npy", np.array([1.5, np.nan, np.inf, -0.0], "<f8"))
    np.save(folder / "scalar.npy", np.float32(2.5))
    np.save(folder / "empty.npy", np.zeros((0, 3), "<f4"))
    np.save(folder / "complex.npy", np.zeros(2, "<c8"))
    for version in [(2, 0), (3, 0)]:
        with open(folder / f"v{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, values.astype("<f4"), version=version)


def png() -> None:
    folder = HERE / "png"
    folder.mkdir(exist_ok=True)
    index = (np.arange(5 * 13).reshape(5, 13) * 7) % 41
    colours = np.random.default_rng(0).integers(0, 256, 768, np.uint8).tolist()
    palette = Image.fromarray(index.astype(np.uint8), "L")
    palette = Image.frombytes("P", palette.size, palette.tobytes())
    palette.putpalette(colours)
    palette.save(folder / "palette8.png", bits=8)
    few = Image.frombytes("P", palette.size, (index % 11).astype(np.uint8).tobytes())
    few.putpalette(colours[:48])
    few.save(folder / "palette4.png", bits=4)
    two = Image.frombytes("P", palette.size, (index % 4).astype(np.uint8).tobytes())
    two.putpalette(colours[:12])
    two.save(folder / "palette2.png", bits=2)
    Image.fromarray(index % 2 == 1).save(folder / "grey1.png")
    Image.fromarray(index.astype(np.uint8)).save(folder / "grey8.png")
    Image.fromarray((index * 1000).astype(np.uint16)).save(folder / "grey16.png")
    Image.fromarray(np.stack([index] * 3, -1).astype(np.uint8)).save(folder / "rgb.png")


def jpeg() -> None:
    folder = HERE / "jpeg"
    folder.mkdir(exist_ok=True)
    y, x = np.mgrid[0:29, 0:45]
    smooth = np.stack([x * 5, y * 8, 128 + 90 * np.sin(x / 6) * np.cos(y / 5)], -1)
    noise = np.random.default_rng(1).normal(0, 12, smooth.shape)
    photo = Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))
    photo.save(folder / "subsampled.jpg", quality=85)
    photo.save(folder / "full.jpg", quality=95, subsampling=0)
    photo.save(folder / "progressive.jpg", quality=85, progressive=True)
    photo.convert("L").save(folder / "grey.jpg", quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: rotate by 90 degrees
    photo.save(folder / "rotated.jpg", quality=85, exif=exif)
    photo.convert("CMYK").save(folder / "cmyk.jpg", quality=85)
    for file in sorted(folder.glob("*.jpg")):
        if file.stem == "cmyk":
            continue
        np.save(file.with_suffix(".npy"), np.asarray(Image.open(file).convert("RGB")))


def nyud() -> None:
    """A folder in the layout of NYUD_MT: two samples of 6 x 8, ids that look like anything."""
    root = HERE / "nyud"
    for folder in ["images", "segmentation", "depth", "normals", "gt_sets"]:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(["0001", "b 2.x"]):
        y, x = np.mgrid[0:6, 0:8]
        photo = np.stack([x * 30, y * 40, np.full_like(x, 100 * k)], -1).astype(np.uint8)
        Image.fromarray(photo).save(root / "images" / f"{name}.jpg", quality=100, subsampling=0)
        labels = (y * 8 + x + k) % 41
        Image.fromarray(labels.astype(np.uint8)).save(root / "segmentation" / f"{name}.png")
        depth = (y + 0.1 * x + k).astype(np.float32)
        np.save(root / "depth" / f"{name}.npy", depth)
        normals = np.zeros((6, 8, 3))
        normals[:, 1:, 2] = -1
        np.save(root / "normals" / f"{name}.npy", normals)
    (root / "gt_sets" / "train.txt").write_text("0001\n")
    (root / "gt_sets" / "val.txt").write_text("b 2.x\n\n")


if __name__ == "__main__":
    nyud()
    npy()
    png()
    jpeg()

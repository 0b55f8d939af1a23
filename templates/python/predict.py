"""Predicts every task for pictures:  python predict.py photo.jpg [more.jpg ...] --out maps

In a program:  model = Model(); maps = model(processing.read("photo.jpg")); maps["depth"].shape  # as the picture
"""
import argparse
import json
from pathlib import Path

import numpy
import onnxruntime

import processing

HERE = Path(__file__).parent


class Model:
    def __init__(self, providers=("CPUExecutionProvider",)):
        self.card = json.loads((HERE / "model.json").read_text("utf-8"))
        self.session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=list(providers))

    def __call__(self, image):
        """A picture, uint8 [H, W, 3] RGB, to a map for each task, [H, W] or [H, W, channels]."""
        names = [task["name"] for task in self.card["tasks"]]
        found = self.session.run(names, {"image": processing.prepare(image, self.card["input"])[None]})
        size = image.shape[:2]
        return {t["name"]: processing.finish(m[0], size, t, self.card["input"]) for t, m in zip(self.card["tasks"], found)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("maps"), help="folder for NAME.TASK.png and NAME.TASK.npy")
    options = parser.parse_args()
    if len({path.stem for path in options.images}) < len(options.images):
        parser.error("two pictures have the same name, and so would their maps")
    model = Model()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.images:
        for task, values in zip(model.card["tasks"], model(processing.read(path)).values()):
            name = str(options.out / f"{path.stem}.{task['name']}")
            numpy.save(f"{name}.npy", values)
            processing.write(f"{name}.png", values, task)
        print(path)

"""What happens to a picture before the network and to its predictions after it, as in mtcp. NumPy; Pillow for files.

    read -> prepare -> model.onnx -> finish -> paint -> write
"""
import numpy


def read(path):
    """RGB, uint8 [H, W, 3]: turned by its EXIF orientation, transparency on white."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):  # 16 bits of grey
        grey = (numpy.asarray(image).astype(numpy.uint32) >> 8).astype(numpy.uint8)
        return numpy.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        data = numpy.asarray(image.convert("RGBA")).astype(numpy.uint32)
        colours, opaque = data[..., :3], data[..., 3:]
        return ((colours * opaque + 255 * (255 - opaque)) // 255).astype(numpy.uint8)
    return numpy.asarray(image.convert("RGB"))


def prepare(image, card):
    """What the network takes, float32 [height, width, 3], 0..255; colours are normalised in the network."""
    height, width = card["height"], card["width"]
    if card["fit"] == "stretch":
        whole = numpy.trunc(resize(image, height, width, "cubic"))
        return (whole % 256 if card["overshoot"] == "wrap" else whole.clip(0, 255)).astype(numpy.float32)
    rows, columns = image.shape[:2]
    if rows > height or columns > width:
        raise ValueError(f"the picture is {rows}x{columns}, the model takes {height}x{width} at most: make it smaller, "
                         "or export the model with --size")
    canvas = numpy.empty((height, width, 3), numpy.float32)
    canvas[:] = card["padding"]
    top, left = (height - rows) // 2, (width - columns) // 2
    canvas[top:top + rows, left:left + columns] = image
    return canvas


def finish(values, size, task, card):
    """A map of the picture's size: class indices, or values."""
    rows, columns = size
    if card["fit"] == "pad":
        top, left = (card["height"] - rows) // 2, (card["width"] - columns) // 2
        return values[top:top + rows, left:left + columns]
    values = resize(values, rows, columns, task["resampling"])
    if task["unitLength"]:
        length = numpy.sqrt((values.astype(numpy.float64) ** 2).sum(2, keepdims=True))
        values = (values / (length + 2.0**-23)).astype(numpy.float32)
    return values


def resize(values, height, width, interpolation):
    """OpenCV's resize: pixel centres at half-integers, nothing antialiased, cubic with a = -0.75."""
    if values.shape[:2] == (height, width):
        return values
    if interpolation == "nearest":
        rows, columns = (nearest(*sizes) for sizes in zip(values.shape, (height, width)))
        return values[rows][:, columns]
    flat = values.reshape(*values.shape[:2], -1).astype(numpy.float32)
    across = weighted(flat.swapaxes(0, 1), width, interpolation).swapaxes(0, 1)
    return weighted(across, height, interpolation).reshape(height, width, *values.shape[2:])


def nearest(size, to):
    return numpy.minimum(numpy.floor(numpy.arange(to) * (1 / (to / size))).astype(int), size - 1)


def weighted(values, to, interpolation):
    """The first axis resized: each row a sum of two or four rows."""
    size = values.shape[0]
    position = (numpy.arange(to) + 0.5) * size / to - 0.5
    base = numpy.floor(position)
    t = position - base
    if interpolation == "linear":
        weights, first = [1 - t, t], base
    else:
        a = -0.75
        before = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a
        left = ((a + 2) * t - (a + 3)) * t * t + 1
        right = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1
        weights, first = [before, left, right, 1 - before - left - right], base - 1
    total = None
    for k, weight in enumerate(weights):
        row = values[(first + k).clip(0, size - 1).astype(int)] * weight.astype(numpy.float32)[:, None, None]
        total = row if total is None else total + row
    return total


def paint(values, task):
    """A map in the colours of mtcp's pictures, uint8 [H, W, 3]; None if they cannot be said in model.json."""
    colours = task["colours"]
    if colours is None:
        return None
    rgb = lambda name: [int(name[i:i + 2], 16) for i in (1, 3, 5)]
    first = values if values.ndim == 2 else values[..., 0]
    unknown = first == 255
    if colours["by"] == "vector":
        picture = values @ numpy.array(colours["matrix"]).T + colours["offset"]
    else:
        table = numpy.array([rgb(name) for name in colours["table"]])
        if colours["by"] == "class":
            index = numpy.where(unknown, 0, first).astype(int)
        else:
            low, high = limits(values, colours["range"])
            index = numpy.nan_to_num((first - low) / (high - low)).clip(0, 1) * (len(table) - 1)
        picture = table[numpy.rint(index).astype(int)]
    picture = numpy.rint(picture).clip(0, 255).astype(numpy.uint8)
    picture[unknown] = rgb(colours["unknown"])
    return picture


def limits(values, which):
    """The ends of the colour scale."""
    if which == "unit":
        return 0, 1
    known = values[numpy.isfinite(values) & (values != 255)]
    known = known[known > 0] if which == "positive" else known
    return (known.min(), known.max()) if known.size and known.max() > known.min() else (0, 1)


def write(path, values, task):
    from PIL import Image

    picture = paint(values, task)
    if picture is not None:
        Image.fromarray(picture).save(path)

"""Boundaries: fixtures of odsF, made independently of the TypeScript code.

    pip install numpy scipy scikit-image
    python boundaries.py            writes fixtures/boundaries.json

Other ways than the code's are taken throughout: thinning by scikit-image, smoothing and interpolation by SciPy, and the
assignment as the Berkeley benchmark sets it up (a square matrix of pixels and outliers, every connection to or between
outliers at the price of an outlier), solved by SciPy's Jonker-Volgenant. The benchmark connects pixels to six random
outliers each, to save memory; here each is connected to all.
"""

import base64
import json
import pathlib

import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from skimage.morphology import thin

OUT = pathlib.Path(__file__).parent / "fixtures" / "boundaries.json"


# Definitions -----------------------------------------------------------------------------------------------------------


def direction(edges):
    """Across the boundary, from second derivatives of the map smoothed by a triangle of radius 4."""
    kernel = np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]) / 25
    smooth = ndimage.convolve1d(ndimage.convolve1d(edges, kernel, axis=1, mode="reflect"), kernel, axis=0, mode="reflect")
    gy, gx = np.gradient(smooth)
    gxx = np.gradient(gx, axis=1)
    gyy, gxy = np.gradient(gy)
    return np.mod(np.arctan(gyy * np.sign(-gxy) / (gxx + 1e-5)), np.pi)


def suppress(edges):
    height, width = edges.shape
    angle = direction(edges)
    y, x = np.mgrid[:height, :width]
    keep = edges > 0
    for side in (-1, 1):
        xs = np.clip(x + side * np.cos(angle), 0, width - 1.001)
        ys = np.clip(y + side * np.sin(angle), 0, height - 1.001)
        keep &= ~(edges * 1.01 < ndimage.map_coordinates(edges, [ys, xs], order=1))
    out = np.where(keep, edges, 0).astype(np.float32)
    frame = min(5, width // 2, height // 2)
    for i in range(frame):
        out[:, i] *= np.float32(i / frame)
        out[:, width - 1 - i] *= np.float32(i / frame)
    for i in range(frame):
        out[i] *= np.float32(i / frame)
        out[height - 1 - i] *= np.float32(i / frame)
    return out


def seg2bmap(seg):
    """Pixels whose right, lower or lower right neighbour differs."""
    out = np.zeros(seg.shape, bool)
    out[:, :-1] |= seg[:, :-1] != seg[:, 1:]
    out[:-1] |= seg[:-1] != seg[1:]
    out[:-1, :-1] |= seg[:-1, :-1] != seg[1:, 1:]
    return out


def pairs(a, b, reach, outlier=100):
    """Number of pairs of two masks in the assignment of least cost."""
    pa, pb = np.argwhere(a), np.argwhere(b)
    n1, n2 = len(pa), len(pb)
    if n1 == 0 or n2 == 0:
        return 0
    # Of assignments that cost the same, the one with more pairs: the benchmark does not say which.
    price = int(np.ceil(outlier * reach * 100)) + 1e-4
    distance2 = ((pa[:, None] - pb[None]) ** 2).sum(2)
    near = distance2 <= reach * reach
    cost = np.full((n1 + n2, n1 + n2), price, dtype=np.float64)
    forbidden = 1e9
    cost[:n1, :n2] = np.where(near, np.rint(np.sqrt(distance2) * 100), forbidden)
    rows, columns = linear_sum_assignment(cost)
    return int(((rows < n1) & (columns < n2)).sum())


def f_of(paired, predicted, labelled):
    recall = 1.0 if labelled == 0 else paired / labelled
    precision = 0.0 if labelled == 0 else 1.0 if predicted == 0 else paired / predicted
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return f, precision, recall


def measure(images, max_distance, thresholds, suppressed=True, outlined=False):
    paired, predicted, labelled = [], [], []
    for prediction, label in images:
        edges = (prediction.astype(np.float64) / 255).astype(np.float32)
        known = label != 255
        edges = np.where(known, edges, 0).astype(np.float32)
        lines = (label > 0) & known
        truth = thin(seg2bmap(lines) if outlined else lines)
        thinnest = suppress(edges.astype(np.float64)) if suppressed else edges
        reach = max_distance * np.hypot(*label.shape)
        masks = [thin(thinnest > np.float32(t)) for t in thresholds]
        predicted.append([int(mask.sum()) for mask in masks])
        cache = {}
        row = []
        for mask in masks:
            key = mask.tobytes()
            if key not in cache:
                cache[key] = pairs(mask, truth, reach)
            row.append(cache[key])
        paired.append(row)
        labelled.append(int(truth.sum()))
    paired, predicted, labelled = np.array(paired), np.array(predicted), np.array(labelled)
    pooled = [f_of(p, q, labelled.sum()) for p, q in zip(paired.sum(0), predicted.sum(0))]
    best = [int(np.argmax([f_of(p, q, l)[0] for p, q in zip(ps, qs)])) for ps, qs, l in zip(paired, predicted, labelled)]
    rows = np.arange(len(best))
    ois = f_of(paired[rows, best].sum(), predicted[rows, best].sum(), labelled.sum())[0]
    recall, first = np.unique([r for _, _, r in pooled], return_index=True)
    precision = np.array([p for _, p, _ in pooled])[first]
    ap = 0.0
    if len(recall) > 1:
        curve = np.interp(np.arange(101) / 100, recall, precision, left=np.nan, right=np.nan)
        ap = float(np.nansum(curve) / 100)
    return {
        "paired": paired.tolist(),
        "predicted": predicted.tolist(),
        "labelled": labelled.tolist(),
        "odsF": 100 * max(f for f, _, _ in pooled),
        "oisF": 100 * ois,
        "AP": 100 * ap,
    }


# Pictures --------------------------------------------------------------------------------------------------------------


def noise(rng, height, width, power):
    """Noise with a spectrum of 1 / f^power, as natural pictures have with power 1."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width)) ** power
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) * amplitude).real
    return (field - field.min()) / np.ptp(field)


def laplacian_edges(regions):
    """As the loaders of PASCAL-Context make them: scipy's 'mirror' is OpenCV's default border."""
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    return ndimage.correlate(regions.astype(np.int64), kernel, mode="mirror") != 0


def natural(rng, height, width):
    """Regions of smooth noise; the prediction is the gradient of a rough picture of them."""
    smooth = noise(rng, height, width, 1.8)
    regions = np.digitize(smooth, np.quantile(smooth, [0.25, 0.5, 0.75]))
    label = thin(laplacian_edges(regions)).astype(np.uint8)
    picture = 0.35 * regions + noise(rng, height, width, 1)
    gradient = ndimage.gaussian_gradient_magnitude(picture, 1.2)
    prediction = np.clip(255 * gradient / np.quantile(gradient, 0.97), 0, 255).astype(np.uint8)
    return prediction, label


def drawn(rng, height, width):
    """Rectangles and discs; the prediction is shifted, blurred and has gaps."""
    regions = np.zeros((height, width), int)
    y, x = np.mgrid[:height, :width]
    for i in range(1, 7):
        cy, cx, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(5, 16)
        inside = np.hypot(y - cy, x - cx) < r if i % 2 else (abs(y - cy) < r) & (abs(x - cx) < 1.3 * r)
        regions[inside] = i
    label = thin(laplacian_edges(regions)).astype(np.uint8)
    shifted = np.roll(label.astype(float), (1, 1), (0, 1)) * rng.choice([0.3, 0.8, 1], size=label.shape)
    blurred = ndimage.gaussian_filter(shifted, 1.1)
    prediction = np.clip(255 * blurred / blurred.max() + rng.uniform(0, 25, label.shape), 0, 255).astype(np.uint8)
    return prediction, label


def ties(height, width):
    """Few values and whole plateaus of each; straight lines a pixel apart; a strip of unknown labels."""
    prediction = np.zeros((height, width), np.uint8)
    label = np.zeros((height, width), np.uint8)
    prediction[8:14, 6:30] = 51
    prediction[20:22, :] = 102
    prediction[:, 36:39] = 153
    prediction[26:34, 8:20] = 255
    label[11, 6:30] = 1
    label[21, :] = 1
    label[:, 35] = label[:, 40] = 1
    label[28:30, 8:20] = 1
    label[:, 44:] = 255
    return prediction, label


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array, np.uint8).tobytes()).decode()


def case(name, images, **options):
    thresholds = [0.001] * options.get("hed", False) + [i / 100 for i in range(1, 100)] + [0.999] * options.get("hed", False)
    hed = options.pop("hed", False)
    result = measure(images, options["max_distance"], thresholds, options.get("suppressed", True), options.get("outlined", False))
    stored = [
        {"height": p.shape[0], "width": p.shape[1], "prediction": encoded(p), "label": encoded(l)} for p, l in images
    ]
    print(name, {k: round(v, 3) for k, v in result.items() if isinstance(v, float)}, flush=True)
    return {"name": name, "hed": hed, **options, "images": stored, **result}


def small_matchings(rng):
    """Masks with few or many pixels, and outliers so cheap that a largest matching is not the least one."""
    cases = []
    for i in range(60):
        height, width = rng.integers(6, 18, 2)
        a = rng.random((height, width)) < rng.choice([0.05, 0.2, 0.5])
        b = rng.random((height, width)) < rng.choice([0.05, 0.2, 0.5])
        reach = float(rng.choice([1.0, 1.5, 2.3, 4.0]))
        outlier = float(rng.choice([0.4, 0.75, 1.3, 2, 100]))
        cases.append(
            {
                "height": int(height),
                "width": int(width),
                "a": encoded(a),
                "b": encoded(b),
                "reach": reach,
                "outlier": outlier,
                "pairs": pairs(a, b, reach, outlier),
            }
        )
    return cases


def main():
    rng = np.random.default_rng(5)
    mirrored = lambda images: [(p[::-1, ::-1], l[::-1, ::-1]) for p, l in reversed(images)]
    rooms = [drawn(rng, 60, 80), drawn(rng, 48, 64)]
    fields = [natural(rng, 72, 96), natural(rng, 64, 64)]
    flat = [ties(40, 48)]
    empty = [(np.zeros((20, 24), np.uint8), flat[0][1][:20, :24])]
    cases = [
        case("drawn", rooms, max_distance=0.011),
        case("drawn, reversed", mirrored(rooms), max_distance=0.011),
        case("natural", fields, max_distance=0.0075, hed=True),
        case("natural, reversed", mirrored(fields), max_distance=0.0075, hed=True),
        case("natural, far apart", fields[:1], max_distance=0.03),
        case("ties", flat, max_distance=0.03),
        case("ties, not suppressed", flat, max_distance=0.03, suppressed=False),
        case("outlined", rooms, max_distance=0.011, outlined=True),
        case("nothing predicted", empty, max_distance=0.03),
    ]
    masks = [{"height": p.shape[0], "width": p.shape[1], "mask": encoded(p > 100), "thin": encoded(thin(p > 100))} for p, _ in rooms + fields + flat]
    regions = np.digitize(noise(rng, 30, 40, 1.8), [0.3, 0.45, 0.6]).astype(np.uint8)
    edges = {"height": 30, "width": 40, "regions": encoded(regions), "laplacian": encoded(laplacian_edges(regions)), "outline": encoded(seg2bmap(regions))}
    OUT.write_text(json.dumps({"cases": cases, "matchings": small_matchings(rng), "thin": masks, "edges": edges}) + "\n")


if __name__ == "__main__":
    main()

// Non-maximum suppression of boundary probabilities, as Dollar and Zitnick's edge toolbox does it and SEISM after it: a
// pixel stays if it is, by one per cent, no smaller than its two neighbours across the boundary. The direction comes
// from the second derivatives of the smoothed map.

/** Radius of the triangle filter before derivatives are taken. */
const RADIUS = 4;
/** A pixel may be this much smaller than its neighbours. */
const TOLERANCE = 1.01;
/** Pixels along the frame that fade out. */
const FRAME = 5;

/**
 * @param edges [height, width], 0 to 1
 * @returns the same with zeros where a pixel is no maximum
 */
export function suppress(edges: Float32Array, height: number, width: number): Float32Array {
  const directions = directionsOf(edges, height, width);
  const out = new Float32Array(edges.length);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const here = edges[p];
      if (here === 0) continue;
      const [dx, dy] = [Math.cos(directions[p]), Math.sin(directions[p])];
      const limit = here * TOLERANCE;
      if (limit < interpolated(edges, height, width, x - dx, y - dy)) continue;
      if (limit < interpolated(edges, height, width, x + dx, y + dy)) continue;
      out[p] = here;
    }
  fadeFrame(out, height, width);
  return out;
}

/** The direction across the boundary at every pixel, 0 to pi. */
function directionsOf(edges: Float32Array, height: number, width: number): Float64Array {
  const smooth = triangle(edges, height, width);
  const [alongX, alongY] = gradient(smooth, height, width);
  const [xx] = gradient(alongX, height, width);
  const [xy, yy] = gradient(alongY, height, width);
  return xx.map((value, p) => {
    const angle = Math.atan((yy[p] * Math.sign(-xy[p])) / (value + 1e-5));
    return angle < 0 ? angle + Math.PI : angle;
  });
}

/** Convolution with a triangle along both axes; the picture is mirrored at its frame. */
function triangle(map: ArrayLike<number>, height: number, width: number): Float64Array {
  const weights = Array.from(
    { length: 2 * RADIUS + 1 },
    (_, i) => (RADIUS + 1 - Math.abs(i - RADIUS)) / (RADIUS + 1) ** 2,
  );
  const [columns, rows] = [mirroredIndices(width), mirroredIndices(height)];
  const across = new Float64Array(height * width);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++)
      for (let k = 0; k < weights.length; k++) across[p] += weights[k] * map[y * width + columns[x + k]];
  const out = new Float64Array(height * width);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++)
      for (let k = 0; k < weights.length; k++) out[p] += weights[k] * across[rows[y + k] * width + x];
  return out;
}

/** Positions -RADIUS to length + RADIUS - 1, mirrored with the border pixel itself: 2 1 0 | 0 1 2. */
function mirroredIndices(length: number): Int32Array {
  return Int32Array.from({ length: length + 2 * RADIUS }, (_, i) => {
    const at = (((i - RADIUS) % (2 * length)) + 2 * length) % (2 * length);
    return at < length ? at : 2 * length - 1 - at;
  });
}

/** Central differences, one-sided at the frame. */
function gradient(map: Float64Array, height: number, width: number): [x: Float64Array, y: Float64Array] {
  const [alongX, alongY] = [new Float64Array(map.length), new Float64Array(map.length)];
  for (let y = 0, p = 0; y < height; y++) {
    const [up, down] = [Math.max(0, y - 1), Math.min(height - 1, y + 1)];
    for (let x = 0; x < width; x++, p++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
      if (right > left) alongX[p] = (map[y * width + right] - map[y * width + left]) / (right - left);
      if (down > up) alongY[p] = (map[down * width + x] - map[up * width + x]) / (down - up);
    }
  }
  return [alongX, alongY];
}

/** Bilinear; positions outside are moved to the frame. */
function interpolated(map: Float32Array, height: number, width: number, x: number, y: number): number {
  const px = Math.max(0, Math.min(width - 1.001, x));
  const py = Math.max(0, Math.min(height - 1.001, y));
  const [x0, y0] = [Math.floor(px), Math.floor(py)];
  const [fx, fy] = [px - x0, py - y0];
  const at = y0 * width + x0;
  const [below, beside] = [height > 1 ? width : 0, width > 1 ? 1 : 0];
  return (
    map[at] * (1 - fx) * (1 - fy) +
    map[at + beside] * fx * (1 - fy) +
    map[at + below] * (1 - fx) * fy +
    map[at + below + beside] * fx * fy
  );
}

/** Nothing at the frame itself, all of it FRAME pixels away: derivatives there are of what is mirrored. */
function fadeFrame(map: Float32Array, height: number, width: number): void {
  const frame = Math.min(FRAME, Math.floor(width / 2), Math.floor(height / 2));
  for (let i = 0; i < frame; i++) {
    // In single precision, as there: products may be equal to a threshold.
    const factor = Math.fround(i / frame);
    for (let y = 0; y < height; y++) {
      map[y * width + i] *= factor;
      map[y * width + width - 1 - i] *= factor;
    }
  }
  for (let i = 0; i < frame; i++) {
    const factor = Math.fround(i / frame);
    for (let x = 0; x < width; x++) {
      map[i * width + x] *= factor;
      map[(height - 1 - i) * width + x] *= factor;
    }
  }
}

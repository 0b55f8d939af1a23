// Surface normals from a depth map: each pixel becomes a point by the Kinect's camera model, and its normal is that
// of the plane through its neighbours. A coarse substitute for the fitted normals that benchmarks distribute.
import type { MapData } from '../../../registry/index.js';

/** Focal length of NYU Depth v2's colour camera over the width of its images, 518.86 / 640. */
const FOCAL = 518.86 / 640;
/** Half the window over which differences are taken, in pixels of a 640 wide image. */
const REACH = 4;
/** A step in depth of more than this share is an edge, across which no normal is taken. */
const STEP = 0.05;

/** [H,W,3] unit vectors towards the camera (z < 0); zero where depth is unknown or has an edge. */
export function normalsFromDepth({ height, width, data }: MapData): Float32Array {
  const focal = FOCAL * width;
  const reach = Math.max(1, Math.round((REACH * width) / 640));
  const out = new Float32Array(3 * height * width);
  const at = (y: number, x: number) => data[y * width + x];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - reach), Math.min(width - 1, x + reach)];
      const [up, down] = [Math.max(0, y - reach), Math.min(height - 1, y + reach)];
      const z = at(y, x);
      const around = [at(y, left), at(y, right), at(up, x), at(down, x)];
      if (!(z > 0) || around.some((other) => !(other > 0) || Math.abs(other - z) > STEP * z)) continue;
      const point = (px: number, py: number, depth: number) => [
        ((px - width / 2) * depth) / focal,
        ((py - height / 2) * depth) / focal,
        depth,
      ];
      const [a, b] = [point(left, y, around[0]), point(right, y, around[1])];
      const [c, d] = [point(x, up, around[2]), point(x, down, around[3])];
      const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
      const [vx, vy, vz] = [d[0] - c[0], d[1] - c[1], d[2] - c[2]];
      // Down cross right points towards the camera.
      const n = [vy * uz - vz * uy, vz * ux - vx * uz, vx * uy - vy * ux];
      const length = Math.hypot(...n);
      if (length > 0) for (let k = 0; k < 3; k++) out[3 * (y * width + x) + k] = n[k] / length;
    }
  return out;
}

// Angles between predicted and true surface normals, pooled over every valid pixel of the split.
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';

/** The median comes from a histogram of this many bins over 180 degrees. */
const BINS = 18000;

const schema = defineOptions({
  angle: {
    enum: ['acos', 'atan2'],
    default: 'acos',
    description:
      "acos of the dot product (Vandenhende's code), or 2 atan2(|p - g|, |p + g|) (ATRC, InvPT), which is exact for small angles.",
  },
});

@component({
  kind: 'metric',
  name: 'angular_error',
  summary:
    'Mean angular error of surface normals in degrees; also median, RMSE and shares below 11.25, 22.5 and 30.',
  source: 'Vandenhende et al. 2021, evaluation code; Bruggemann et al. 2021',
  tasks: ['normals'],
  options: schema,
  file: import.meta.url,
})
export class AngularError extends Configured<OptionsOf<typeof schema>> implements Metric {
  readonly values = [
    { name: 'mErr', unit: 'deg', better: 'lower', primary: true },
    { name: 'median', unit: 'deg', better: 'lower' },
    { name: 'rmse', unit: 'deg', better: 'lower' },
    { name: 'within_11.25', unit: '%', better: 'higher' },
    { name: 'within_22.5', unit: '%', better: 'higher' },
    { name: 'within_30', unit: '%', better: 'higher' },
  ] as const;

  start(): MetricRun {
    let [count, sum, squares] = [0, 0, 0];
    const limits = [11.25, 22.5, 30];
    const within = [0, 0, 0];
    const histogram = new Float64Array(BINS);
    const angleOf = this.options.angle === 'acos' ? acosAngle : atanAngle;
    return {
      update({ data: p }: MapData, { data: g }: LabelMap) {
        for (let i = 0; i < g.length; i += 3) {
          if (g[i] === IGNORE) continue;
          const angle = angleOf(p[i], p[i + 1], p[i + 2], g[i], g[i + 1], g[i + 2]);
          count++;
          sum += angle;
          squares += angle * angle;
          if (angle < 30) {
            within[2]++;
            if (angle < 22.5) within[1]++;
            if (angle < 11.25) within[0]++;
          }
          histogram[Math.min(BINS - 1, Math.floor((angle / 180) * BINS))]++;
        }
      },
      compute: () => {
        const none = { absent: 'no pixel of the split has a known normal' };
        const over = (value: () => number) => (count > 0 ? value() : none);
        return {
          mErr: over(() => sum / count),
          median: over(() => medianOf(histogram, count)),
          rmse: over(() => Math.sqrt(squares / count)),
          ...Object.fromEntries(
            limits.map((limit, k) => [`within_${limit}`, over(() => (100 * within[k]) / count)]),
          ),
        };
      },
    };
  }
}

const DEGREES = 180 / Math.PI;

// Math.hypot is several times slower.
const norm = (x: number, y: number, z: number): number => Math.sqrt(x * x + y * y + z * z);

function acosAngle(px: number, py: number, pz: number, gx: number, gy: number, gz: number): number {
  const cosine = (px * gx + py * gy + pz * gz) / (norm(px, py, pz) * norm(gx, gy, gz) || 1);
  return Math.acos(Math.max(-1, Math.min(1, cosine))) * DEGREES;
}

function atanAngle(px: number, py: number, pz: number, gx: number, gy: number, gz: number): number {
  const [p, g] = [norm(px, py, pz) + 1e-12, norm(gx, gy, gz) + 1e-12];
  const apart = norm(px / p - gx / g, py / p - gy / g, pz / p - gz / g);
  const together = norm(px / p + gx / g, py / p + gy / g, pz / p + gz / g);
  return 2 * Math.atan2(apart, together) * DEGREES;
}

function medianOf(histogram: Float64Array, count: number): number {
  let bin = 0;
  for (let below = histogram[0]; below * 2 < count; below += histogram[++bin]);
  return ((bin + 0.5) * 180) / BINS;
}

// Angles between predicted and true surface normals, pooled over every valid pixel of the split.
import {
  component,
  Configured,
  defineOptions,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';
import { ANGLE_LIMITS, BINS } from './machinery/angles.js';
import { angleSums } from './machinery/kernels.js';

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
    const histogram = new Float64Array(BINS);
    let [count, angles, squares] = [0, 0, 0];
    return {
      update: ({ data: p }: MapData, { data: g }: LabelMap) => {
        const image = angleSums(this.options.angle, p, g);
        count += image.count;
        angles += image.angles;
        squares += image.squares;
        for (let bin = 0; bin < BINS; bin++) histogram[bin] += image.bins[bin];
      },
      compute: () => {
        const below = (limit: number) =>
          histogram.subarray(0, (limit * BINS) / 180).reduce((sum, n) => sum + n, 0);
        const none = { absent: 'no pixel of the split has a known normal' };
        const over = (value: () => number) => (count > 0 ? value() : none);
        return {
          mErr: over(() => angles / count),
          median: over(() => medianOf(histogram, count)),
          rmse: over(() => Math.sqrt(squares / count)),
          ...Object.fromEntries(
            ANGLE_LIMITS.map((limit) => [`within_${limit}`, over(() => (100 * below(limit)) / count)]),
          ),
        };
      },
    };
  }
}

/** The middle of the bin that has it. */
function medianOf(histogram: Float64Array, count: number): number {
  let bin = 0;
  for (let below = histogram[0]; below * 2 < count; below += histogram[++bin]);
  return ((bin + 0.5) * 180) / BINS;
}

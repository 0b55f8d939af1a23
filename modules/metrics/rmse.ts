// Depth errors in metres, pooled over every pixel of the split that has a depth.
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
import { DEPTH_SUMS, TRUNCATED, type DepthSums } from './machinery/depth-errors.js';
import { depthSums } from './machinery/kernels.js';

const schema = defineOptions({
  range: {
    enum: ['full', 'truncated'],
    default: 'full',
    description:
      'Which pixels the RMSE of the tables is over: all, or those nearer than 6.5535 m as in the code of MTFormer and MT-CP. Both are always reported.',
  },
});

@component({
  kind: 'metric',
  name: 'rmse',
  summary:
    'Root mean square depth error in metres over all pixels of the split; also its mean over images, relative errors and shares within 1.25, 1.25^2, 1.25^3.',
  source:
    'Vandenhende et al. 2021, evaluation code; truncated range: MTFormer, MT-CP; mean over images: Maninis et al. 2019',
  tasks: ['depth'],
  options: schema,
  file: import.meta.url,
})
export class DepthRmse extends Configured<OptionsOf<typeof schema>> implements Metric {
  readonly values = [
    { name: 'RMSE', unit: 'm', better: 'lower', primary: true },
    { name: 'RMSE_full', unit: 'm', better: 'lower' },
    { name: 'RMSE_lt6.5535', unit: 'm', better: 'lower' },
    { name: 'logRMSE', unit: '', better: 'lower' },
    { name: 'absRel', unit: '', better: 'lower' },
    { name: 'sqRel', unit: 'm', better: 'lower' },
    { name: 'RMSE_images', unit: 'm', better: 'lower' },
    { name: 'delta1', unit: '%', better: 'higher' },
    { name: 'delta2', unit: '%', better: 'higher' },
    { name: 'delta3', unit: '%', better: 'higher' },
  ] as const;

  start(): MetricRun {
    const sums = Object.fromEntries(DEPTH_SUMS.map((name) => [name, 0])) as DepthSums;
    let [images, imageErrors] = [0, 0];
    return {
      update({ data: prediction }: MapData, { data: label }: LabelMap) {
        const image = depthSums(prediction, label);
        if (image.count === 0) return;
        for (const name of DEPTH_SUMS) sums[name] += image[name];
        images++;
        imageErrors += Math.sqrt(image.squares / image.count);
      },
      compute: () => {
        const { count, squares, near, nearSquares } = sums;
        const none = { absent: 'no pixel of the split has a known depth' };
        const over = (value: number, of = count) => (of > 0 ? value / of : none);
        const root = (value: number, of = count) => (of > 0 ? Math.sqrt(value / of) : none);
        const full = root(squares);
        const truncated =
          near > 0 || count === 0
            ? root(nearSquares, near)
            : { absent: `no pixel of the split is nearer than ${TRUNCATED} m` };
        return {
          RMSE: this.options.range === 'full' ? full : truncated,
          RMSE_full: full,
          'RMSE_lt6.5535': truncated,
          logRMSE: root(sums.logs),
          absRel: over(sums.relative),
          sqRel: over(sums.squaredRelative),
          RMSE_images: over(imageErrors, images),
          delta1: over(100 * sums.within1),
          delta2: over(100 * sums.within2),
          delta3: over(100 * sums.within3),
        };
      },
    };
  }
}

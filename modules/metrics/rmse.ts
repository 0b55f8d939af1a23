// Depth errors in metres, pooled over every pixel of the split that has a depth.
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

/** 65535 * 0.01 * 0.01: where the evaluation code of MTFormer and MT-CP stops. */
const TRUNCATED = 6.5535;

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
    let [count, squares, near, nearSquares, logs, relative, squaredRelative] = [0, 0, 0, 0, 0, 0, 0];
    let [images, imageErrors] = [0, 0];
    const within = [0, 0, 0];
    return {
      update({ data: prediction }: MapData, { data: label }: LabelMap) {
        const before = { count, squares };
        for (let i = 0; i < label.length; i++) {
          const depth = label[i];
          if (depth === IGNORE || depth <= 0) continue;
          // Nothing keeps a prediction positive; what is not is read as next to nothing.
          const guess = prediction[i] <= 0 ? 1e-9 : prediction[i];
          const square = (guess - depth) ** 2;
          count++;
          squares += square;
          logs += (Math.log(guess) - Math.log(depth)) ** 2;
          relative += Math.abs(guess - depth) / depth;
          squaredRelative += square / depth;
          const ratio = guess > depth ? guess / depth : depth / guess;
          if (ratio < 1.25 ** 3) {
            within[2]++;
            if (ratio < 1.25 ** 2) within[1]++;
            if (ratio < 1.25) within[0]++;
          }
          if (depth < TRUNCATED) {
            near++;
            nearSquares += square;
          }
        }
        if (count === before.count) return;
        images++;
        imageErrors += Math.sqrt((squares - before.squares) / (count - before.count));
      },
      compute: () => {
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
          logRMSE: root(logs),
          absRel: over(relative),
          sqRel: over(squaredRelative),
          RMSE_images: over(imageErrors, images),
          delta1: over(100 * within[0]),
          delta2: over(100 * within[1]),
          delta3: over(100 * within[2]),
        };
      },
    };
  }
}

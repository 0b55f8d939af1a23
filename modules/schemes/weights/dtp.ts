// Dynamic Task Prioritization: difficult tasks get more weight, difficulty being read off a performance measure k
// in (0, 1), smoothed over time: w = -(1 - k)^gamma log k, the focal loss of the measure.
import {
  component,
  defineOptions,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
  type SchemeNeeds,
  type TaskScore,
} from '../../../registry/index.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  measure: {
    enum: ['metric', 'loss'],
    default: 'metric',
    description:
      'metric: the primary metrics of evaluations, brought to (0, 1): percentages / 100, angles 1 - degrees / 180, other errors exp(-error). loss: exp(-mean loss) of each epoch, which needs no evaluation.',
  },
  gamma: {
    type: 'number',
    minimum: 0,
    default: 1,
    description: 'How much more difficult tasks count; 0 to 2 in the paper.',
  },
  smoothing: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'alpha: share of the newest measure in the running one.',
  },
});

/** Measures stay this far away from 0 and 1, where weights are infinite or zero. */
const MARGIN = 1e-3;

@component({
  kind: 'scheme',
  name: 'dtp',
  summary: 'Weights from task difficulty, by a performance measure of each task.',
  source: 'Guo et al. 2018, Eq 3 to 5',
  options: schema,
  file: import.meta.url,
})
export class DynamicTaskPrioritization extends WeightedSum<OptionsOf<typeof schema>> {
  #running: PerTask<number> = {};

  get needs(): SchemeNeeds {
    return { evaluation: this.options.measure === 'metric' };
  }

  override weights(): PerTask<number> {
    return this.perTask((task) => {
      const k = this.#running[task];
      return k === undefined ? 1 : -((1 - k) ** this.options.gamma) * Math.log(k);
    });
  }

  epochEnd({ raw }: EpochMeans): void {
    if (this.options.measure !== 'loss') return;
    for (const [task, loss] of Object.entries(raw)) this.#measured(task, Math.exp(-loss));
  }

  evaluated(scores: PerTask<TaskScore>): void {
    if (this.options.measure !== 'metric') return;
    for (const [task, score] of Object.entries(scores)) this.#measured(task, performance(score));
  }

  #measured(task: string, value: number): void {
    if (!Number.isFinite(value)) return;
    const k = Math.min(1 - MARGIN, Math.max(MARGIN, value));
    const { smoothing } = this.options;
    const before = this.#running[task];
    this.#running[task] = before === undefined ? k : smoothing * k + (1 - smoothing) * before;
  }

  override state(): unknown {
    return this.#running;
  }

  override restore(state: unknown): void {
    this.#running = state as PerTask<number>;
  }
}

/** A metric as a number in (0, 1) that grows with performance. */
function performance({ value, unit, better }: TaskScore): number {
  if (better === 'higher') return unit === '%' ? value / 100 : value;
  return unit === 'deg' ? 1 - value / 180 : Math.exp(-value);
}

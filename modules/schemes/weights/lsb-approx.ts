// Loss-scale balancing, approximately: the authors published no code and their equations could not be had. From
// the abstract: weights keep the tasks' loss scales (weight times loss) equal and are recomputed periodically, with
// more for tasks that are difficult by their loss record. Read here as
//
//   w_t = d_t^g / (Z L_t),  d_t = L_t(e) / L_t(e-1),  Z such that sum w_t L_t is unchanged
import {
  component,
  defineOptions,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
} from '../../../registry/index.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  difficulty: {
    type: 'number',
    minimum: 0,
    default: 1,
    description: 'g: how much tasks whose loss falls slowly are boosted; 0 is pure balancing.',
  },
  period: { type: 'integer', minimum: 1, default: 1, description: 'Epochs between two computations.' },
});

interface State {
  epochs: number;
  weights: PerTask<number>;
  /** Losses at the last computation. */
  record: PerTask<number>;
}

@component({
  kind: 'scheme',
  name: 'lsb_approx',
  summary:
    'Equal loss scales, recomputed periodically, with more for difficult tasks (approximate: read off the abstract).',
  source: 'Lee et al. 2021 (loss scale balancing), abstract only',
  options: schema,
  file: import.meta.url,
})
export class LossScaleBalancing extends WeightedSum<OptionsOf<typeof schema>> {
  #state: State = { epochs: 0, weights: this.perTask(() => 1), record: {} };

  override weights(): PerTask<number> {
    return this.#state.weights;
  }

  epochEnd({ raw }: EpochMeans): void {
    const { weights, record } = this.#state;
    this.#state.epochs++;
    if (this.#state.epochs % this.options.period !== 0) return;
    // A task without a loss, or with one of 0, keeps its weight.
    const known = Object.keys(raw).filter((task) => raw[task] > 0);
    const scales = known.map((task) => (raw[task] / (record[task] ?? raw[task])) ** this.options.difficulty);
    const now = known.reduce((sum, task) => sum + weights[task] * raw[task], 0);
    const z = scales.reduce((a, b) => a + b, 0) / now;
    const balanced = known.map((task, i) => [task, scales[i] / (z * raw[task])] as const);
    this.#state.weights = { ...weights, ...Object.fromEntries(balanced) };
    this.#state.record = { ...record, ...Object.fromEntries(known.map((task) => [task, raw[task]])) };
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}

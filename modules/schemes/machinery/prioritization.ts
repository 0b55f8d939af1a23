// Task prioritisation (paper section 3.5, Eq 4 to 6): a task whose share of the overall loss grows falls more slowly
// than the others and gets more weight from the next epoch on. The schemes that are made of it (lps, prioritization)
// say which losses count.
import {
  MtcpError,
  type ClosedSchema,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
  type StepReport,
} from '../../../registry/index.js';
import { WeightedSum } from './weighted-sum.js';

/** Options of every such scheme. */
export const prioritizationOptions = {
  history: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description: 'H of Eq 4: how many epochs back the pace of a task is taken.',
  },
  spread: {
    type: 'number',
    minimum: 0,
    default: 2.5,
    description:
      'kappa of Eq 6: deviations from the mean weight are multiplied by it. The released code has 7.5 on NYUD-v2 and 1.6 on PASCAL-Context.',
  },
  reading: {
    enum: ['mean', 'endpoint', 'geometric', 'window'],
    default: 'mean',
    description:
      'How Eq 4 is read for H > 1: mean of the H ratios, ratio over H epochs (which multiplies H paces, so that weights were seen from 0.004 to 1.86), its H-th root, or mean of H epochs over the H before.',
  },
  min_weight: {
    type: ['number', 'null'],
    default: 0,
    description: 'Smallest weight; null allows negative ones, that is gradient ascent on easy tasks.',
  },
  first: {
    enum: ['ones', 'inverse_share'],
    default: 'ones',
    description:
      'Weights after the first epoch, when there is no ratio yet; the released code has inverse_share.',
  },
  warm_up: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description:
      "The first epoch's shares from the losses of its last N steps instead of its mean, which still contains the fall from the start; null: the mean, as in the paper.",
  },
} as const;

export type PrioritizationOptions = OptionsOf<ClosedSchema<typeof prioritizationOptions>>;

/** A weighted sum whose weights are renewed after every epoch. */
export abstract class PrioritizedSum<O extends PrioritizationOptions> extends WeightedSum<O> {
  #state: PrioritizeState = { shares: [], weights: this.perTask(() => 1) };

  override weights(): PerTask<number> {
    return this.#state.weights;
  }

  /** The losses whose shares count. */
  protected abstract basis(losses: Pick<EpochMeans, 'raw' | 'projected'>): PerTask<number>;

  stepEnd(step: StepReport): void {
    this.#state = remember(this.#state, this.basis(step), this.options);
  }

  epochEnd(means: EpochMeans): void {
    this.#state = prioritize(this.#state, this.basis(means), this.options);
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as PrioritizeState;
  }
}

export interface PrioritizeState {
  /** Shares of the overall loss of the last epochs, oldest first. */
  shares: PerTask<number>[];
  weights: PerTask<number>;
  /** Losses of the last steps, oldest first: kept in the first epoch, for a warm-up. */
  steps?: PerTask<number>[];
}

/** The state with a step's losses, where a warm-up wants them. */
function remember(
  state: PrioritizeState,
  losses: PerTask<number>,
  { warm_up: last }: PrioritizationOptions,
): PrioritizeState {
  if (last === null || state.shares.length > 0) return state;
  return { ...state, steps: [...(state.steps ?? []), losses].slice(-last) };
}

/** Mean loss of each task over the remembered steps; over the epoch for a task that has none in them. */
function afterWarmUp(steps: readonly PerTask<number>[], means: PerTask<number>): PerTask<number> {
  const mean = (task: string) => {
    const known = steps.map((step) => step[task]).filter((loss) => loss !== undefined);
    return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : means[task];
  };
  return Object.fromEntries(Object.keys(means).map((task) => [task, mean(task)]));
}

/**
 * @param means each task's mean loss over the epoch that ended; a task without one keeps its last share
 * @returns the state with the weights of the coming epoch
 */
export function prioritize(
  { shares: past, weights: before, steps }: PrioritizeState,
  means: PerTask<number>,
  options: PrioritizationOptions,
): PrioritizeState {
  const losses = steps ? afterWarmUp(steps, means) : means;
  const tasks = Object.keys(before);
  const known = tasks.filter((task) => losses[task] !== undefined);
  const total = known.reduce((sum, task) => sum + losses[task], 0);
  if (!(total > 0)) return { shares: past, weights: before };
  const last = past.at(-1);
  const share = Object.fromEntries(
    tasks.map((task) => [
      task,
      losses[task] === undefined ? (last?.[task] ?? 1 / tasks.length) : losses[task] / total,
    ]),
  );
  // "window" compares H epochs with the H before them, the other readings look back H epochs.
  const kept = options.reading === 'window' ? 2 * options.history : options.history + 1;
  const shares = [...past, share].slice(-kept);
  if (shares.length === 1) {
    const start = options.first === 'ones' ? () => 1 : (task: string) => 1 / share[task];
    return { shares, weights: Object.fromEntries(tasks.map((task) => [task, start(task)])) };
  }
  const raw = Object.fromEntries(
    tasks.map((task) => [
      task,
      pace(
        shares.map((s) => s[task]),
        options,
      ),
    ]),
  );
  return { shares, weights: spread(raw, options) };
}

/** Eq 4: how fast this task's share of the overall loss moved; above 1 the task falls behind. */
function pace(shares: number[], { reading, history }: PrioritizationOptions): number {
  const ratio = (now: number, then: number) => (then > 0 ? now / then : 1);
  const end = shares[shares.length - 1];
  const steps = Math.min(history, shares.length - 1);
  switch (reading) {
    case 'mean': {
      let sum = 0;
      for (let h = 0; h < steps; h++)
        sum += ratio(shares[shares.length - 1 - h], shares[shares.length - 2 - h]);
      return sum / steps;
    }
    case 'endpoint':
      return ratio(end, shares[shares.length - 1 - steps]);
    case 'geometric':
      return ratio(end, shares[shares.length - 1 - steps]) ** (1 / steps);
    case 'window': {
      const half = Math.min(history, Math.floor(shares.length / 2));
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      return ratio(mean(shares.slice(-half)), mean(shares.slice(-2 * half, -half)));
    }
    default:
      throw new MtcpError('component', `unknown reading of Eq 4: ${reading satisfies never}`);
  }
}

/** Eq 5 and 6: deviations from the mean weight, scaled. */
function spread(
  weights: PerTask<number>,
  { spread: kappa, min_weight: least }: PrioritizationOptions,
): PerTask<number> {
  const values = Object.values(weights);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const moved = (weight: number) => Math.max(mean + kappa * (weight - mean), least ?? -Infinity);
  return Object.fromEntries(Object.entries(weights).map(([task, weight]) => [task, moved(weight)]));
}

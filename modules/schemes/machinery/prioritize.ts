// Task prioritisation (paper section 3.5, Eq 4 to 6): a task whose share of the overall loss grows falls more
// slowly than the others and gets more weight. Only numbers here; the two schemes that use it (lps,
// prioritization) differ in which losses they look at.
import { MtcpError } from '../../../registry/index.js';

/** How Eq 4 is read for a history H > 1; all agree for H = 1. */
export type Reading = 'mean' | 'endpoint' | 'geometric' | 'window';

export interface PrioritizeOptions {
  /** H: how many epoch-to-epoch ratios enter. */
  history: number;
  /** kappa: deviations from the mean weight are multiplied by it; 1 changes nothing. */
  spread: number;
  reading: Reading;
  /** Weights are not smaller than this; null lets them become negative, which is gradient ascent. */
  min_weight: number | null;
  /** Weights before there is a ratio: 1, or the inverse of the task's share (as in the released code). */
  first: 'ones' | 'inverse_share';
}

export interface PrioritizeState {
  /** Shares of the overall loss of the last epochs, oldest first. */
  shares: Record<string, number>[];
  weights: Record<string, number>;
}

export function initialState(tasks: readonly string[]): PrioritizeState {
  return { shares: [], weights: Object.fromEntries(tasks.map((task) => [task, 1])) };
}

/**
 * @param losses each task's mean loss over the epoch that ended; a task without one keeps its last share
 * @returns the state with the weights of the coming epoch
 */
export function prioritize(
  { shares: past, weights: before }: PrioritizeState,
  losses: Record<string, number>,
  options: PrioritizeOptions,
): PrioritizeState {
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
function pace(shares: number[], { reading, history }: PrioritizeOptions): number {
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
  weights: Record<string, number>,
  { spread: kappa, min_weight: least }: PrioritizeOptions,
): Record<string, number> {
  const values = Object.values(weights);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const moved = (weight: number) => Math.max(mean + kappa * (weight - mean), least ?? -Infinity);
  return Object.fromEntries(Object.entries(weights).map(([task, weight]) => [task, moved(weight)]));
}

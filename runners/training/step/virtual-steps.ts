// Virtual steps of gradient descent: training takes them, looks where they lead, and goes back. Schemes that learn the
// losses' weights ask for them (GradientRule.ahead).
import type { GradientRule, PerTask } from '../../../registry/contracts/scheme.js';

/** A sum of losses that virtual steps have run away with. */
const RUNAWAY = 1e5;

export interface Walk {
  /** The weights that are descended in; they are as before in the end. */
  weights: Float32Array;
  /** Computes terms and gradients at the weights as they are. */
  run(): Promise<void>;
  /** Each task's term, of the last run. */
  terms(): PerTask<number>;
  /** One step against the gradient of the terms times these, of the last run. */
  descend(factors: PerTask<number>, rate: number): void;
}

/** @returns every task's term after the steps, or as far as they led */
export async function termsAhead(
  rule: NonNullable<GradientRule['ahead']>,
  { weights, run, terms, descend }: Walk,
): Promise<PerTask<number>> {
  const before = weights.slice();
  const factors = rule.weights();
  try {
    await run();
    for (let i = 0; i < rule.steps; i++) {
      const value = Object.entries(terms()).reduce((sum, [task, term]) => sum + factors[task] * term, 0);
      // Steps that are too long lead nowhere.
      if (!(value <= RUNAWAY)) break;
      descend(factors, rule.rate);
      await run();
    }
    return terms();
  } finally {
    weights.set(before);
  }
}

// A running mean of the weights (an exponential moving average), which is evaluated and kept in place of the weights
// that are trained. Statistics of BatchNorm are averaged with them.
//
// There is one set of arrays that programs read, `step.weights`. For an evaluation or a checkpoint the mean and the
// trained weights change places, number by number, and back afterwards. A checkpoint written meanwhile has the mean
// under the names of the weights, for everybody who reads it, and the trained weights as one more state vector, so that
// a resumed run continues exactly.
import type { HostTensor } from '../support/host-tensor.js';
import type { Weights } from './step/weights.js';

export class WeightAverage {
  /** The mean; the trained weights while the two have changed places. */
  readonly views: ReadonlyMap<string, HostTensor>;

  /** @param decay share of the old mean at each step, once training has run for long */
  constructor(
    readonly weights: Weights,
    readonly decay: number,
  ) {
    const own = [...weights.trained.views, ...weights.buffers];
    this.views = new Map(own.map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
  }

  /** The mean of new weights is themselves. */
  start(): void {
    for (const [name, { data }] of this.views) data.set(this.weights.array(name) as Float32Array);
  }

  /**
   * Takes in the weights after a step. The mean follows faster at first: (1 + step) / (10 + step) bounds the decay.
   * @param step counts from 1
   */
  update(step: number): void {
    const decay = Math.min(this.decay, (1 + step) / (10 + step));
    for (const [name, { data }] of this.views) {
      const now = this.weights.array(name);
      for (let i = 0; i < data.length; i++) data[i] += (1 - decay) * (now[i] - data[i]);
    }
  }

  /** The mean and the trained weights change places. */
  swap(): void {
    for (const [name, { data }] of this.views) {
      const own = this.weights.array(name);
      for (let i = 0; i < data.length; i++) [data[i], own[i]] = [own[i], data[i]];
    }
  }
}

/** Runs `f` with the mean in the place of the weights, if there is one. */
export function averaged<T>(average: WeightAverage | undefined, f: () => T): T {
  if (!average) return f();
  average.swap();
  let result: T;
  try {
    result = f();
  } catch (error) {
    average.swap();
    throw error;
  }
  if (result instanceof Promise) return result.finally(() => average.swap()) as T;
  average.swap();
  return result;
}

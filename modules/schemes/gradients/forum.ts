// FORUM: two problems at once. The lower one trains the network by a weighted sum of the losses, the upper one asks that
// all tasks' losses on another batch fall, as functions of the network and of the weights. The lower problem becomes a
// constraint: the loss at the network must not be above the loss that some more steps of gradient descent would reach. Both
// gradients are combined so that every task improves and the constraint is approached.
//
// As by the authors' code in LibMTL: the steps of gradient descent are virtual (training takes them and goes back), the
// tasks' gradients are made unit vectors, the combination's weights follow those of each step by a running mean, and the
// weights of the losses are learnt by Adam. The two batches are the micro-batches of a step (`train.accumulate: 2`).
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type SchemeNeeds,
  type StepInfo,
  type TaskGradients,
} from '../../../registry/index.js';
import { adamStep, newAdam, softmax, type AdamState } from '../machinery/adam.js';
import { ascentWeights } from '../machinery/solvers/ascent.js';
import { dot } from '../machinery/solvers/linear.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  steps: {
    type: 'integer',
    minimum: 1,
    default: 5,
    description: 'Virtual steps of gradient descent; each costs a forward and a backward pass.',
  },
  inner_rate: { type: 'number', exclusiveMinimum: 0, default: 0.1, description: 'Their learning rate.' },
  rate: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1e-3,
    description: "Learning rate of the losses' weights (Adam).",
  },
  phi: {
    type: 'number',
    minimum: 0,
    default: 0.1,
    description: 'How fast the constraint is to be approached.',
  },
});

interface State {
  /** The losses' weights are the softmax of these. */
  values: number[];
  adam: AdamState;
  /** Running mean of the combination's weights. */
  mean: number[];
}

/** What the first micro-batch leaves for the second. */
interface Lower {
  /** Gradient of the constraint in the network and in `values`. */
  network: Float32Array;
  values: number[];
}

@component({
  kind: 'scheme',
  name: 'forum',
  summary: "Learns the losses' weights in a bilevel problem whose lower level is a constraint.",
  source: 'Ye et al. 2024 (FORUM), Eq 10 to 14; LibMTL, bacth_forward_FORUM',
  options: schema,
  file: import.meta.url,
})
export class BilevelWeights extends WeightedSum<OptionsOf<typeof schema>> {
  #state: State = {
    values: this.tasks.map(() => 1 / this.tasks.length),
    adam: newAdam(this.tasks.length),
    mean: this.tasks.map(() => 0),
  };
  #lower: Lower | undefined;

  get needs(): SchemeNeeds {
    const { steps, inner_rate: rate } = this.options;
    return {
      alone: "learns the losses' weights itself",
      gradients: {
        shared: 'every',
        exclusive: 'weighted',
        samples: 2,
        ahead: {
          steps,
          rate,
          weights: () => {
            const shares = softmax(this.#state.values);
            return this.perTask((_, i) => shares[i]);
          },
          wanted: () => this.#lower === undefined,
        },
        combine: (gradients, step) =>
          this.#lower ? this.#upper(gradients, step) : this.#constrain(gradients),
      },
    };
  }

  /** The gradient of f(weights, network) - f(weights, network after the virtual steps). Nothing is combined yet. */
  #constrain({ tasks: present, vectors, terms, ahead }: TaskGradients): Combination {
    if (!ahead) throw new Error('the losses after the virtual steps are needed');
    const shares = softmax(this.#state.values);
    const places = this.#places(present);
    const network = new Float32Array(vectors[0].length);
    vectors.forEach((vector, t) => {
      for (let i = 0; i < vector.length; i++) network[i] += shares[places[t]] * vector[i];
    });
    // Of sum softmax(v)_t x_t in v, with x the losses' fall: softmax(v)_t (x_t - mean).
    const fall = this.tasks.map(() => 0);
    places.forEach((place, t) => (fall[place] = terms[t] - ahead[t]));
    const mean = dot(shares, fall);
    this.#lower = { network, values: fall.map((x, i) => shares[i] * (x - mean)) };
    return { coefficients: present.map(() => 0), combined: new Float32Array(network.length) };
  }

  #upper({ tasks: present, vectors, gram }: TaskGradients, { epoch }: StepInfo): Combination {
    const { network, values } = this.#lower!;
    this.#lower = undefined;
    const state = this.#state;
    const lengths = gram.map((row, i) => Math.sqrt(row[i]) || 1);
    const places = this.#places(present);
    const square = dot(values, values) + inner(network, network);
    const { phi } = this.options;
    const along = vectors.map((vector, t) => inner(vector, network) / lengths[t]);
    const pi = along.map((x) => (square > 0 ? phi - x / square : 0));
    const unit = gram.map((row, i) => row.map((x, j) => x / (lengths[i] * lengths[j])));
    const found = ascentWeights(unit, along, { square, pi, phi });

    const step = 1 / (epoch + 1) ** 0.75;
    places.forEach((place, t) => (state.mean[place] += step * (found[t] - state.mean[place])));
    const weights = places.map((place) => state.mean[place]);
    const share = Math.max(0, dot(weights, pi));
    adamStep(
      state.adam,
      state.values,
      values.map((value) => share * value),
      this.options.rate,
    );

    // The step is the mean of two micro-batches, and the first one has nothing.
    const coefficients = weights.map((weight, t) => (2 * weight) / lengths[t]);
    const combined = new Float32Array(network.length);
    for (let i = 0; i < combined.length; i++) {
      combined[i] = 2 * share * network[i];
      for (let t = 0; t < vectors.length; t++) combined[i] += coefficients[t] * vectors[t][i];
    }
    return { coefficients, combined };
  }

  /** A step that was broken off leaves nothing. */
  stepBegin(): void {
    this.#lower = undefined;
  }

  #places(present: readonly string[]): number[] {
    return present.map((task) => this.tasks.findIndex(({ name }) => name === task));
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}

function inner(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

// GradNorm: weights are learnt so that the weighted gradients of tasks that lag behind become longer. The derivative
// of the weighted gradient's length with respect to its weight is the length itself, so no second backward pass is
// needed.
import {
  component,
  defineOptions,
  type Combination,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
  type StepReport,
  type TaskGradients,
} from '../../../registry/index.js';
import { adamStep, newAdam, softmax, type AdamState } from '../machinery/adam.js';
import { rateProperty } from '../machinery/learnt-weights.js';
import { gradientProperties, GradientScheme } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  alpha: {
    type: 'number',
    minimum: 0,
    default: 1.5,
    description: 'How strongly tasks that lag behind are pulled along.',
  },
  variant: {
    enum: ['softmax', 'original'],
    default: 'softmax',
    description:
      "softmax: K softmax(v) of learnt v, from the second epoch, against the first epoch's mean losses (LibMTL). original: weights brought to the sum K after every step, from the start, against the first step's losses.",
  },
  rate: rateProperty,
  ...gradientProperties('representation', 'sum'),
});

interface State {
  /** v of the softmax, or the weights themselves. */
  values: number[];
  adam: AdamState;
  /** Losses that progress is measured against. */
  first: PerTask<number>;
  epochs: number;
}

@component({
  kind: 'scheme',
  name: 'gradnorm',
  summary: "Learnt weights that balance the lengths of the tasks' gradients by their pace.",
  source: 'Chen et al. 2018 (GradNorm), Eq 2 and Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class GradNorm extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  #state: State = {
    values: this.tasks.map(() => (this.#softmax ? 0 : 1)),
    adam: newAdam(this.tasks.length),
    first: {},
    epochs: 0,
  };
  #pull: (number | undefined)[] = [];

  get #softmax(): boolean {
    return this.options.variant === 'softmax';
  }

  #current(): number[] {
    const { values } = this.#state;
    return this.#softmax ? softmax(values, values.length) : values;
  }

  protected mix(gradients: TaskGradients): Combination {
    const places = this.places(gradients);
    const { first, epochs } = this.#state;
    const begun = !this.#softmax || epochs > 0;
    if (!this.#softmax) gradients.tasks.forEach((task, i) => (first[task] ??= gradients.raw[i]));
    const weights = this.#current();
    const coefficients = places.map((place) => (begun ? weights[place] : 1));
    this.#pull = begun ? this.#derivatives(gradients, places, weights) : [];
    return { coefficients };
  }

  /** Of sum |w n - constant| with respect to the weights, or through the softmax to v. */
  #derivatives(
    { tasks: present, gram, raw }: TaskGradients,
    places: readonly number[],
    weights: readonly number[],
  ): (number | undefined)[] {
    const lengths = gram.map((row, i) => Math.sqrt(row[i]));
    const weighted = lengths.map((length, i) => Math.abs(weights[places[i]]) * length);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    // A task whose first loss was 0, or that was not there then, counts as one that has not moved.
    const progress = present.map((task, i) =>
      this.#state.first[task] > 0 ? raw[i] / this.#state.first[task] : 1,
    );
    const average = mean(progress);
    const wanted = progress.map(
      (p) => mean(weighted) * (average > 0 ? p / average : 1) ** this.options.alpha,
    );
    const byWeight = this.tasks.map(() => undefined as number | undefined);
    places.forEach((place, i) => {
      byWeight[place] = Math.sign(weighted[i] - wanted[i]) * Math.sign(weights[place]) * lengths[i];
    });
    if (!this.#softmax) return byWeight;
    const total = weights.length;
    const inner = weights.reduce((sum, w, i) => sum + (w / total) * (byWeight[i] ?? 0), 0);
    return weights.map((w, i) => w * ((byWeight[i] ?? 0) - inner));
  }

  stepEnd({ rate }: StepReport): void {
    if (this.#pull.length === 0) return;
    const { values, adam } = this.#state;
    adamStep(adam, values, this.#pull, this.options.rate ?? rate);
    this.#pull = [];
    if (this.#softmax) return;
    // Weights stay positive and sum up to the number of tasks.
    const positive = values.map((value) => Math.max(value, 1e-6));
    const total = positive.reduce((a, b) => a + b, 0);
    positive.forEach((value, i) => (values[i] = (value * values.length) / total));
  }

  epochEnd({ raw }: EpochMeans): void {
    if (this.#softmax && this.#state.epochs === 0) this.#state.first = { ...raw };
    this.#state.epochs++;
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}

// Schemes whose weights follow products of gradients of two independent samples: a product of two noisy gradients of
// one sample is biased by the noise's variance, a product across samples is not.
//
// The samples are the micro-batches of a step (`train.accumulate`), those with even numbers against those with odd
// ones. The weights of a step come from the steps before it, so that they are independent of the step's own samples;
// the papers draw a third sample for that.
import type { Combination, PerTask, SchemeNeeds, TaskGradients } from '../../../registry/index.js';
import { GradientScheme, refuseRepresentation, type GradientOptions } from './gradient-scheme.js';

type Half = PerTask<Float32Array>;

export abstract class DoubleSampling<O extends GradientOptions> extends GradientScheme<O> {
  #weights: PerTask<number> = this.perTask(() => 1 / this.tasks.length);
  #halves: [Half, Half] = [{}, {}];
  #samples = 0;

  constructor(name: string, ...[options, trialTasks]: ConstructorParameters<typeof GradientScheme<O>>) {
    super(options, trialTasks);
    refuseRepresentation(name, options.shared);
  }

  override get needs(): SchemeNeeds {
    const { gradients } = super.needs;
    return { gradients: { ...gradients!, samples: 2 } };
  }

  /**
   * The next step's weights.
   * @param weights of the tasks that both samples had; their sum is to stay
   * @param products of the gradients of the first sample (rows) with those of the second
   */
  protected abstract follow(weights: readonly number[], products: readonly number[][]): number[];

  /** What a task's gradient is multiplied by. */
  protected coefficient(weight: number): number {
    return weight;
  }

  protected mix({ tasks: present, vectors }: TaskGradients): Combination {
    const half = this.#halves[this.#samples++ % 2];
    present.forEach((task, t) => {
      const sum = half[task];
      if (sum) for (let i = 0; i < sum.length; i++) sum[i] += vectors[t][i];
      else half[task] = Float32Array.from(vectors[t]);
    });
    return { coefficients: present.map((task) => this.coefficient(this.#weights[task])) };
  }

  stepEnd(): void {
    const [first, second] = this.#halves;
    const present = this.tasks.map(({ name }) => name).filter((name) => first[name] && second[name]);
    // Means of each half's micro-batches.
    const scale = 1 / (Math.ceil(this.#samples / 2) * Math.floor(this.#samples / 2));
    this.#halves = [{}, {}];
    this.#samples = 0;
    if (present.length === 0) return;
    const products = present.map((a) => present.map((b) => scale * inner(first[a], second[b])));
    const weights = present.map((name) => this.#weights[name]);
    const share = weights.reduce((a, b) => a + b, 0);
    if (!(share > 0)) return;
    const next = this.follow(
      weights.map((weight) => weight / share),
      products,
    );
    present.forEach((name, i) => (this.#weights[name] = share * next[i]));
  }

  override state(): unknown {
    return this.#weights;
  }

  override restore(state: unknown): void {
    this.#weights = state as PerTask<number>;
  }
}

function inner(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

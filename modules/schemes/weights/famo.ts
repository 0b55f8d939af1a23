// Fast Adaptive Multitask Optimization: balances how fast the logarithms of the losses fall, without gradients of
// single tasks. After each update it looks at the losses of the same batch again and moves its weights towards
// tasks whose loss fell less.
import * as tf from '../../../registry/tf.js';
import { detach } from '../../nn/ops/detach.js';
import {
  component,
  defineOptions,
  type OptionsOf,
  type PerTask,
  type SchemeInputs,
  type Scope,
  type StepReport,
  type TaskLoss,
} from '../../../registry/index.js';
import { adamStep, newAdam, softmax, type AdamState } from '../machinery/adam.js';
import { mapTasks, WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  rate: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.025,
    description: "Learning rate of the weights' Adam.",
  },
  decay: { type: 'number', minimum: 0, default: 0.001, description: 'L2 regularisation of the weights.' },
  least: {
    type: 'object',
    additionalProperties: { type: 'number' },
    default: {},
    description: 'Smallest loss that each task can reach; 0 for tasks that are not named.',
  },
});

const EPSILON = 1e-8;

@component({
  kind: 'scheme',
  name: 'famo',
  summary:
    'Weights that make all losses fall at the same relative pace, from losses before and after each update.',
  source: 'Liu et al. 2023 (FAMO), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class Famo extends WeightedSum<OptionsOf<typeof schema>> {
  readonly needs = { again: true };
  #state: { logits: number[]; adam: AdamState } = {
    logits: this.tasks.map(() => 0),
    adam: newAdam(this.tasks.length),
  };

  override weights(): PerTask<number> {
    const z = softmax(this.#state.logits);
    return this.perTask((_, i) => z[i]);
  }

  /** sum z log D / c with D = L - least and c = sum z / D a constant; tasks that are not there count in neither. */
  override combine(_scope: Scope, losses: PerTask<TaskLoss>, { weights }: SchemeInputs): PerTask<tf.Scalar> {
    // Where a task is not there 1 stands for its D: the logarithm is 0.
    const above = mapTasks(losses, ({ value, present }, task) =>
      value
        .sub<tf.Scalar>(this.#least(task))
        .add<tf.Scalar>(EPSILON)
        .mul<tf.Scalar>(present)
        .add<tf.Scalar>(present.neg().add(1)),
    );
    const shares = Object.keys(losses).map((task) =>
      weights[task].mul(losses[task].present).div(above[task]),
    );
    const c = detach(tf.addN([...shares, tf.scalar(1e-30)]) as tf.Scalar);
    return mapTasks(above, (d, task) => d.log().mul(weights[task]).div<tf.Scalar>(c));
  }

  /** With D the gradient of z log D / c is z / (c D) times that of the loss. */
  effective(raw: PerTask<number>): PerTask<number> {
    const z = this.weights();
    const shares = mapTasks(raw, (loss, task) => z[task] / (loss - this.#least(task) + EPSILON));
    const c = Object.values(shares).reduce((a, b) => a + b, 0);
    return mapTasks(shares, (share) => share / c);
  }

  stepEnd({ raw, again }: StepReport): void {
    const present = this.tasks.filter(({ name }) => raw[name] !== undefined && again?.[name] !== undefined);
    const height = (loss: number, task: string) => Math.log(Math.max(loss - this.#least(task), 0) + EPSILON);
    const fall = new Map(
      present.map(({ name }) => [name, height(raw[name], name) - height(again![name], name)]),
    );
    if ([...fall.values()].some((delta) => !Number.isFinite(delta))) return;
    // Jacobian of the softmax, transposed, times the falls.
    const z = softmax(this.#state.logits);
    const mean = this.tasks.reduce((sum, { name }, i) => sum + z[i] * (fall.get(name) ?? 0), 0);
    const gradients = this.tasks.map(({ name }, i) =>
      fall.has(name) ? z[i] * (fall.get(name)! - mean) : undefined,
    );
    adamStep(this.#state.adam, this.#state.logits, gradients, this.options.rate, this.options.decay);
  }

  #least(task: string): number {
    return this.options.least[task] ?? 0;
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as { logits: number[]; adam: AdamState };
  }
}

// Auto-Lambda: weights are learnt by what they do to the primary tasks' losses one step later, on another batch. The
// derivative of that loss with respect to a task's weight is -rate times the inner product of the task's gradient
// before the step with the primary tasks' gradient after it.
//
// The authors take a virtual step, go back, and estimate that product by finite differences. Here the step is the one
// that training makes anyway, the other batch is the next one (theirs is of the training split, too), and the product
// is taken as it is: no further pass through the network, and weights that are one step late. The rule of the step is
// plain gradient descent, as theirs, whatever the optimizer.
import {
  component,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type Combination,
  type OptionsOf,
  type PerTask,
  type StepReport,
  type Task,
  type TaskGradients,
} from '../../../registry/index.js';
import { adamStep, newAdam, type AdamState } from '../machinery/adam.js';
import { GradientScheme } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  primary: {
    type: ['array', 'null'],
    items: { type: 'string' },
    minItems: 1,
    uniqueItems: true,
    default: null,
    description: 'Tasks that the weights are learnt for; the others only help. null: all.',
  },
  initial: { type: 'number', exclusiveMinimum: 0, default: 0.1, description: 'Every weight at the start.' },
  rate: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1e-4,
    description: 'Learning rate of the weights (Adam, no decay).',
  },
  min_weight: {
    type: ['number', 'null'],
    default: 0,
    description: 'Smallest weight; null allows negative weights, as in the code of the authors.',
  },
  shared: {
    enum: ['backbone', 'all', 'every'],
    default: 'every',
    description:
      "Whose gradients are compared: of the backbone's parameters, of all parameters that two tasks reach, or of every parameter, as in the paper.",
  },
  exclusive: {
    enum: ['sum', 'weighted'],
    default: 'weighted',
    description:
      "What parameters outside that set get: the sum of the tasks' gradients, or the sum weighted as inside.",
  },
});

interface State {
  values: number[];
  adam: AdamState;
  /** The tasks' gradients at the last step, and its learning rate. */
  before: PerTask<Float32Array>;
  rate: number;
}

@component({
  kind: 'scheme',
  name: 'auto_lambda',
  summary: "Weights learnt by what they do to the primary tasks' losses one step later.",
  source: 'Liu et al. 2022 (Auto-Lambda), Eq 4 to 6',
  options: schema,
  file: import.meta.url,
})
export class AutoLambda extends GradientScheme<OptionsOf<typeof schema>> {
  #state: State = {
    values: this.tasks.map(() => this.options.initial),
    adam: newAdam(this.tasks.length),
    before: {},
    rate: 0,
  };

  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
    const unknown = options.primary?.find((name) => !trialTasks.some((task) => task.name === name));
    if (unknown !== undefined)
      throw new MtcpError('component', `scheme auto_lambda: there is no task "${unknown}" (primary)`, {
        hint: `tasks: ${trialTasks.map(({ name }) => name).join(', ')}`,
      });
  }

  protected mix(gradients: TaskGradients): Combination {
    const { tasks: present, vectors } = gradients;
    this.#learn(gradients);
    this.#state.before = Object.fromEntries(present.map((task, t) => [task, Float32Array.from(vectors[t])]));
    return { coefficients: this.places(gradients).map((place) => this.#state.values[place]) };
  }

  #learn({ tasks: present, vectors }: TaskGradients): void {
    const { values, adam, before, rate } = this.#state;
    const primary = present.flatMap((task, t) =>
      this.options.primary?.includes(task) === false ? [] : [vectors[t]],
    );
    if (rate === 0 || primary.length === 0 || Object.keys(before).length === 0) return;
    const slopes = this.tasks.map(({ name }) => before[name] && -rate * innerWithSum(before[name], primary));
    adamStep(adam, values, slopes, this.options.rate);
    const least = this.options.min_weight;
    if (least !== null) values.forEach((value, i) => (values[i] = Math.max(value, least)));
  }

  stepEnd({ rate }: StepReport): void {
    this.#state.rate = rate;
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}

function innerWithSum(a: Float32Array, others: readonly Float32Array[]): number {
  let sum = 0;
  for (const b of others) for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

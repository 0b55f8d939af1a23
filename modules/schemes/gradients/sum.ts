// The plain sum of the tasks' gradients, taken apart first. It trains like the loss weighting in front of it and
// shows how much the tasks' gradients agree.
import { component, options, tasks, type OptionsOf } from '../../../registry/component.js';
import type { Combination, TaskGradients } from '../../../registry/contracts/scheme.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../../registry/options.js';
import { gradientProperties, GradientScheme } from './gradient-scheme.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...gradientProperties('representation', 'sum') },
  required: ['shared', 'exclusive'],
} as const satisfies OptionsSchema;

@component({
  kind: 'scheme',
  name: 'gradient_sum',
  summary: "The sum of the tasks' gradients, with the cosines between them recorded.",
  options: schema,
})
export class GradientSum extends GradientScheme {
  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(trialTasks, options);
  }

  protected mix({ tasks }: TaskGradients): Combination {
    return { coefficients: tasks.map(() => 1) };
  }
}

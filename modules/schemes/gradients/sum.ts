// The plain sum of the tasks' gradients, taken apart first. It trains like the loss weighting in front of it and
// shows how much the tasks' gradients agree.
import {
  component,
  defineOptions,
  options,
  tasks,
  type Combination,
  type OptionsOf,
  type Task,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme } from '../machinery/gradient-scheme.js';

const schema = defineOptions({ ...gradientProperties('representation', 'sum') });

@component({
  kind: 'scheme',
  name: 'gradient_sum',
  summary: "The sum of the tasks' gradients, with the cosines between them recorded.",
  options: schema,
  file: import.meta.url,
})
export class GradientSum extends GradientScheme {
  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(trialTasks, options);
  }

  protected mix({ tasks }: TaskGradients): Combination {
    return { coefficients: tasks.map(() => 1) };
  }
}

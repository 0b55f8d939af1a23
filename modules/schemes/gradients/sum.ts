// The plain sum of the tasks' gradients, taken apart first. It trains like the loss weighting in front of it and
// shows how much the tasks' gradients agree.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
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
export class GradientSum extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix({ tasks }: TaskGradients): Combination {
    return { coefficients: tasks.map(() => 1) };
  }
}

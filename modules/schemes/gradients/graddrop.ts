// GradDrop: at every parameter one sign is drawn, with the probability that the tasks' gradients have for it by their
// sizes there, and gradients of the other sign are dropped.
//
// The paper drops gradients of a representation, whose signs it multiplies by those of the activations. Here, as in
// TorchJD and in Auto-Lambda's code, gradients of parameters are dropped.
import {
  component,
  defineOptions,
  options,
  tasks,
  type Combination,
  type OptionsOf,
  type StepInfo,
  type Task,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme, requireParameters } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  leak: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0,
    description: 'Share of a dropped gradient that stays.',
  },
  ...gradientProperties('all', 'sum'),
});

@component({
  kind: 'scheme',
  name: 'graddrop',
  summary: 'At every parameter, gradients of one sign that is drawn by their sizes.',
  source: 'Chen et al. 2020 (GradDrop), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class GradientSignDropout extends GradientScheme<OptionsOf<typeof schema>> {
  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
    requireParameters('graddrop drops gradients parameter by parameter', options.shared);
  }

  protected mix({ vectors }: TaskGradients, { random }: StepInfo): Combination {
    const combined = new Float32Array(vectors[0].length);
    const { leak } = this.options;
    for (let i = 0; i < combined.length; i++) {
      let up = 0;
      let down = 0;
      for (const vector of vectors) {
        if (vector[i] > 0) up += vector[i];
        else down -= vector[i];
      }
      // One number for every parameter, whatever the gradients are, so that streams stay in step.
      const drawn = random.uniform();
      const size = up + down;
      if (size > 0) combined[i] = up / size > drawn ? up - leak * down : leak * up - down;
    }
    return { coefficients: vectors.map(() => 1), combined };
  }
}

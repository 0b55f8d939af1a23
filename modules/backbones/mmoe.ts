// Multi-gate mixture of experts (Ma et al. 2018): a few encoders that all tasks share, and a gate for each task, which
// looks at the image and says how much of each encoder the task takes.
import {
  component,
  components,
  defineOptions,
  options,
  tasks,
  type Backbone,
  type ComponentFactory,
  type FeatureMap,
  type OptionsOf,
  type Scope,
  type Task,
  type TaskPyramids,
} from '../../registry/index.js';
import {
  encodeAll,
  expertCount,
  gateGrid,
  gateInput,
  mixPyramids,
  softmaxGate,
} from '../nn/expert-encoders.js';
import { byTask } from '../nn/levels.js';

const schema = defineOptions({
  encoder: { $ref: '#/definitions/backbone', description: 'What every expert is.' },
  experts: { ...expertCount, default: 3, description: 'Experts that all tasks share.' },
  gate_grid: gateGrid,
});

@component({
  kind: 'backbone',
  name: 'mmoe',
  summary: 'Encoders that all tasks share, mixed for each task by a gate of its own.',
  source: 'Ma et al. 2018 (MMoE); median-research-group/LibMTL LibMTL/architecture/MMoE.py',
  options: schema,
  file: import.meta.url,
})
export class Mmoe implements Backbone {
  readonly #encoder: Backbone;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    this.#encoder = factory.create('backbone', options.encoder);
  }

  forward(scope: Scope, image: FeatureMap): { tasks: TaskPyramids } {
    const { experts, gate_grid: grid } = this.options;
    const pyramids = encodeAll(this.#encoder, scope.at('experts'), image, experts, 'backbone mmoe');
    const seen = gateInput(image.data, grid);
    return {
      tasks: byTask(this.tasks, (name) =>
        mixPyramids(softmaxGate(scope.at(`gates.${name}`), seen, experts), pyramids),
      ),
    };
  }
}

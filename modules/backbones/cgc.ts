// Customized gate control (Tang et al. 2020, the single level of PLE): beside the encoders that all tasks share, each
// task has encoders of its own, and its gate mixes both.
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
  shared: { ...expertCount, default: 1, description: 'Experts that all tasks share.' },
  own: { ...expertCount, default: 1, description: 'Experts that each task has for itself.' },
  gate_grid: gateGrid,
});

@component({
  kind: 'backbone',
  name: 'cgc',
  summary: 'Shared encoders and encoders of each task, mixed for each task by a gate.',
  source: 'Tang et al. 2020 (PLE); median-research-group/LibMTL LibMTL/architecture/CGC.py',
  options: schema,
  file: import.meta.url,
})
export class Cgc implements Backbone {
  readonly #encoder: Backbone;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    this.#encoder = factory.create('backbone', options.encoder);
  }

  forward(scope: Scope, image: FeatureMap): { tasks: TaskPyramids } {
    const { shared, own, gate_grid: grid } = this.options;
    const encode = (name: string, count: number) =>
      encodeAll(this.#encoder, scope.at(name), image, count, 'backbone cgc');
    const general = encode('experts', shared);
    const seen = gateInput(image.data, grid);
    return {
      tasks: byTask(this.tasks, (name) => {
        const pyramids = [...general, ...encode(`own.${name}`, own)];
        return mixPyramids(softmaxGate(scope.at(`gates.${name}`), seen, pyramids.length), pyramids);
      }),
    };
  }
}

// Progressive layered extraction (Tang et al. 2020): shared encoders and encoders of each task that are mixed after
// every stage. What a task's gate makes of all experts' maps is what all of them get as this task's input of the next
// stage, and it is the task's map of that level.
//
// As LibMTL has it, and unlike the paper's figure, shared experts have no gate of their own: they go through each
// task's mixture once for each task, with the same weights. Their batch norms thus see one task after the other, so
// that running statistics are updated once for each task in a step.
import {
  component,
  components,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type Backbone,
  type ComponentFactory,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Stage,
  type Task,
  type TaskPyramids,
} from '../../registry/index.js';
import { expertCount, gateGrid, gateInput, mixMaps, softmaxGate } from '../nn/expert-encoders.js';
import { byTask } from '../nn/levels.js';
import { encoderOption, Experts } from './machinery/experts.js';

const schema = defineOptions({
  encoder: encoderOption,
  shared: { ...expertCount, default: 1, description: 'Experts that all tasks share.' },
  own: { ...expertCount, default: 1, description: 'Experts that each task has for itself.' },
  gate_grid: gateGrid,
});

@component({
  kind: 'backbone',
  name: 'ple',
  summary: 'Shared encoders and encoders of each task, mixed for each task after every stage.',
  source: 'Tang et al. 2020 (PLE); median-research-group/LibMTL LibMTL/architecture/PLE.py',
  options: schema,
  file: import.meta.url,
})
export class Ple extends Experts<OptionsOf<typeof schema>> implements Backbone {
  constructor(
    @options() given: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
    @tasks() all: readonly Task[],
  ) {
    super(given, factory, all);
    if (!this.encoder.stages)
      throw new MtcpError(
        'component',
        `backbone ple: "${given.encoder.type}" cannot stop between its stages, where experts are mixed`,
        { option: 'encoder', hint: 'resnet can' },
      );
  }

  forward(scope: Scope, image: FeatureMap): { tasks: TaskPyramids } {
    return { tasks: byTask(this.tasks, (name) => this.#extract(scope, name, image)) };
  }

  #extract(scope: Scope, name: string, image: FeatureMap): Pyramid {
    const { shared, own, gate_grid: grid } = this.options;
    const start = (at: Scope) => this.encoder.stages!(at, image);
    const experts = [
      ...Array.from({ length: shared }, (_, i) => start(scope.shared(`experts.${i}`))),
      ...Array.from({ length: own }, (_, i) => start(scope.at(`own.${name}.${i}`))),
    ];
    let mixed = image;
    let steps: IteratorResult<Stage, Pyramid>[] = experts.map((expert) => expert.next());
    while (!steps[0].done) {
      const stages = steps.map(({ value }) => value as Stage);
      const gate = softmaxGate(
        scope.at(`gates.${name}.${stages[0].name}`),
        gateInput(mixed.data, grid),
        experts.length,
      );
      const map = mixMaps(
        gate,
        stages.map((stage) => stage.map),
      );
      mixed = map;
      steps = experts.map((expert) => expert.next(map));
    }
    return steps[0].value as Pyramid;
  }
}

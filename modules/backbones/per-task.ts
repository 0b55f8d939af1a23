// A separate encoder for each task. After every stage the tasks' maps pass through a unit in which they may exchange
// features (Cross-Stitch, NDDR, sluice). Without a unit these are independent single-task encoders.
import {
  component,
  components,
  defineOptions,
  MtcpError,
  NO_TAPS,
  options,
  tasks,
  type Backbone,
  type Block,
  type ComponentFactory,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Stage,
  type Task,
  type TaskPyramids,
} from '../../registry/index.js';
import { didYouMean } from '../../registry/support/near.js';
import { sharedPyramid } from '../nn/expert-encoders.js';

const schema = defineOptions({
  encoder: { $ref: '#/definitions/backbone', description: 'The encoder that every task has its own of.' },
  unit: {
    anyOf: [{ $ref: '#/definitions/interaction' }, { type: 'null' }],
    default: null,
    description: 'What the maps of all tasks go through after a stage; null: nothing.',
  },
  after: {
    type: ['array', 'null'],
    items: { type: 'string' },
    default: null,
    description: 'Stages that a unit follows, such as layer1; null: every one.',
  },
});

@component({
  kind: 'backbone',
  name: 'per_task',
  summary: 'One encoder per task, with units between their stages.',
  source: 'Misra et al. 2016 and its successors: encoder-focused architectures',
  options: schema,
  encodes: { option: 'encoder' },
  file: import.meta.url,
})
export class PerTask implements Backbone {
  readonly #encoder: Backbone;
  readonly #unit: Block | null;
  readonly #after: readonly string[] | null;

  constructor(
    @options() { encoder, unit, after }: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    this.#encoder = factory.create('backbone', encoder);
    this.#unit = unit && factory.create('interaction', unit);
    this.#after = after;
    if (this.#unit && !this.#encoder.stages)
      throw new MtcpError(
        'component',
        `backbone per_task: "${encoder.type}" cannot stop between its stages, which a unit needs`,
        { hint: 'resnet can' },
      );
  }

  forward(scope: Scope, image: FeatureMap): { tasks: TaskPyramids } {
    if (!this.#unit)
      return {
        tasks: this.#each((name) => sharedPyramid(this.#encoder, scope.at(name), image, 'backbone per_task')),
      };
    const encoders = this.#each((name) => this.#encoder.stages!(scope.at(name), image));
    let steps = this.#each((name) => encoders[name].next());
    const seen: string[] = [];
    while (!this.#finished(steps)) {
      const stages = this.#each((name) => steps[name].value as Stage);
      const stage = stages[this.tasks[0].name].name;
      seen.push(stage);
      let maps = this.#each((name) => [stages[name].map] as Pyramid);
      if (this.#after === null || this.#after.includes(stage)) {
        const features = { image, shared: [], taps: NO_TAPS, stages: maps, tasks: maps };
        maps = this.#unit.forward(scope.at(`units.${stage}`), features).tasks as typeof maps;
      }
      steps = this.#each((name) => encoders[name].next(maps[name][0]));
    }
    const unknown = this.#after?.find((name) => !seen.includes(name));
    if (unknown !== undefined)
      throw new MtcpError('component', `backbone per_task: there is no stage "${unknown}"`, {
        hint: didYouMean(unknown, seen),
      });
    return { tasks: this.#each((name) => steps[name].value as Pyramid) };
  }

  #finished(steps: Record<string, IteratorResult<Stage, Pyramid>>): boolean {
    return steps[this.tasks[0].name].done === true;
  }

  #each<T>(f: (task: string) => T): Record<string, T> {
    return Object.fromEntries(this.tasks.map(({ name }) => [name, f(name)]));
  }
}

// The network of a trial: the chain of components that its `model` and `tasks` sections name.
//
//   backbone -> decoder -> fusion -> interaction -> refinement -> a head for each task
//
// A section set to null is left out and what came before goes on unchanged. The scopes, and with them the
// names of all parameters, are those of the sections: backbone.*, decoder.*, ..., heads.<task>.*
import type { Tensor4D } from '@tensorflow/tfjs';
import type { ComponentFactory } from '../../registry/container.js';
import type { Backbone, Block, Head } from '../../registry/contracts/blocks.js';
import type { FeatureMap, Features } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { ModelConfig, TaskConfig } from '../config/trial.js';

/** The sections between backbone and heads, in the order in which they run. */
export const BLOCK_SECTIONS = ['decoder', 'fusion', 'interaction', 'refinement'] as const;

export class Network {
  readonly #backbone: Backbone;
  readonly #blocks: { section: string; block: Block }[] = [];
  readonly #heads: { task: Task; head: Head }[];

  constructor(
    model: ModelConfig,
    heads: Record<string, Pick<TaskConfig, 'head'>>,
    readonly tasks: readonly Task[],
    components: ComponentFactory,
  ) {
    this.#backbone = components.create('backbone', model.backbone);
    for (const section of BLOCK_SECTIONS) {
      const slot = model[section];
      if (slot) this.#blocks.push({ section, block: components.create(section, slot) });
    }
    this.#heads = tasks.map((task) => ({ task, head: components.create('head', heads[task.name].head) }));
  }

  /**
   * @param image normalised, [batch, height, width, 3]
   * @returns each task's raw prediction, at the head's own resolution
   */
  forward(scope: Scope, image: Tensor4D): Record<string, Tensor4D> {
    const input: FeatureMap = { data: image, stride: 1 };
    const encoded = this.#backbone.forward(scope.at('backbone'), input);
    const shared = 'shared' in encoded ? encoded.shared : [];
    const pyramids =
      'tasks' in encoded ? encoded.tasks : Object.fromEntries(this.tasks.map(({ name }) => [name, shared]));
    let features: Features = { image: input, shared, stages: pyramids, tasks: pyramids };
    for (const { section, block } of this.#blocks) features = block.forward(scope.at(section), features);
    return Object.fromEntries(
      this.#heads.map(({ task, head }) => [
        task.name,
        head.forward(scope.at(`heads.${task.name}`), features.tasks[task.name], task),
      ]),
    );
  }
}

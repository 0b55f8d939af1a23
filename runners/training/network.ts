// The network of a trial: the chain of components that its `model` and `tasks` sections name.
//
//   backbone -> decoder -> fusion -> interaction -> refinement -> a head for each task
//
// A section set to null is left out and what came before goes on unchanged. The scopes, and with them the
// names of all parameters, are those of the sections: backbone.*, decoder.*, ..., heads.<task>.*
import type { Tensor4D } from '@tensorflow/tfjs';
import type { ComponentFactory } from '../../registry/container.js';
import type { Backbone, Block, Head } from '../../registry/contracts/blocks.js';
import type { FeatureMap, Features, Pyramid } from '../../registry/contracts/features.js';
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
   *
   * What each section made is exposed: backbone.shared.0 (or backbone.<task>.0) and on, decoder.<task>.0 and on,
   * fusion.<task>, interaction.<task>, refinement.<task>, prediction.<task>; blocks add what is inside them.
   */
  forward(scope: Scope, image: Tensor4D): Record<string, Tensor4D> {
    return this.decode(scope, this.encode(scope, image));
  }

  /** What the backbone makes of the image. */
  encode(scope: Scope, image: Tensor4D): Features {
    const input: FeatureMap = { data: image, stride: 1 };
    const encoded = this.#backbone.forward(scope.at('backbone'), input);
    const pyramids = 'shared' in encoded ? { shared: encoded.shared } : encoded.tasks;
    for (const [name, pyramid] of Object.entries(pyramids)) exposeLevels(scope, `backbone.${name}`, pyramid);
    if ('shared' in encoded) return this.sharing(input, encoded.shared, encoded.inner);
    return { image: input, shared: [], inner: [], stages: encoded.tasks, tasks: encoded.tasks };
  }

  /** Features in which every task starts from the same pyramid. */
  sharing(image: FeatureMap, shared: Pyramid, inner: Pyramid = []): Features {
    const pyramids = Object.fromEntries(this.tasks.map(({ name }) => [name, shared]));
    return { image, shared, inner, stages: pyramids, tasks: pyramids };
  }

  /** The rest of the network: blocks and heads. */
  decode(scope: Scope, encoded: Features): Record<string, Tensor4D> {
    let features = encoded;
    for (const { section, block } of this.#blocks) {
      features = block.forward(scope.at(section), features);
      for (const [task, pyramid] of Object.entries(features.tasks))
        if (pyramid.length === 1 && section !== 'decoder')
          scope.expose(`${section}.${task}`, () => pyramid[0].data);
        else exposeLevels(scope, `${section}.${task}`, pyramid);
    }
    return Object.fromEntries(
      this.#heads.map(({ task, head }) => {
        const raw = head.forward(scope.at(`heads.${task.name}`), features.tasks[task.name], task);
        scope.expose(`prediction.${task.name}`, () => raw);
        return [task.name, raw];
      }),
    );
  }
}

function exposeLevels(scope: Scope, name: string, pyramid: Pyramid): void {
  pyramid.forEach(({ data }, i) => scope.expose(`${name}.${i}`, () => data));
}

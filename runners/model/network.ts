// The network of a trial: the chain of components that its `model` and `tasks` sections name.
//
//   backbone -> decoder -> fusion -> interaction -> refinement -> a head for each task
//
// A section set to null is left out and what came before goes on unchanged. The scopes, and with them the
// names of all parameters, are those of the sections: backbone.*, decoder.*, ..., heads.<task>.*
import type { Tensor4D } from '../../registry/tf.js';
import type { ComponentFactory } from '../../registry/container.js';
import type { Backbone, Block, Encoded, Head, Layers } from '../../registry/contracts/blocks.js';
import { NO_TAPS, type FeatureMap, type Features, type Pyramid } from '../../registry/contracts/features.js';
import { NO_ADAPTATION, type Adaptation } from '../../registry/contracts/adaptation.js';
import { DEFAULT_MEMORY, type MemoryPolicy } from '../../registry/contracts/memory.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import type { ModelConfig, TaskConfig } from '../config/trial.js';
import { PartError } from './part-error.js';
import { requireEncoded, requireFeatures, requirePrediction } from './returned.js';

/** The sections between backbone and heads, in the order in which they run. */
export const BLOCK_SECTIONS = ['decoder', 'fusion', 'interaction', 'refinement'] as const;

export class Network {
  readonly #backbone: Backbone;
  readonly #blocks: { section: (typeof BLOCK_SECTIONS)[number]; block: Block }[] = [];
  readonly #heads: { task: Task; head: Head }[];

  constructor(
    private readonly model: ModelConfig,
    private readonly heads: Record<string, Pick<TaskConfig, 'head'>>,
    readonly tasks: readonly Task[],
    components: ComponentFactory,
    readonly memory: MemoryPolicy = DEFAULT_MEMORY,
    readonly adaptation: Adaptation = NO_ADAPTATION,
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
   *
   * @throws PartError if a part cannot work with what comes before it; an AggregateError of these for several heads
   */
  forward(scope: Scope, image: Tensor4D): Record<string, Tensor4D> {
    return this.decode(scope, this.encode(scope, image));
  }

  /** In which blocks the backbone's parameters lie; see `Backbone.layers`. */
  get layers(): Layers | undefined {
    return this.#backbone.layers;
  }

  #own(scope: Scope): Scope {
    return scope.withMemory(this.memory).withAdaptation(this.adaptation);
  }

  /** What the backbone makes of the image. */
  encode(scope: Scope, image: Tensor4D): Features {
    const input: FeatureMap = { data: image, stride: 1 };
    const encoded = this.#part(
      'backbone',
      `images of ${image.shape.slice(1).join('x')}`,
      () => this.#backbone.forward(this.#own(scope).at('backbone'), input),
      (who, built) => {
        requireEncoded(who, built, this.tasks);
        requireCurrent(built);
      },
    );
    const pyramids = 'shared' in encoded ? { shared: encoded.shared } : encoded.tasks;
    for (const [name, pyramid] of Object.entries(pyramids)) exposeLevels(scope, `backbone.${name}`, pyramid);
    const { taps = NO_TAPS } = encoded;
    if ('shared' in encoded) return this.sharing(input, encoded.shared, taps);
    const { tasks } = encoded;
    return { image: input, shared: [], taps, stages: tasks, tasks };
  }

  /** Features in which every task starts from the same pyramid. */
  sharing(image: FeatureMap, shared: Pyramid, taps = NO_TAPS): Features {
    const pyramids = Object.fromEntries(this.tasks.map(({ name }) => [name, shared]));
    return { image, shared, taps, stages: pyramids, tasks: pyramids };
  }

  /**
   * The rest of the network: blocks and heads.
   * @param done is called after each section
   */
  decode(
    root: Scope,
    encoded: Features,
    done: (section: string) => void = () => {},
  ): Record<string, Tensor4D> {
    const scope = this.#own(root);
    let features = encoded;
    for (const { section, block } of this.#blocks) {
      const before = features;
      features = this.#part(
        section,
        this.#describe(before),
        () => block.forward(scope.at(section), before),
        (who, built) => requireFeatures(who, built, this.tasks),
      );
      for (const [task, pyramid] of Object.entries(features.tasks))
        if (pyramid.length === 1 && section !== 'decoder')
          scope.expose(`${section}.${task}`, () => pyramid[0].data);
        else exposeLevels(scope, `${section}.${task}`, pyramid);
      done(section);
    }
    return this.#predict(scope, features);
  }

  #predict(scope: Scope, features: Features): Record<string, Tensor4D> {
    const predictions: Record<string, Tensor4D> = {};
    const errors: unknown[] = [];
    for (const { task, head } of this.#heads) {
      const { name } = task;
      const who = `head "${this.heads[name].head.type}"`;
      try {
        const raw = PartError.wrap(
          ['tasks', name, 'head'],
          `${who} cannot be built on what comes before it`,
          maps(features.tasks[name]),
          () => head.forward(scope.at(`heads.${name}`), features.tasks[name], task),
          (built) => requirePrediction(who, built),
        );
        scope.expose(`prediction.${name}`, () => raw);
        predictions[name] = raw;
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, (errors[0] as Error).message);
    return predictions;
  }

  #part<T>(
    section: keyof ModelConfig,
    given: string,
    build: () => T,
    check: (who: string, built: T) => void,
  ): T {
    const who = `${section} "${this.model[section]?.type}"`;
    const what = `${who} cannot be built on what comes before it`;
    return PartError.wrap(['model', section], what, given, build, (built) => check(who, built));
  }

  /** Shapes that the tasks share are named once. */
  #describe({ tasks }: Features): string {
    const byShape = new Map<string, string[]>();
    for (const { name } of this.tasks) {
      const text = maps(tasks[name]);
      byShape.set(text, [...(byShape.get(text) ?? []), name]);
    }
    return [...byShape].map(([text, names]) => `${names.join(', ')}: ${text}`).join('; ');
  }
}

function exposeLevels(scope: Scope, name: string, pyramid: Pyramid): void {
  pyramid.forEach(({ data }, i) => scope.expose(`${name}.${i}`, () => data));
}

const maps = (pyramid: Pyramid | undefined): string =>
  pyramid === undefined || pyramid.length === 0
    ? 'no map'
    : pyramid.map(({ data, stride }) => `${data.shape.slice(1).join('x')} at stride ${stride}`).join(', ');

/** @throws MtcpError if a backbone returns what is now among `taps`, where it would be lost in silence */
function requireCurrent(encoded: Encoded): void {
  const former = ['inner', 'relations'].find((name) => name in encoded);
  if (former === undefined) return;
  throw new MtcpError('component', `the backbone returns "${former}", which nothing reads any more`, {
    hint: `return \`taps: new Map([['${former}', ...]])\``,
  });
}

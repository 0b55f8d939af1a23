// The parts of a network. All are stateless: options come by injection, parameters from the scope.
import type { Tensor4D } from '../tf.js';
import type { FeatureMap, Features, Pyramid, TaskPyramids, Taps } from './features.js';
import type { Scope } from './scope.js';
import type { Task } from './tasks.js';

/** What a backbone makes of an image: one pyramid for all tasks or one for each, and what else it shows. */
export type Encoded = ({ shared: Pyramid } | { tasks: TaskPyramids }) & { taps?: Taps };

/** The map after a stage of an encoder. */
export interface Stage {
  name: string;
  map: FeatureMap;
}

/** The blocks of a backbone in the names of its parameters. */
export interface Layers {
  /**
   * What it finds in a name is the block's own name, such as `blocks.3.` in `blocks.3.norm1.weight`. Parameters without one
   * belong to the next block.
   */
  readonly block: RegExp;
  /** Parameters that count as coming after the last block, such as norms of single maps, which no checkpoint has. */
  readonly after?: RegExp;
}

export interface Backbone {
  /** Which parameters belong to which block: for learning rates that fall from block to block. */
  readonly layers?: Layers;

  /** The shared pyramid, or one pyramid per task where each task has an encoder of its own. */
  forward(scope: Scope, image: FeatureMap): Encoded;

  /**
   * The same, stopping after every stage: yields the stage's map and goes on with the map it is handed. What
   * lets several encoders run in step and exchange features in between.
   */
  stages?(scope: Scope, image: FeatureMap): Generator<Stage, Pyramid, FeatureMap>;
}

/** decoder, fusion, interaction and refinement: see features.ts for what each kind is meant to change. */
export interface Block {
  forward(scope: Scope, features: Features): Features;
}

export interface Head {
  /**
   * @param pyramid the task's features, fine to coarse
   * @returns raw prediction [batch, h, w, task.channels] at any resolution; the runner resizes it
   */
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D;
}

// The parts of a network. All are stateless: options come by injection, parameters from the scope.
import type { Tensor4D } from '@tensorflow/tfjs';
import type { FeatureMap, Features, Pyramid, TaskPyramids } from './features.js';
import type { Scope } from './scope.js';
import type { Task } from './tasks.js';

export interface Backbone {
  /** The shared pyramid, or one pyramid per task where each task has an encoder of its own. */
  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } | { tasks: TaskPyramids };
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

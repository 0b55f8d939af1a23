// Backbones that are mixtures of encoders of one kind, with a gate for each task.
import type { Tensor2D } from '../../../registry/tf.js';
import {
  components,
  options,
  tasks,
  type Backbone,
  type ComponentFactory,
  type FeatureMap,
  type Scope,
  type Slot,
  type Task,
  type TaskPyramids,
} from '../../../registry/index.js';
import { encodeAll, gateInput, mixPyramids, softmaxGate } from '../../nn/expert-encoders.js';
import { byTask } from '../../nn/levels.js';

/** The option that all of them have. */
export const encoderOption = {
  $ref: '#/definitions/backbone',
  description: 'What every expert is.',
} as const;

interface ExpertOptions {
  encoder: Slot;
  gate_grid: number | null;
}

/** A class that extends it needs no constructor. */
export abstract class Experts<O extends ExpertOptions> {
  /** What all experts are; each has parameters of its own. */
  protected readonly encoder: Backbone;

  constructor(
    @options() protected readonly options: O,
    @components() factory: ComponentFactory,
    @tasks() protected readonly tasks: readonly Task[],
  ) {
    this.encoder = factory.create('backbone', options.encoder);
  }
}

/** Experts that see the image alone, so that whole pyramids are mixed. */
export abstract class Mixture<O extends ExpertOptions> extends Experts<O> implements Backbone {
  /** In error messages. */
  protected abstract readonly who: string;
  /** How many experts all tasks share, and how many each task has for itself. */
  protected abstract counts(): { shared: number; own: number };

  /**
   * @param seen what the gate sees of the image, [batch, numbers]
   * @returns the share of each expert, those of the task last; [batch, experts]
   */
  protected gate(scope: Scope, seen: Tensor2D, experts: number): Tensor2D {
    return softmaxGate(scope, seen, experts);
  }

  forward(scope: Scope, image: FeatureMap): { tasks: TaskPyramids } {
    const { shared, own } = this.counts();
    const encode = (name: string, count: number) =>
      encodeAll(this.encoder, scope.at(name), image, count, this.who);
    const general = encode('experts', shared);
    const seen = gateInput(image.data, this.options.gate_grid);
    return {
      tasks: byTask(this.tasks, (name) => {
        const pyramids = own === 0 ? general : [...general, ...encode(`own.${name}`, own)];
        return mixPyramids(this.gate(scope.at(`gates.${name}`), seen, pyramids.length), pyramids);
      }),
    };
  }
}

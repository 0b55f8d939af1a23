// An update that loads each number of weights, gradients and state once, on all threads.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { Engine, VectorProgram } from '../../engine/engine.js';
import { Arena } from './arena.js';
import type { TrainedParameters } from '../../model/groups.js';
import { GroupedLayout } from './layout.js';
import {
  scalarNames,
  scalarsOf,
  slotName,
  traceUpdate,
  vectorNames,
  type Update,
  type UpdateVectors,
} from './update.js';

export class OnePassUpdate implements Update {
  readonly isProgram = false;
  readonly vectors: UpdateVectors;

  private constructor(
    readonly program: VectorProgram,
    readonly optimizer: Optimizer,
    readonly layout: GroupedLayout,
  ) {
    const arena = (name: string) => new Arena(layout, program.vectors.get(name));
    this.vectors = {
      parameter: arena('parameter'),
      gradient: arena('gradient'),
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, arena(slotName(slot))])),
    };
  }

  /** @returns undefined if the engine has no such pass for this optimizer */
  static async compile(
    engine: Engine,
    optimizer: Optimizer,
    trained: TrainedParameters,
    clipped: boolean,
  ): Promise<OnePassUpdate | undefined> {
    const layout = new GroupedLayout(trained, optimizer);
    const { length, starts } = layout;
    const program = await engine.compileVectors?.(
      'update',
      (tracer) => traceUpdate(tracer, optimizer, length, clipped),
      {
        length,
        vectors: vectorNames(optimizer),
        scalars: scalarNames(optimizer, clipped),
        parts: starts,
      },
    );
    return program && new OnePassUpdate(program, optimizer, layout);
  }

  get stats() {
    return this.program.stats;
  }

  async run(step: number, rate: number, clip: number | null): Promise<number | undefined> {
    const norm = clip === null ? undefined : Math.sqrt(this.program.sumOfSquares('gradient'));
    this.program.run(
      this.layout.groups.map((group) => scalarsOf(this.optimizer, group, { step, rate, clip, norm })),
    );
    return norm;
  }

  close(): void {
    this.program.close();
  }
}

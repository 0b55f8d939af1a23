// An update as a program of the engine, which updates one block of the vectors at a time.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import { hostTensor, type Engine, type Program } from '../../engine/engine.js';
import { sizeOf } from '../../engine/graph/ir.js';
import type { Binding, HostTensor } from '../../engine/ort/session.js';
import { Arena } from './arena.js';
import type { TrainedParameters } from '../../model/groups.js';
import { GroupedLayout } from './layout.js';
import { scalarsOf, slotName, traceUpdate, type Update, type UpdateVectors } from './update.js';

/** Numbers in a block: few enough for the operators' intermediates to stay in cache. */
const BLOCK = 1 << 16;
const NEW = 'new/';

export class PiecewiseUpdate implements Update {
  readonly isProgram = true;
  readonly vectors: UpdateVectors;
  /** One for each block. */
  readonly #runs: Binding[];
  /** The optimizer's numbers for each parameter group, by input. */
  readonly #scalars: readonly Map<string, HostTensor>[];

  private constructor(
    readonly program: Program,
    readonly optimizer: Optimizer,
    readonly layout: GroupedLayout,
    block: number,
  ) {
    const arena = () => new Arena(layout);
    this.vectors = {
      parameter: arena(),
      gradient: arena(),
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, arena()])),
    };
    const { parameter, gradient, slots } = this.vectors;
    const sources = new Map([
      ['parameter', parameter],
      ['gradient', gradient],
      ...Object.entries(slots).map(([slot, own]) => [slotName(slot), own] as const),
    ]);
    this.#scalars = layout.groups.map(() => new Map<string, HostTensor>());
    const starts = layout.starts.map((start) => start / block);
    this.#runs = Array.from({ length: layout.length / block }, (_, i) => {
      const scalars = this.#scalars[starts.findLastIndex((start) => start <= i)];
      return program.bind((name, spec) => {
        const source = sources.get(name.startsWith(NEW) ? name.slice(NEW.length) : name);
        if (source) return { ...spec, data: source.data.subarray(i * block, (i + 1) * block) };
        let scalar = scalars.get(name);
        if (!scalar) scalars.set(name, (scalar = hostTensor(spec)));
        return scalar;
      });
    });
  }

  static async compile(
    engine: Engine,
    optimizer: Optimizer,
    trained: TrainedParameters,
    clipped: boolean,
  ): Promise<PiecewiseUpdate> {
    const total = [...trained.shapes.values()].reduce((sum, shape) => sum + sizeOf(shape) + 15, 0);
    const block = total <= BLOCK ? Math.ceil(total / 16) * 16 : BLOCK;
    const layout = new GroupedLayout(trained, optimizer, block);
    const program = await engine.compile('update', (tracer) =>
      Object.fromEntries(
        Object.entries(traceUpdate(tracer, optimizer, block, clipped)).map(([name, tensor]) => [
          NEW + name,
          tensor,
        ]),
      ),
    );
    return new PiecewiseUpdate(program, optimizer, layout, block);
  }

  get stats() {
    return this.program.stats;
  }

  async run(step: number, rate: number, clip: number | null): Promise<number | undefined> {
    const norm = clip === null ? undefined : normOf(this.vectors.gradient.data);
    for (const [i, group] of this.layout.groups.entries()) {
      const scalars = scalarsOf(this.optimizer, group, { step, rate, clip, norm });
      for (const [name, { data }] of this.#scalars[i]) data[0] = scalars[name];
    }
    await this.#runAll();
    return norm;
  }

  /** Blocks are independent, so several run at a time. */
  async #runAll(): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < this.#runs.length) await this.#runs[next++].run();
    };
    await Promise.all(Array.from({ length: this.program.lanes }, lane));
  }

  close(): void {
    for (const run of this.#runs) run.close();
    this.program.close();
  }
}

function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

// What mtcp's process times: a part of a network, or a whole network (network-subject.ts), in steps that read and
// write the same arrays every time.
import * as tf from '../registry/tf.js';
import '../modules/index.js';
import { inputName, ParameterTable, Pass } from '../modules/nn/scope.js';
import { createTrialContainer } from '../registry/container.js';
import { hostTensor, type Engine, type Program } from '../runners/engine/engine.js';
import type { Binding, HostTensor } from '../runners/engine/ort/session.js';
import type { Arena } from '../runners/training/step/arena.js';
import { compileUpdate } from '../runners/training/step/compile-update.js';
import type { Update } from '../runners/training/step/update.js';
import { checksumsOf, type Checksum } from './checksum.js';
import { draw, drawMap, type Drawn } from './draw.js';
import { graphSize, type GraphSize } from './graph-size.js';
import { EvaluationSubject, TrainingSubject } from './network-subject.js';
import { PIECES, type Sizes } from './pieces.js';

export interface Subject {
  step(): Promise<void>;
  /** Results of the latest step, by the peer's names. */
  checksums(): Record<string, Checksum> | Promise<Record<string, Checksum>>;
  /** Arithmetic of a step: products and convolutions, in floating-point operations. */
  readonly flops: number;
  /** The graph that computes a step, before the update of the weights. */
  readonly graph?: GraphSize;
  /** What a step has to read and write in memory, in bytes, where that limits it. */
  readonly traffic?: number;
  /** What a step takes on a device, if that is known. */
  readonly deviceBytes?: number;
}

export interface Setup {
  piece: string;
  sizes: Record<string, unknown>;
  drawn: Record<string, Drawn>;
}

const RATE = 5e-5;
const DECAY = 1e-4;

export function createSubject(engine: Engine, setup: Setup): Promise<Subject> {
  if (setup.piece === 'training_step' || setup.piece === 'system_step')
    return TrainingSubject.create(engine, setup);
  if (setup.piece === 'evaluation') return EvaluationSubject.create(engine, setup);
  return PieceSubject.create(engine, setup);
}

/** Tensors by the part of their name that follows the piece's prefix. */
function ownNames({ piece, drawn }: Setup): Map<string, Drawn> {
  const prefix = `${piece}/`;
  return new Map(Object.entries(drawn).map(([name, how]) => [name.slice(prefix.length), how]));
}

class PieceSubject implements Subject {
  readonly flops: number;
  readonly traffic?: number;

  private constructor(
    readonly gradient: { program: Program; binding: Binding } | undefined,
    readonly update: AdamW | undefined,
    readonly results: ReadonlyMap<string, HostTensor>,
  ) {
    this.flops = gradient?.program.stats.flops ?? 0;
    if (!gradient && update) this.traffic = update.traffic;
  }

  static async create(engine: Engine, setup: Setup): Promise<PieceSubject> {
    const { piece, sizes } = setup;
    const own = ownNames(setup);
    if (piece === 'adamw') {
      const names = [...own.keys()].filter((name) => !name.startsWith('gradient.'));
      const update = await AdamW.create(engine, new Map(names.map((name) => [name, own.get(name)!.shape])));
      for (const name of names) {
        update.parameters.views.get(name)!.data.set(draw(`adamw/${name}`, own.get(name)!));
        const gradient = `gradient.${name}`;
        update.gradients.views.get(name)!.data.set(draw(`adamw/${gradient}`, own.get(gradient)!));
      }
      return new PieceSubject(undefined, update, update.results());
    }

    const table = new ParameterTable();
    const inputs = [...own.keys()].filter((name) =>
      ['input', 'position', 'query', 'key', 'values', 'label'].includes(name),
    );
    const program = await engine.compile(piece, (tracer) => {
      const given = Object.fromEntries(
        inputs.map((name) => {
          const { shape } = drawMap(`${piece}/${name}`, own.get(name)!);
          const isLabel = name === 'label';
          return [
            name,
            tracer.input(name, isLabel ? 'int32' : 'float32', isLabel ? shape.slice(0, 3) : shape),
          ];
        }),
      );
      const outputs: tf.NamedTensorMap = {};
      const forward = () => {
        const pass = new Pass(table, tracer, true);
        const output = PIECES[piece](pass.root, given, sizes as Sizes);
        for (const [name, { observed }] of pass.averages) outputs[`observed.${name}`] = tf.keep(observed);
        tracer.label('');
        return (outputs.output = tf.keep(output));
      };
      tf.tidy(() => void forward());
      const wanted = new Map([
        ...inputs.filter((name) => name !== 'label').map((name) => [name, given[name]] as const),
        ...[...table.parameters].map(
          ([name, { shape }]) => [name, tracer.input(inputName.parameter(name), 'float32', shape)] as const,
        ),
      ]);
      const upstream = own.has('upstream')
        ? tracer.input('upstream', 'float32', drawMap(`${piece}/upstream`, own.get('upstream')!).shape)
        : undefined;
      const { grads } = tf.engine().gradients(forward, [...wanted.values()], upstream, true);
      [...wanted.keys()].forEach((name, i) => (outputs[`gradient.${name}`] = grads[i]));
      return outputs;
    });

    const shapes = new Map([...table.parameters].map(([name, { shape }]) => [name, shape]));
    const update = shapes.size > 0 ? await AdamW.create(engine, shapes) : undefined;
    const results = new Map<string, HostTensor>();
    const binding = program.bind((name, spec) => {
      const [, parameter] = name.match(/^parameter\/(.*)$/) ?? name.match(/^gradient\.(.*)$/) ?? [];
      const arena = name.startsWith('gradient.') ? update?.gradients : update?.parameters;
      const tensor = arena?.views.get(parameter ?? '') ?? hostTensor(spec);
      if (!program.inputs.has(name)) results.set(name, tensor);
      else if (parameter !== undefined) tensor.data.set(draw(`${piece}/${parameter}`, own.get(parameter)!));
      else tensor.data.set(inputData(piece, name, own.get(name)!, sizes as Sizes));
      return tensor;
    });
    for (const [name, tensor] of update?.results() ?? []) results.set(name, tensor);
    return new PieceSubject({ program, binding }, update, results);
  }

  get graph(): GraphSize | undefined {
    return this.gradient && graphSize(this.gradient.program);
  }

  async step(): Promise<void> {
    await this.gradient?.binding.run();
    await this.update?.step();
  }

  checksums(): Record<string, Checksum> {
    return checksumsOf(this.results);
  }
}

function inputData(piece: string, name: string, drawn: Drawn, { classes }: Sizes): ArrayLike<number> {
  const { data } = drawMap(`${piece}/${name}`, drawn);
  if (name !== 'label') return data;
  // As in python/pieces.py: labels of `classes` and above are unknown.
  const labels = Int32Array.from(data, (u) => Math.floor(Math.fround(u * Math.fround(classes * 1.05))));
  return labels.map((label) => (label < classes ? label : 255));
}

/** The update of a piece's parameters, as a trial does it. */
class AdamW {
  #steps = 0;

  private constructor(readonly update: Update) {}

  static async create(engine: Engine, shapes: ReadonlyMap<string, readonly number[]>): Promise<AdamW> {
    const options = { type: 'adamw', rate: RATE, weight_decay: DECAY };
    const optimizer = createTrialContainer([]).create('optimizer', options);
    return new AdamW(await compileUpdate(engine, optimizer, { shapes, names: [...shapes.keys()] }, false));
  }

  get parameters(): Arena {
    return this.update.vectors.parameter;
  }

  get gradients(): Arena {
    return this.update.vectors.gradient;
  }

  /** Every vector is read, and all but the gradient are written. */
  get traffic(): number {
    const { parameter, slots } = this.update.vectors;
    return 4 * parameter.layout.length * (2 + Object.keys(slots).length + 1 + Object.keys(slots).length);
  }

  results(): Map<string, HostTensor> {
    return new Map([...this.parameters.views].map(([name, view]) => [`parameter.${name}`, view]));
  }

  async step(): Promise<void> {
    await this.update.run(++this.#steps, RATE, null);
  }
}

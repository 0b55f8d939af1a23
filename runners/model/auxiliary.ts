// The terms that a trial lists under `auxiliary`, and their teachers.
//
// A teacher is another row's trained network. It is a separate program that runs before the training step, on the
// same images and in evaluation mode. Its outputs are inputs of the training step: they have no gradient, and the
// step's graph stays small.
import * as tf from '../../registry/tf.js';
import { inputName, ParameterTable, Pass, type TensorSource } from '../../modules/nn/scope.js';
import type { AuxiliaryContext, AuxiliaryLoss } from '../../registry/contracts/auxiliary.js';
import type { ComponentFactory } from '../../registry/container.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import type { TrialSpec } from '../config/index.js';
import { hostTensor, type Engine, type Program, type TensorSpec, type Tracer } from '../engine/engine.js';
import type { Shape } from '../engine/graph/ir.js';
import type { HostTensor } from '../engine/ort/session.js';
import { record } from '../engine/recording.js';
import { requireFit, fitModel, shapesOf } from '../store/weights/fit.js';
import type { WeightsSource } from '../support/weights-source.js';
import { matches } from '../support/pattern.js';
import type { Network } from './network.js';
import { PartError } from './part-error.js';
import { requireScalar } from './returned.js';
import { isBatchedBy, type StepShape } from './step-shape.js';

export interface AuxiliaryTerm {
  name: string;
  loss: AuxiliaryLoss;
  weight: number;
  teacher?: Teacher;
}

/** A feature of a teacher, as the step reads it. */
const taughtName = (row: string, feature: string): string => `teacher/${row}/${feature}`;

/** One for each row that teaches; several terms may ask it. */
export class Teacher {
  /** What the teacher shows, at the size of the step; see `measure`. */
  #shapes: ReadonlyMap<string, Shape> | undefined;
  readonly patterns = new Set<string>();
  readonly #arrays = new Map<string, HostTensor>();

  constructor(
    readonly row: string,
    readonly network: Network,
  ) {}

  /** Finds out what the features are that it shows. Before any step that asks it is recorded. */
  async measure(shape: StepShape): Promise<void> {
    const { outputs } = await record((tracer) => this.trace(tracer, shape));
    const prefix = taughtName(this.row, '');
    this.#shapes = new Map(
      [...outputs].map(([name, { shape }]) => [name.slice(prefix.length), shape] as const),
    );
  }

  /** `image` to the features that are asked for. */
  trace(tracer: Tracer, { batch, size }: StepShape): tf.NamedTensorMap {
    const pass = new Pass(new ParameterTable(), tracer, false);
    const image = tracer.input('image', 'float32', [batch, ...size, 3]) as tf.Tensor4D;
    this.network.forward(pass.root, image);
    const shown = [...pass.features].filter(([name]) =>
      [...this.patterns].some((pattern) => matches(pattern, name)),
    );
    return Object.fromEntries(shown.map(([name, feature]) => [taughtName(this.row, name), feature()]));
  }

  /** The feature as an input of the step. */
  feature(source: TensorSource, name: string): tf.Tensor4D {
    const shape = this.#shapes?.get(name);
    if (!shape)
      throw new MtcpError('component', `the teacher "${this.row}" has no feature "${name}"`, {
        hint: didYouMean(name, this.#shapes?.keys() ?? []),
      });
    return source.input(taughtName(this.row, name), 'float32', shape) as tf.Tensor4D;
  }

  /** The array behind an input of its program that is its own: weights; undefined for the image. */
  tensor(name: string, spec: TensorSpec): HostTensor | undefined {
    const kind = [inputName.parameter(''), inputName.buffer('')].find((prefix) => name.startsWith(prefix));
    if (kind === undefined) return undefined;
    const own = name.slice(kind.length);
    let array = this.#arrays.get(own);
    if (!array) this.#arrays.set(own, (array = hostTensor(spec)));
    return array;
  }

  /** Its weights, once a program of it is bound. */
  get tensors(): HostTensor[] {
    return [...this.#arrays.values()];
  }

  /** @throws MtcpError `weights` if the file is not of this network */
  load(source: WeightsSource): void {
    const wanted = new Map([...this.#arrays].map(([name, { shape }]) => [name, shape]));
    const fit = fitModel(shapesOf(source.tensors), wanted, undefined);
    // What only its training needed, such as heads of intermediate predictions, stays in the file.
    requireFit({ ...fit, unexpected: [] }, source.path);
    for (const [name, stored] of fit.taken)
      source.readInto(stored, this.#arrays.get(name)!.data as Float32Array);
  }
}

/** The terms of a trial; `networkOf` makes the network of a row that teaches. */
export function auxiliaryOf(
  trial: TrialSpec,
  components: ComponentFactory,
  networkOf: (source: TrialSpec) => Network,
): AuxiliaryTerm[] {
  const teachers = new Map<string, Teacher>();
  return Object.entries(trial.config.auxiliary).map(([name, { loss: slot, weight, teacher: row }]) => {
    const loss = components.create('auxiliary', slot);
    const path = ['auxiliary', name, 'teacher'];
    const fail = (message: string, hint: string) =>
      new PartError(row === null ? ['auxiliary', name] : path, message, { hint });
    if (row === null) {
      if (loss.taught) throw fail(`"${slot.type}" needs a teacher`, 'name a row: `teacher: ROW`');
      return { name, loss, weight };
    }
    if (!loss.taught) throw fail(`"${slot.type}" has no use for a teacher`, 'leave `teacher` out');
    let teacher = teachers.get(row);
    if (!teacher) teachers.set(row, (teacher = new Teacher(row, networkOf(trial.sources[path.join('.')]))));
    loss.taught.forEach((pattern) => teacher.patterns.add(pattern));
    return { name, loss, weight, teacher };
  });
}

export const teachersOf = (terms: readonly AuxiliaryTerm[] = []): Teacher[] => [
  ...new Set(terms.flatMap(({ teacher }) => teacher ?? [])),
];

/** Has every teacher find out what it shows to such a step. */
export async function measureTeachers(
  terms: readonly AuxiliaryTerm[] | undefined,
  shape: StepShape,
): Promise<void> {
  for (const teacher of teachersOf(terms)) await teacher.measure(shape);
}

export interface CompiledTeacher {
  teacher: Teacher;
  program: Program;
}

export async function compileTeachers(
  engine: Engine,
  auxiliary: readonly AuxiliaryTerm[] | undefined,
  shape: StepShape,
): Promise<CompiledTeacher[]> {
  await measureTeachers(auxiliary, shape);
  const compiled: CompiledTeacher[] = [];
  for (const teacher of teachersOf(auxiliary)) {
    const program = await engine.compile('teacher', (tracer) => teacher.trace(tracer, shape), {
      isBatched: isBatchedBy(shape.batch),
    });
    compiled.push({ teacher, program });
  }
  return compiled;
}

/** The term's value for the pass, as a penalty called `auxiliary.<name>`. */
export function auxiliaryPenalty(
  { name, loss, weight, teacher }: AuxiliaryTerm,
  pass: Pass,
  context: Pick<AuxiliaryContext, 'tasks' | 'size' | 'label' | 'loss'>,
): { name: string; value: tf.Scalar; weight: number } {
  const named = <T>(what: string, names: Iterable<string>, pattern: string, get: (name: string) => T) => {
    const all = [...names];
    const fitting = all.filter((each) => matches(pattern, each));
    if (fitting.length === 0)
      throw new MtcpError('component', `there is no ${what} "${pattern}"`, {
        hint: didYouMean(pattern, all),
      });
    return new Map(fitting.map((each) => [each, get(each)]));
  };
  const place = ['auxiliary', name, 'loss'];
  const value = PartError.wrap(
    place,
    `the auxiliary loss "${name}" cannot be taken`,
    '',
    () =>
      loss.forward({
        ...context,
        scope: pass.root.at(`auxiliary.${name}`),
        features: (pattern) =>
          named('feature', pass.features.keys(), pattern, (each) => pass.features.get(each)!()),
        parameters: (pattern) =>
          named('parameter', pass.used, pattern, (each) => {
            const { shape, init } = pass.table.parameters.get(each)!;
            return pass.parameter(each, shape, init, true);
          }),
        teacher(feature) {
          if (!teacher) throw new MtcpError('component', 'there is no teacher');
          return teacher.feature(pass.source, feature);
        },
      }),
    (built) => requireScalar(`the auxiliary loss "${name}"`, built),
  );
  return { name: `auxiliary.${name}`, value, weight };
}

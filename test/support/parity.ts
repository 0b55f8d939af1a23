// One training step of a row on two engines: losses, and gradients measured by the distance that float32 itself has.
//
// That distance is what becomes of the gradients when every weight and every pixel moves by one unit in its last place:
// rounding inside a step does at least as much. An engine that computes the same function stays within a few times of
// it, parameter by parameter; a wrong gradient is off by thousands of times.
import { randomStream } from '../../registry/random.js';
import { batchOf } from '../../runners/app/doctor/trial-steps.js';
import type { TrialSpec } from '../../runners/config/index.js';
import type { Engine } from '../../runners/engine/engine.js';
import type { Binding, Session } from '../../runners/engine/ort/session.js';
import type { Runtime, Translated } from '../../runners/engine/runtime.js';
import { assembled } from '../../runners/model/assemble.js';
import { TrainingStep } from '../../runners/training/step/step.js';

export interface FirstStep {
  /** The objective, then each task's loss. */
  losses: number[];
  /** The same on another batch, after the update. */
  after: number[];
  gradients: ReadonlyMap<string, Float32Array>;
}

/** Records a row's programs; weights are those of seed 0, not what the row starts from. */
export function openStep(trial: TrialSpec, engine: Engine): Promise<TrainingStep> {
  const { network, criterion, optimizer, transform } = assembled(trial);
  const options = { batch: trial.config.train.batch, size: transform.size, clip: 1 };
  return TrainingStep.compile(engine, network, criterion, optimizer, options);
}

/** @param moved moves weights and pixels by a unit in the last place, each time in another way */
export async function firstStep(trial: TrialSpec, step: TrainingStep, moved?: string): Promise<FirstStep> {
  const { tasks, transform } = assembled(trial);
  const batch = (index: number) => batchOf(tasks, trial.config.train.batch, transform.size, index);
  step.weights.initialize(0);
  const first = batch(1);
  if (moved !== undefined) {
    for (const name of step.weights.trained.views.keys())
      move(step.weights.parameter(name).data as Float32Array, `${moved}/${name}`);
    move(first.image, moved);
  }
  const lossesOf = async (index: number, of = batch(index)) => {
    const { total, raw } = await step.gradientsOf(of, (name) => randomStream('noise', index, name));
    return [total, ...Object.values(raw)];
  };
  const losses = await lossesOf(1, first);
  await step.pullGradients();
  const gradients = new Map(
    [...step.gradients.views].map(([name, { data }]) => [name, Float32Array.from(data)]),
  );
  await step.apply(1, 1e-3);
  return { losses, gradients, after: await lossesOf(2) };
}

/** Adds -1, 0 or 1 to the last place of each number that is not 0. */
function move(data: Float32Array, name: string): void {
  const random = randomStream('moved', name);
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < data.length; i++) {
    const by = random.integer(3) - 1;
    if (data[i] !== 0) bits[i] += by;
  }
}

/** The largest difference of losses, relative to the loss. */
export const lossDistance = (actual: readonly number[], expected: readonly number[]): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]) / Math.max(Math.abs(x), 1e-6)));

export interface GradientDistance {
  /** Of the whole gradient, relative to its length. */
  whole: number;
  /** The same of float32. */
  own: number;
  /** The parameter that is the furthest off, and how many times further than float32 itself. */
  worst: { name: string; times: number };
}

/** @param moved gradients of weights and pixels that were moved */
export function gradientDistance(
  actual: FirstStep['gradients'],
  expected: FirstStep['gradients'],
  moved: readonly FirstStep['gradients'][],
): GradientDistance {
  const sums = { actual: 0, own: 0, length: 0 };
  // A gradient that is 0 because its terms cancel is, on another engine, their rounding.
  const cancelled = 2 ** -24 * Math.hypot(...[...expected.values()].map((gradient) => distance(gradient)));
  let worst = { name: '', times: 0 };
  for (const [name, gradient] of expected) {
    const length = distance(gradient);
    const off = distance(gradient, actual.get(name)!);
    const own = Math.max(...moved.map((each) => distance(gradient, each.get(name)!)));
    // Numbers may happen to round in the same way; they are no more exact than float32 for that.
    const floor = length === 0 ? cancelled : length * 2 ** -22;
    const times = off / Math.max(own, floor, Number.MIN_VALUE);
    if (!(times <= worst.times)) worst = { name, times };
    sums.actual += off ** 2;
    sums.own += own ** 2;
    sums.length += length ** 2;
  }
  const relative = (sum: number) => Math.sqrt(sum / sums.length);
  return { whole: relative(sums.actual), own: relative(sums.own), worst };
}

function distance(a: Float32Array, b?: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - (b ? b[i] : 0)) ** 2;
  return Math.sqrt(sum);
}

/** The runtime with programs that are compiled when they first run, and a list of what they are. */
export function whenRun(runtime: Runtime): { runtime: Runtime; programs: string[] } {
  const programs: string[] = [];
  const translate: Runtime['translate'] = (...args) => {
    const translated = runtime.translate(...args);
    programs.push(translated.key);
    return { ...translated, create: () => Promise.resolve(sessionWhenRun(translated)) };
  };
  return { runtime: { ...runtime, translate }, programs };
}

function sessionWhenRun({ create }: Translated): Session {
  let made: Promise<Session> | undefined;
  return {
    bind(inputs, outputs) {
      let binding: Binding | undefined;
      return {
        async run() {
          binding ??= (await (made ??= create())).bind(inputs, outputs);
          await binding.run();
        },
        close: () => binding?.close(),
      };
    },
    close: () => void made?.then((session) => session.close()),
  };
}

// What processes that share a trial say to each other. Process 0 has the trial's folder: it decides, evaluates and
// writes. The others do what it orders. In between, all of them exchange results of a step (step/exchange.ts).
//
//   trial    what to train; everybody assembles and compiles it, and reports what it found
//   begin    where training is; weights and optimizer state follow as numbers
//   step     one step
//   scores   of an evaluation, for the scheme
//   check    whether everybody has the same weights
//   end      the trial is over
import { createHash } from 'node:crypto';
import type { ClassCounts } from '../../../registry/contracts/tasks.js';
import type { TaskScore } from '../../../registry/contracts/scheme.js';
import { loadPlugin } from '../../config/load-plugin.js';
import { codeOf } from '../../config/code.js';
import type { RunSettings, TrialSpec } from '../../config/index.js';
import type { RunState } from '../../store/checkpoint.js';
import { thisMachine } from '../../support/machine.js';
import type { TrainingStep } from '../step/step.js';

export type Order =
  | {
      order: 'trial';
      trial: TrialSpec;
      counts?: Readonly<Record<string, ClassCounts>>;
      settings?: RunSettings;
    }
  | { order: 'begin'; state: RunState }
  | { order: 'step'; step: number }
  | { order: 'scores'; scores: Record<string, TaskScore> }
  | { order: 'check' }
  | { order: 'end' };

/** What a process found that has to be the same everywhere, by what it is called in messages. */
export type Report = Readonly<Record<string, string>>;

export function reportOf(trial: TrialSpec, dataDigest: string, steps: number, step: TrainingStep): Report {
  const { mtcp, commit } = thisMachine();
  const code = codeOf(
    trial.config,
    trial.plugins.map((file) => loadPlugin(file)),
  );
  const { trained, averaged } = step.weights;
  const places = [...trained.layout.places, ...averaged.layout.places];
  return {
    'version of mtcp': commit === undefined ? mtcp : `${mtcp} (${commit.slice(0, 10)})`,
    'code of the components': shortDigest(JSON.stringify(Object.entries(code).sort())),
    data: dataDigest,
    'number of steps in an epoch': String(steps),
    network: shortDigest(JSON.stringify(places)),
  };
}

const shortDigest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Every array that training changes or reads, in an order that is the same everywhere. */
export function* arraysOf({ weights, slots, teachers }: TrainingStep): Generator<Float32Array> {
  for (const { data } of weights.tensors) yield data as Float32Array;
  for (const { data } of Object.values(slots)) yield data;
  for (const { teacher } of teachers) for (const { data } of teacher.tensors) yield data as Float32Array;
}

/** Of the weights, which have been pulled from a device. */
export function digestOf({ weights }: TrainingStep): string {
  const hash = createHash('sha256');
  weights.residence?.read();
  for (const { data } of weights.tensors)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}

// mtcp engine precompile: compiles the programs of an experiment's rows into the cache, for the device that is here or
// for another one. A run then starts without waiting for XLA's compiler.
import '../../modules/index.js';
import { createTrialContainer } from '../../registry/container.js';
import { MtcpError } from '../../registry/errors.js';
import { threadsOf, type TrialSpec } from '../config/index.js';
import type { Engine } from '../engine/engine.js';
import { createEngine } from '../engine/index.js';
import { RecordingEngine } from '../engine/recording.js';
import { telling } from '../engine/telling.js';
import { AheadCompiler, aheadRuntime, type AheadProgram } from '../engine/xla/ahead.js';
import { assembled } from '../model/assemble.js';
import { compileEvaluation, compileStep } from '../training/running-trial.js';

export interface Precompiled {
  row: string;
  seconds: number;
  /** Bytes on the device: of the program that takes most. Only for `device`, and programs compiled now. */
  memory?: number;
}

export interface PrecompileOptions {
  /** A device that is not here: `h100`, or a file with a target config of XLA. */
  device?: string;
  tell: (what: string) => void;
}

/**
 * One trial of each row: seeds have the same programs, and so have rows that differ in numbers only.
 * @throws MtcpError `usage` for an engine that keeps no compiled programs; `engine` without a plugin for the device
 */
export async function precompile(
  trials: readonly TrialSpec[],
  { device, tell }: PrecompileOptions,
): Promise<Precompiled[]> {
  const rows = [...new Map(trials.map((trial) => [trial.row, trial])).values()];
  const programs: AheadProgram[] = [];
  if (device !== undefined) rows.forEach(refuseSeveral);
  const ahead = device === undefined ? undefined : new AheadCompiler(device);
  const results: Precompiled[] = [];
  for (const trial of rows) {
    programs.length = 0;
    const engine = ahead
      ? new RecordingEngine({
          runtime: aheadRuntime(ahead, precisionOf(trial), (program) => programs.push(program)),
        })
      : await localEngine(trial);
    const began = performance.now();
    try {
      await compileTrial(
        trial,
        telling(engine, (what) => tell(`${trial.row}: ${what}`)),
      );
    } finally {
      engine.close();
    }
    const taken = programs.flatMap(({ memory }) =>
      memory ? memory.arguments + memory.outputs + memory.temporary : [],
    );
    const seconds = (performance.now() - began) / 1000;
    results.push({ row: trial.row, seconds, ...(taken.length > 0 && { memory: Math.max(...taken) }) });
  }
  return results;
}

const precisionOf = ({ config: { engine } }: TrialSpec) =>
  engine.type === 'xla' ? engine.precision : 'float32';

/** @throws MtcpError `usage` for programs on several devices: their topology is known where they are */
function refuseSeveral({ row, config: { engine } }: TrialSpec): void {
  if (engine.type !== 'xla' || engine.devices === 1) return;
  throw new MtcpError('usage', 'programs for several devices cannot be compiled without them', {
    where: `row "${row}", engine.devices ${engine.devices}`,
    hint: 'compile them on the machine that has the devices, without --device; or add --devices 1',
  });
}

async function localEngine(trial: TrialSpec): Promise<Engine> {
  const { engine } = trial.config;
  if (engine.type !== 'xla')
    throw new MtcpError('usage', `the engine "${engine.type}" keeps no compiled programs`, {
      where: `row "${trial.row}"`,
      hint: 'add --engine xla, or engine: { type: xla } to the file',
    });
  return createEngine(engine, threadsOf(trial.config));
}

async function compileTrial(trial: TrialSpec, engine: Engine): Promise<void> {
  const parts = assembled(trial);
  const { size, fit } = createTrialContainer(parts.tasks).create('transform', trial.config.augment);
  const step = await compileStep(trial, engine, parts, size);
  const evaluation = await compileEvaluation(trial, engine, parts, { size, fit }, step.weights);
  evaluation.close();
  step.close();
}

// How long trials will train: seconds of a step from what its graph asks of the device (engine/graph/cost.ts) and how fast
// that is (engine/speed.ts), and from it an epoch and the whole training. Evaluations and waiting for data are not part of it.
import { threadsOf, type TrialSpec } from '../config/index.js';
import { createEngine } from '../engine/index.js';
import { TARGETS, type Target } from '../engine/graph/target.js';
import {
  dividedAmong,
  knownSpeed,
  measure,
  secondsOf,
  sheetSpeed,
  speedOf,
  type Speed,
} from '../engine/speed.js';
import { assembled } from '../model/assemble.js';
import { stepsPerEpoch } from '../model/check-data.js';
import type { NetworkSize } from '../training/inspect.js';

export interface Duration {
  /** Seconds of a training step. */
  step: number;
  /** Seconds of an epoch, and of all epochs; absent where only making the data tells how many steps there are. */
  epoch?: number;
  training?: number;
}

/** What a trial's step is recorded for. */
export function targetOf({ config: { engine } }: TrialSpec, device?: string): Target {
  if (device !== undefined || engine.type === 'xla') return TARGETS.xla;
  return engine.type === 'onnx' ? TARGETS[engine.provider] : TARGETS.cpu;
}

/** How fast devices are, each measured at most once. */
export class Speeds {
  readonly #known = new Map<string, Promise<{ speed: Speed; of: string }>>();

  /** @param device one that is not here, of which the data sheet is known; otherwise the trial's own engine */
  constructor(readonly device?: string) {}

  /**
   * @throws MtcpError `usage` for an unknown device; `engine` if the engine does not start
   */
  of(trial: TrialSpec): Promise<{ speed: Speed; of: string }> {
    const { engine } = trial.config;
    const threads = threadsOf(trial.config);
    const key = JSON.stringify([engine, threads]);
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = this.#find(trial, threads)));
    return known;
  }

  async #find(trial: TrialSpec, threads: number): Promise<{ speed: Speed; of: string }> {
    const { engine: choice } = trial.config;
    if (this.device !== undefined) {
      const precision = choice.type === 'xla' ? choice.precision : 'float32';
      const { name, speed } = sheetSpeed(this.device, precision);
      const devices = choice.type === 'xla' && choice.devices !== 'all' ? choice.devices : 1;
      const number = devices === 1 ? '' : `${devices} devices, without what they exchange: `;
      return {
        speed: dividedAmong(speed, devices),
        of: `${number}${name}, ${precision}: an estimate from its data sheet, not a measurement`,
      };
    }
    const engine = await createEngine(choice, threads);
    try {
      const { description } = engine;
      const { speed, busy } = await knownSpeed([description, threads], async () =>
        speedOf(await measure(engine, targetOf(trial))),
      );
      const doubt = busy ? ' while other programs used this machine, so they are too long' : '';
      // Measured with what is not divided: each of the devices did all of it.
      const several = engine.devices === 1 ? '' : ', without what the devices exchange';
      return {
        speed: dividedAmong(speed, engine.devices),
        of: `${description}, measured with small networks${doubt}${several}`,
      };
    } finally {
      engine.close();
    }
  }
}

/** How long a trial trains, one at a time on the device. */
export async function durationOf(
  trial: TrialSpec,
  { work }: Pick<NetworkSize, 'work'>,
  speed: Speed,
): Promise<Duration> {
  const step = secondsOf(work, speed);
  const steps = await stepsPerEpoch(assembled(trial));
  if (steps === undefined) return { step };
  const epoch = step * steps;
  return { step, epoch, training: epoch * trial.config.train.epochs };
}

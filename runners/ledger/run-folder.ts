// The folder of a trial: runs/<experiment>/<row>-s<seed>-<hash>. Its files are the only record of what became of
// the trial; the state is read from them and from whether the process that locked the folder still lives.
//
//   resolved.yaml   the whole configuration; runs again as it is
//   events.jsonl    what happened
//   checkpoints/    see training/checkpoint.ts
//   result.json     written last: the trial is done
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import type { Trial } from '../config/index.js';
import { readEvents } from './events.js';
import { writeWhole } from './files.js';

export type TrialState = 'new' | 'running' | 'interrupted' | 'failed' | 'done';

export interface TrialResult {
  row: string;
  seed: number;
  hash: string;
  /** Metrics of the epoch that `evaluate.select` chooses. */
  metrics: Record<string, number>;
  selected: { rule: 'last' | 'best'; epoch: number };
  last: Record<string, number>;
  best: { epoch: number; metrics: Record<string, number> } | null;
  /** Numbers that are trained. */
  parameters: number;
  epochs: number;
  steps: number;
  /** Training, without evaluation, data generation and compilation. */
  seconds: number;
  data: { caption: string; digest: string; notes: string[] };
  engine: string;
}

export class RunFolder {
  readonly path: string;

  constructor(runs: string, trial: Pick<Trial, 'experiment' | 'row' | 'seed' | 'hash'>) {
    this.path = join(runs, trial.experiment, `${slug(trial.row)}-s${trial.seed}-${trial.hash.slice(0, 8)}`);
  }

  get events(): string {
    return join(this.path, 'events.jsonl');
  }
  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }
  get #result(): string {
    return join(this.path, 'result.json');
  }
  get #lock(): string {
    return join(this.path, 'lock.json');
  }

  state(): TrialState {
    if (existsSync(this.#result)) return 'done';
    if (this.#owner()) return 'running';
    const events = readEvents(this.events);
    if (events.length === 0) return 'new';
    return events.at(-1)!.event === 'failed' ? 'failed' : 'interrupted';
  }

  result(): TrialResult | undefined {
    return existsSync(this.#result)
      ? (JSON.parse(readFileSync(this.#result, 'utf8')) as TrialResult)
      : undefined;
  }

  finish(result: TrialResult): void {
    writeWhole(this.#result, `${JSON.stringify(result, null, 2)}\n`);
  }

  /** Why the trial failed, if that was the last thing that happened. */
  failure(): string | undefined {
    const last = readEvents(this.events).at(-1);
    return last?.event === 'failed' ? last.message : undefined;
  }

  /**
   * Takes the folder for this process. A lock whose process is gone is taken over.
   * @throws MtcpError `busy` if another process works on the trial
   */
  lock(): () => void {
    mkdirSync(this.path, { recursive: true });
    const mine = JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() });
    for (;;) {
      try {
        writeFileSync(this.#lock, mine, { flag: 'wx' });
        return () => rmSync(this.#lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = this.#owner();
      if (owner)
        throw new MtcpError(
          'busy',
          `another process works on this trial: pid ${owner.pid} on ${owner.host}, since ${owner.since}`,
          {
            where: this.path,
            hint: `if that process is gone for good, delete ${this.#lock}`,
          },
        );
      rmSync(this.#lock, { force: true });
    }
  }

  /** Who holds the lock; undefined if nobody does or the process is known to be dead. */
  #owner(): { pid: number; host: string; since: string } | undefined {
    let owner: { pid: number; host: string; since: string };
    try {
      owner = JSON.parse(readFileSync(this.#lock, 'utf8')) as typeof owner;
    } catch {
      return undefined;
    }
    // Whether a process of another machine lives cannot be seen from here.
    return owner.host === hostname() && !isAlive(owner.pid) ? undefined : owner;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A row's name as part of a file name. */
export function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/&/g, ' and ')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'row'
  );
}

// Run folders as a trial leaves them, without training one.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrialEvent } from '../../../runners/store/ledger/events.js';
import type { TrialResult } from '../../../runners/store/ledger/run-folder.js';
import type { StepRecord } from '../../../runners/store/ledger/steps.js';

export const temporaryRuns = (): string => mkdtempSync(join(tmpdir(), 'mtcp-runs-'));

export class TrialFolder {
  readonly path: string;
  readonly hash: string;
  #time = 1_700_000_000_000;

  constructor(
    runs: string,
    experiment: string,
    readonly row: string,
    readonly seed = 0,
  ) {
    this.hash = createHash('sha256').update(`${row} ${seed}`).digest('hex');
    this.path = join(
      runs,
      experiment,
      `${row.toLowerCase().replace(/\W+/g, '-')}-s${seed}-${this.hash.slice(0, 8)}`,
    );
    mkdirSync(this.path, { recursive: true });
    writeFileSync(
      join(this.path, 'resolved.yaml'),
      `name: ${experiment}\nseeds: [${seed}]\nrows: { r: {} }\ndata: { type: rooms, root: /data/rooms, train: 4 }\n` +
        `scheme: { type: lps, spread: ${seed + 0.5} }\ntrain: { epochs: 2, workers: 3 }\n`,
    );
  }

  /** Appends an event a second after the last one. */
  event(event: TrialEvent): this {
    this.#time += 1000;
    const logged = { time: new Date(this.#time).toISOString(), ...event };
    appendFileSync(join(this.path, 'events.jsonl'), `${JSON.stringify(logged)}\n`);
    return this;
  }

  started(): this {
    const data = { caption: 'four rooms', digest: 'd1', notes: ['normals derived from depth'] };
    return this.event({ event: 'started', row: this.row, seed: this.seed, hash: this.hash, data });
  }

  /** Steps of an epoch and its end; `loss` of step s is 1 / s. */
  epoch(epoch: number, steps: number, losses: Record<string, number> = { depth: 1 / epoch }): this {
    const first = (epoch - 1) * steps + 1;
    const lines = Array.from({ length: steps }, (_, i) => {
      const record: StepRecord = {
        epoch,
        step: first + i,
        time: (this.#time += 10),
        rate: 1e-3,
        total: 1 / (first + i),
        raw: { depth: 1 / (first + i) },
        projected: {},
        weights: { depth: 1 },
        cosines: {},
      };
      return `${JSON.stringify(record)}\n`;
    });
    appendFileSync(join(this.path, 'steps.jsonl'), lines.join(''));
    return this.event({
      event: 'epoch',
      epoch,
      step: first + steps - 1,
      rate: 1e-3,
      losses,
      projected: {},
      objective: 1,
      weights: { depth: 1 },
      cosines: {},
      seconds: 1,
      waited: 0,
    });
  }

  /** Cuts steps.jsonl off after a step, as a trial does that goes back to a checkpoint. */
  rewind(epoch: number, step: number): this {
    const path = join(this.path, 'steps.jsonl');
    const kept = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && (JSON.parse(line) as StepRecord).step <= step);
    writeFileSync(`${path}.new`, kept.map((line) => `${line}\n`).join(''));
    // A new file under the old name, as the trial makes it.
    renameSync(`${path}.new`, path);
    return this.event({ event: 'resumed', epoch, step });
  }

  evaluated(epoch: number, metrics: Record<string, number>): this {
    return this.event({ event: 'evaluated', epoch, metrics, seconds: 1 });
  }

  /** The end, with result and pictures. */
  finished(epoch: number, steps: number, metrics: Record<string, number>): this {
    this.event({ event: 'finished', epoch, seconds: 9 });
    const about = { caption: 'four rooms', digest: 'd1', notes: [] };
    const result: TrialResult = {
      row: this.row,
      seed: this.seed,
      hash: this.hash,
      metrics,
      selected: { rule: 'last', split: 'test', metric: 'all', epoch },
      last: metrics,
      best: null,
      parameters: 1234,
      epochs: epoch,
      steps,
      seconds: 9,
      data: about,
      engine: 'test',
    };
    writeFileSync(join(this.path, 'predictions.png'), 'not really a picture');
    writeFileSync(join(this.path, 'result.json'), JSON.stringify(result));
    return this;
  }
}

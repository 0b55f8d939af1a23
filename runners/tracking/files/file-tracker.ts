// What trackers that write files have in common. Each trial of an invocation has a sink, which gets everything that the
// trial's folder holds from its start, and then what is added. So a trial that is resumed, or was trained without a
// tracker until then, is complete. A sink that fails is dropped with a message; training goes on.
import { join } from 'node:path';
import type { RunTracker, TrackedRun } from '../../../registry/contracts/tracking.js';
import { messageOf } from '../../../registry/errors.js';
import { EVENT, type LoggedEvent } from '../../store/ledger/events.js';
import { RunFolder, type TrialResult } from '../../store/ledger/run-folder.js';
import { readResolvedSections } from '../../store/resolved-file.js';
import type { Metric } from '../mlflow/client/types.js';
import { finalMetrics } from '../mlflow/entities.js';
import { readLines } from '../mlflow/lines.js';
import { eventMetrics, newStepMetrics, type Progress } from '../mlflow/trial-metrics.js';

export interface TrialStart {
  readonly folder: string;
  readonly row: string;
  readonly seed: number;
  readonly hash: string;
  /** When it was first started. */
  readonly time: Date;
  readonly caption: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export type TrialEnd =
  { readonly result: TrialResult } | { readonly failure: string } | { readonly stopped: true };

/** Writes one trial. Calls come in this order, and nothing is written twice. */
export interface TrialSink {
  metrics(metrics: readonly Metric[]): void;
  end(end: TrialEnd): void;
}

const POLL = 1000;

export class FileTracker implements RunTracker {
  readonly #trials = new Map<string, FollowedTrial>();
  readonly #timer: NodeJS.Timeout;
  readonly #told = new Set<string>();

  /** @param every steps between two records of a step; 0: none */
  constructor(
    readonly name: string,
    readonly run: TrackedRun,
    readonly every: number,
    readonly open: (start: TrialStart) => TrialSink,
  ) {
    this.#timer = setInterval(() => this.#poll(), POLL);
    this.#timer.unref();
  }

  trial(folder: string): void {
    if (!this.#trials.has(folder)) this.#trials.set(folder, new FollowedTrial(folder, this.every, this.open));
  }

  end(): Promise<void> {
    clearInterval(this.#timer);
    this.#poll();
    for (const trial of this.#trials.values()) this.#guarded(trial, () => trial.end());
    return Promise.resolve();
  }

  #poll(): void {
    for (const trial of this.#trials.values()) this.#guarded(trial, () => trial.pass());
  }

  #guarded(trial: FollowedTrial, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#trials.delete(trial.folder);
      const message = `${trial.folder} is not logged any more: ${messageOf(error)}; training goes on`;
      if (this.#told.size === this.#told.add(message).size) return;
      this.run.report({ tracker: this.name, url: null, message });
    }
  }
}

class FollowedTrial {
  #readTo = 0;
  #sink: TrialSink | undefined;
  #last: LoggedEvent | undefined;
  #ended = false;
  readonly #stepOfEpoch = new Map<number, number>();
  readonly #progress: Progress = {
    steps: { inode: 0, bytes: 0, step: 0 },
    system: 0,
    epoch: 0,
    evaluated: 0,
  };

  constructor(
    readonly folder: string,
    readonly every: number,
    readonly open: (start: TrialStart) => TrialSink,
  ) {}

  /** Passes on what was added. */
  pass(): void {
    for (;;) {
      const read = readLines(join(this.folder, 'events.jsonl'), this.#readTo);
      if (!read || read.lines.length === 0) break;
      this.#readTo = read.end;
      for (const event of read.lines.flatMap((line) => EVENT.line(line) ?? [])) this.#note(event);
    }
    if (!this.#sink) return;
    for (;;) {
      const metrics = newStepMetrics(this.folder, this.every, this.#progress);
      if (metrics.length === 0) break;
      this.#sink.metrics(metrics);
    }
    const result = this.#last?.event === 'finished' ? new RunFolder(this.folder).result() : undefined;
    if (!result || this.#ended) return;
    this.#ended = true;
    this.#sink.metrics(finalMetrics(result, Date.parse(this.#last!.time)));
    this.#sink.end({ result });
  }

  end(): void {
    if (this.#ended || !this.#sink) return;
    this.#ended = true;
    const { event, ...last } = this.#last as LoggedEvent & { message?: string };
    this.#sink.end(event === 'failed' ? { failure: last.message ?? '' } : { stopped: true });
  }

  #note(event: LoggedEvent): void {
    this.#last = event;
    if (event.event === 'started') this.#sink ??= this.open(this.#start(event));
    if (event.event === 'epoch') this.#stepOfEpoch.set(event.epoch, event.step);
    const metrics = eventMetrics(event, this.#progress, this.#stepOfEpoch);
    if (metrics.length > 0) this.#sink?.metrics(metrics);
  }

  #start({ row, seed, hash, time, data }: LoggedEvent & { event: 'started' }): TrialStart {
    const config = readResolvedSections(this.folder) ?? {};
    return { folder: this.folder, row, seed, hash, time: new Date(time), caption: data.caption, config };
  }
}

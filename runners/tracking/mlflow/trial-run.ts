// Keeps the run of a trial on the server up to date with the trial's folder. A record in the folder holds how far
// each file has been sent. A pass sends the next part and updates the record once the server has accepted it.
//
// A trial that continues from a checkpoint trains some steps again. Training is deterministic, so the results are the
// same numbers: a step, an epoch or an evaluation that the server has is not sent again.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT, type LoggedEvent } from '../../store/ledger/events.js';
import { readJobMark } from '../../store/ledger/job-mark.js';
import { ownerOf } from '../../store/ledger/lease.js';
import { RunFolder, type TrialResult } from '../../store/ledger/run-folder.js';
import { readResolvedSections, RESOLVED } from '../../store/resolved-file.js';
import type { RunStatus, Tag } from './client/index.js';
import {
  aboutParams,
  configEntities,
  datasetInputs,
  finalMetrics,
  nonFinite,
  tag,
  trialNote,
} from './entities.js';
import type { Invocation } from './invocation.js';
import { readLines } from './lines.js';
import { logModel } from './model.js';
import { PRIVATE, RemoteRun, type Target } from './remote-run.js';
import { runTags } from './run-tags.js';
import {
  eventMetrics,
  newStepMetrics,
  newSystemMetrics,
  TRIAL_STATE,
  type TrialState,
} from './trial-metrics.js';

/** Metrics without a value, and why. */
const absentText = (absent: Readonly<Record<string, string>>): string =>
  Object.entries(absent)
    .map(([name, why]) => `${name}: ${why}`)
    .join('; ');

type Started = LoggedEvent & { event: 'started' };
const ENDS: ReadonlySet<string> = new Set(['finished', 'failed', 'interrupted']);
const NOTED = 20;
/** Artifacts about single images: name, and file in the trial's folder. */
const IMAGES = [
  ['pictures/failures.png', 'failures.png'],
  ['images.json', 'images.json'],
] as const;
const EVENTS_AT_ONCE = 100;
const at = ({ time }: { time: string }): number => Date.parse(time);

export class TrialRun {
  readonly run: RemoteRun<TrialState>;
  #readTo = 0;
  #first: Started | undefined;
  #started: Started | undefined;
  #last: LoggedEvent | undefined;
  readonly #stepOfEpoch = new Map<number, number>();
  #pending: { event: LoggedEvent | undefined; end: number }[] = [];

  constructor(
    target: Target,
    readonly folder: string,
    readonly invocation: Invocation,
  ) {
    this.run = new RemoteRun(target, join(folder, PRIVATE), TRIAL_STATE, () => ({
      format: 1,
      server: target.client.transport.uri,
      key: createHash('sha256')
        .update(`${this.#first!.hash} ${this.#first!.time}`)
        .digest('hex')
        .slice(0, 32),
      run: null,
      doubtful: false,
      status: null,
      files: {},
      refused: {},
      events: 0,
      steps: { inode: 0, bytes: 0, step: 0 },
      system: 0,
      epoch: 0,
      evaluated: 0,
      nonFinite: [],
      parent: null,
      model: null,
      complete: false,
    }));
  }

  /** Whether the server has everything that is in the folder. */
  get complete(): boolean {
    this.#read();
    return this.#started === undefined || (this.run.state.complete && this.#pending.length === 0);
  }

  /** Whether it has started and not ended, according to its events. */
  get running(): boolean {
    return this.#last !== undefined && !ENDS.has(this.#last.event);
  }

  /** Whether a process trains it. */
  get alive(): boolean {
    return Boolean(ownerOf(this.folder)?.alive);
  }

  /**
   * Sends the next part.
   * @param parent id of the run to show this one under
   * @returns whether there was anything to send
   */
  async pass(parent: () => Promise<string>): Promise<boolean> {
    if (!existsSync(this.folder)) return false;
    this.#read();
    if (!this.#started || this.complete || !this.run.take()) return false;
    // Another process may have sent some of it in the meantime.
    const { state } = this.run;
    this.#pending = this.#pending.filter(({ end }) => end > state.events);
    await this.run.ensure(this.invocation.name, {
      run_name: `${this.#started.row} · s${this.#started.seed}`,
      start_time: at(this.#first!),
      user_id: this.invocation.user,
      tags: [...(await this.#tags(parent)), { key: 'mlflow.user', value: this.invocation.user }],
    });
    if (this.#pending.some(({ event }) => event?.event === 'started')) await this.#begin(parent);
    if (await this.#send()) return true;
    return this.#last && ENDS.has(this.#last.event) ? this.#finish(this.#last) : false;
  }

  /** Marks the run of a trial whose process died as killed. */
  async close(): Promise<boolean> {
    const { state } = this.run;
    if (!state.run || state.status !== 'RUNNING' || !this.run.take()) return false;
    await this.run.log({ tags: [tag('mtcp.state', 'died')] });
    await this.run.settle();
    await this.run.setStatus('KILLED', this.#last && at(this.#last));
    return true;
  }

  forget(): void {
    this.run.forget();
    this.#readTo = 0;
    this.#pending = [];
  }

  #read(): void {
    for (;;) {
      const read = readLines(join(this.folder, 'events.jsonl'), this.#readTo);
      if (!read || read.lines.length === 0) return;
      this.#readTo = read.end;
      read.lines.forEach((line, i) => {
        const event = EVENT.line(line);
        if (event) this.#note(event);
        const end = read.ends[i];
        if (this.#first && end > this.run.state.events) this.#pending.push({ event, end });
      });
    }
  }

  #note(event: LoggedEvent): void {
    this.#last = event;
    if (event.event === 'started') {
      this.#first ??= event;
      this.#started = event;
    }
    if (event.event === 'epoch') this.#stepOfEpoch.set(event.epoch, event.step);
  }

  /** Tags that say where it is trained: on the host of the invocation, unless a job of a cluster trains it. */
  #hostTags(): Tag[] {
    const tags = runTags(this.invocation);
    const mark = readJobMark(this.folder);
    if (!mark) return tags;
    const own = [tag('mtcp.host', mark.host), tag('slurm.job_id', `${mark.job}_${mark.task}`)];
    return [...tags.filter(({ key }) => !own.some((other) => other.key === key)), ...own];
  }

  async #tags(parent: () => Promise<string>): Promise<Tag[]> {
    const { row, seed, hash } = this.#started!;
    return [
      ...this.#hostTags(),
      { key: 'mlflow.parentRunId', value: await parent() },
      tag('mtcp.row', row),
      tag('mtcp.seed', String(seed)),
      tag('mtcp.config_hash', hash),
      tag('mtcp.path', this.folder),
      tag('mtcp.state', 'running'),
    ];
  }

  /** Called when the trial starts or is resumed. */
  async #begin(parent: () => Promise<string>): Promise<void> {
    const { run } = this;
    const { state } = run;
    const config = this.#config();
    const { params: settings, tags } = configEntities(config);
    const params = [...settings, ...aboutParams(this.#started!, config)];
    await run.setStatus('RUNNING');
    state.complete = false;
    const resumed = state.parent !== null && this.#pending.some(({ event }) => event?.event === 'resumed');
    await run.log({
      tags: [
        ...(await this.#tags(parent)),
        ...tags,
        { key: 'mlflow.note.content', value: trialNote(this.#started!, this.invocation.title, {}) },
        ...(resumed ? [tag('mtcp.resumed_from', `${state.parent} step ${state.steps.step}`)] : []),
      ],
      params: state.events === 0 ? params : [],
    });
    state.parent = await parent();
    await run.part('data sets', () =>
      run.target.client.logInputs(run.info.run_id, datasetInputs(this.#started!, config)),
    );
    await run.put('config/resolved.yaml', join(this.folder, RESOLVED));
  }

  #config(): Record<string, unknown> {
    return readResolvedSections(this.folder) ?? {};
  }

  /**
   * Sends as many metrics as one request should carry.
   * @returns whether there was anything to send
   */
  async #send(): Promise<boolean> {
    const { state } = this.run;
    const events = this.#pending.slice(0, EVENTS_AT_ONCE);
    const next = { ...state, steps: { ...state.steps } };
    const metrics = events.flatMap(({ event }) =>
      event ? eventMetrics(event, next, this.#stepOfEpoch) : [],
    );
    if (events.length > 0) next.events = events.at(-1)!.end;
    metrics.push(
      ...newStepMetrics(this.folder, this.invocation.options.steps, next),
      ...newSystemMetrics(this.folder, next),
    );
    const moved =
      next.events !== state.events || next.steps.bytes !== state.steps.bytes || next.system !== state.system;
    if (!moved) return false;
    await this.run.log({ metrics });
    const odd = nonFinite(metrics);
    if (odd.length > 0 && state.nonFinite.length < NOTED) {
      next.nonFinite = [...state.nonFinite, ...odd].slice(0, NOTED);
      await this.run.log({ tags: [tag('mtcp.nonfinite', next.nonFinite.join(' '))] });
    }
    const { events: sent, steps, system, epoch, evaluated, nonFinite: noted } = next;
    Object.assign(state, { events: sent, steps, system, epoch, evaluated, nonFinite: noted });
    this.run.save();
    this.#pending = this.#pending.slice(events.length);
    return true;
  }

  /** Sends the results and sets the status, by the trial's last event. */
  async #finish(last: LoggedEvent): Promise<boolean> {
    const { run } = this;
    const result = last.event === 'finished' ? this.#result() : undefined;
    // The result is written shortly after the event.
    if (last.event === 'finished' && !result) return false;
    if (result) {
      await run.log({ metrics: finalMetrics(result, at(last)) });
      await run.put('pictures/predictions.png', join(this.folder, 'predictions.png'));
      // Trials of earlier versions did not leave these.
      for (const [name, file] of IMAGES)
        if (existsSync(join(this.folder, file))) await run.put(name, join(this.folder, file));
      if (this.invocation.options.checkpoints === 'kept') await this.#putCheckpoints();
      await logModel(run, {
        folder: this.folder,
        invocation: this.invocation,
        started: this.#started!,
        config: this.#config(),
        result,
        metrics: finalMetrics(result, at(last)),
      });
    }
    await run.put('log/events.jsonl', join(this.folder, 'events.jsonl'));
    const failure = last.event === 'failed' ? last.message : undefined;
    await run.log({
      tags: [
        tag('mtcp.state', result ? 'done' : last.event),
        ...(result ? [tag('mtcp.engine', result.engine)] : []),
        ...(result?.absent ? [tag('mtcp.absent', absentText(result.absent))] : []),
        {
          key: 'mlflow.note.content',
          value: trialNote(this.#started!, this.invocation.title, { result, failure }),
        },
      ],
    });
    await run.settle();
    const status: RunStatus = result ? 'FINISHED' : failure === undefined ? 'KILLED' : 'FAILED';
    run.state.complete = true;
    await run.setStatus(status, at(last)).catch((error: unknown) => {
      run.state.complete = false;
      throw error;
    });
    run.release();
    return true;
  }

  #result(): TrialResult | undefined {
    return new RunFolder(this.folder).result();
  }

  async #putCheckpoints(): Promise<void> {
    const home = join(this.folder, 'checkpoints');
    if (!existsSync(home)) return;
    for (const checkpoint of readdirSync(home, { withFileTypes: true }))
      if (checkpoint.isDirectory() && /^step-\d+$/.test(checkpoint.name))
        for (const file of readdirSync(join(home, checkpoint.name)))
          await this.run.put(`checkpoints/${checkpoint.name}/${file}`, join(home, checkpoint.name, file));
  }
}

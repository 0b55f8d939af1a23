// Keeps a server up to date with all run folders that it follows. Each call sends one part.
//
// If one MLflow experiment fails (it was deleted on the server, or a folder here is damaged), the others are not held
// up: it is tried again after a while. An error that concerns all of them, for example an unreachable server, is
// thrown.
import { basename, dirname, join } from 'node:path';
import type { MlflowClient } from './client/index.js';
import { isMissing, MlflowError } from './client/errors.js';
import { readInvocations, type Invocation } from './invocation.js';
import { InvocationRun } from './invocation-run.js';
import type { Target } from './remote-run.js';
import { TrialRun } from './trial-run.js';

/** Tells the server's pages that this is training, not prompts and traces. */
const EXPERIMENT_TAGS = [{ key: 'mlflow.experimentKind', value: 'custom_model_development' }];

/** Times that a run is logged again from its start because the server has lost it. */
const MOST_LOSSES = 3;
/** Milliseconds that an experiment rests after a fault; doubled each time, up to the longest. */
const REST = 500;
const LONGEST_REST = 30_000;

/** What keeps an MLflow experiment from being logged. */
export interface Held {
  experiment: string;
  error: Error;
  /** Times in a row. */
  count: number;
  /** When it is tried again, on the clock of performance.now(). */
  until: number;
}

/** Whether trying again may help. */
export const mayPass = ({ error }: Held): boolean => MlflowError.is(error) && error.passing;

export interface FollowerOptions {
  warn?(message: string): void;
  /** More of a run has been acknowledged. */
  moved?(): void;
}

export class Follower implements Target {
  readonly #experiments = new Map<string, Promise<string>>();
  readonly #invocations: InvocationRun[] = [];
  readonly #trials = new Map<string, { trial: TrialRun; parent: InvocationRun }>();

  readonly #losses = new Map<object, number>();
  readonly #held = new Map<string, Held>();

  constructor(
    readonly client: MlflowClient,
    readonly options: FollowerOptions = {},
  ) {}

  warn(message: string): void {
    this.options.warn?.(message);
  }

  moved(): void {
    this.options.moved?.();
  }

  /** Experiments that cannot be logged, and why. */
  get held(): readonly Held[] {
    return [...this.#held.values()];
  }

  experiment(name: string): Promise<string> {
    let known = this.#experiments.get(name);
    if (!known) {
      known = this.client.ensureExperiment(name, EXPERIMENT_TAGS).then(({ experiment_id }) => experiment_id);
      this.#experiments.set(name, known);
      known.catch(() => this.#experiments.delete(name));
    }
    return known;
  }

  forgetExperiments(): void {
    this.#experiments.clear();
  }

  /** An invocation with the trials that it has so far. */
  follow(folder: string, record: Invocation): InvocationRun {
    const known = this.#invocations.find((other) => other.folder === folder);
    if (known) Object.assign(known.record, record);
    const invocation = known ?? new InvocationRun(this, folder, record);
    if (!known) this.#invocations.push(invocation);
    for (const trial of record.trials) this.#follow(invocation, join(invocation.home, trial));
    return invocation;
  }

  /** A trial of an invocation; the last invocation that has it is its parent. */
  trial(parent: InvocationRun, folder: string): void {
    parent.add(basename(folder));
    this.#follow(parent, folder);
  }

  #follow(parent: InvocationRun, folder: string): void {
    const known = this.#trials.get(folder);
    if (known) known.parent = parent;
    else this.#trials.set(folder, { trial: new TrialRun(this, folder, parent.record), parent });
  }

  /** Notes that a folder of runs cannot be followed. */
  hold(experiment: string, error: Error): void {
    this.#held.set(experiment, { experiment, error, count: 1, until: Infinity });
  }

  /** Everything that is known of an experiment's folder. */
  followAll(experimentFolder: string): void {
    for (const { folder, record } of readInvocations(experimentFolder)) this.follow(folder, record);
  }

  /**
   * Sends the next part of every experiment, except those that are held after a fault; see `held`.
   * @param rest longest rest after a fault, milliseconds
   * @returns whether there was anything to send
   * @throws MlflowError when the server cannot be reached or does not let us in
   */
  async pass(rest = LONGEST_REST): Promise<boolean> {
    let moved = false;
    const each = async (
      { record }: InvocationRun,
      subject: { forget(): void },
      work: () => Promise<boolean>,
    ) => (moved = (await this.#guarded(record.name, subject, work, rest)) || moved);
    for (const invocation of this.#invocations)
      if (invocation.record.outcome === null && invocation.record.trials.length > 0)
        await each(invocation, invocation.run, () => invocation.begin());
    for (const { trial, parent } of this.#trials.values())
      await each(parent, trial, () => trial.pass(() => parent.id()));
    if (moved) return true;
    for (const invocation of this.#invocations)
      await each(invocation, invocation.run, () => invocation.finish());
    return moved;
  }

  async #guarded(
    experiment: string,
    subject: { forget(): void },
    work: () => Promise<boolean>,
    rest: number,
  ): Promise<boolean> {
    const held = this.#held.get(experiment);
    if (held && performance.now() < held.until) return false;
    try {
      const moved = await work();
      if (moved) this.#held.delete(experiment);
      return moved;
    } catch (error) {
      if (MlflowError.is(error) && error.total) throw error;
      // What a server has lost is logged again from the start, but only a limited number of times.
      const losses = (this.#losses.get(subject) ?? 0) + Number(isMissing(error));
      this.#losses.set(subject, losses);
      if (isMissing(error) && losses <= MOST_LOSSES) {
        subject.forget();
        return true;
      }
      const count = (held?.count ?? 0) + 1;
      const until = performance.now() + Math.min(rest, REST * 2 ** count);
      this.#held.set(experiment, { experiment, error: error as Error, count, until });
      return false;
    }
  }

  get trials(): TrialRun[] {
    return [...this.#trials.values()].map(({ trial }) => trial);
  }

  get invocations(): readonly InvocationRun[] {
    return this.#invocations;
  }

  /** Runs that the server does not know in full, as experiment/trial; the same row may be in several experiments. */
  get left(): string[] {
    return [
      ...this.trials
        .filter((trial) => !trial.complete)
        .map(({ folder }) => `${basename(dirname(folder))}/${basename(folder)}`),
      ...this.#invocations
        .filter(({ complete, record }) => !complete && record.outcome !== null && record.trials.length > 0)
        .map(({ record, home }) => `${basename(home)}, invocation ${record.key}`),
    ];
  }

  release(): void {
    for (const { run } of [...this.trials, ...this.#invocations]) run.release();
  }
}

// Keeps a server level with run folders: all runs that it follows, one piece at a time, as often as it is called.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { MlflowClient } from './client/index.js';
import { isMissing } from './client/errors.js';
import { readInvocations, type Invocation } from './invocation.js';
import { InvocationRun } from './invocation-run.js';
import type { Target } from './remote-run.js';
import { TrialRun } from './trial-run.js';

/** Tells the server's pages that this is training, not prompts and traces. */
const EXPERIMENT_TAGS = [{ key: 'mlflow.experimentKind', value: 'custom_model_development' }];

export class Follower implements Target {
  readonly #experiments = new Map<string, Promise<string>>();
  readonly #invocations: InvocationRun[] = [];
  readonly #trials = new Map<string, { trial: TrialRun; parent: InvocationRun }>();

  constructor(
    readonly client: MlflowClient,
    readonly warn: (message: string) => void = () => {},
  ) {}

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

  /** Everything that is known of an experiment's folder. */
  followAll(experimentFolder: string): void {
    for (const { folder, record } of readInvocations(experimentFolder)) this.follow(folder, record);
  }

  /**
   * Sends the next piece of everything.
   * @returns whether there was anything to send
   * @throws MlflowError when the server cannot be reached or does not let us in
   */
  async pass(): Promise<boolean> {
    let moved = false;
    for (const invocation of this.#invocations)
      if (invocation.record.outcome === null && invocation.record.trials.length > 0)
        moved = (await this.#guarded(invocation.run, () => invocation.begin())) || moved;
    for (const { trial, parent } of this.#trials.values())
      moved = (await this.#guarded(trial, () => trial.pass(() => parent.id()))) || moved;
    if (moved) return true;
    for (const invocation of this.#invocations)
      moved = (await this.#guarded(invocation.run, () => invocation.finish())) || moved;
    return moved;
  }

  /** What a server has lost is logged again from the start. */
  async #guarded(subject: { forget(): void }, work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work();
    } catch (error) {
      if (!isMissing(error)) throw error;
      subject.forget();
      return true;
    }
  }

  get trials(): TrialRun[] {
    return [...this.#trials.values()].map(({ trial }) => trial);
  }

  get invocations(): readonly InvocationRun[] {
    return this.#invocations;
  }

  /** Names of the runs that the server does not know in full. */
  get left(): string[] {
    return [
      ...this.trials.filter((trial) => !trial.complete).map(({ folder }) => basename(folder)),
      ...this.#invocations
        .filter(({ complete, record }) => !complete && record.outcome !== null && record.trials.length > 0)
        .map(({ record }) => `invocation ${record.key}`),
    ];
  }

  release(): void {
    for (const { run } of [...this.trials, ...this.#invocations]) run.release();
  }
}

/** Folders of experiments in a folder of runs. */
export function experimentFolders(runs: string): string[] {
  if (!existsSync(runs)) return [];
  return readdirSync(runs, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(runs, name));
}

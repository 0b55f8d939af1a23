// One MLflow run and the record of what the server has of it. Everything sent to the server can be sent again without
// changing anything. What the server has acknowledged is recorded in the run folder. So a process may die at any time
// and another one continues.
//
// Only creating a run must not happen twice. Every run has a key, derived from the folder that it shows. Before a run
// is created, the server is asked for that key. If an answer was ever lost, the server is asked again at the end, and
// duplicates are deleted.
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat, TEXTS, type FileSchema } from '../../../registry/support/json-file.js';
import { PRIVATE_FILE, writeWhole } from '../../support/files.js';
import { Lease } from '../../store/ledger/lease.js';
import { MlflowError, isMissing } from './client/errors.js';
import { shorten, LIMITS } from './client/limits.js';
import type { Batch, Metric, MlflowClient, NewRun, RunInfo, RunStatus, Tag } from './client/index.js';

/** Where runs are logged to. */
export interface Target {
  readonly client: MlflowClient;
  /** Number of the MLflow experiment of this name. */
  experiment(name: string): Promise<string>;
  /** The next call of `experiment` asks the server again. */
  forgetExperiments(): void;
  warn(message: string): void;
  /** A run's record says something that it never said before: more of it has been acknowledged. */
  moved(): void;
}

export interface RunState {
  /** Raised when older records cannot be read. */
  format: 1;
  /** Address of the server that all of this is true of. */
  server: string;
  key: string;
  run: Pick<RunInfo, 'run_id' | 'experiment_id' | 'artifact_uri'> | null;
  /** A run of this key may exist that was never heard of. */
  doubtful: boolean;
  /** The status that was last sent to the server. */
  status: RunStatus | null;
  /** Uploaded: path to the file's size and time. */
  files: Record<string, string>;
  /** What the server does not take, and why; not tried again. */
  refused: Record<string, string>;
}

/** Folder of the tracker in the folder of a trial or an experiment. */
export const PRIVATE = '.mlflow';
const STATE = 'state.json';
export const KEY_TAG = 'mtcp.key';

const TEXT_OR_NULL = { type: ['string', 'null'] };

/** @param more what the record of this kind of run has besides */
export function stateFormat<S extends RunState>(more: Readonly<Record<string, FileSchema>>): JsonFormat<S> {
  const properties = {
    format: { const: 1 },
    server: { type: 'string' },
    key: { type: 'string' },
    run: {
      type: ['object', 'null'],
      required: ['run_id', 'experiment_id', 'artifact_uri'],
      properties: {
        run_id: { type: 'string' },
        experiment_id: { type: 'string' },
        artifact_uri: { type: 'string' },
      },
    },
    doubtful: { type: 'boolean' },
    status: TEXT_OR_NULL,
    files: TEXTS,
    refused: TEXTS,
    ...more,
  };
  return new JsonFormat('the record of a run', {
    type: 'object',
    required: Object.keys(properties),
    properties,
  });
}

export class RemoteRun<S extends RunState> {
  #state: S | undefined;
  #lease: Lease | undefined;
  /** Records of this run so far: one that comes back is no progress. */
  readonly #seen = new Set<string>();

  /**
   * @param folder where the record is kept
   * @param format of the record; one that cannot be read is begun again, and everything is sent again
   * @param fresh the record of a run that the server does not know
   */
  constructor(
    readonly target: Target,
    readonly folder: string,
    readonly format: JsonFormat<S>,
    readonly fresh: () => S,
  ) {}

  get state(): S {
    if (!this.#state) {
      const known = this.#stored();
      this.#state = known?.server === this.target.client.transport.uri ? known : this.fresh();
    }
    return this.#state;
  }

  #stored(): S | undefined {
    try {
      return this.format.find(join(this.folder, STATE));
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      return undefined;
    }
  }

  /** False while another process logs this run. */
  take(): boolean {
    if (this.#lease) return true;
    const lease = Lease.take(this.folder);
    if (!(lease instanceof Lease)) return false;
    this.#lease = lease;
    // What the other process wrote last.
    this.#state = undefined;
    return true;
  }

  release(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }

  save(): void {
    const text = `${JSON.stringify(this.state, null, 1)}\n`;
    // The server's address of artifacts may hold a login.
    writeWhole(join(this.folder, STATE), text, PRIVATE_FILE);
    const print = createHash('sha256').update(text).digest('base64');
    if (this.#seen.has(print)) return;
    this.#seen.add(print);
    this.target.moved();
  }

  get info(): NonNullable<RunState['run']> {
    return this.state.run!;
  }

  /** Its page, among the pages for training; by default the server shows those for prompts and traces. */
  get url(): string | undefined {
    const { run } = this.state;
    return run ? `${this.target.client.runUrl(run)}?workflowType=machine_learning` : undefined;
  }

  /** The run of this key: known, found on the server, or made. */
  async ensure(experiment: string, run: Omit<NewRun, 'experiment_id'>): Promise<void> {
    const { state } = this;
    if (state.run) return;
    const { client } = this.target;
    const experiment_id = await this.target.experiment(experiment);
    const [found] = await this.#search(experiment_id);
    const tags = [{ key: KEY_TAG, value: state.key }, ...(run.tags ?? []).map(this.#clean)];
    if (!found) {
      // Should this process die now, the next one is in doubt.
      state.doubtful = true;
      this.save();
    }
    const { info } = found ?? (await client.createRun({ ...run, experiment_id, tags }));
    const { run_id, artifact_uri } = info;
    state.run = { run_id, experiment_id, artifact_uri };
    this.save();
  }

  /** Deletes what was made twice because an answer was lost. */
  async settle(): Promise<void> {
    const { state, info } = this;
    if (!state.doubtful) return;
    for (const { info: other } of await this.#search(info.experiment_id))
      if (other.run_id !== info.run_id) await this.target.client.deleteRun(other.run_id);
    state.doubtful = false;
    this.save();
  }

  async setStatus(status: RunStatus, end?: number): Promise<void> {
    await this.target.client.updateRun(this.info.run_id, {
      status,
      ...(end !== undefined && { end_time: end }),
    });
    this.state.status = status;
    this.save();
  }

  /** Values that the server refuses are left out one by one and reported. */
  async log({ metrics = [], params = [], tags = [] }: Batch): Promise<void> {
    const { client } = this.target;
    const clean = { params: params.map(this.#clean), tags: tags.map(this.#clean) };
    const { run_id } = this.info;
    await this.#halving('tag', clean.tags, (some) => client.logBatch(run_id, { tags: some }));
    await this.#halving('param', clean.params, (some) => client.logBatch(run_id, { params: some }));
    await this.#halving('metric', metrics, (some: readonly Metric[]) =>
      client.logBatch(run_id, { metrics: some }),
    );
  }

  async #halving<T extends { key: string }>(
    what: string,
    items: readonly T[],
    send: (items: readonly T[]) => Promise<void>,
  ): Promise<void> {
    if (items.length === 0) return;
    try {
      await send(items);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (items.length === 1) return this.#refuse(`${what} "${items[0].key}"`, error);
      const middle = Math.ceil(items.length / 2);
      await this.#halving(what, items.slice(0, middle), send);
      await this.#halving(what, items.slice(middle), send);
    }
  }

  /**
   * Something that the run can do without: if the server refuses it, or it cannot be made here, that is noted and
   * not tried again.
   */
  async part(name: string, work: () => Promise<void>): Promise<void> {
    if (Object.hasOwn(this.state.refused, name)) return;
    try {
      await work();
    } catch (error) {
      if (MlflowError.is(error) && !isRefusal(error)) throw error;
      this.#refuse(name, error as Error);
    }
  }

  #refuse(name: string, error: Error): void {
    if (Object.hasOwn(this.state.refused, name)) return;
    this.state.refused[name] = error.message;
    this.save();
    const hint = MtcpError.is(error) ? error.hint : undefined;
    this.target.warn(`${name} is not logged: ${error.message}${hint ? ` (${hint})` : ''}`);
  }

  /** Uploads a file unless it was, as it is now. A file that is not there is left out. */
  async put(path: string, file: string): Promise<void> {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return;
    const print = `${stat.size} ${Math.floor(stat.mtimeMs)}`;
    if (this.state.files[path] === print) return;
    await this.part('files', async () => {
      await this.target.client.artifacts(this.info).putFile(path, file);
      this.state.files[path] = print;
      this.save();
    });
  }

  /** The server has lost the run, for example with its database: what was sent is to be sent again. */
  forget(): void {
    this.#state = this.fresh();
    this.target.forgetExperiments();
    this.save();
  }

  #search(experiment_id: string) {
    return this.target.client.searchRuns([experiment_id], `tags."${KEY_TAG}" = '${this.state.key}'`);
  }

  readonly #clean = ({ key, value }: Tag): Tag => ({
    key,
    value: shorten(this.target.client.transport.redactor.text(value), LIMITS.param),
  });
}

/** The server understood and will not, now or later; a login or permission that is missing may come yet. */
function isRefusal(error: unknown): error is MlflowError {
  return (
    MlflowError.is(error) &&
    !error.passing &&
    error.status !== 401 &&
    error.status !== 403 &&
    !isMissing(error)
  );
}

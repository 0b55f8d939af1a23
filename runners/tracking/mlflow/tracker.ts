// The tracker `mlflow`: starts a thread that logs the run. Training and logging share only the run folders, so that a
// slow, missing or broken server does not affect training.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { component, options } from '../../../registry/component.js';
import type {
  InvocationOutcome,
  TrackedRun,
  Tracker,
  RunTracker,
} from '../../../registry/contracts/tracking.js';
import { MtcpError } from '../../../registry/errors.js';
import type { OptionsOf } from '../../../registry/options.js';
import { connectionFromEnv, parseUri, type Connection } from './client/connection.js';
import { commandLine } from './invocation.js';
import { OPTIONS } from './options.js';
import type { Assignment, FromWorker, ToWorker } from './worker.js';

@component({
  kind: 'tracker',
  name: 'mlflow',
  summary: 'MLflow tracking server: an experiment per table, a run per row and seed',
  source: 'MLflow REST API 2.0',
  options: OPTIONS,
  file: import.meta.url,
})
export class MlflowTracker implements Tracker {
  readonly #connection: Connection;

  constructor(@options() readonly options: OptionsOf<typeof OPTIONS>) {
    const { uri } = options;
    if (uri !== null) {
      const { username, password } = parseUri(uri, 'tracking.uri');
      if (username || password)
        throw new MtcpError('config', 'credentials do not belong in an experiment file', {
          where: 'tracking.uri',
          hint: 'set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead',
        });
    }
    if (uri === null && !process.env.MLFLOW_TRACKING_URI?.trim())
      throw new MtcpError('config', 'no tracking server is named', {
        where: 'tracking.uri',
        hint: 'write uri: http://localhost:5000 here, or set MLFLOW_TRACKING_URI',
      });
    this.#connection = connectionFromEnv(process.env, uri ?? undefined);
  }

  follow({ report, ...run }: TrackedRun): RunTracker {
    const { experiment, patience, uri: _, ...logging } = this.options;
    const assignment: Assignment = {
      connection: this.#connection,
      patience,
      invocation: {
        ...run,
        name: process.env.MLFLOW_EXPERIMENT_NAME || (experiment ?? run.experiment),
        options: logging,
        command: commandLine(),
      },
    };
    return new MlflowRunTracker(assignment, report);
  }
}

/** Milliseconds of waiting at the end of a run after which a message explains the delay. */
const SLOW = 2000;
/** Milliseconds that the thread has to exit cleanly. */
const LEAVING = 3000;

class MlflowRunTracker implements RunTracker {
  readonly #worker: Worker;
  readonly #done: Promise<void>;
  /** What the thread could not send; undefined if it ended without reporting. */
  #left: string[] | undefined;

  constructor(
    readonly assignment: Assignment,
    readonly report: TrackedRun['report'],
  ) {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: assignment });
    this.#worker.on('message', (message: FromWorker) => {
      if ('done' in message) this.#left = message.left;
      else report({ tracker: 'mlflow', ...message });
    });
    this.#worker.on('error', (error: Error) => this.#say(`logging stopped: ${error.stack ?? error.message}`));
    this.#done = once(this.#worker, 'exit').then(() => {});
    // The process does not wait for the thread unless `end` is called.
    this.#worker.unref();
  }

  trial(folder: string, elsewhere = false): void {
    this.#worker.postMessage({ trial: folder, elsewhere } satisfies ToWorker);
  }

  async end(outcome: InvocationOutcome, leave?: AbortSignal): Promise<void> {
    const { patience, invocation } = this.assignment;
    const worker = this.#worker;
    worker.ref();
    worker.postMessage({ end: outcome } satisfies ToWorker);
    const slow = setTimeout(
      () =>
        this.#say(
          `waiting for the server to take the rest, as long as it takes something every ${patience} s; Ctrl-C leaves that to the next run`,
        ),
      SLOW,
    );
    let killed: NodeJS.Timeout | undefined;
    const onLeave = () => {
      worker.postMessage({ leave: true } satisfies ToWorker);
      // Its records are consistent at any time.
      killed = setTimeout(() => void worker.terminate(), LEAVING);
    };
    if (leave?.aborted) onLeave();
    leave?.addEventListener('abort', onLeave);
    await this.#done;
    leave?.removeEventListener('abort', onLeave);
    clearTimeout(slow);
    clearTimeout(killed);
    const left = this.#left;
    if (left === undefined || left.length > 0)
      this.#say(
        `${left ? `${left.length} runs are` : 'the runs may be'} not logged in full; "mtcp mlflow sync --runs ${invocation.runs}" sends the rest, and so does the next run`,
      );
  }

  #say(message: string): void {
    this.report({ tracker: 'mlflow', url: null, message });
  }
}

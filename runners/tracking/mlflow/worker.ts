// The thread that logs to the server while the main thread trains. It follows the run folders and sleeps when there
// is nothing to send or the server cannot be reached. It ends some time after it is told that the run is over.
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { InvocationOutcome } from '../../../registry/contracts/tracking.js';
import { MtcpError } from '../../../registry/errors.js';
import { MlflowClient, MlflowError, type Connection } from './client/index.js';
import { Follower, mayPass, type Held } from './follower.js';
import { beginInvocation, readInvocations, type NewInvocation } from './invocation.js';
import type { InvocationRun } from './invocation-run.js';
import { SYSTEM_FILE, SystemSampler, writeSample } from './system.js';

export interface Assignment {
  connection: Connection;
  invocation: NewInvocation;
  /** Seconds, once the run is over, after which it is left at that if nothing more gets through. */
  patience: number;
}

export type ToWorker =
  | { trial: string; elsewhere: boolean }
  | { end: InvocationOutcome }
  /** Whatever is left is left to the next run. */
  | { leave: true };
export type FromWorker = { url: string | null; message: string } | { done: true; left: string[] };

const POLL = 500;
const LONGEST_WAIT = 30_000;

const { connection, invocation, patience } = workerData as Assignment;
const port = parentPort!;
const say = (message: FromWorker): void => port.postMessage(message);
const stop = new AbortController();

/** When the server last took something that it had not taken before; answers alone say nothing. */
let moved = performance.now();
let outcome: InvocationOutcome | undefined;
let wake = () => {};
/** Trials of this invocation, as they begin. */
const begun: string[] = [];
/** Those that another machine trains: the load of this one says nothing about them. */
const elsewhere = new Set<string>();

port.on('message', (message: ToWorker) => {
  if ('trial' in message) {
    begun.push(message.trial);
    if (message.elsewhere) elsewhere.add(message.trial);
  } else if ('end' in message) {
    outcome = message.end;
    moved = performance.now();
  } else stop.abort();
  wake();
});

// A request that hangs must not hold up the end of the command.
setInterval(() => {
  if (outcome && performance.now() - moved > patience * 1000) {
    stop.abort();
    wake();
  }
}, 200).unref();

const onMove = () => (moved = performance.now());
const client = new MlflowClient({ ...connection, retries: 1 }, { signal: stop.signal, moved: onMove });
const { redactor } = client.transport;
const told = new Set<string>();
const warn = (message: string): void => {
  if (told.has(message)) return;
  told.add(message);
  say({ url: null, message: redactor.text(message) });
};
const follower = new Follower(client, { warn, moved: onMove });
let current: InvocationRun | undefined;
let shown = false;

// What earlier invocations could not send.
for (const { folder, record } of readInvocations(invocation.folder)) follower.follow(folder, record);
await follow();
say({ done: true, left: follower.left });
follower.release();
process.exit();

async function follow(): Promise<void> {
  const sampler = invocation.options.system === null ? undefined : new SystemSampler();
  let sampled = performance.now();
  let failures = 0;
  for (;;) {
    const ending = outcome;
    if (stop.signal.aborted) {
      // The state of the run is written down, so that it can be sent later.
      if (ending && current && current.record.outcome === null) current.end(ending);
      return;
    }
    let sent = false;
    try {
      takeUp();
      if (ending && current && current.record.outcome === null) current.end(ending);
      if (sampler && performance.now() - sampled >= invocation.options.system! * 1000) {
        sampled = performance.now();
        await sample(sampler);
      }
      // At the end there is no time for long waits.
      sent = await follower.pass(ending ? 1000 : undefined);
      failures = 0;
      showUrl();
      for (const held of follower.held) if (held.count >= 2 || !mayPass(held)) tell(held.error, held);
      if (ending && !sent && !follower.held.some(mayPass)) return;
    } catch (error) {
      failures++;
      const passing = MlflowError.is(error) && error.passing;
      if (failures === 2 || !passing) tell(error as Error);
      // A login that is refused now is refused in ten seconds too.
      if (ending && MlflowError.is(error) && !passing) return;
    }
    if (!sent || failures > 0) await pause(failures);
  }
}

function tell(error: Error, held?: Held): void {
  const reason = MtcpError.is(error) ? error.message : String(error.stack ?? error);
  const hint = MtcpError.is(error) && error.hint ? ` (${error.hint})` : '';
  const what = held ? `experiment "${held.experiment}" is not logged for now` : 'not logged for now';
  warn(`${what}: ${reason}${hint}; training goes on`);
}

/** The invocation begins with its first trial: one that has nothing to do leaves no trace. */
function takeUp(): void {
  while (begun.length > 0) {
    if (!current) {
      const { folder, record } = beginInvocation(invocation, redactor);
      current = follower.follow(folder, record);
      current.current = true;
    }
    follower.trial(current, begun.shift()!);
  }
}

function showUrl(): void {
  const url = current?.run.url;
  if (shown || !url) return;
  shown = true;
  say({ url, message: url });
}

async function sample(sampler: SystemSampler): Promise<void> {
  const values = await sampler.sample(invocation.folder);
  for (const trial of follower.trials)
    if (
      trial.running &&
      !elsewhere.has(trial.folder) &&
      current?.record.trials.includes(basename(trial.folder))
    )
      writeSample(join(trial.folder, SYSTEM_FILE), values);
}

async function pause(failures: number): Promise<void> {
  const wait = failures === 0 ? POLL : Math.min(LONGEST_WAIT, 500 * 2 ** failures);
  const limit = new AbortController();
  wake = () => limit.abort();
  // At the end there is no time for long waits.
  await sleep(outcome ? Math.min(wait, 1000) : wait, undefined, { signal: limit.signal }).catch(() => {});
  wake = () => {};
}

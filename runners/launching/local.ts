// Several trials at once on this machine, each in a process of its own. All of them work through the same folder of
// runs and claim free trials, so they need no other coordination. This process tells them when to stop, passes on
// their reports, and replaces a process that dies.
import { fork, type ChildProcess } from 'node:child_process';
import { MtcpError } from '../../registry/errors.js';
import { shareOf, type RunSettings, type TrialSpec } from '../config/index.js';
import type { Attempts } from '../store/ledger/ledger.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import { watchOutput, type OutputLoss } from '../support/output.js';
import type { Failure, WorkEvent, Worked } from '../training/work.js';

/** The first message to a worker: trials as plain data. It reads no experiment file. */
export interface Assignment {
  /** Folder of all runs. */
  runs: string;
  /** Name of the experiment. */
  experiment: string;
  /** With what they depend on, in an order in which they can be trained. */
  trials: readonly TrialSpec[];
  settings: RunSettings;
  only?: readonly TrialState[];
  /** What had been tried before the command began. */
  attempts: Attempts;
  /** Written into the locks of the worker. */
  tags?: Record<string, string>;
  /** Trials that a worker died of, as `row`, `seed`. */
  skip: Pick<Failure, 'row' | 'seed'>[];
}

export type ToWorker = { assignment: Assignment } | { stop: true } | { lost: OutputLoss };
export type FromWorker = { event: WorkEvent } | { worked: Worked } | { broken: string };

interface Worker {
  child: ChildProcess;
  /** The trial it works on. */
  trial?: Pick<Failure, 'row' | 'seed'>;
  worked?: Worked;
}

const POLL = 200;
/** Workers that may be lost before they begin a trial. */
const MOST_LOST = 3;

/** One that has ended already is heard of by its exit. */
const tell = (child: ChildProcess, message: ToWorker): void => void child.send(message, () => {});

export interface ProcessOptions extends Omit<Assignment, 'settings' | 'skip'> {
  /** How many processes at once, at most. */
  jobs: number;
  /** Processes that share each trial. */
  processes: number;
  observe(event: WorkEvent): void;
  stopRequested(): boolean;
}

export async function runInProcesses({
  jobs: most,
  processes,
  observe,
  stopRequested,
  ...assigned
}: ProcessOptions): Promise<Worked> {
  const jobs = Math.min(most, assigned.trials.length);
  const settings = shareOf(jobs, processes);
  const workers = new Set<Worker>();
  const failed: Failure[] = [];
  const died: Failure[] = [];
  let interrupted = false;

  let lostEarly = 0;

  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // An error in a worker is reported as such; its other output goes to the observer.
      const child = fork(new URL('./worker.js', import.meta.url), [String(process.pid)], {
        stdio: ['ignore', 2, 2, 'ipc'],
      });
      const worker: Worker = { child };
      workers.add(worker);
      const unwatch = watchOutput((lost) => tell(child, { lost }));
      tell(child, { assignment: { ...assigned, settings, skip: died } });
      child.on('error', (cause) =>
        reject(
          new MtcpError('io', `no process can be started: ${cause.message}`, {
            hint: 'use fewer --jobs; limits on processes and open files may be too low (ulimit -a)',
            cause,
          }),
        ),
      );
      child.on('message', (message: FromWorker) => {
        if ('event' in message) {
          const { event } = message;
          if (event.event === 'trial') worker.trial = { row: event.row, seed: event.seed };
          if (event.event === 'finished' || event.event === 'failed' || event.event === 'interrupted')
            worker.trial = undefined;
          observe(event);
        } else if ('worked' in message) worker.worked = message.worked;
        else reject(new Error(message.broken));
      });
      child.on('exit', (code, signal) => {
        workers.delete(worker);
        unwatch();
        if (worker.worked) {
          const { worked } = worker;
          failed.push(...worked.failed);
          interrupted ||= worked.interrupted;
          // A new process may find the device working again; each costs a trial, so this ends.
          return worked.lost && !stopRequested() ? start().then(resolve, reject) : resolve();
        }
        const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
        if (!worker.trial) {
          // A signal to the whole group of processes meets some before they can take it.
          if (stopRequested()) interrupted = true;
          else if (++lostEarly <= MOST_LOST) return start().then(resolve, reject);
          else
            return reject(
              new MtcpError('io', `worker processes end before they begin a trial; the last one ${how}`, {
                hint: 'if memory runs out, use fewer --jobs',
              }),
            );
          return resolve();
        }
        const { row, seed } = worker.trial;
        const message = `its process ${how}; run it again to go on from its last checkpoint`;
        if (!died.some((other) => other.row === row && other.seed === seed))
          died.push({ row, seed, message });
        if (stopRequested()) return resolve();
        start().then(resolve, reject);
      });
    });

  const killAll = () => workers.forEach(({ child }) => child.kill('SIGKILL'));
  const poll = setInterval(() => {
    if (!stopRequested()) return;
    clearInterval(poll);
    for (const { child } of workers) tell(child, { stop: true });
  }, POLL);
  // Leaving at once takes the workers along.
  process.once('exit', killAll);
  try {
    await Promise.all(Array.from({ length: jobs }, start));
  } catch (error) {
    killAll();
    throw error;
  } finally {
    clearInterval(poll);
    process.off('exit', killAll);
  }
  return { failed: [...failed, ...died], interrupted: interrupted || stopRequested() };
}

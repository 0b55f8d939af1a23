// Several processes for one trial. Each computes some micro-batches of every step (training/processes). On this machine
// mtcp starts them itself, for each trial anew. In a job of a batch system its script has started them on the other nodes,
// where they wait for one trial after the other. In both cases they run `mtcp join` on the file of a meeting.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isBatchLauncher, type Launcher } from '../../registry/contracts/launching.js';
import { messageOf, MtcpError, MtcpErrors } from '../../registry/errors.js';
import { MOST_THREADS, threadsHint } from '../config/limits.js';
import type { RunSettings, TrialSpec } from '../config/index.js';
import { takesDevice } from '../engine/index.js';
import { assembled } from '../model/assemble.js';
import { takesWholeBatches, undealt, unsharedScheme } from '../model/division.js';
import { patienceOf } from '../support/team/link.js';
import { call, join, MEETING } from '../support/team/meeting.js';
import { follow } from '../training/processes/follow.js';
import type { Processes } from '../training/processes/processes.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/**
 * How many processes share each trial.
 * @param options of the command
 * @throws MtcpError `usage` if the launcher takes no such number
 */
export function processesIn({ processes }: { processes?: number }, launcher: Launcher): number {
  if (processes === undefined) return (isBatchLauncher(launcher) ? launcher.nodes : launcher.processes) ?? 1;
  const where = `argument "--processes ${processes}"`;
  if (isBatchLauncher(launcher))
    throw new MtcpError('usage', `${launcher.system} starts a process on each node`, {
      where,
      hint: `write how many under launcher: \`launcher: { type: ${launcher.system}, nodes: ${processes} }\``,
    });
  if (processes > MOST_THREADS)
    throw new MtcpError('usage', `${processes} processes are too many`, { where, hint: threadsHint() });
  return processes;
}

/**
 * Whether so many processes can share each of the trials.
 * @param flag what the command was asked for, if it was
 * @throws MtcpError or MtcpErrors `config` at each row that they cannot share; `usage` if their patience is no number
 */
export function requireShared(
  trials: readonly TrialSpec[],
  processes: number,
  { isLocal, flag }: { isLocal: boolean; flag?: number },
): void {
  if (processes === 1) return;
  patienceOf();
  const option = isLocal ? 'launcher.processes' : 'launcher.nodes';
  const asked = flag === undefined ? option : `argument "--processes ${flag}"`;
  const faults = new Map<string, MtcpError>();
  for (const trial of trials) {
    if (faults.has(trial.row)) continue;
    const fault = unshared(trial, processes, isLocal);
    if (!fault) continue;
    const where = `${asked}, row "${trial.row}"`;
    faults.set(trial.row, new MtcpError('config', fault.message, { where, hint: fault.hint }));
  }
  const all = [...faults.values()];
  if (all.length === 1) throw all[0];
  if (all.length > 1) throw new MtcpErrors('config', all);
}

function unshared(trial: TrialSpec, processes: number, isLocal: boolean) {
  const { train, engine } = trial.config;
  if (isLocal && takesDevice(engine))
    return {
      message: `several processes of a machine cannot share the device of engine "${engine.type}"`,
      hint: 'with the engine xla, `--devices` divides batches among the devices of a machine',
    };
  const { scheme } = assembled(trial).criterion;
  if (takesWholeBatches(scheme))
    return {
      message:
        'several processes share a batch by its micro-batches, and the scheme looks at the gradients or losses of a whole batch',
      hint: 'train in one process; with the engine xla, `--devices` divides such batches, too',
    };
  return unsharedScheme(scheme) ?? undealt(train, processes);
}

/** Of a process that shares its machine with others of the trial. */
export const processesOf = ({ processes = 1 }: RunSettings = {}): { processes?: Processes } =>
  processes > 1 ? { processes: localProcesses(processes) } : {};

/** Processes of this machine. */
function localProcesses(count: number): Processes {
  return {
    count,
    areRenewed: true,
    meet(folder) {
      const file = joinPath(folder.path, `meeting-${randomUUID().slice(0, 8)}.json`);
      const started = Array.from({ length: count - 1 }, () => start(file));
      const broken = Promise.race(started.map(({ ended }) => ended));
      broken.catch(() => {});
      return call(file, { others: count - 1, isLocal: true, broken });
    },
  };
}

/** @returns `ended` rejects when the process has ended */
function start(file: string): { child: ChildProcess; ended: Promise<never> } {
  // What goes wrong in it is told by this process; its output is what its libraries print.
  const child = spawn(process.execPath, [MAIN, 'join', file, '--once'], { stdio: ['ignore', 2, 2] });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<never>((_, reject) => {
    child.once('error', (cause) =>
      reject(
        new MtcpError('io', `no process can be started: ${cause.message}`, {
          hint: 'use fewer --processes; limits on processes and open files may be too low (ulimit -a)',
          cause,
        }),
      ),
    );
    child.once('exit', (code, signal) => {
      process.off('exit', kill);
      const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
      reject(
        new MtcpError('engine', `one of the other processes of the trial ${how}`, {
          hint: 'if memory runs out, use fewer --processes',
        }),
      );
    });
  });
  child.unref();
  return { child, ended };
}

/**
 * Processes that something else has started, each as `mtcp join FILE`.
 * @param file where they wait for a meeting
 */
export const placedProcesses = (count: number, file: string): Processes => ({
  count,
  areRenewed: false,
  meet: () => call(file, { others: count - 1, isLocal: false }),
});

/** Milliseconds between two looks for a meeting. */
const POLL = 500;

/**
 * Takes part in the one trial that a file calls for.
 * @param tell hears why it cannot; what goes wrong later is reported by process 0
 * @throws MtcpError what went wrong, here or in another process
 */
export async function joinOnce(file: string, tell: (message: string) => void): Promise<void> {
  while (!existsSync(file)) await sleep(POLL / 10);
  const team = await join(MEETING.read(file)).catch((error: unknown) => {
    tell(messageOf(error));
    throw error;
  });
  await follow(team);
}

/**
 * Takes part in one trial after the other, as a file calls for them.
 * @param tell hears what went wrong; process 0 reports it too
 * @param stopRequested asked between two trials: process 0 ends the one under way
 */
export async function joinAll(
  file: string,
  tell: (message: string) => void,
  stopRequested: () => boolean,
): Promise<void> {
  let last: string | undefined;
  for (; !stopRequested(); await sleep(POLL)) {
    try {
      const meeting = MEETING.find(file);
      if (!meeting || meeting.id === last) continue;
      last = meeting.id;
      await follow(await join(meeting));
    } catch (error) {
      tell(messageOf(error));
    }
  }
}

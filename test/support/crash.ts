// Runs the command line in processes that are killed, and compares what is left with an undisturbed run.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { courseOf, readEvents, type LoggedEvent } from '../../runners/store/ledger/events.js';
import { readSteps } from '../../runners/store/ledger/steps.js';
import { DEPTH_ONLY, experimentFile, ROOT } from './rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * @param shell what bash does before, such as setting limits
 * @param each sees every event of `--json`; what it returns is sent to the process as a signal, after `delay` ms
 */
export function mtcp(
  args: readonly string[],
  {
    shell = '',
    each,
    delay = 0,
  }: { shell?: string; each?(event: { event: string }): NodeJS.Signals | void; delay?: number } = {},
): Promise<Ended> {
  const command = [process.execPath, MAIN, ...args];
  const child = shell
    ? spawn('bash', ['-c', `${shell}; exec "$@"`, 'bash', ...command])
    : spawn(command[0], command.slice(1));
  let [stdout, stderr, seen] = ['', '', 0];
  child.stderr.on('data', (text) => (stderr += text));
  child.stdout.on('data', (text) => {
    stdout += text;
    for (let end; each && (end = stdout.indexOf('\n', seen)) >= 0; seen = end + 1) {
      const signal = each(JSON.parse(stdout.slice(seen, end)) as { event: string });
      if (signal && delay === 0) child.kill(signal);
      else if (signal) setTimeout(() => child.kill(signal), delay);
    }
  });
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  );
}

/** The smallest trial there is, as an experiment of one row. */
export const smallExperiment = (): string => {
  const small = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');
  // With a running mean of the weights, which is a part of every checkpoint.
  return experimentFile(`rows: { depth: ${small} }\nevaluate: { every: 1 }\ntrain: { ema: 0.9 }\n`);
};

export function trialFolderIn(runs: string): string {
  const folder = join(runs, 'test');
  const [name, ...more] = readdirSync(folder).filter((entry) =>
    existsSync(join(folder, entry, 'events.jsonl')),
  );
  expect(more, 'further trial folders').to.deep.equal([]);
  return join(folder, name);
}

const TIMES = new Set(['time', 'seconds', 'waited', 'path', 'memory']);
const withoutTimes = (value: object) => JSON.stringify(value, (key, part) => (TIMES.has(key) ? 0 : part));

/** Metrics, events and weights, byte by byte; times and paths differ. */
export function expectSameRun(runs: string, undisturbed: string, options?: { checkpoints?: boolean }): void {
  expectSameTrial(trialFolderIn(runs), trialFolderIn(undisturbed), options);
}

/** The same of two trials' folders. */
export function expectSameTrial(actual: string, expected: string, { checkpoints = true } = {}): void {
  const result = (folder: string) =>
    withoutTimes(JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')));
  expect(result(actual), 'result.json').to.equal(result(expected));
  const course = (folder: string) =>
    courseOf(readEvents(join(folder, 'events.jsonl')))
      .filter(({ event }: LoggedEvent) => checkpoints || event !== 'checkpoint')
      .map(withoutTimes);
  expect(course(actual), 'events').to.deep.equal(course(expected));
  const steps = (folder: string) => readSteps(join(folder, 'steps.jsonl')).map(withoutTimes);
  expect(steps(actual), 'steps.jsonl').to.deep.equal(steps(expected));
  const names = readdirSync(join(expected, 'checkpoints'));
  expect(readdirSync(join(actual, 'checkpoints')), 'checkpoints').to.deep.equal(names);
  for (const name of names)
    for (const file of ['weights.safetensors', 'optimizer.safetensors'])
      expect(
        readFileSync(join(actual, 'checkpoints', name, file)).equals(
          readFileSync(join(expected, 'checkpoints', name, file)),
        ),
        `${name}/${file} is the same`,
      ).to.equal(true);
  expect(
    readFileSync(join(actual, 'predictions.png')).equals(readFileSync(join(expected, 'predictions.png'))),
    'predictions.png is the same',
  ).to.equal(true);
}

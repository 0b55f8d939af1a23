// Experiments for a cluster: one task on tiny rooms, slowed down so that there is time to disturb it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobStatus } from '../../../runners/launchers/status.js';
import { readEvents, type LoggedEvent } from '../../../runners/ledger/events.js';
import { mtcp, type Ended } from '../../support/crash.js';
import { experimentFile, ROOT, temporaryFolder } from '../../support/rooms.js';

const SLOW = join(ROOT, 'test/slurm/support/slow.mjs');
const NETWORK =
  'tasks: { semseg: null, normals: null }, model: { decoder: null, interaction: null, refinement: null }, scheme: { type: equal }';

/** Two steps an epoch. */
export interface Row {
  epochs: number;
  /** Milliseconds of a step at least. */
  ms?: number;
  /** Further YAML of the row. */
  more?: string;
}

export class ClusterExperiment {
  readonly runs = temporaryFolder();
  readonly file: string;

  constructor(rows: Readonly<Record<string, Row>>, launcher = '', time = 10) {
    const lines = Object.entries(rows).map(
      ([name, { epochs, ms = 0, more = '' }]) =>
        `  ${name}: { ${NETWORK}, schedule: { type: slow, ms: ${ms} }, train: { epochs: ${epochs} }${more} }\n`,
    );
    this.file = experimentFile(
      `plugins: ${SLOW}\nrows:\n${lines.join('')}launcher: { type: slurm, cpus: 1, time: ${time}${launcher} }\n`,
    );
  }

  run(...more: string[]): Promise<Ended> {
    return mtcp(['run', this.file, '--profile', 'smoke', '--runs', this.runs, ...more]);
  }

  command(command: string, ...more: string[]): Promise<Ended> {
    return mtcp([command, this.file, '--profile', 'smoke', '--runs', this.runs, ...more]);
  }

  async status(): Promise<Record<string, JobStatus>> {
    const { stdout } = await this.command('status', '--json');
    const { trials } = JSON.parse(stdout) as { trials: JobStatus[] };
    return Object.fromEntries(trials.map((trial) => [trial.row, trial]));
  }

  /** What was written down in the folder of a row's trial. */
  events({ folder }: Pick<JobStatus, 'folder'>): LoggedEvent[] {
    return readEvents(join(folder, 'events.jsonl'));
  }

  /** Epochs of a trial that are done, without asking anybody. */
  epochs(trial: Pick<JobStatus, 'folder'>): number {
    return this.events(trial).filter(({ event }) => event === 'epoch').length;
  }
}

/** Every line of a trial's log, also what a resume has made void. */
export const allEvents = ({ folder }: Pick<JobStatus, 'folder'>): LoggedEvent[] => {
  const path = join(folder, 'events.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LoggedEvent]));
};

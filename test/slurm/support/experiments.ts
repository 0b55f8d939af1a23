// Experiments for a cluster: one task on tiny rooms, which can be held up so that there is time to disturb it.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobStatus } from '../../../runners/launching/status.js';
import { trust } from '../../../runners/config/trust.js';
import { readEvents, type LoggedEvent } from '../../../runners/store/ledger/events.js';
import { mtcp, type Ended } from '../../support/crash.js';
import { experimentFile, ROOT, temporaryFolder } from '../../support/rooms.js';

const HELD = join(ROOT, 'test/slurm/support/held.mjs');
// The list of trusted plugins is one of the tests' own; see test/support/rooms.ts.
trust({ own: HELD });

const NETWORK =
  'tasks: { semseg: null, normals: null }, model: { decoder: null, interaction: null, refinement: null }, scheme: { type: equal }';

interface Row {
  epochs: number;
  /** The row that it starts from. */
  from?: string;
  /** Micro-batches of a step, each of one sample. */
  accumulate?: number;
}

/** Row to its epochs, of two steps each, and perhaps more. */
export type Rows = Readonly<Record<string, number | Row>>;

export class ClusterExperiment {
  readonly runs = temporaryFolder();
  readonly file: string;
  readonly #hold = join(temporaryFolder(), 'hold');

  /** @param launcher further options of the launcher, as YAML */
  constructor(rows: Rows, launcher = '') {
    const lines = Object.entries(rows).map(([name, row]) => {
      const { epochs, from, accumulate }: Row = typeof row === 'number' ? { epochs: row } : row;
      const divided = accumulate === undefined ? '' : `, batch: ${accumulate}, accumulate: ${accumulate}`;
      const start = from === undefined ? '' : `, weights: { rows: { model: ${from} } }`;
      return `  ${name}: { ${NETWORK}, train: { epochs: ${epochs}${divided} }${start} }\n`;
    });
    this.file = experimentFile(
      `plugins: ${HELD}\nschedule: { type: held, by: ${this.#hold} }\nrows:\n${lines.join('')}launcher: { type: slurm, cpus: 1${launcher} }\n`,
    );
  }

  /** From now on every step takes its time. */
  hold(): this {
    writeFileSync(this.#hold, '');
    return this;
  }

  letGo(): void {
    rmSync(this.#hold);
  }

  run(...more: string[]): Promise<Ended> {
    return this.command('run', ...more);
  }

  /** @param each sees what the command tells as events */
  watch(each: (event: { event: string }) => void): Promise<Ended> {
    return mtcp(['run', this.file, '--profile', 'smoke', '--runs', this.runs, '--json'], { each });
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

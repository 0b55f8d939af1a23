// The MLflow run of an invocation: the parent of its trials' runs, with the report and the command line.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { InvocationOutcome } from '../../../registry/contracts/tracking.js';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat, NUMBERS } from '../../../registry/support/json-file.js';
import { readText } from '../../../registry/support/plain-file.js';
import type { Metric, RunStatus } from './client/index.js';
import { shortNote, tableMetrics, tag, type TableNumbers } from './entities.js';
import { writeInvocation, type Invocation } from './invocation.js';
import { RemoteRun, stateFormat, type RunState, type Target } from './remote-run.js';
import { runTags } from './run-tags.js';

interface InvocationState extends RunState {
  /** The outcome that was sent to the server. */
  outcome: InvocationOutcome | null;
}

const FORMAT = stateFormat<InvocationState>({ outcome: { type: ['string', 'null'] } });

const STATUS: Readonly<Record<InvocationOutcome, RunStatus>> = {
  finished: 'FINISHED',
  failed: 'FAILED',
  interrupted: 'KILLED',
};

/** Files of an experiment's folder that people open: the report in its forms, and its pictures. */
const SHOWN: ReadonlySet<string> = new Set(['.md', '.html', '.json', '.csv', '.tex', '.png', '.svg']);

const TABLE = new JsonFormat<TableNumbers>('a report', {
  type: 'object',
  required: ['rows', 'delta_m', 'better'],
  properties: {
    rows: {
      type: 'array',
      items: {
        type: 'object',
        required: ['row', 'metrics'],
        properties: { row: { type: 'string' }, metrics: NUMBERS },
      },
    },
    delta_m: { type: 'object', additionalProperties: { type: 'number' } },
    better: { type: 'object', additionalProperties: { enum: ['higher', 'lower'] } },
  },
});

export class InvocationRun {
  readonly run: RemoteRun<InvocationState>;
  /** Whether it is under way in this process. */
  current = false;
  #begun = false;

  constructor(
    target: Target,
    readonly folder: string,
    readonly record: Invocation,
  ) {
    this.run = new RemoteRun(target, folder, FORMAT, () => ({
      format: 1,
      server: target.client.transport.uri,
      key: record.key,
      run: null,
      doubtful: false,
      status: null,
      files: {},
      refused: {},
      outcome: null,
    }));
  }

  /** Folder of the experiment. */
  get home(): string {
    return dirname(dirname(this.folder));
  }

  get complete(): boolean {
    return this.record.outcome !== null && this.run.state.outcome === this.record.outcome;
  }

  /** Writes down that a trial belongs to it. */
  add(trial: string): void {
    if (this.record.trials.includes(trial)) return;
    this.record.trials.push(trial);
    writeInvocation(this.folder, this.record);
  }

  end(outcome: InvocationOutcome): void {
    this.record.outcome = outcome;
    this.record.ended = new Date().toISOString();
    writeInvocation(this.folder, this.record);
  }

  /** Number of the run, which is made if it is not there yet. */
  async id(): Promise<string> {
    const { record, run } = this;
    if (run.state.run) return run.info.run_id;
    const { experiment, profile, started, user } = record;
    await run.ensure(record.name, {
      run_name: `${experiment}${profile ? ` ${profile}` : ''} ${started.slice(0, 16).replace('T', ' ')}`,
      start_time: Date.parse(started),
      user_id: user,
      tags: [...this.#tags(), { key: 'mlflow.user', value: user }],
    });
    return run.info.run_id;
  }

  /** @returns whether there was anything to send */
  async begin(): Promise<boolean> {
    if (this.#begun || !this.run.take()) return false;
    await this.id();
    if (this.current) await this.run.setStatus('RUNNING');
    this.run.state.outcome = null;
    await this.run.log({ tags: [...this.#tags(), tag('mlflow.note.content', this.#note())] });
    await this.run.put('config/experiment.yaml', join(this.folder, 'experiment.yaml'));
    await this.run.put('config/uncommitted.diff', join(this.folder, 'uncommitted.diff'));
    this.#begun = true;
    return true;
  }

  /** Called when all trials have been sent. */
  async finish(): Promise<boolean> {
    const { record, run } = this;
    if (record.outcome === null || this.complete || !run.take()) return false;
    await this.id();
    await this.#putReport('report', this.home);
    await run.log({
      metrics: this.#table(),
      tags: [
        ...this.#tags(),
        tag('mtcp.state', record.outcome),
        { key: 'mlflow.note.content', value: this.#note() },
      ],
    });
    await run.settle();
    await run.setStatus(STATUS[record.outcome], record.ended ? Date.parse(record.ended) : undefined);
    run.state.outcome = record.outcome;
    run.save();
    run.release();
    return true;
  }

  /** The process died: the run is over, whatever became of it. */
  async close(): Promise<boolean> {
    const { state } = this.run;
    if (!state.run || state.status !== 'RUNNING' || !this.run.take()) return false;
    await this.run.log({ tags: [tag('mtcp.state', 'died')] });
    await this.run.settle();
    await this.run.setStatus('KILLED', Date.now());
    return true;
  }

  #tags() {
    const { trials, title } = this.record;
    return [
      ...runTags(this.record),
      tag('mtcp.path', this.folder),
      tag('mtcp.title', title),
      tag('mtcp.trials', String(trials.length)),
    ];
  }

  async #putReport(path: string, folder: string): Promise<void> {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = join(folder, entry.name);
      // A folder with events is a trial's.
      if (entry.isDirectory() && !entry.name.startsWith('.') && !existsSync(join(file, 'events.jsonl')))
        await this.#putReport(`${path}/${entry.name}`, file);
      else if (entry.isFile() && SHOWN.has(extname(entry.name)) && !entry.name.startsWith('constant-'))
        await this.run.put(`${path}/${entry.name}`, file);
    }
  }

  /** The numbers of the table; none if there is no report. */
  #table(): Metric[] {
    const path = join(this.home, 'report.json');
    try {
      const time = this.record.ended ? Date.parse(this.record.ended) : Date.now();
      const table = TABLE.find(path);
      return table ? tableMetrics(table, time) : [];
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      // It is damaged, or of an older version.
      return [];
    }
  }

  #note(): string {
    const { title, description, command, git, outcome } = this.record;
    const report = join(this.home, 'report.md');
    const lines = [`**${title}**`, '', '```sh', command, '```'];
    if (description) lines.splice(1, 0, '', description);
    if (git) lines.push('', `Commit \`${git.commit.slice(0, 12)}\`${git.dirty ? ', with changes' : ''}.`);
    if (outcome !== null && existsSync(report)) lines.push('', readText(report, { kind: 'io' }));
    return shortNote(lines.join('\n'));
  }
}

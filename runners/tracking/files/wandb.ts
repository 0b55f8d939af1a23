// The tracker `wandb`: offline runs of Weights & Biases, a folder for each trial, which `wandb sync` uploads. The file of
// a run is a log of LevelDB's form (blocks of 32 KiB) with a header of its own; each entry is a Record message
// (wandb/proto/wandb_internal.proto).
import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { component, options } from '../../../registry/component.js';
import type { RunTracker, TrackedRun, Tracker } from '../../../registry/contracts/tracking.js';
import { defineOptions, type OptionsOf } from '../../../registry/options.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import type { Metric } from '../mlflow/client/types.js';
import { FileTracker, type TrialEnd, type TrialSink, type TrialStart } from './file-tracker.js';
import { bytes, integer } from './protobuf.js';

const OPTIONS = defineOptions({
  project: {
    description: 'Of the runs; the name of the experiment if left out.',
    type: ['string', 'null'],
    default: null,
  },
  entity: { description: 'User or team of the project.', type: ['string', 'null'], default: null },
  steps: {
    description: 'Every so many steps their losses and weights are logged; 0: only means of epochs.',
    type: 'integer',
    minimum: 0,
    default: 1,
  },
});

type Options = OptionsOf<typeof OPTIONS>;

@component({
  kind: 'tracker',
  name: 'wandb',
  summary: 'offline runs of Weights & Biases, in the folder of the runs',
  source: 'wandb/proto/wandb_internal.proto, wandb/sdk/internal/datastore.py',
  options: OPTIONS,
  file: import.meta.url,
})
export class WeightsAndBiases implements Tracker {
  constructor(@options() readonly options: Options) {}

  follow(run: TrackedRun): RunTracker {
    const folder = join(run.folder, 'wandb');
    run.report({ tracker: 'wandb', url: null, message: `offline; wandb sync ${folder}/offline-run-*` });
    const open = (start: TrialStart) => new OfflineRun(folder, run, this.options, start);
    return new FileTracker('wandb', run, this.options.steps, open);
  }
}

class OfflineRun implements TrialSink {
  readonly #log: RecordLog;
  readonly #summary = new Map<string, number>();
  #rows = 0;

  constructor(
    home: string,
    run: TrackedRun,
    { project, entity }: Options,
    readonly start: TrialStart,
  ) {
    const { row, seed, hash, time, config, caption } = start;
    // Uploaded again, a run that was resumed is the same run.
    const id = `${hash.slice(0, 8)}${String(time.getTime()).slice(-6)}`;
    makeFolder(home);
    for (const name of readdirSync(home))
      if (/^offline-run-\d{8}_\d{6}-/.test(name) && name.endsWith(`-${id}`))
        rmSync(join(home, name), { recursive: true });
    const stamp = time.toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15);
    const folder = join(home, `offline-run-${stamp}-${id}`);
    makeFolder(join(folder, 'files'));
    this.#log = new RecordLog(join(folder, `run-${id}.wandb`));
    this.#log.add(FIELD.header, [bytes(1, [bytes(1, '0.19.0'), bytes(2, '0.8.0')])]);
    const settings = { row, seed, hash, data: caption, ...config };
    const items = Object.entries(settings).map(([key, value]) =>
      bytes(1, [bytes(1, key), bytes(16, JSON.stringify(value ?? null))]),
    );
    const seconds = time.getTime() / 1000;
    this.#log.add(FIELD.run, [
      bytes(1, id),
      ...(entity === null ? [] : [bytes(2, entity)]),
      bytes(3, project ?? run.experiment),
      bytes(4, items),
      bytes(6, run.title),
      bytes(8, `${row}, seed ${seed}`),
      bytes(17, [integer(1, Math.floor(seconds))]),
    ]);
    // Every metric has the optimizer step as its axis.
    this.#log.add(FIELD.metric, [bytes(2, '*'), bytes(4, 'step')]);
  }

  metrics(metrics: readonly Metric[]): void {
    const bySteps = new Map<string, Metric[]>();
    for (const metric of metrics) {
      const key = `${metric.step} ${metric.timestamp}`;
      bySteps.set(key, [...(bySteps.get(key) ?? []), metric]);
    }
    for (const group of bySteps.values()) this.#row(group);
  }

  #row(group: readonly Metric[]): void {
    const [{ step, timestamp }] = group;
    const began = this.start.time.getTime();
    const values: [string, number][] = [
      ...group.map(({ key, value }): [string, number] => [key, value]),
      ['step', step],
      ['_step', this.#rows],
      ['_timestamp', timestamp / 1000],
      ['_runtime', (timestamp - began) / 1000],
    ];
    for (const [key, value] of values) this.#summary.set(key, value);
    this.#log.add(FIELD.history, [
      ...values.map(([key, value]) => bytes(1, [bytes(1, key), bytes(16, jsonNumber(value))])),
      bytes(2, integer(1, this.#rows)),
    ]);
    this.#rows++;
  }

  end(end: TrialEnd): void {
    const items = [...this.#summary].map(([key, value]) =>
      bytes(1, [bytes(1, key), bytes(16, jsonNumber(value))]),
    );
    this.#log.add(FIELD.summary, items);
    this.#log.add(FIELD.exit, [integer(1, 'result' in end ? 0 : 1)]);
  }
}

/** As Python's json has it. */
const jsonNumber = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? String(value) : value > 0 ? 'Infinity' : '-Infinity';

/** Numbers of the kinds of record in a Record. */
const FIELD = { history: 2, summary: 3, metric: 12, run: 17, exit: 18, header: 21 } as const;

const BLOCK = 32 * 1024;
const HEADER = 7;
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

class RecordLog {
  #position: number;
  #count = 0;

  constructor(readonly path: string) {
    const header = Buffer.alloc(HEADER);
    header.write(':W&B', 0, 'latin1');
    header.writeUInt16LE(0xbee1, 4);
    writeFileSync(path, header);
    this.#position = HEADER;
  }

  add(field: number, message: readonly Buffer[]): void {
    let rest = Buffer.concat([integer(1, ++this.#count), bytes(field, message)]);
    const parts: Buffer[] = [];
    let first = true;
    do {
      let room = BLOCK - (this.#position % BLOCK);
      if (room < HEADER) {
        parts.push(Buffer.alloc(room));
        this.#position += room;
        room = BLOCK;
      }
      const data = rest.subarray(0, room - HEADER);
      rest = rest.subarray(data.length);
      const type = first ? (rest.length === 0 ? FULL : FIRST) : rest.length === 0 ? LAST : MIDDLE;
      const header = Buffer.alloc(HEADER);
      header.writeUInt32LE(crc32(data, crc32(Buffer.from([type]))));
      header.writeUInt16LE(data.length, 4);
      header[6] = type;
      parts.push(header, data);
      this.#position += HEADER + data.length;
      first = false;
    } while (rest.length > 0);
    appendFileSync(this.path, Buffer.concat(parts));
  }
}

// The tracker `tensorboard`: event files that `tensorboard --logdir runs/<experiment>/tensorboard` shows, a folder for each
// trial. An event file is a sequence of TFRecords, each an Event message (tensorflow/core/util/event.proto).
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dump } from 'js-yaml';
import sharp from 'sharp';
import { component, options } from '../../../registry/component.js';
import type { RunTracker, TrackedRun, Tracker } from '../../../registry/contracts/tracking.js';
import { defineOptions, type OptionsOf } from '../../../registry/options.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import type { Metric } from '../mlflow/client/types.js';
import { FileTracker, type TrialEnd, type TrialSink, type TrialStart } from './file-tracker.js';
import { bytes, double, float, integer } from './protobuf.js';

const OPTIONS = defineOptions({
  steps: {
    description: 'Every so many steps their losses and weights are logged; 0: only means of epochs.',
    type: 'integer',
    minimum: 0,
    default: 1,
  },
});

@component({
  kind: 'tracker',
  name: 'tensorboard',
  summary: 'event files for TensorBoard, in the folder of the runs',
  source: 'tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.cc',
  options: OPTIONS,
  file: import.meta.url,
})
export class TensorBoard implements Tracker {
  constructor(@options() readonly options: OptionsOf<typeof OPTIONS>) {}

  follow(run: TrackedRun): RunTracker {
    const folder = join(run.folder, 'tensorboard');
    run.report({ tracker: 'tensorboard', url: null, message: `tensorboard --logdir ${folder}` });
    return new FileTracker('tensorboard', run, this.options.steps, (start) => new EventFile(folder, start));
  }
}

const PREFIX = 'events.out.tfevents.';
const SUFFIX = '.mtcp';
/** What a finished trial leaves as pictures: predictions, and its worst and best images. */
const PICTURES = ['predictions', 'failures'];

class EventFile implements TrialSink {
  readonly #path: string;
  #step = 0;

  constructor(
    home: string,
    readonly start: TrialStart,
  ) {
    const folder = join(home, basename(start.folder));
    makeFolder(folder);
    // The whole trial is written again; only files of this tracker are removed.
    for (const name of readdirSync(folder))
      if (name.startsWith(PREFIX) && name.endsWith(SUFFIX)) rmSync(join(folder, name));
    const seconds = start.time.getTime() / 1000;
    this.#path = join(folder, `${PREFIX}${Math.floor(seconds)}${SUFFIX}`);
    this.#write([event(seconds, 0, bytes(3, 'brain.Event:2'))]);
    const about = `**${start.row}**, seed ${start.seed}: ${start.caption}\n\n${indented(dump(start.config))}`;
    this.#write([event(seconds, 0, summary(text('config', about)))]);
  }

  metrics(metrics: readonly Metric[]): void {
    this.#write(
      metrics.map(({ key, value, step, timestamp }) => {
        this.#step = Math.max(this.#step, step);
        return event(timestamp / 1000, step, summary([bytes(1, key), float(2, value)]));
      }),
    );
  }

  end(end: TrialEnd): void {
    const now = Date.now() / 1000;
    if ('failure' in end) this.#write([event(now, this.#step, summary(text('failure', end.failure)))]);
    if (!('result' in end)) return;
    for (const name of PICTURES) {
      const picture = join(this.start.folder, `${name}.png`);
      if (!existsSync(picture)) continue;
      const png = readFileSync(picture);
      void sharp(png)
        .metadata()
        .then(({ width, height }) => {
          const image = [integer(1, height), integer(2, width), integer(3, 3), bytes(4, png)];
          this.#write([event(now, this.#step, summary([bytes(1, name), bytes(4, image)]))]);
        })
        // A picture that cannot be read is none.
        .catch(() => {});
    }
  }

  #write(events: readonly Buffer[]): void {
    appendFileSync(this.#path, Buffer.concat(events.map(record)));
  }
}

const event = (seconds: number, step: number, what: Buffer): Buffer =>
  Buffer.concat([double(1, seconds), integer(2, step), what]);

/** A Summary with one Value. */
const summary = (value: readonly Buffer[]): Buffer => bytes(5, bytes(1, value));

/** Of the plugin `text`, which renders Markdown: a tensor of one string. */
const text = (tag: string, content: string): Buffer[] => [
  bytes(1, tag),
  bytes(8, [integer(1, DT_STRING), bytes(2, []), bytes(8, content)]),
  bytes(9, bytes(1, bytes(1, 'text'))),
];

const DT_STRING = 7;

const indented = (yaml: string): string => yaml.replace(/^/gm, '    ');

/** A TFRecord: length, its checksum, the data, their checksum. */
function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
}

function masked(data: Buffer): Buffer {
  const crc = crc32c(data);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return checksum;
}

/** Of Castagnoli's polynomial, reflected. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

function crc32c(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

// The memory of a training batch: one shared buffer with a part for each sample, which a pipeline writes into. So samples
// are not copied into the batch, and the batch is not copied from thread to thread.
import type { LabelMap, MapData, Sample } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import type { LabelBatch, TrainBatch } from './batch.js';

/** What threads share starts at multiples of so many bytes. */
const ALIGNMENT = 64;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

interface Values {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): LabelBatch;
}

interface Part {
  task: Task;
  channels: number;
  Values: Values;
}

export class TrainMemory {
  readonly #ids: readonly string[];
  readonly #image: Float32Array;
  readonly #labels: readonly { part: Part; data: LabelBatch }[];

  /**
   * @param samples as decoded
   * @param size height and width that the pipeline makes
   * @param given a buffer that is free again, used if it is large enough
   */
  constructor(
    samples: readonly Sample[],
    tasks: readonly Task[],
    private readonly size: readonly [number, number],
    given?: SharedArrayBuffer,
  ) {
    this.#ids = samples.map(({ id }) => id);
    const pixels = samples.length * size[0] * size[1];
    const parts = tasks.map((task): Part => {
      const channels = kindOf(task).labelChannels(task);
      return { task, channels, Values: kindOf(task).batch === 'indices' ? Int32Array : Float32Array };
    });
    const bytesOf = ({ channels, Values }: Part) => aligned(pixels * channels * Values.BYTES_PER_ELEMENT);
    let at = aligned(4 * 3 * pixels);
    const bytes = parts.reduce((sum, part) => sum + bytesOf(part), at);
    const buffer = given && given.byteLength >= bytes ? given : new SharedArrayBuffer(bytes);
    this.#image = new Float32Array(buffer, 0, 3 * pixels);
    this.#labels = parts.map((part) => {
      const data = new part.Values(buffer, at, pixels * part.channels);
      at += bytesOf(part);
      return { part, data };
    });
  }

  /** Where the i-th sample goes. */
  sample(i: number): Sample {
    const [height, width] = this.size;
    const part = <T extends LabelBatch>(data: T, channels: number) => {
      const length = height * width * channels;
      return { height, width, channels, data: data.subarray(i * length, (i + 1) * length) as T };
    };
    return {
      id: this.#ids[i],
      image: part(this.#image, 3),
      labels: Object.fromEntries(
        this.#labels.map(({ part: { task, channels }, data }): [string, LabelMap] => [
          task.name,
          { kind: task.kind, ...part(data, channels) },
        ]),
      ),
    };
  }

  /** Copies what the pipeline put elsewhere. */
  keep(into: Sample, made: Sample): void {
    copy(into.image, made.image);
    for (const { part } of this.#labels) {
      const { name } = part.task;
      copy(into.labels[name], made.labels[name]);
    }
  }

  batch(): TrainBatch {
    const labels = this.#labels.map(({ part, data }) => [part.task.name, data]);
    return { ids: this.#ids, image: this.#image, labels: Object.fromEntries(labels) };
  }
}

function copy(to: MapData, from: MapData): void {
  const { buffer, byteOffset } = from.data;
  if (buffer === to.data.buffer && byteOffset === to.data.byteOffset) return;
  to.data.set(from.data);
}

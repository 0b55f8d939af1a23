// Decoded samples in shared memory: written by the thread that decoded them and read by all threads, so that a small
// data set is decoded and stored once.
import type { MapData, Sample } from '../../registry/contracts/data.js';

function maps(sample: Sample): MapData[] {
  return [sample.image, ...Object.values(sample.labels)];
}

export function sampleBytes(sample: Sample): number {
  return maps(sample).reduce((sum, map) => sum + map.data.byteLength, 0);
}

/** A copy whose maps lie in shared memory: posting it to a thread copies nothing. */
export function shareSample(sample: Sample): Sample {
  const share = <T extends MapData>(map: T): T => {
    const Values = map.data.constructor as new (buffer: SharedArrayBuffer) => MapData['data'];
    const data = new Values(new SharedArrayBuffer(map.data.byteLength));
    data.set(map.data);
    return { ...map, data };
  };
  const labels = Object.entries(sample.labels).map(([name, label]) => [name, share(label)]);
  return { id: sample.id, image: share(sample.image), labels: Object.fromEntries(labels) };
}

/** The buffers of a sample that can be handed to another thread: those that are not shared. */
export function ownBuffers(sample: Sample): ArrayBuffer[] {
  return maps(sample)
    .map((map) => map.data.buffer)
    .filter((buffer) => buffer instanceof ArrayBuffer);
}

export class SampleCache {
  readonly #samples = new Map<string, Sample>();
  #room: number;

  constructor(bytes: number) {
    this.#room = bytes;
  }

  /** Bytes that are still free. Nothing is ever dropped: with a shuffled order no sample is worth more. */
  get room(): number {
    return this.#room;
  }

  get(id: string): Sample | undefined {
    return this.#samples.get(id);
  }

  add(sample: Sample): void {
    const bytes = sampleBytes(sample);
    if (bytes > this.#room || this.#samples.has(sample.id)) return;
    this.#samples.set(sample.id, sample);
    this.#room -= bytes;
  }
}

// The arrays of a step that belong to nobody else: a micro-batch, random numbers, what the scheme sets, and the losses
// that come out. With an engine that has a device's memory, micro-batches are copied there ahead of time.
import { inputName } from '../../../modules/nn/scope.js';
import type { RandomStream } from '../../../registry/random.js';
import type { Scheme } from '../../../registry/contracts/scheme.js';
import type { TrainBatch } from '../../data/batch.js';
import { hostTensor, type TensorSpec } from '../../engine/engine.js';
import type { HostArray, HostTensor } from '../../engine/ort/session.js';
import { NAMES, schemeInputs } from '../../model/step-inputs.js';
import type { BatchParts, StepDevice } from './step-device.js';

/** The stream of a random input of a step. */
export type Noise = (name: string) => RandomStream;

export class BatchArrays {
  readonly #arrays = new Map<string, HostTensor>();

  /** @param microBatches that a batch consists of */
  constructor(readonly microBatches: number) {}

  get(name: string): HostTensor | undefined {
    return this.#arrays.get(name);
  }

  /** The array of this name, made when it is asked for the first time. */
  make(name: string, spec: TensorSpec): HostTensor {
    let tensor = this.#arrays.get(name);
    if (!tensor) this.#arrays.set(name, (tensor = hostTensor(spec)));
    return tensor;
  }

  /** Arrays between programs that the host does not look at. */
  between(): HostTensor[] {
    return [...this.#arrays]
      .filter(([name]) => name.startsWith('teacher/') || name.startsWith('carried/'))
      .map(([, tensor]) => tensor);
  }

  /** The arrays of a micro-batch, by name. */
  samples(): Map<string, HostTensor> {
    const isBatch = (name: string) => name === NAMES.image || name.startsWith(NAMES.label(''));
    return new Map([...this.#arrays].filter(([name]) => isBatch(name)));
  }

  /** What a batch puts into the arrays of each micro-batch. */
  parts(batch: TrainBatch): BatchParts[] {
    const all = new Map<string, HostArray>([[NAMES.image, batch.image]]);
    for (const [task, label] of Object.entries(batch.labels))
      if (this.#arrays.has(NAMES.label(task))) all.set(NAMES.label(task), label);
    return Array.from({ length: this.microBatches }, (_, i) => {
      const part = (whole: HostArray) => {
        const length = whole.length / this.microBatches;
        return whole.subarray(i * length, (i + 1) * length);
      };
      return new Map([...all].map(([name, whole]) => [name, part(whole)]));
    });
  }

  /** Fills in a micro-batch of a batch; it may be on the device already. */
  async feed(batch: TrainBatch, microBatch: number, device: StepDevice | undefined): Promise<void> {
    if (device) await device.feed(batch, microBatch, () => this.parts(batch));
    else for (const [name, part] of this.parts(batch)[microBatch]) this.#arrays.get(name)!.data.set(part);
  }

  /** Fills in what the scheme sets. */
  setScheme(scheme: Scheme): void {
    for (const [name, value] of schemeInputs(scheme)) this.#arrays.get(name)?.data.fill(value);
  }

  /**
   * Fills in random numbers.
   * @param microBatch its number in the whole batch
   */
  draw(microBatch: number, noise: Noise): void {
    const prefix = inputName.noise('');
    for (const [name, { data }] of this.#arrays) {
      if (!name.startsWith(prefix)) continue;
      const key = name.slice(prefix.length);
      const stream = noise(microBatch === 0 ? key : `${key}#${microBatch}`);
      for (let i = 0; i < data.length; i++) data[i] = stream.uniform();
    }
  }
}

// A data set for the loader's tests: sample i has the grey level i and depth i + 1 everywhere, and counts how
// often it is decoded. Its options make single samples fail in the ways a loader has to survive.
import '../../../modules/tasks/classes.js';
import '../../../modules/tasks/depth.js';
import '../../../modules/tasks/normals.js';
import { component, options } from '../../../registry/component.js';
import type { Dataset, DatasetInfo, LabelMap, Sample, Split } from '../../../registry/contracts/data.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { MtcpError } from '../../../registry/errors.js';
import { defineOptions, type OptionsOf } from '../../../registry/options.js';

const schema = defineOptions({
  train: { type: 'integer', default: 10 },
  val: { type: 'integer', default: 5 },
  /** A sample, and what happens when it is loaded. */
  broken: { type: 'string', default: '' },
  how: { enum: ['mtcp', 'bug', 'exit', 'crash', 'slow'], default: 'mtcp' },
});

export const TOY_TASKS: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: 3, classes: ['a', 'b', 'c'] },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];

const [HEIGHT, WIDTH] = [6, 8];

@component({
  kind: 'dataset',
  name: 'loader-toy',
  summary: 'for tests',
  options: schema,
  file: import.meta.url,
})
export class Toy implements Dataset {
  readonly tasks = TOY_TASKS;
  readonly #loads = new Map<string, number>();

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  async prepare(): Promise<DatasetInfo> {
    const counts = { train: this.options.train, val: this.options.val };
    return { caption: 'toy', digest: '0', notes: [], counts, root: '/toy' };
  }

  async ids(split: Split): Promise<readonly string[]> {
    return Array.from({ length: this.options[split] }, (_, i) => `${split}-${i}`);
  }

  async load(id: string, tasks: readonly string[]): Promise<Sample> {
    if (id === this.options.broken) await this.#fail(id);
    const loads = (this.#loads.get(id) ?? 0) + 1;
    this.#loads.set(id, loads);
    const index = Number(id.split('-')[1]);
    const pixels = HEIGHT * WIDTH;
    const labels: Record<string, LabelMap> = {
      semseg: label('classes', 1, new Uint8Array(pixels).fill(index % 3)),
      depth: label('depth', 1, new Float32Array(pixels).fill(index + 1)),
      // The first pixel is unknown, the second tells how often this thread has decoded the sample.
      normals: label('normals', 3, new Float32Array(3 * pixels).fill(-loads).fill(0, 0, 3)),
    };
    return {
      id,
      image: { height: HEIGHT, width: WIDTH, channels: 3, data: new Uint8Array(3 * pixels).fill(index) },
      labels: Object.fromEntries(tasks.map((task) => [task, labels[task]])),
    };
  }

  async #fail(id: string): Promise<void> {
    switch (this.options.how) {
      case 'mtcp':
        throw new MtcpError('data', 'is damaged', { where: `${id}.jpg`, hint: 'fetch it again' });
      case 'bug':
        throw new RangeError('index out of bounds');
      case 'exit':
        return process.exit(3);
      case 'crash':
        setTimeout(() => {
          throw new Error('out of nowhere');
        });
        return new Promise(() => undefined);
      case 'slow':
        return new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function label(kind: LabelMap['kind'], channels: number, data: LabelMap['data']): LabelMap {
  return { kind, height: HEIGHT, width: WIDTH, channels, data };
}

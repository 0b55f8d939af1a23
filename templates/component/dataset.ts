// my-block: samples with labels. Here pictures of a lit, tilted plane with its depth and normals, computed on demand.
// This file also runs in the threads that load data, so it imports no TensorFlow.js.
import {
  component,
  defineOptions,
  options,
  randomStream,
  type Dataset,
  type DatasetInfo,
  type OptionsOf,
  type Sample,
  type Split,
  type Task,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  train: { type: 'integer', minimum: 1, default: 32, description: 'Training samples.' },
  val: { type: 'integer', minimum: 1, default: 8, description: 'Validation samples.' },
  size: {
    type: 'array',
    items: { type: 'integer', minimum: 8 },
    minItems: 2,
    maxItems: 2,
    default: [64, 64],
    description: 'Height and width.',
  },
});

@component({
  kind: 'dataset',
  name: 'my-block',
  summary: 'Tilted planes, each with its depth and normals.',
  options: schema,
})
export class MyBlock implements Dataset {
  /** Every task there are labels for; see TaskKind for what a label of each kind is. */
  readonly tasks: readonly Task[] = [
    { name: 'depth', kind: 'depth', channels: 1 },
    { name: 'normals', kind: 'normals', channels: 3 },
  ];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /** Makes sure the samples are there; the digest changes whenever they do. */
  async prepare(): Promise<DatasetInfo> {
    const { train, val, size } = this.options;
    return {
      caption: 'tilted planes',
      digest: `planes-1-${size.join('x')}-${train}-${val}`,
      notes: [],
      counts: { train, val },
      root: 'computed on demand',
    };
  }

  async ids(split: Split): Promise<readonly string[]> {
    return Array.from({ length: this.options[split] }, (_, i) => `${split}-${i}`);
  }

  /** The labels of `tasks` only; maps are row-major [height, width, channels]. */
  async load(id: string, tasks: readonly string[]): Promise<Sample> {
    const [height, width] = this.options.size;
    const random = randomStream('planes', id);
    const [across, down, distance] = [random.uniform() - 0.5, random.uniform() - 0.5, 2 + random.uniform()];
    const length = Math.hypot(across, down, 1);
    const normal = [across / length, down / length, -1 / length];
    const pixels = height * width;
    const image = new Float32Array(3 * pixels);
    const depth = new Float32Array(pixels);
    const normals = new Float32Array(3 * pixels);
    for (let i = 0; i < pixels; i++) {
      depth[i] =
        distance + across * ((i % width) / width - 0.5) + down * (Math.floor(i / width) / height - 0.5);
      for (let c = 0; c < 3; c++) {
        image[3 * i + c] = Math.min(255, (60 * (c + 2) * -normal[2]) / depth[i] + 10 * random.uniform());
        normals[3 * i + c] = normal[c];
      }
    }
    const labels: Sample['labels'] = {
      depth: { kind: 'depth', height, width, channels: 1, data: depth },
      normals: { kind: 'normals', height, width, channels: 3, data: normals },
    };
    return {
      id,
      image: { height, width, channels: 3, data: image },
      labels: Object.fromEntries(tasks.map((task) => [task, labels[task]])),
    };
  }
}

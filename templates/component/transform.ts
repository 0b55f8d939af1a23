// my-block: the input pipeline. Here a crop from the middle of the network's size, normalised; while training a random
// one. This file also runs in the threads that load data, so it imports no TensorFlow.js.
import {
  component,
  defineOptions,
  MtcpError,
  options,
  type MapData,
  type OptionsOf,
  type RandomStream,
  type Sample,
  type Transform,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  size: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 2,
    maxItems: 2,
    default: [32, 32],
    description: 'Height and width that the network gets.',
  },
});

@component({
  kind: 'transform',
  name: 'my-block',
  summary: 'Crops to the size of the network: at random for training, the middle for evaluation.',
  options: schema,
})
export class MyBlock implements Transform {
  readonly size: readonly [number, number];

  constructor(@options() options: OptionsOf<typeof schema>) {
    const [height, width] = options.size;
    this.size = [height, width];
  }

  /** The same numbers for the same (seed, epoch, sample), whatever ran before. */
  train(sample: Sample, random: RandomStream): Sample {
    const [top, left] = this.#room(sample).map((room) => random.integer(room + 1));
    return this.#crop(sample, top, left);
  }

  evaluate(sample: Sample): Sample {
    const [top, left] = this.#room(sample).map((room) => Math.floor(room / 2));
    return this.#crop(sample, top, left);
  }

  /** How far a crop can move. */
  #room({ id, image }: Sample): [number, number] {
    const [height, width] = this.size;
    if (image.height < height || image.width < width)
      throw new MtcpError(
        'data',
        `${image.height}x${image.width} is smaller than the crop of ${height}x${width}`,
        {
          where: id,
        },
      );
    return [image.height - height, image.width - width];
  }

  #crop({ id, image, labels }: Sample, top: number, left: number): Sample {
    const cropped = Object.entries(labels).map(([task, label]) => [
      task,
      { ...label, ...this.#cut(label, top, left) },
    ]);
    const { data, ...shape } = this.#cut(image, top, left);
    // 0..255 to about -2..2, as networks want it.
    const normalized = Float32Array.from(data, (value) => value / 64 - 2);
    return { id, image: { ...shape, data: normalized }, labels: Object.fromEntries(cropped) };
  }

  #cut({ width, channels, data }: MapData, top: number, left: number): MapData {
    const [rows, columns] = this.size;
    const cut = data.slice(0, rows * columns * channels);
    for (let row = 0; row < rows; row++) {
      const start = ((top + row) * width + left) * channels;
      cut.set(data.subarray(start, start + columns * channels) as never, row * columns * channels);
    }
    return { height: rows, width: columns, channels, data: cut };
  }
}

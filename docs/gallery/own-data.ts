// rgbd-folder: photographs and depth of an RGB-D camera.
//
//   color/<id>.png or .jpg   depth/<id>.png: 16 bits, millimetres, 0 unknown, of the same size
//
// Every fifth photograph validates. Normals are computed from depth. This file also runs in the threads that load data.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  type Dataset,
  type DatasetInfo,
  type OptionsOf,
  type Sample,
  type Split,
  type Task,
} from 'mtcp/registry';

const schema = defineOptions({
  root: {
    type: 'string',
    format: 'path',
    default: 'photos',
    description: 'The folder with color/ and depth/.',
  },
  focal: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 525,
    description: "The camera's focal length, in pixels.",
  },
});

@component({
  kind: 'dataset',
  name: 'rgbd-folder',
  summary: 'Photographs with depth from a folder; normals are computed from depth.',
  options: schema,
})
export class RgbdFolder implements Dataset {
  readonly tasks: readonly Task[] = [
    { name: 'depth', kind: 'depth', channels: 1 },
    { name: 'normals', kind: 'normals', channels: 3 },
  ];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  #files(): readonly string[] {
    try {
      return readdirSync(join(this.options.root, 'color'))
        .filter((name) => /\.(png|jpe?g)$/i.test(name))
        .sort();
    } catch {
      throw new MtcpError('data', 'there is no folder color/ in it', { where: this.options.root });
    }
  }

  /** The digest changes whenever a file does. */
  async prepare(): Promise<DatasetInfo> {
    const hash = createHash('sha256');
    for (const name of this.#files())
      for (const path of [join('color', name), depthOf(name)])
        hash.update(path).update(readFileSync(join(this.options.root, path)));
    const [train, val] = await Promise.all([this.ids('train'), this.ids('val')]);
    return {
      caption: 'photographs of an RGB-D camera',
      digest: hash.digest('hex'),
      notes: ['normals computed from depth'],
      counts: { train: train.length, val: val.length },
      root: this.options.root,
    };
  }

  async ids(split: Split): Promise<readonly string[]> {
    return this.#files().filter((_, i) => (i % 5 === 4) === (split === 'val'));
  }

  async load(id: string, tasks: readonly string[]): Promise<Sample> {
    const photo = sharp(join(this.options.root, 'color', id))
      .removeAlpha()
      .toColourspace('srgb');
    const { data, info } = await photo.raw().toBuffer({ resolveWithObject: true });
    const { height, width } = info;
    const stored = sharp(join(this.options.root, depthOf(id))).toColourspace('grey16');
    const raw = await stored.raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    if (raw.info.height !== height || raw.info.width !== width)
      throw new MtcpError('data', 'depth and colour are of different sizes', { where: depthOf(id) });
    const millimetres = new Uint16Array(raw.data.buffer, raw.data.byteOffset, height * width);
    const depth = Float32Array.from(millimetres, (value) => value / 1000);
    const labels: Sample['labels'] = {
      depth: { kind: 'depth', height, width, channels: 1, data: depth },
      normals: {
        kind: 'normals',
        height,
        width,
        channels: 3,
        data: normalsOf(depth, height, width, this.options.focal),
      },
    };
    return {
      id,
      image: { height, width, channels: 3, data: new Uint8Array(data) },
      labels: Object.fromEntries(tasks.map((task) => [task, labels[task]])),
    };
  }
}

const depthOf = (name: string): string => join('depth', name.replace(/\.\w+$/, '.png'));

/** The cross product of the ways to the next pixels right and down; zeros where one of them is unknown or far away. */
function normalsOf(depth: Float32Array, height: number, width: number, focal: number): Float32Array {
  const out = new Float32Array(3 * depth.length);
  const point = (x: number, y: number) => {
    const z = depth[y * width + x];
    return [((x - width / 2) * z) / focal, ((y - height / 2) * z) / focal, z];
  };
  for (let y = 0; y < height - 1; y++)
    for (let x = 0; x < width - 1; x++) {
      const [here, right, below] = [point(x, y), point(x + 1, y), point(x, y + 1)];
      const [a, b] = [right.map((v, k) => v - here[k]), below.map((v, k) => v - here[k])];
      const known = here[2] > 0 && right[2] > 0 && below[2] > 0;
      if (!known || Math.max(Math.abs(a[2]), Math.abs(b[2])) > 0.1 * here[2]) continue;
      // Down times right points to the camera, where z is negative.
      const normal = [b[1] * a[2] - b[2] * a[1], b[2] * a[0] - b[0] * a[2], b[0] * a[1] - b[1] * a[0]];
      const length = Math.hypot(...normal) || 1;
      normal.forEach((v, k) => (out[3 * (y * width + x) + k] = v / length));
    }
  return out;
}

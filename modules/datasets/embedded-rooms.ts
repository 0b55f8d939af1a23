// A data set that needs no download: rendered rooms with exact labels, made on first use and kept in the
// cache. On the disk it looks like NYUD_MT, so everything that works here works there.
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Dataset, DatasetInfo, Sample, Split } from '../../registry/contracts/data.js';
import type { OptionsSchema } from '../../registry/options.js';
import { generateRooms, keyOf, type RoomsOptions } from '../rooms/generate.js';
import { NYUD_TASKS, NyudFolder } from './nyud-folder.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    train: { description: 'training scenes', type: 'integer', minimum: 1, default: 240 },
    val: { description: 'validation scenes', type: 'integer', minimum: 1, default: 60 },
    size: {
      description: 'height and width of the images',
      type: 'array',
      items: { type: 'integer', minimum: 8 },
      minItems: 2,
      maxItems: 2,
      default: [96, 128],
    },
    seed: { description: 'which rooms', type: 'integer', default: 0 },
    cache: {
      description: 'folder to keep the images in; null: $MTCP_CACHE, else the cache folder of the user',
      anyOf: [{ type: 'string', format: 'path', minLength: 1 }, { type: 'null' }],
      default: null,
    },
  },
} as const satisfies OptionsSchema;

@component({
  kind: 'dataset',
  name: 'embedded-rooms',
  summary: "rendered rooms with NYUD's 40 classes, depth and surface normals, made on first use",
  options: schema,
})
export class EmbeddedRooms implements Dataset {
  readonly tasks = NYUD_TASKS;
  readonly #rooms: RoomsOptions;
  readonly #folder: NyudFolder;

  constructor(@options() { cache, train, val, size, seed }: OptionsOf<typeof schema>) {
    this.#rooms = { train, val, size: [size[0], size[1]], seed };
    this.#folder = new NyudFolder(
      join(cache ? resolve(cache) : cacheFolder(), folderName(this.#rooms)),
      'error',
    );
  }

  async prepare(report: (done: number, total: number, what: string) => void): Promise<DatasetInfo> {
    const { train, val, size } = this.#rooms;
    const { digest } = await generateRooms(this.#folder.root, this.#rooms, report);
    return {
      caption: `embedded rooms, rendered at ${size[0]}x${size[1]}`,
      digest,
      notes: [],
      counts: { train, val },
      root: this.#folder.root,
    };
  }

  ids(split: Split): Promise<readonly string[]> {
    return this.#folder.ids(split);
  }

  load(id: string, tasks: readonly string[]): Promise<Sample> {
    return this.#folder.load(id, tasks);
  }
}

function cacheFolder(): string {
  const { MTCP_CACHE, XDG_CACHE_HOME } = process.env;
  return MTCP_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'mtcp');
}

function folderName(rooms: RoomsOptions): string {
  return `rooms-${createHash('sha256').update(keyOf(rooms)).digest('hex').slice(0, 12)}`;
}

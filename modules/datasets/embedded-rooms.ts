// A data set that needs no download: rendered rooms with exact labels, made on first use and kept in the
// cache. On the disk it looks like NYUD_MT, so everything that works here works there.
import {
  component,
  options,
  type Dataset,
  type DatasetInfo,
  type OptionsOf,
  type Sample,
  type Split,
} from '../../registry/index.js';
import { generateRooms, roomsVersion, type RoomsOptions } from './rendered/rooms/generate.js';
import type { Report } from './folders/layout.js';
import { NYUD_TASKS, NyudFolder } from './folders/nyud.js';
import { requireOwnCache, SYNTHESIS_SCHEMA, synthesisFolder } from './rendered/synthesis.js';

@component({
  kind: 'dataset',
  name: 'embedded-rooms',
  summary: "rendered rooms with NYUD's 40 classes, depth and surface normals, made on first use",
  options: SYNTHESIS_SCHEMA,
  file: import.meta.url,
})
export class EmbeddedRooms implements Dataset {
  readonly tasks = NYUD_TASKS;
  readonly counts: Record<Split, number>;
  readonly #rooms: RoomsOptions;
  readonly #cache: string | null;
  readonly #folder: NyudFolder;

  constructor(@options() { cache, train, val, size, seed }: OptionsOf<typeof SYNTHESIS_SCHEMA>) {
    this.#cache = cache;
    this.counts = { train, val };
    this.#rooms = { train, val, size: [size[0], size[1]], seed };
    this.#folder = new NyudFolder(synthesisFolder('rooms', cache, roomsVersion, this.#rooms), 'error');
  }

  async prepare(report: Report): Promise<DatasetInfo> {
    const { train, val, size } = this.#rooms;
    await requireOwnCache(this.#cache);
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

// The counterpart of PASCAL-Context that needs no download: rendered scenes with people whose parts are known,
// animals, vehicles and furniture, made on first use and kept in the cache. On the disk it looks like PASCAL_MT.
import {
  component,
  options,
  tasks,
  type Dataset,
  type DatasetInfo,
  type OptionsOf,
  type Sample,
  type Split,
  type Task,
} from '../../registry/index.js';
import { generateScenes, scenesVersion } from './rendered/scenes/generate.js';
import { SPLITS, type Report } from './folders/layout.js';
import { PASCAL_TASKS } from './folders/pascal-classes.js';
import { onlyParts, PascalFolder } from './folders/pascal.js';
import {
  requireOwnCache,
  SYNTHESIS_SCHEMA,
  synthesisFolder,
  type SynthesisOptions,
} from './rendered/synthesis.js';

@component({
  kind: 'dataset',
  name: 'embedded-pascal',
  summary: "rendered scenes with the VOC's 21 classes, human parts, saliency and normals, made on first use",
  options: SYNTHESIS_SCHEMA,
  file: import.meta.url,
})
export class EmbeddedPascal implements Dataset {
  readonly tasks = PASCAL_TASKS;
  /** At most: images without people do not count for human parts alone. */
  readonly counts: Record<Split, number>;
  readonly #scenes: SynthesisOptions;
  readonly #cache: string | null;
  readonly #folder: PascalFolder;
  /** Known after `prepare`. */
  readonly #ids = new Map<Split, readonly string[]>();

  constructor(
    @options() { cache, train, val, size, seed }: OptionsOf<typeof SYNTHESIS_SCHEMA>,
    @tasks() private readonly wanted: readonly Task[],
  ) {
    this.#cache = cache;
    this.counts = { train, val };
    this.#scenes = { train, val, size: [size[0], size[1]], seed };
    this.#folder = new PascalFolder(synthesisFolder('pascal', cache, scenesVersion, this.#scenes), 'error');
  }

  async prepare(report: Report): Promise<DatasetInfo> {
    const { size } = this.#scenes;
    await requireOwnCache(this.#cache);
    const { digest } = await generateScenes(this.#folder.root, this.#scenes, report);
    const names = this.wanted.map(({ name }) => name);
    for (const split of SPLITS) this.#ids.set(split, await this.#folder.idsFor(split, names, report));
    return {
      caption: `embedded Pascal-like scenes, rendered at ${size[0]}x${size[1]}`,
      digest,
      notes: onlyParts(names) ? ['images with people only'] : [],
      counts: { train: this.#ids.get('train')!.length, val: this.#ids.get('val')!.length },
      root: this.#folder.root,
    };
  }

  async ids(split: Split): Promise<readonly string[]> {
    return this.#ids.get(split) ?? this.#folder.ids(split);
  }

  load(id: string, tasks: readonly string[]): Promise<Sample> {
    return this.#folder.load(id, tasks);
  }
}

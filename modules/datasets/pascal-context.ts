// PASCAL-Context as released for multi-task learning: 4998 training and 5105 test images of the VOC with 21
// classes, human parts, saliency and normals, the last two distilled from other networks. The files are the
// user's own; this only reads them.
import { resolve } from 'node:path';
import {
  component,
  defineOptions,
  options,
  tasks,
  type Dataset,
  type DatasetInfo,
  type OptionsOf,
  type Sample,
  type Split,
  type Task,
} from '../../registry/index.js';
import { countNotes, SPLITS, type Report } from './folders/layout.js';
import { PASCAL_TASKS } from './folders/pascal-classes.js';
import { onlyParts, PASCAL_COUNTS, PascalFolder } from './folders/pascal.js';
import { folderOptions } from './folders/sample-folder.js';

const schema = defineOptions({
  ...folderOptions,
  root: {
    ...folderOptions.root,
    description: 'the folder PASCAL_MT, with JPEGImages/, semseg/, human_parts/, sal_distill/ and ImageSets/',
  },
});

@component({
  kind: 'dataset',
  name: 'pascal-context',
  summary: 'PASCAL-Context in the PASCAL_MT layout: 21 classes, human parts, saliency, surface normals',
  source: 'Chen et al. and Mottaghi et al., CVPR 2014; release of Maninis et al., Attentive Single-Tasking',
  options: schema,
  file: import.meta.url,
})
export class PascalContext implements Dataset {
  readonly tasks = PASCAL_TASKS;
  readonly #folder: PascalFolder;
  /** Known after `prepare`. */
  readonly #ids = new Map<Split, readonly string[]>();

  constructor(
    @options() options: OptionsOf<typeof schema>,
    @tasks() private readonly wanted: readonly Task[],
  ) {
    this.#folder = new PascalFolder(resolve(options.root), options.size_mismatch);
  }

  async prepare(report: Report): Promise<DatasetInfo> {
    const names = this.wanted.map((task) => task.name);
    const { counts, digest, warnings } = await this.#folder.verify(names, report);
    const notes = names
      .filter((name) => name === 'saliency' || name === 'normals')
      .map((name) => `${name} distilled from another network`);
    notes.push(...countNotes(counts, PASCAL_COUNTS));
    for (const split of SPLITS) {
      this.#ids.set(split, await this.#folder.idsFor(split, names, report));
      counts[split] = this.#ids.get(split)!.length;
    }
    if (onlyParts(names)) notes.push('images with people only');
    return {
      caption: 'PASCAL-Context (PASCAL_MT)',
      digest,
      notes,
      counts,
      root: this.#folder.root,
      warnings,
    };
  }

  async ids(split: Split): Promise<readonly string[]> {
    return this.#ids.get(split) ?? this.#folder.ids(split);
  }

  /** Unknown pixels are IGNORE in `semseg`, the zero vector in `normals`. */
  load(id: string, tasks: readonly string[]): Promise<Sample> {
    return this.#folder.load(id, tasks);
  }
}

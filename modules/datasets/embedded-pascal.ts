// A counterpart of PASCAL-Context that needs no download: rendered scenes with people and their parts, animals,
// vehicles and furniture. They are made on first use and kept in the cache, in the layout of PASCAL_MT.
import { component, type DatasetInfo, type OptionsOf, type Split } from '../../registry/index.js';
import { FolderDataset } from './folders/folder-dataset.js';
import { generateScenes, scenesVersion } from './rendered/scenes/generate.js';
import type { ReportProgress } from './folders/layout.js';
import { PASCAL_TASKS } from './folders/pascal-classes.js';
import { onlyParts, PascalFolder } from './folders/pascal.js';
import {
  requireOwnCache,
  SYNTHESIS_SCHEMA,
  synthesisFolder,
  synthesisOptions,
} from './rendered/synthesis.js';

@component({
  kind: 'dataset',
  name: 'embedded-pascal',
  summary:
    "rendered scenes with the VOC's 21 classes, human parts, saliency, normals and edges, made on first use",
  options: SYNTHESIS_SCHEMA,
  file: import.meta.url,
})
export class EmbeddedPascal extends FolderDataset<OptionsOf<typeof SYNTHESIS_SCHEMA>> {
  readonly tasks = PASCAL_TASKS;
  /** At most: images without people do not count for human parts alone. */
  readonly counts: Record<Split, number> = { train: this.options.train, val: this.options.val };
  protected readonly folder = new PascalFolder(
    synthesisFolder('pascal', this.options.cache, scenesVersion, synthesisOptions(this.options)),
    'error',
  );

  async prepare(report: ReportProgress): Promise<DatasetInfo> {
    const scenes = synthesisOptions(this.options);
    await requireOwnCache(this.options.cache);
    const { digest } = await generateScenes(this.folder.root, scenes, report);
    return {
      caption: `embedded Pascal-like scenes, rendered at ${scenes.size.join('x')}`,
      digest,
      notes: onlyParts(this.names) ? ['images with people only'] : [],
      counts: await this.choose(report),
      root: this.folder.root,
    };
  }
}

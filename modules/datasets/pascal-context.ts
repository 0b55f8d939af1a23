// PASCAL-Context as released for multi-task learning: 4998 training and 5105 test images of the VOC with 21 classes,
// human parts, saliency, normals and edges; saliency and normals are distilled from other networks. The user provides the files; they
// are only read.
import { resolve } from 'node:path';
import { component, defineOptions, type DatasetInfo, type OptionsOf } from '../../registry/index.js';
import { FolderDataset } from './folders/folder-dataset.js';
import { countNotes, type ReportProgress } from './folders/layout.js';
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
  summary:
    'PASCAL-Context in the PASCAL_MT layout: 21 classes, human parts, saliency, surface normals, edges',
  source: 'Chen et al. and Mottaghi et al., CVPR 2014; release of Maninis et al., Attentive Single-Tasking',
  options: schema,
  file: import.meta.url,
})
export class PascalContext extends FolderDataset<OptionsOf<typeof schema>> {
  readonly tasks = PASCAL_TASKS;
  protected readonly folder = new PascalFolder(resolve(this.options.root), this.options.size_mismatch);

  async prepare(report: ReportProgress): Promise<DatasetInfo> {
    const { names } = this;
    const { counts, digest, warnings } = await this.folder.verify(names, report);
    const notes = names
      .filter((name) => name === 'saliency' || name === 'normals')
      .map((name) => `${name} distilled from another network`);
    notes.push(...countNotes(counts, PASCAL_COUNTS));
    Object.assign(counts, await this.choose(report));
    if (onlyParts(names)) notes.push('images with people only');
    return {
      caption: 'PASCAL-Context (PASCAL_MT)',
      digest,
      notes,
      counts,
      root: this.folder.root,
      warnings,
    };
  }
}

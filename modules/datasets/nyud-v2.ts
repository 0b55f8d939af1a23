// NYU Depth v2 as released for multi-task learning: 795 training and 654 test images with 40 classes, depth,
// surface normals and edges. The user provides the files; they are only read.
import { resolve } from 'node:path';
import { component, defineOptions, type DatasetInfo, type OptionsOf } from '../../registry/index.js';
import { FolderDataset } from './folders/folder-dataset.js';
import { countNotes } from './folders/layout.js';
import { NYUD_COUNTS, NyudFolder, nyudTasks } from './folders/nyud.js';
import { nyudClassesOption } from './folders/nyud-13.js';
import { preparedNotes } from './prepare/target.js';
import { folderOptions } from './folders/sample-folder.js';

const schema = defineOptions({
  ...folderOptions,
  root: {
    ...folderOptions.root,
    description: 'the folder NYUD_MT, with images/, segmentation/, depth/, normals/, edge/ and gt_sets/',
  },
  classes: nyudClassesOption,
});

@component({
  kind: 'dataset',
  name: 'nyud-v2',
  summary: 'NYU Depth v2 in the NYUD_MT layout: 40 classes, depth, surface normals, edges',
  source:
    'Silberman et al., ECCV 2012; release of Vandenhende et al., Multi-Task Learning for Dense Prediction Tasks',
  options: schema,
  file: import.meta.url,
})
export class NyudV2 extends FolderDataset<OptionsOf<typeof schema>> {
  readonly tasks = nyudTasks(this.options.classes);
  protected readonly folder = new NyudFolder(
    resolve(this.options.root),
    this.options.size_mismatch,
    this.options.classes,
  );

  async prepare(report: (done: number, total: number, what: string) => void): Promise<DatasetInfo> {
    const { names } = this;
    const { counts, digest, warnings } = await this.folder.verify(names, report);
    const notes = [...preparedNotes(this.folder.root, names), ...countNotes(counts, NYUD_COUNTS)];
    const classes = this.options.classes === 13 ? ', 13 classes' : '';
    const caption = `NYU Depth v2 (${await this.folder.variant()}${classes})`;
    return { caption, digest, notes, counts, root: this.folder.root, warnings };
  }
}

// A data set that needs no download: rendered rooms with exact labels. They are made on first use and kept in the
// cache, in the layout of NYUD_MT, so that whatever works here works with NYUD_MT.
import {
  component,
  defineOptions,
  type DatasetInfo,
  type OptionsOf,
  type Split,
} from '../../registry/index.js';
import { FolderDataset } from './folders/folder-dataset.js';
import { generateRooms, roomsVersion } from './rendered/rooms/generate.js';
import type { ReportProgress } from './folders/layout.js';
import { NyudFolder, nyudTasks } from './folders/nyud.js';
import { nyudClassesOption } from './folders/nyud-13.js';
import {
  requireOwnCache,
  SYNTHESIS_SCHEMA,
  synthesisFolder,
  synthesisOptions,
} from './rendered/synthesis.js';

const schema = defineOptions({ ...SYNTHESIS_SCHEMA.properties, classes: nyudClassesOption });

@component({
  kind: 'dataset',
  name: 'embedded-rooms',
  summary: "rendered rooms with NYUD's 40 classes, depth, surface normals and edges, made on first use",
  options: schema,
  file: import.meta.url,
})
export class EmbeddedRooms extends FolderDataset<OptionsOf<typeof schema>> {
  readonly tasks = nyudTasks(this.options.classes);
  readonly counts: Record<Split, number> = { train: this.options.train, val: this.options.val };
  protected readonly folder = new NyudFolder(
    synthesisFolder('rooms', this.options.cache, roomsVersion, synthesisOptions(this.options)),
    'error',
    this.options.classes,
    'of classes',
  );

  async prepare(report: ReportProgress): Promise<DatasetInfo> {
    const rooms = synthesisOptions(this.options);
    await requireOwnCache(this.options.cache);
    const { digest } = await generateRooms(this.folder.root, rooms, report);
    return {
      caption: `embedded rooms, rendered at ${rooms.size.join('x')}${this.options.classes === 13 ? ', 13 classes' : ''}`,
      digest,
      notes: [],
      counts: this.counts,
      root: this.folder.root,
    };
  }
}

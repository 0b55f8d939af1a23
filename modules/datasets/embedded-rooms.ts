// A data set that needs no download: rendered rooms with exact labels. They are made on first use and kept in the
// cache, in the layout of NYUD_MT, so that whatever works here works with NYUD_MT.
import { component, type DatasetInfo, type OptionsOf, type Split } from '../../registry/index.js';
import { FolderDataset } from './folders/folder-dataset.js';
import { generateRooms, roomsVersion } from './rendered/rooms/generate.js';
import type { ReportProgress } from './folders/layout.js';
import { NYUD_TASKS, NyudFolder } from './folders/nyud.js';
import {
  requireOwnCache,
  SYNTHESIS_SCHEMA,
  synthesisFolder,
  synthesisOptions,
} from './rendered/synthesis.js';

@component({
  kind: 'dataset',
  name: 'embedded-rooms',
  summary: "rendered rooms with NYUD's 40 classes, depth and surface normals, made on first use",
  options: SYNTHESIS_SCHEMA,
  file: import.meta.url,
})
export class EmbeddedRooms extends FolderDataset<OptionsOf<typeof SYNTHESIS_SCHEMA>> {
  readonly tasks = NYUD_TASKS;
  readonly counts: Record<Split, number> = { train: this.options.train, val: this.options.val };
  protected readonly folder = new NyudFolder(
    synthesisFolder('rooms', this.options.cache, roomsVersion, synthesisOptions(this.options)),
    'error',
  );

  async prepare(report: ReportProgress): Promise<DatasetInfo> {
    const rooms = synthesisOptions(this.options);
    await requireOwnCache(this.options.cache);
    const { digest } = await generateRooms(this.folder.root, rooms, report);
    return {
      caption: `embedded rooms, rendered at ${rooms.size.join('x')}`,
      digest,
      notes: [],
      counts: this.counts,
      root: this.folder.root,
    };
  }
}

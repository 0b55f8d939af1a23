// A data set stored as a folder in some layout. A trial uses the samples that have labels for its tasks. Each data
// set implements its own preparation and description.
import {
  options,
  tasks,
  type Dataset,
  type DatasetInfo,
  type Sample,
  type Split,
  type Task,
} from '../../../registry/index.js';
import { SPLITS, type ReportProgress } from './layout.js';
import type { SampleFolder } from './sample-folder.js';

export abstract class FolderDataset<O> implements Dataset {
  abstract readonly tasks: readonly Task[];
  protected abstract readonly folder: SampleFolder;
  /** Ids that count for the trial's tasks, known once they were chosen. */
  readonly #chosen = new Map<Split, readonly string[]>();

  constructor(
    @options() protected readonly options: O,
    @tasks() private readonly wanted: readonly Task[],
  ) {}

  abstract prepare(report: ReportProgress): Promise<DatasetInfo>;

  /** Names of the trial's tasks. */
  protected get names(): string[] {
    return this.wanted.map(({ name }) => name);
  }

  /** Leaves out the ids that do not count for the trial's tasks. @returns how many are left of each split */
  protected async choose(report: ReportProgress): Promise<Record<Split, number>> {
    const counts = { train: 0, val: 0 };
    for (const split of SPLITS) {
      this.#chosen.set(split, await this.folder.idsFor(split, this.names, report));
      counts[split] = this.#chosen.get(split)!.length;
    }
    return counts;
  }

  async ids(split: Split): Promise<readonly string[]> {
    return this.#chosen.get(split) ?? this.folder.ids(split);
  }

  /** Unknown pixels are IGNORE in classes, 0 in depth and normals: see transforms/machinery/ignore.ts. */
  load(id: string, tasks: readonly string[]): Promise<Sample> {
    return this.folder.load(id, tasks);
  }
}

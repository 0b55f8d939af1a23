// Reads samples from a data folder in any layout: the image and the requested label maps, at the size of the image.
// The layouts define the files and their contents.
import {
  kindOf,
  MtcpError,
  type LabelMap,
  type MapData,
  type OptionsSchema,
  type Sample,
  type Split,
  type Task,
} from '../../../registry/index.js';
import { didYouMean } from '../../../registry/support/near.js';
import {
  fitToImage,
  locate,
  readIds,
  type Layout,
  type ReportProgress,
  type SizeMismatch,
} from './layout.js';

/** Options of a data set that lies in a folder. */
export const folderOptions = {
  root: {
    description: 'the folder of the data set',
    type: 'string',
    format: 'path',
    minLength: 1,
  },
  size_mismatch: {
    description: 'what to do with labels of another size than their image',
    enum: ['error', 'resize'],
    default: 'error',
  },
} as const satisfies OptionsSchema['properties'];

export abstract class SampleFolder implements Layout {
  abstract readonly contents: string;
  abstract readonly files: Layout['files'];
  /** What there are labels for. */
  abstract readonly tasks: readonly Task[];

  constructor(
    readonly root: string,
    private readonly sizeMismatch: SizeMismatch,
  ) {}

  abstract splitFile(split: Split): string;

  /** As in memory: bytes. */
  protected abstract readImage(file: string): Promise<MapData>;

  /** As in memory: classes from 0 with IGNORE, metres, vectors. */
  protected abstract readLabel(task: Task, file: string, id: string, image: MapData): Promise<MapData>;

  ids(split: Split): Promise<readonly string[]> {
    return readIds(this, split);
  }

  /** The ids that count for these tasks. */
  idsFor(split: Split, _tasks: readonly string[], _report: ReportProgress): Promise<readonly string[]> {
    return this.ids(split);
  }

  /** Unknown pixels are IGNORE in classes, 0 in depth, the zero vector in normals: see transforms/machinery/ignore.ts. */
  async load(id: string, tasks: readonly string[]): Promise<Sample> {
    const image = await this.readImage(await locate(this, 'image', id));
    const labels: Record<string, LabelMap> = {};
    for (const name of tasks) {
      const task = this.#taskNamed(name);
      const file = await locate(this, name, id);
      const map = await this.readLabel(task, file, id, image);
      const interpolation = kindOf(task).smooth ? 'cubic' : 'nearest';
      const fitted = fitToImage(map, image, this.sizeMismatch, { task: name, file, interpolation });
      labels[name] = { kind: task.kind, ...fitted };
    }
    return { id, image, labels };
  }

  #taskNamed(name: string): Task {
    const task = this.tasks.find((known) => known.name === name);
    if (task) return task;
    throw new MtcpError('data', `there are no labels for a task "${name}"`, {
      hint: didYouMean(
        name,
        this.tasks.map((known) => known.name),
      ),
    });
  }
}

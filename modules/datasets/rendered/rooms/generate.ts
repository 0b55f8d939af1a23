// Makes a data set of rendered rooms in the NYUD_MT layout: see ../synthesis.ts.
import type { Split } from '../../../../registry/index.js';
import type { ReportProgress } from '../../folders/layout.js';
import { NYUD_FOLDERS, NyudFolder, writeNyudSplit } from '../../folders/nyud.js';
import { synthesise, type Recipe, type SynthesisManifest, type SynthesisOptions } from '../synthesis.js';
import type { Intrinsics } from '../tracer/camera.js';

export type RoomsOptions = SynthesisOptions;

export interface RoomsManifest extends SynthesisManifest {
  /** The camera of each scene, by id. */
  cameras: Record<string, Intrinsics>;
}

const RECIPE: Recipe<Intrinsics> = {
  version: 4,
  things: 'rooms',
  folders: NYUD_FOLDERS,
  worker: new URL('./worker.js', import.meta.url),
  async finish(directory, cameras) {
    for (const split of Object.keys(cameras) as Split[])
      await writeNyudSplit(directory, split, Object.keys(cameras[split]));
    return { cameras: { ...cameras.train, ...cameras.val } };
  },
  async digest(directory) {
    return (await new NyudFolder(directory, 'error').verify([], () => undefined)).digest;
  },
};

export const roomsVersion = RECIPE.version;

/** Makes sure that `directory` holds the rooms of these options. */
export const generateRooms = (
  directory: string,
  options: RoomsOptions,
  report?: ReportProgress,
  threads?: number,
): Promise<RoomsManifest> => synthesise(RECIPE, directory, options, report, threads);

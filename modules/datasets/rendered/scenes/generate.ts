// Makes a data set of rendered scenes in the PASCAL_MT layout: see ../synthesis.ts.
import { synthesise, type Recipe, type SynthesisManifest, type SynthesisOptions } from '../synthesis.js';
import type { ReportProgress } from '../../folders/layout.js';
import { PASCAL_FOLDERS, PascalFolder, writePascalSplit } from '../../folders/pascal.js';

const RECIPE: Recipe<number[]> = {
  /** Goes up whenever the same options give other files. */
  version: 3,
  things: 'scenes',
  folders: PASCAL_FOLDERS,
  worker: new URL('./worker.js', import.meta.url),
  async finish(directory, results) {
    for (const [split, objects] of Object.entries(results))
      await writePascalSplit(directory, split as keyof typeof results, objects);
    return {};
  },
  async digest(directory) {
    return (await new PascalFolder(directory, 'error').verify([], () => undefined)).digest;
  },
};

export const generateScenes = (
  directory: string,
  options: SynthesisOptions,
  report?: ReportProgress,
  threads?: number,
): Promise<SynthesisManifest> => synthesise(RECIPE, directory, options, report, threads);

export const scenesVersion = RECIPE.version;

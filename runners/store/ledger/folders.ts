// The layout of a folder of runs: a folder for each experiment, and in it one for each trial (RunFolder), named by row,
// seed and hash. Trials that were set aside have a longer name and are nobody's results any more.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const foldersIn = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map(({ name }) => join(path, name))
    : [];

/** Folders of experiments in a folder of runs. */
export const experimentFolders = foldersIn;

const TRIAL = /-s\d+-[0-9a-f]{8}$/;

/** Folders of the trials of an experiment that have begun; none that was set aside. */
export const trialFolders = (experiment: string): string[] =>
  foldersIn(experiment).filter((folder) => TRIAL.test(folder) && existsSync(join(folder, 'events.jsonl')));

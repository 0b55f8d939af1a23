// job.json in a trial's folder: the job of a batch system that trained it last.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../support/files.js';

export interface JobMark {
  /** Number of the job and of its task. */
  job: string;
  task: number;
  host: string;
  /** File that it prints into. */
  log: string;
}

const fileIn = (trialFolder: string): string => join(trialFolder, 'job.json');

export const writeJobMark = (trialFolder: string, mark: JobMark): void =>
  writeWhole(fileIn(trialFolder), `${JSON.stringify(mark)}\n`);

/** Undefined if no job trained the trial. */
export function readJobMark(trialFolder: string): JobMark | undefined {
  const path = fileIn(trialFolder);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JobMark;
  } catch {
    return undefined;
  }
}

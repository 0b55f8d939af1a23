// job.json in a trial's folder: the batch job that trained it last.
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
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

const FORMAT = new JsonFormat<JobMark>('the mark of a job', {
  type: 'object',
  required: ['job', 'task', 'host', 'log'],
  properties: {
    job: { type: 'string' },
    task: { type: 'integer', minimum: 0 },
    host: { type: 'string' },
    log: { type: 'string' },
  },
});

/** Undefined if no job trained the trial, or if the mark cannot be read. */
export function readJobMark(trialFolder: string): JobMark | undefined {
  try {
    return FORMAT.find(fileIn(trialFolder));
  } catch (error) {
    if (MtcpError.is(error)) return undefined;
    throw error;
  }
}

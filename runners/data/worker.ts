// The script of a loader thread. It imports the files of the data set, of the transform and of the kinds of their tasks,
// and nothing else of modules/, so that it starts in milliseconds and without TensorFlow.js.
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
import { serve } from '../../modules/support/threads.js';
import { BatchMaker, type BatchSetup, type Job, type JobResult } from './batch-maker.js';

export interface WorkerSetup extends BatchSetup {
  /** Files that announce the components; plugins are compiled first. */
  files: readonly { file: string; plugin: boolean }[];
}

const setup = workerData as WorkerSetup;
for (const { file, plugin } of setup.files)
  if (plugin) (await import('../config/load-plugin.js')).loadPlugin(file);
  else await import(pathToFileURL(file).href);
const maker = new BatchMaker(setup);
serve<Job, JobResult>((job) => maker.make(job));

// The script of a thread of odsF: one image a job.
import { workerData } from 'node:worker_threads';
import { serve } from '../../support/threads.js';
import { countBoundaries, type BoundaryImage, type Counting, type Counts } from './boundary-counts.js';

serve<BoundaryImage, Counts>(async (image) => ({ result: countBoundaries(image, workerData as Counting) }));

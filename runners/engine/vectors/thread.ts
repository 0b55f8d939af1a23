// A thread that helps with vectors: it sleeps until there is a run, works on blocks, and sleeps again, until it is
// terminated.
import { workerData } from 'node:worker_threads';
import { DONE, FAILED, GENERATION, worker, type Assignment } from './work.js';

const assignment = workerData as Assignment;
const { counters } = assignment;
try {
  const work = worker(assignment);
  for (let seen = 0; ; seen = Atomics.load(counters, GENERATION)) {
    work();
    Atomics.wait(counters, GENERATION, seen);
  }
} catch (error) {
  // The main thread may be waiting, and then hears of nothing else.
  Atomics.store(counters, FAILED, 1);
  Atomics.notify(counters, DONE);
  throw error;
}

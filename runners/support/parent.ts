// A process that works for another one must not outlive it. Its channel closes when the parent ends, and then it
// saves and leaves; but a process that is inside one long call (a session of thousands of threads, a driver that
// hangs) does not hear that. So a thread of its own watches, and ends the process when it has not left in time.
import { Worker } from 'node:worker_threads';

/** Milliseconds that a process has to save and leave after its parent ended. */
const GRACE = 60_000;
const POLL = 500;

/** Runs as a script of its own, so that it loads nothing and starts at once. */
const WATCH = `
const { workerData: { parent, grace, poll } } = require('node:worker_threads');
const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace);
}, poll);
`;

/**
 * @param parent process that started this one
 * @param grace milliseconds between the parent's end and this process's
 */
export function dieWith(parent: number, grace = GRACE): void {
  const watch = new Worker(WATCH, { eval: true, workerData: { parent, grace, poll: POLL }, execArgv: [] });
  watch.unref();
}

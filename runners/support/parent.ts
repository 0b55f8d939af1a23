// Ends a process whose parent has died. When the channel to the parent closes, the process saves and exits. But a
// process inside a long call (a session with thousands of threads, a driver that hangs) does not notice. So a
// separate thread watches and ends the process if it has not exited in time.
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

// A thread of parallel sessions. In each run it takes parts whose turn has come, one after the other, until all are
// done (turns.ts).
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { CONTROL, type LaneAnswer, type LaneMessage, type LaneSetup, type PartRun } from './lane-state.js';
import { loadOrt } from './library.js';
import { readersOf, takeTurns } from './turns.js';

interface Job {
  parts: readonly PartRun[];
  /** For each part those that wait for it. */
  readers: readonly (readonly number[])[];
  state: Int32Array;
}

const { control, threads, messages } = workerData as LaneSetup;
const ort = loadOrt();
const jobs = new Map<number, Job>();

for (let seen = 0; ;) {
  Atomics.wait(control, CONTROL.run, seen);
  seen = Atomics.load(control, CONTROL.run);
  readMessages();
  run(jobs.get(Atomics.load(control, CONTROL.job))!);
}

function readMessages(): void {
  for (let next = receiveMessageOnPort(messages); next; next = receiveMessageOnPort(messages)) {
    const message = next.message as LaneMessage;
    if ('forget' in message) {
      jobs.delete(message.forget);
      continue;
    }
    const { define, parts, state } = message;
    jobs.set(define, { parts, readers: readersOf(parts), state });
  }
}

function run({ parts, readers, state }: Job): void {
  const last = takeTurns({ readers, state, threads }, (part) => {
    try {
      ort.call('RunWithBinding', parts[part].session, null, parts[part].binding);
      return true;
    } catch (error) {
      answer({ error: (error as Error).message });
      return false;
    }
  });
  if (last) answer({});
}

function answer(message: LaneAnswer): void {
  parentPort!.postMessage(message);
}

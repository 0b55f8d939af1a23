// A thread of parallel sessions. In each run it takes parts whose turn has come, one after the other, until all are
// done. Threads agree through shared memory and not through the event loop: a part begins some microseconds after the
// one before, and the system sees a thread that computes without a break.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import {
  CLAIMED,
  CONTROL,
  STATE,
  type LaneAnswer,
  type LaneMessage,
  type LaneSetup,
  type PartRun,
} from './lane-state.js';
import { loadOrt } from './library.js';

/** Milliseconds that a thread looks for a part before it sleeps. */
const LOOKING = 0.05;

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
    const readers = parts.map(() => [] as number[]);
    parts.forEach(({ waits }, part) => waits.forEach((earlier) => readers[earlier].push(part)));
    jobs.set(define, { parts, readers, state });
  }
}

function run(job: Job): void {
  const { parts, readers, state } = job;
  while (Atomics.load(state, STATE.failed) === 0 && Atomics.load(state, STATE.done) < parts.length) {
    const event = Atomics.load(state, STATE.event);
    const part = claim(job);
    if (part === undefined) {
      awaitChange(state, event);
      continue;
    }
    try {
      ort.call('RunWithBinding', parts[part].session, null, parts[part].binding);
      for (const reader of readers[part]) Atomics.sub(state, STATE.length + reader, 1);
    } catch (error) {
      answer({ error: (error as Error).message });
      Atomics.store(state, STATE.failed, 1);
    }
    Atomics.add(state, STATE.done, 1);
    Atomics.add(state, STATE.event, 1);
    Atomics.notify(state, STATE.event);
  }
  if (Atomics.add(state, STATE.left, 1) === threads - 1) answer({});
}

function answer(message: LaneAnswer): void {
  parentPort!.postMessage(message);
}

/** Takes the first part that nobody has and that waits for nothing. */
function claim({ parts, state }: Job): number | undefined {
  for (let part = 0; part < parts.length; part++)
    if (Atomics.compareExchange(state, STATE.length + part, 0, CLAIMED) === 0) return part;
  return undefined;
}

/** Waits until a part has ended that had not when `event` was read. */
function awaitChange(state: Int32Array, event: number): void {
  const until = performance.now() + LOOKING;
  while (performance.now() < until) if (Atomics.load(state, STATE.event) !== event) return;
  Atomics.wait(state, STATE.event, event);
}

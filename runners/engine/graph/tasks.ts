// Divides a graph of small operators among threads. One operator is too short to be worth waking a second thread for;
// a thousandth of a second of operators is not. So the graph is cut into tasks: lists of operators that one thread
// runs without asking for anything that another thread does at the same time. Tasks, rather than operators, wait for
// each other.
//
// The cut follows a simulation. Threads fill a window of time with operators that are ready, those first that the
// longest chain of others waits for; what needs results of two threads waits for the next window. A task is what one
// thread does in one window. Which thread runs a task in the end, and when, is decided while running; the numbers are
// the same in any case, because each operator is computed by one thread.
import { nanosecondsOf } from './cost.js';
import type { Node } from './ir.js';
import { isView, storageOf } from './lifetimes.js';

/** Operators in recorded order; tasks before it in the list may be read. */
export type Task = readonly Node[];

/** Nanoseconds of a window: much more than it takes to start a task (10 us), less than the branches of a network. */
const WINDOW = 600_000;
/** Graphs of fewer windows are one task. */
const WORTHWHILE = 4;
/** Part of a window after which others share their work with a thread that has none. */
const SHARED_AFTER = 0.25;
/** A thread goes on with what it has begun unless something else is this many windows more urgent. */
const PATIENCE = 2;

/**
 * @param nodes of a graph, in recorded order; views are not part of tasks but computed where they are read
 * @param threads that run tasks at a time
 * @param window nanoseconds
 * @returns tasks in an order in which each one needs only earlier ones
 */
export function tasksOf(nodes: readonly Node[], threads: number, window = WINDOW): Task[] {
  const cost = nodes.reduce((sum, node) => sum + (isView(node) ? 0 : nanosecondsOf(node)), 0);
  if (cost < WORTHWHILE * window) return [nodes.filter((node) => !isView(node))];
  const simulation = new Simulation(nodes, threads, window);
  const place = new Map(nodes.map((node, i) => [node, i]));
  return simulation.run().map((task) => task.sort((a, b) => place.get(a)! - place.get(b)!));
}

/** An operator with what the simulation knows of it. */
interface Job {
  node: Node;
  cost: number;
  /** Nanoseconds of the longest chain of operators that begins with it. */
  urgency: number;
  readers: Job[];
  sources: Job[];
  /** Sources that have not run. */
  missing: number;
  window: number;
  thread: number;
}

class Simulation {
  readonly #jobs: readonly Job[];

  constructor(
    nodes: readonly Node[],
    readonly threads: number,
    readonly length: number,
  ) {
    const jobs = new Map<Node, Job>();
    for (const node of nodes) {
      if (isView(node)) continue;
      const sources = new Set(
        node.inputs.flatMap((input) => {
          const source = input && storageOf(input).node;
          return (source && jobs.get(source)) ?? [];
        }),
      );
      const cost = nanosecondsOf(node);
      const job = {
        node,
        cost,
        urgency: cost,
        readers: [],
        sources: [...sources],
        missing: sources.size,
        window: -1,
        thread: -1,
      };
      for (const source of sources) source.readers.push(job);
      jobs.set(node, job);
    }
    this.#jobs = [...jobs.values()];
    for (const job of this.#jobs.toReversed())
      job.urgency += job.readers.reduce((longest, { urgency }) => Math.max(longest, urgency), 0);
  }

  run(): Node[][] {
    const tasks: Node[][] = [];
    let ready = new Queue(this.#jobs.filter(({ missing }) => missing === 0));
    let left = this.#jobs.length;
    for (let window = 0; left > 0; window++) {
      const done = this.#fill(window, ready);
      ready = done.ready;
      for (const task of done.tasks) {
        left -= task.length;
        if (task.length > 0) tasks.push(task);
      }
    }
    return tasks;
  }

  #fill(window: number, common: Queue): { tasks: Node[][]; ready: Queue } {
    const threads = Array.from({ length: this.threads }, () => ({
      used: 0,
      own: new Queue(),
      task: [] as Node[],
      idle: false,
    }));
    const later: Job[] = [];
    for (;;) {
      const working = threads.filter(({ idle, used }) => !idle && used < this.length);
      if (working.length === 0) break;
      const shared = threads.some(({ idle }) => idle);
      const thread = working.reduce((first, other) => (other.used < first.used ? other : first));
      if (shared && thread.used >= this.length * SHARED_AFTER) break;
      const [own, other] = [thread.own.first, common.first];
      if (!own && !other) {
        thread.idle = true;
        continue;
      }
      const goesOn = own && (!other || own.urgency >= other.urgency - PATIENCE * this.length);
      const job = (goesOn ? thread.own : common).take();
      const index = threads.indexOf(thread);
      [job.window, job.thread] = [window, index];
      thread.used += job.cost;
      thread.task.push(job.node);
      for (const reader of job.readers) {
        if (--reader.missing > 0) continue;
        const alone = reader.sources.every((source) => source.window < window || source.thread === index);
        if (alone) thread.own.add(reader);
        else later.push(reader);
      }
    }
    const ready = [...later, ...common.rest(), ...threads.flatMap(({ own }) => own.rest())];
    return { tasks: threads.map(({ task }) => task), ready: new Queue(ready) };
  }
}

/** Jobs, the most urgent one first: a binary heap. */
class Queue {
  readonly #heap: Job[] = [];

  constructor(jobs: readonly Job[] = []) {
    for (const job of jobs) this.add(job);
  }

  get first(): Job | undefined {
    return this.#heap[0];
  }

  rest(): readonly Job[] {
    return this.#heap;
  }

  add(job: Job): void {
    const heap = this.#heap;
    let at = heap.push(job) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent].urgency >= job.urgency) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = job;
  }

  take(): Job {
    const heap = this.#heap;
    const [first, last] = [heap[0], heap.pop()!];
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (heap[child + 1]?.urgency > heap[child].urgency) child++;
      if (heap[child].urgency <= last.urgency) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

// A pool of worker threads: jobs go in, results come out, and an MtcpError thrown in a thread arrives as the
// same MtcpError. The script of a thread calls `serve` with its handler; the owner of the pool calls `run`.
import { parentPort, Worker, type Transferable } from 'node:worker_threads';
import { MtcpError, type ErrorKind } from '../../registry/index.js';
import { asIoError } from '../../registry/support/io-error.js';

/** Jobs queued at a thread, so that it continues working while the owner's event loop is busy. */
const JOBS_AHEAD = 2;

interface Task<Job, Result> {
  id: number;
  job: Job;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface Thread<Job, Result> {
  worker: Worker;
  tasks: Map<number, Task<Job, Result>>;
}

type Reply<Result> = { id: number; result: Result } | { id: number; error: PlainError };

export class ThreadPool<Job, Result> {
  readonly #threads: Thread<Job, Result>[] = [];
  #waiting: Task<Job, Result>[] = [];
  #failure: unknown;
  #closing = false;
  #count = 0;

  /** Threads start with the first jobs; `data` is their `workerData`. */
  constructor(
    private readonly script: URL,
    private readonly size: number,
    private readonly data?: unknown,
  ) {}

  /** Runs a job in some thread. */
  run(job: Job): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.push({ id: this.#count++, job, resolve, reject });
      this.#dispatch();
    });
  }

  /** Stops the threads; unfinished jobs are rejected. */
  async close(): Promise<void> {
    this.#fail(new MtcpError('io', 'the threads were closed while there was work left'));
    this.#closing = true;
    await Promise.all(
      this.#threads.map(({ worker }) => {
        // A process with nothing else to wait for would end here, in the middle of what its owner does.
        worker.ref();
        return worker.terminate();
      }),
    );
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#freeThread();
      if (!thread) return;
      const task = this.#waiting.shift()!;
      thread.tasks.set(task.id, task);
      thread.worker.ref();
      thread.worker.postMessage({ id: task.id, job: task.job });
    }
  }

  #freeThread(): Thread<Job, Result> | undefined {
    const least = this.#threads.toSorted((a, b) => a.tasks.size - b.tasks.size).at(0);
    if (least?.tasks.size === 0) return least;
    if (this.#threads.length < this.size) return this.#start();
    return least && least.tasks.size < JOBS_AHEAD ? least : undefined;
  }

  #start(): Thread<Job, Result> {
    // Threads run a file, which this flag of `node --eval` forbids.
    const execArgv = process.execArgv.filter((flag) => !flag.startsWith('--input-type'));
    const worker = new Worker(this.script, { workerData: this.data, execArgv });
    const thread: Thread<Job, Result> = { worker, tasks: new Map() };
    worker.on('message', (reply: Reply<Result>) => {
      const task = thread.tasks.get(reply.id);
      thread.tasks.delete(reply.id);
      // An idle thread does not keep the process alive.
      if (thread.tasks.size === 0 && !this.#closing) worker.unref();
      if ('error' in reply) task?.reject(reviveError(reply.error));
      else task?.resolve(reply.result);
      this.#dispatch();
    });
    worker.on('error', (cause) => this.#fail(stopped(cause.message, cause)));
    worker.on('exit', (code) => this.#fail(stopped(`exit code ${code}`)));
    this.#threads.push(thread);
    return thread;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    const tasks = [...this.#waiting, ...this.#threads.flatMap((thread) => [...thread.tasks.values()])];
    this.#waiting = [];
    for (const thread of this.#threads) thread.tasks.clear();
    for (const task of tasks) task.reject(this.#failure);
  }
}

function stopped(reason: string, cause?: unknown): MtcpError {
  return new MtcpError('io', `a worker thread stopped (${reason})`, {
    hint: 'if memory ran out, use fewer workers, a smaller batch or a smaller cache',
    cause,
  });
}

/** What a handler returns: the result, and its buffers that are handed over instead of copied. */
export interface Served<Result> {
  result: Result;
  transfer?: Transferable[];
}

/** In the script of a thread: answers every job with the handler's result. */
export function serve<Job, Result>(handler: (job: Job) => Promise<Served<Result>>): void {
  const port = parentPort!;
  let before: Promise<void> = Promise.resolve();
  port.on('message', ({ id, job }: { id: number; job: Job }) => {
    before = before.then(async () => {
      try {
        const { result, transfer = [] } = await handler(job);
        port.postMessage({ id, result }, transfer);
      } catch (error) {
        port.postMessage({ id, error: plainError(error) });
      }
    });
  });
}

/** An error as it crosses the thread boundary, which keeps only the message of a class of our own. */
interface PlainError {
  message: string;
  stack?: string;
  /** Of a fault of the system. */
  system?: { code?: string; syscall?: string; path?: string };
  mtcp?: { kind: ErrorKind; where?: string; frame?: string; hint?: string };
}

function plainError(thrown: unknown): PlainError {
  // A fault of the system that names no path, as a write into a full disk, is put into words by who knows the path.
  const named = (thrown as NodeJS.ErrnoException | undefined)?.path;
  const error = named === undefined ? thrown : asIoError(thrown, named);
  if (MtcpError.is(error)) {
    const { message, kind, where, frame, hint } = error;
    return { message, mtcp: { kind, where, frame, hint } };
  }
  const { message, stack, code, syscall, path }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  return { message, stack, ...(code !== undefined && { system: { code, syscall, path } }) };
}

function reviveError({ message, stack, system, mtcp }: PlainError): Error {
  if (mtcp) return new MtcpError(mtcp.kind, message, mtcp);
  return Object.assign(new Error(message), { stack, ...system });
}

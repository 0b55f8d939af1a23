// The threads that run parallel sessions. The sessions of an engine share them, one run at a time.
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { MtcpError } from '../../../registry/errors.js';
import { CONTROL, type LaneAnswer, type LaneMessage, type LaneSetup, type PartRun } from './lane-state.js';
import type { Binding } from './session.js';
import { newTurns, startTurns } from './turns.js';

/** A run under way. */
interface Run {
  end(error?: Error): void;
  failure?: Error;
}

export class Lanes {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.length));
  readonly #lanes: readonly { worker: Worker; messages: MessagePort }[];
  #jobs = 0;
  /** The last run that was asked for; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  #run: Run | undefined;
  /** Why threads are gone. */
  #broken: Error | undefined;

  constructor(threads: number) {
    this.#lanes = Array.from({ length: threads }, () => {
      const { port1: messages, port2 } = new MessageChannel();
      const workerData: LaneSetup = { control: this.#control, threads, messages: port2 };
      const worker = new Worker(new URL('./lane.js', import.meta.url), {
        workerData,
        transferList: [port2],
        execArgv: [],
      });
      worker.on('message', (answer: LaneAnswer) => this.#hear(answer));
      worker.on('error', (cause) => {
        this.#broken = new MtcpError('engine', `a thread of onnxruntime ended: ${cause.message}`, { cause });
        this.#run?.end(this.#broken);
      });
      // Threads that wait for work do not keep the process alive.
      worker.unref();
      return { worker, messages };
    });
  }

  /** Ties parts together: a run runs each of them once, after those that it waits for. */
  bind(parts: readonly PartRun[]): Binding {
    const job = this.#jobs++;
    const state = newTurns(parts);
    this.#tell({ define: job, parts, state });
    return {
      run: () => {
        const run = this.#last.then(() => this.#start(job, parts, state));
        this.#last = run.catch(() => {});
        return run;
      },
      close: () => this.#tell({ forget: job }),
    };
  }

  #tell(message: LaneMessage): void {
    for (const { messages } of this.#lanes) messages.postMessage(message);
  }

  #hear({ error }: LaneAnswer): void {
    if (error === undefined) this.#run?.end();
    else if (this.#run) this.#run.failure ??= new MtcpError('engine', error);
  }

  #start(job: number, parts: readonly PartRun[], state: Int32Array): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken);
    startTurns(state, parts);
    return new Promise((resolve, reject) => {
      for (const { worker } of this.#lanes) worker.ref();
      const run: Run = {
        end: (error = run.failure) => {
          this.#run = undefined;
          for (const { worker } of this.#lanes) worker.unref();
          if (error) reject(error);
          else resolve();
        },
      };
      this.#run = run;
      Atomics.store(this.#control, CONTROL.job, job);
      Atomics.add(this.#control, CONTROL.run, 1);
      Atomics.notify(this.#control, CONTROL.run);
    });
  }

  close(): void {
    for (const { worker, messages } of this.#lanes) {
      messages.close();
      void worker.terminate();
    }
  }
}

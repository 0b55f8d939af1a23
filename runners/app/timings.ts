// Where the seconds of a run go: its phases by the clock, and the training of its trials by what their events tell. Trials
// that run at the same time are added up, so their seconds may be more than those of the phase.
import type { WorkEvent } from '../training/work.js';

/** Seconds. */
export interface Timings {
  /** The phases of the run, in their order; together they are the whole. */
  phases: { what: Phase; seconds: number }[];
  /** Of all trials: what their processes did in the phase `training`. */
  trials: { what: Part; seconds: number }[];
  /** How many trials were trained. */
  count: number;
}

export type Phase = 'checking' | 'preparing data' | 'training' | 'report';
export type Part =
  | 'recording graphs'
  | 'making sessions'
  | 'waiting for data'
  | 'steps'
  | 'evaluation'
  | 'checkpoints, pictures and the rest';

export class Stopwatch {
  readonly #phases: { what: Phase; seconds: number }[] = [];
  readonly #parts = new Map<Part, number>([
    ['recording graphs', 0],
    ['making sessions', 0],
    ['waiting for data', 0],
    ['steps', 0],
    ['evaluation', 0],
    ['checkpoints, pictures and the rest', 0],
  ]);
  /** When each trial that is under way began, and what of its time is accounted for. */
  readonly #open = new Map<string, { began: number; told: number }>();
  readonly #seen = new Set<string>();
  #last = performance.now();

  /** What took place since the last call was this phase. */
  over(what: Phase): void {
    const now = performance.now();
    this.#phases.push({ what, seconds: (now - this.#last) / 1000 });
    this.#last = now;
  }

  see(event: WorkEvent): void {
    const key = JSON.stringify([event.row, event.seed]);
    const open = this.#open.get(key);
    const add = (part: Part, seconds: number) => {
      this.#parts.set(part, this.#parts.get(part)! + seconds);
      if (open) open.told += seconds;
    };
    switch (event.event) {
      case 'started':
        this.#open.set(key, { began: performance.now(), told: 0 });
        this.#seen.add(key);
        break;
      case 'compiled':
        add('recording graphs', event.recordSeconds);
        add('making sessions', event.sessionSeconds);
        break;
      case 'epoch':
        add('waiting for data', event.waited);
        add('steps', event.seconds - event.waited);
        break;
      case 'evaluated':
        add('evaluation', event.seconds);
        break;
      case 'finished':
      case 'failed':
      case 'interrupted':
        if (!open) break;
        add(
          'checkpoints, pictures and the rest',
          Math.max(0, (performance.now() - open.began) / 1000 - open.told),
        );
        this.#open.delete(key);
        break;
    }
  }

  read(): Timings {
    return {
      phases: this.#phases,
      trials: [...this.#parts].map(([what, seconds]) => ({ what, seconds })),
      count: this.#seen.size,
    };
  }
}

// A progress line: redrawn in place on a terminal; elsewhere a plain line every few seconds.
import { duration } from '../reporting/numbers.js';
import { oneLine } from '../support/escape.js';
import { REDRAW } from '../support/output.js';

const PLAIN_INTERVAL = 10_000;
const REDRAW_INTERVAL = 100;

export class Progress {
  #shown = 0;
  #last = '';
  #live = false;

  constructor(
    readonly stream: NodeJS.WriteStream,
    readonly quiet: boolean,
  ) {}

  get #terminal(): boolean {
    return Boolean(this.stream.isTTY) && process.env.TERM !== 'dumb';
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.quiet) return;
    this.clear();
    this.stream.write(`${text}\n`);
  }

  /** What is going on now; later states replace it. */
  state(text: string, done?: number, total?: number): void {
    if (this.quiet) return;
    const now = performance.now();
    const finished = done !== undefined && done === total;
    if (now - this.#shown < (this.#terminal ? REDRAW_INTERVAL : PLAIN_INTERVAL) && !finished) return;
    this.#shown = now;
    const full =
      done === undefined || !total ? text : `${this.#terminal ? `${bar(done / total)} ` : ''}${text}`;
    if (!this.#terminal) {
      if (full !== this.#last) this.stream.write(`${full}\n`);
    } else {
      const width = Math.max(20, this.stream.columns ?? 80) - 1;
      this.stream.write(`${REDRAW}${oneLine(full).slice(0, width)}`);
      this.#live = true;
    }
    this.#last = full;
  }

  clear(): void {
    if (this.#live) this.stream.write(REDRAW);
    this.#live = false;
  }
}

function bar(share: number): string {
  const width = 20;
  const full = Math.round(Math.min(1, share) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)}%`;
}

export const remaining = (seconds: number): string =>
  `about ${duration(Math.max(1, Math.round(seconds)))} left`;

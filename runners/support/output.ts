// Robust standard output and standard error. Writing may fail: the reader of a pipe leaves (EPIPE), the disk is full,
// the terminal is closed. Node would end the process. Here a stream that failed once is no longer written to, and
// callers can be notified. Control characters in names, values and answers of servers are escaped before they reach
// the terminal.
import { printable } from './escape.js';

export interface OutputLoss {
  stream: 'stdout' | 'stderr';
  /** Of the system, such as EPIPE. */
  code: string;
  message: string;
}

const NAMES = { stdout: 'standard output', stderr: 'standard error' } as const;
const REASONS: Readonly<Record<string, string>> = {
  EPIPE: 'its reader has left',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than this process may write',
  EIO: 'the terminal or disk under it is gone',
};

const losses = new Map<OutputLoss['stream'], OutputLoss>();
const listeners = new Set<(loss: OutputLoss) => void>();

/** Makes the two streams of this process survive faults. Called once, before anything is written. */
export function guardOutput(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = process[name];
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    const lose = (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown';
      noteLoss({ stream: name, code, message: `${NAMES[name]} is lost: ${REASONS[code] ?? error.message}` });
    };
    stream.on('error', lose);
    stream.write = (chunk: unknown, ...rest: unknown[]): boolean => {
      const args = [typeof chunk === 'string' ? visible(chunk) : chunk, ...rest];
      // A pipe says so in an event, a file by throwing.
      try {
        if (!losses.has(name)) return write(...args);
      } catch (error) {
        lose(error as NodeJS.ErrnoException);
      }
      const done = args.at(-1);
      if (typeof done === 'function') process.nextTick(done as () => void);
      return true;
    };
  }
}

/** Goes to the beginning of the line and clears it: the one order to a terminal that is ours, at the start of a write. */
export const REDRAW = '\r\u001b[2K';

const visible = (text: string): string =>
  text.startsWith(REDRAW) ? REDRAW + printable(text.slice(REDRAW.length)) : printable(text);

/** Tells of a loss that another process noticed as of one that was noticed here. */
export function noteLoss(loss: OutputLoss): void {
  if (losses.has(loss.stream)) return;
  losses.set(loss.stream, loss);
  for (const listener of listeners) listener(loss);
}

/**
 * Calls `listener` for each stream that is lost, now or later.
 * @returns ends that
 */
export function watchOutput(listener: (loss: OutputLoss) => void): () => void {
  listeners.add(listener);
  for (const loss of losses.values()) listener(loss);
  return () => void listeners.delete(listener);
}

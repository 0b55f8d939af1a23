// Errors that travel between processes.
import { MtcpError, type ErrorKind } from '../../../registry/errors.js';

/** Another process that shares the work has ended, or cannot be reached. What was saved is not affected. */
export class ProcessLost extends MtcpError {
  constructor(
    message: string,
    hint = 'the same command goes on from the last checkpoint; a process that was killed may have run out of memory',
  ) {
    super('engine', message, { hint });
  }
}

export interface PlainError {
  kind: ErrorKind;
  message: string;
  where?: string;
  hint?: string;
  /** Whether the process that reports it has itself lost another one. */
  lost?: boolean;
}

export function plainError(error: unknown): PlainError {
  if (!MtcpError.is(error))
    return { kind: 'engine', message: String((error as Error | undefined)?.stack ?? error) };
  const { kind, message, where, hint } = error;
  return { kind, message, where, hint, lost: error instanceof ProcessLost };
}

/** @param who had it */
export function asError({ kind, message, where, hint, lost }: PlainError, who: string): MtcpError {
  if (lost) return new ProcessLost(`${who}: ${message}`);
  return new MtcpError(kind, message, { where: where === undefined ? who : `${who}, ${where}`, hint });
}

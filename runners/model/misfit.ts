// Faults of a trial that no schema can see, with their path in the trial's configuration. The position in a file
// differs from row to row, so a misfit becomes an error with file:line:col only together with the experiment's
// provenance.
import { MtcpError } from '../../registry/errors.js';
import type { TrialSpec } from '../config/index.js';
import { PartError, thrownIn } from './part-error.js';

export interface Misfit {
  /** Keys of the trial's configuration. */
  readonly path: readonly string[];
  readonly message: string;
  /** More about it, a few lines. */
  readonly note?: string;
  readonly hint?: string;
}

/**
 * Runs `build` and keeps what a part complains about.
 * @returns undefined if it complained
 * @throws whatever is no PartError: a bug
 */
export function collect<T>(misfits: Misfit[], build: () => T): T | undefined {
  try {
    return build();
  } catch (error) {
    const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    for (const each of errors) {
      if (!(each instanceof PartError)) throw each;
      misfits.push({ path: each.path, message: each.message, note: each.frame, hint: each.hint });
    }
    return undefined;
  }
}

/** What a component that cannot be made complains about. */
export function misfitOf(path: readonly string[], what: string, error: unknown): Misfit {
  if (!MtcpError.is(error))
    return { path, message: `${what}: ${(error as Error).message}`, note: thrownIn(error) };
  const option = error.option?.split('.') ?? [];
  return { path: [...path, ...option], message: error.message, hint: error.hint };
}

/** The misfits as errors where nothing is known of who wrote the values: a worker, a folder of a finished trial. */
export function asErrors({ row }: Pick<TrialSpec, 'row'>, misfits: readonly Misfit[]): MtcpError[] {
  return misfits.map(
    ({ path, message, note, hint }) =>
      new MtcpError('config', message, { where: `row "${row}", ${path.join('.')}`, frame: note, hint }),
  );
}

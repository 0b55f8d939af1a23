// The error of a part that does not fit: with its path in the configuration and the input that it received.
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MtcpError } from '../../registry/errors.js';
import { display } from '../config/index.js';
import { throwRefused } from '../engine/backend.js';
import { callSites } from '../support/call-sites.js';

export class PartError extends MtcpError {
  constructor(
    /** Keys of the trial's configuration that lead to the part, or to the option at fault. */
    readonly path: readonly string[],
    message: string,
    details: { note?: string; hint?: string; cause?: unknown } = {},
  ) {
    super('component', message, {
      where: path.join('.'),
      frame: details.note,
      hint: details.hint,
      cause: details.cause,
    });
  }

  /**
   * What `build` returns.
   * @param what cannot be done if it fails: 'head "x" cannot be built on what comes before it'
   * @param given the shapes that the part works on, height x width x channels
   * @param check throws if what `build` returns is not what it must be
   * @throws PartError if it throws, is async, or looks at values while a graph is recorded
   */
  static wrap<T>(
    path: readonly string[],
    what: string,
    given: string,
    build: () => T,
    check: (built: T) => void = () => {},
  ): T {
    try {
      const built = build();
      throwRefused();
      if (isPromise(built)) {
        // Its result is not awaited and does not matter.
        built.then(undefined, () => {});
        throw new PartError(path, `${what}: it returns a promise, and a model is recorded without waiting`, {
          note: given === '' ? undefined : `it is given ${given}`,
          hint: 'write it without async and await',
        });
      }
      check(built);
      return built;
    } catch (error) {
      if (error instanceof PartError) throw error;
      const notes = [given === '' ? undefined : `it is given ${given}`];
      if (MtcpError.is(error)) {
        const place = [...path, ...(error.option?.split('.') ?? [])];
        // The engine does not know whose operation it refuses.
        const foreign = error.kind === 'engine';
        if (foreign) notes.push(thrownIn(error));
        const note = notes.filter((line) => line !== undefined).join('\n');
        const message = foreign ? `${what}: ${error.message}` : error.message;
        throw new PartError(place, message, { note, hint: error.hint, cause: error });
      }
      notes.push(thrownIn(error));
      const [reason] = (error as Error).message.split('\n');
      const note = notes.filter((line) => line !== undefined).join('\n');
      throw new PartError(path, `${what}: ${reason}`, { note, cause: error });
    }
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | null)?.then === 'function';
}

/** mtcp's own compiled code. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

/** Where the component's author looks first: the innermost line outside of mtcp, or else outside of libraries. */
export function thrownIn(error: unknown): string | undefined {
  const sites = callSites(error).filter(({ script }) => !script.includes(`${sep}node_modules${sep}`));
  const site = sites.find(({ script }) => !script.startsWith(OWN)) ?? sites.at(0);
  return site && `thrown in ${display(site.file)}:${site.line}:${site.column}`;
}

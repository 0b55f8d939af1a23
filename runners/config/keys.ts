// Keys of an experiment file and dotted paths to them.

import { unaliased } from './aliases.js';

/** Keys of a file that are not part of a trial. */
export const PRESENTATION = ['name', 'title', 'description', 'report', 'tracking', 'launcher'] as const;
export const STRUCTURE = ['extends', 'plugins', 'seeds', 'rows', 'profiles', 'sweep'] as const;

/** What no overlay, argument or sweep can reach into. */
export const NOT_SECTIONS: ReadonlySet<string> = new Set([...PRESENTATION, ...STRUCTURE]);

/** What cannot be a key: in a plain object it is no key, but what the object inherits from. */
export const NO_KEY = '__proto__';

/** Keys of a dotted path; what follows `variables.` is one name, dots and all. */
export function splitPath(path: string): string[] {
  const keys = path.split('.');
  return keys[0] === 'variables' && keys.length > 2 ? [keys[0], keys.slice(1).join('.')] : unaliased(keys);
}

/** Whether these are keys of a trial section, which sweeps and searches may vary. */
export const isTrialPath = (keys: readonly string[]): boolean =>
  !keys.includes('') && !keys.includes(NO_KEY) && !NOT_SECTIONS.has(keys[0]);

/** What is said of a path that is none. */
export const notATrialPath = (path: string): { message: string; hint: string } => ({
  message: `"${path}" is not a path of a trial`,
  hint: 'write keys of a trial section with dots between them, such as optimizer.rate',
});

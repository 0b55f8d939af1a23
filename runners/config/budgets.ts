// Limits on the size of an experiment file. No file that people write comes near them. A file beyond them is an
// accident or an attack and is refused before it costs time or memory. With these limits, validating any file takes
// less than half a second.

/** Bytes of one file. */
export const FILE_BYTES = 1 << 20;

/** Files that extend one another. */
export const FILES = 100;

/** Keys and values of all files of an experiment, aliases expanded. */
export const NODES = 10_000;

/** Keys and values of all rows under all profiles that are looked at, taken together. */
export const COMPOSED_NODES = 120_000;

/** Paths that a sweep varies. */
export const SWEPT_PATHS = 50;

/** Rows that a sweep makes, and combinations that `exclude` is compared with. */
export const SWEPT_ROWS = 10_000;
export const EXCLUSIONS = 200_000;

/** Variables that use variables, one inside the other. */
export const VARIABLE_DEPTH = 50;

/** Values that variables may become in all rows together; a hundred characters count as one. */
export const FILLED = 100_000;

/** Rows that depend on rows, one after the other. */
export const ROW_DEPTH = 100;

/** Faults that are reported at once. */
export const FAULTS = 100;

/** Plugins of an experiment. */
export const PLUGINS = 50;

const SEPARATOR = /[,[{]|[-?:][ \t\r\n]|\n(?![ \t]*(?:#|\r?\n|$))/g;

/** Whether a text has more values than any file may have: seen without parsing it, which would take long. */
export function hasTooManyValues(text: string): boolean {
  if (text.length < NODES) return false;
  SEPARATOR.lastIndex = 0;
  for (let count = 0; count <= 2 * NODES; count++) if (!SEPARATOR.test(text)) return false;
  SEPARATOR.lastIndex = 0;
  return true;
}

// Finds the profile that onnxruntime wrote: it appends the time to the prefix that it was given.
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The file of a prefix, if there is one. */
export function profileAt(prefix: string): string | undefined {
  const name = readdirSync(dirname(prefix)).find((file) => file.startsWith(`${basename(prefix)}_`));
  return name === undefined ? undefined : join(dirname(prefix), name);
}

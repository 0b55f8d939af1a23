// Creates a folder and its missing parents. Node's recursive mkdir never returns if the system reports that a folder
// below an existing one "does not exist", as /proc does: it tries again without end.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and what is missing above it; one that is there is left as it is.
 * @param mode of the folders that are made, less the umask
 * @throws the error of the system that `asIoError` and `systemFault` put into words
 */
export function makeFolder(path: string, mode = 0o777): void {
  const whole = resolve(path);
  const missing: string[] = [];
  for (let at = whole; !existsSync(at); at = dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) make(folder, mode);
  // A file in the way says so.
  if (!statSync(whole).isDirectory()) mkdirSync(whole);
}

/** Another process may be quicker. */
function make(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

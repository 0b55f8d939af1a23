// What mtcp may change in a folder of runs: plain files and folders that it made, recognised by their names. A
// symbolic link may lead anywhere, so nothing is written, truncated or deleted through one. Files and folders with
// other names are left alone.
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { entryAt } from '../../registry/support/plain-file.js';

/**
 * Refuses what is in the way where mtcp keeps a file or a folder of its own; nothing there is fine.
 * @throws MtcpError `usage` if it is a link, or of another kind
 */
export function requireOwn(path: string, kind: 'file' | 'folder'): void {
  const stat = entryAt(path);
  if (!stat || (kind === 'file' ? stat.isFile() : stat.isDirectory())) return;
  const is = stat.isSymbolicLink()
    ? 'link'
    : stat.isDirectory()
      ? 'folder'
      : stat.isFile()
        ? 'file'
        : 'device';
  throw new MtcpError('usage', `is a ${is} where mtcp keeps a ${kind} of its own; it is left as it is`, {
    where: path,
    hint:
      is === 'link'
        ? 'remove the link; to keep runs elsewhere, name that folder with --runs'
        : `move or remove the ${is}`,
  });
}

/**
 * The same for a folder, everything in it, and everything in its folders down to `depth`.
 * @throws MtcpError `usage` at the first link
 */
export function requireOwnTree(folder: string, depth: number): void {
  requireOwn(folder, 'folder');
  if (!entryAt(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) requireOwn(path, 'file');
    if (entry.isDirectory() && depth > 0) requireOwnTree(path, depth - 1);
  }
}

/**
 * Deletes a folder that mtcp made: the files of it that match `own`, and then the folder if nothing else is in it.
 * A link is left alone.
 */
export function removeOwnFolder(folder: string, own: RegExp): void {
  if (!entryAt(folder)?.isDirectory()) return;
  const left = readdirSync(folder, { withFileTypes: true }).filter((entry) => {
    if (!entry.isFile() || !own.test(entry.name)) return true;
    rmSync(join(folder, entry.name), { force: true });
    return false;
  });
  if (left.length === 0) rmdirSync(folder);
}

/** `path`, or the first of `path-2`, `path-3` and so on that is free. */
export function freeName(path: string): string {
  let free = path;
  for (let number = 2; entryAt(free); number++) free = `${path}-${number}`;
  return free;
}

// What a trial was trained on and with: the machine, Node, and the version of mtcp. It is kept in the trial's log, for the
// methods paragraph of a paper.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Machine {
  processor: string;
  cores: number;
  /** Bytes. */
  memory: number;
  /** Such as `linux x64`. */
  system: string;
  node: string;
  mtcp: string;
  /** Of a checkout of mtcp. */
  commit?: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

let known: Machine | undefined;

export function thisMachine(): Machine {
  if (known) return known;
  const commit = commitOf(ROOT);
  return (known = {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    mtcp: (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
    ...(commit !== undefined && { commit }),
  });
}

/** Undefined outside of a checkout: a package may lie in the repository of another project. */
function commitOf(root: string): string | undefined {
  if (!existsSync(join(root, '.git'))) return undefined;
  try {
    return execFileSync('git', ['-C', root, 'rev-parse', '--verify', 'HEAD'], {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

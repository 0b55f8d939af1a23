// mtcp as a package in a folder of its own, without its tests and maps.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, temporaryFolder } from './rooms.js';

/** @param without a package that is not there, although mtcp's own folder has it */
export function installIn(folder: string, without?: string): void {
  mkdirSync(folder);
  for (const part of ['package.json', 'experiments', 'schemas', 'templates', 'modules/references.bib'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  for (const part of ['registry', 'modules', 'runners', 'vendor'])
    cpSync(join(ROOT, 'dist', part), join(folder, 'dist', part), {
      recursive: true,
      filter: (path) => !/\.(map|d\.ts)$/.test(path),
    });
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== without) symlinkSync(join(ROOT, 'node_modules', name), join(packages, name));
}

/** Its command line, with nothing of the user's. */
export function runInstalled(folder: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(folder, 'dist/runners/cli/main.js'), ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', XDG_CONFIG_HOME: temporaryFolder() },
  });
}

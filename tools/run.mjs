// node tools/run.mjs TOOL ARGUMENTS: runs depcruise or typedoc, which live in a package of their own (tools/package.json)
// and are installed when they are first needed or when their lock file has changed.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.//', import.meta.url));
const [tool, ...args] = process.argv.slice(2);
const changed = (file) => (existsSync(folder + file) ? statSync(folder + file).mtimeMs : 0);

if (changed('node_modules/.package-lock.json') < changed('package-lock.json'))
  exitUnless(
    spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: 'inherit',
    }),
  );
exitUnless(spawnSync(`${folder}node_modules/.bin/${tool}`, args, { stdio: 'inherit' }));

/** @param {import('node:child_process').SpawnSyncReturns<Buffer>} result */
function exitUnless({ status, error }) {
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

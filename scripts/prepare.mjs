// npm runs this after `npm ci` and before `npm pack`. Without development dependencies there is no compiler: a checkout
// that is built already stays as it is.
import { execSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
if (existsSync(new URL('node_modules/typescript/package.json', root)))
  execSync('npm run --silent build', { cwd: fileURLToPath(root), stdio: 'inherit' });
else if (!existsSync(new URL('dist/runners/cli/main.js', root))) {
  console.error(
    'mtcp: not built, for TypeScript is a development dependency: run npm ci, then npm prune --omit=dev',
  );
  process.exitCode = 1;
}

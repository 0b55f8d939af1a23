// mtcp engine: plugins of the xla engine.
import { installEngine } from '../app/engine-install.js';
import { findPlugins } from '../engine/xla/plugin.js';

export async function install(name: string): Promise<void> {
  const { path } = await installEngine(name, (what) => process.stderr.write(`${what}\n`));
  process.stdout.write(`${path}\n`);
}

export function list(): void {
  const found = findPlugins();
  if (found.length === 0)
    process.stderr.write('no plugin is found; `mtcp engine install xla:cpu` installs one\n');
  for (const { variant, path } of found) process.stdout.write(`${variant.padEnd(8)}${path}\n`);
}

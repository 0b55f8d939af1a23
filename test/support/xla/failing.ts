// XLA's CPU plugin behind a plugin that fails on request: see failing.c.
import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS_OFFSET, ORDER } from '../../../runners/engine/xla/pjrt-table.js';
import { xlaPlugin } from '../oracle.js';
import { ROOT, temporaryFolder } from '../rooms.js';
import { XLA_MISSING } from './plugin.js';

const REPLACED = [
  'Error_Message',
  'Error_GetCode',
  'Error_Destroy',
  'LoadedExecutable_Execute',
  'Event_Await',
  'Client_BufferFromHostBuffer',
  'Buffer_ToHostBuffer',
  'Buffer_Destroy',
];

/** What a test needs to have it, and lacks; undefined if nothing is missing. */
export function lacking(): string | undefined {
  if (!xlaPlugin) return XLA_MISSING;
  return spawnSync('cc', ['--version']).status === 0 ? undefined : 'a C compiler';
}

/** Path of the plugin. Compiled programs are kept under its name, which is another for another plugin below. */
export function failingPlugin(): string {
  const path = join(temporaryFolder(), `failing-${statSync(xlaPlugin!).size}.so`);
  const places = REPLACED.map((name) => `-DAT_${name}=${ORDER.indexOf(name)}`);
  const source = join(ROOT, 'test/support/xla/failing.c');
  const defined = [`-DREAL="${xlaPlugin!}"`, `-DCALLS=${FUNCTIONS_OFFSET}`, ...places];
  execFileSync('cc', ['-shared', '-fPIC', ...defined, '-o', path, source, '-ldl']);
  return path;
}

// What a build needs after tsc: the command as a program, for npx, and the bundle that registry/tf.ts loads.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/runners/cli/main.js', import.meta.url), 0o755);
await import('../dist/registry/tf.js');

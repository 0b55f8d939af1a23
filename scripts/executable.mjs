// npx runs the compiled command as a program, and tsc writes plain files.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/runners/cli/main.js', import.meta.url), 0o755);

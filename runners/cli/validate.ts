import { formatErrors, validateFiles, wantsColor } from '../config/index.js';

export function validate(files: string[], { profile, json }: { profile?: string; json?: boolean }): void {
  const errors = validateFiles(files, { profile });
  if (json) {
    const faults = errors.map(({ where, message, hint }) => ({ where, message, hint }));
    process.stdout.write(`${JSON.stringify({ files, faults }, null, 2)}\n`);
  } else if (errors.length > 0) {
    process.stderr.write(`${formatErrors(errors, { color: wantsColor(process.stderr) })}\n`);
  } else {
    process.stdout.write(`${files.length === 1 ? `${files[0]} is` : `${files.length} files are`} valid\n`);
  }
  if (errors.length > 0) process.exitCode = 2;
}

// mtcp validate
import { formatErrors, validateFiles, wantsColor } from '../config/index.js';
import { Progress } from './progress.js';

interface Options {
  profile?: string;
  deep?: boolean;
  json?: boolean;
}

export async function validate(files: string[], { profile, deep, json }: Options): Promise<void> {
  const errors = deep ? await deeply(files, profile, Boolean(json)) : validateFiles(files, { profile });
  if (json) {
    const faults = errors.map(({ where, message, frame, hint }) => ({ where, message, frame, hint }));
    process.stdout.write(`${JSON.stringify({ files, faults }, null, 2)}\n`);
  } else if (errors.length > 0) {
    process.stderr.write(`${formatErrors(errors, { color: wantsColor(process.stderr) })}\n`);
  } else {
    process.stdout.write(`${files.length === 1 ? `${files[0]} is` : `${files.length} files are`} valid\n`);
  }
  if (errors.length > 0) process.exitCode = 2;
}

/** Loads TensorFlow.js, so only on request. */
async function deeply(files: string[], profile: string | undefined, quiet: boolean) {
  const { validateDeeply } = await import('../app/validate.js');
  const progress = new Progress(process.stderr, quiet);
  try {
    return await validateDeeply(files, { profile }, (what, done, total) =>
      progress.state(`${what}: building ${done + 1}/${total}`, done, total),
    );
  } finally {
    progress.clear();
  }
}

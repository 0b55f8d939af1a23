// mtcp validate
import { checkFiles, formatErrors, wantsColor } from '../config/index.js';
import type { MtcpError } from '../../registry/errors.js';
import { Progress } from './progress.js';
import { tellWarnings } from './warnings.js';

interface Options {
  profile?: string;
  deep?: boolean;
  json?: boolean;
}

export async function validate(files: string[], { profile, deep, json }: Options): Promise<void> {
  const { errors: shallow, warnings } = checkFiles(files, { profile });
  const errors = deep ? await deeply(files, profile, Boolean(json)) : shallow;
  if (!json) tellWarnings(warnings);
  if (json) {
    const plain = ({ where, message, frame, hint }: MtcpError) => ({ where, message, frame, hint });
    const said = { files, faults: errors.map(plain), warnings: warnings.map(plain) };
    process.stdout.write(`${JSON.stringify(said, null, 2)}\n`);
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

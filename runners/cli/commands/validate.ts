// mtcp validate
import type { Command } from 'commander';
import type { MtcpError } from '../../../registry/errors.js';
import { checkFiles, formatErrors, wantsColor } from '../../config/index.js';
import { Progress } from '../progress.js';
import { tellWarnings } from '../warnings.js';
import { JSON_DOCUMENT } from '../flags.js';

export function declare(command: Command): void {
  command
    .description(
      'Checks every profile and row of the files and reports all faults. Nothing is run. With --deep it also builds every network on shapes alone, as plan and run do before they begin: channels that cannot match, a head for a task that the data set lacks, a window larger than the map.',
    )
    .argument('<files...>', 'experiment files')
    .option('--profile <name>', 'only this profile')
    .option('--deep', 'build the networks too, which takes some seconds')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp validate experiments/*.yaml
  mtcp validate --deep --profile embedded my.yaml`,
    )
    .action(validate);
}

interface Options {
  profile?: string;
  deep?: boolean;
  json?: boolean;
}

async function validate(files: string[], { profile, deep, json }: Options): Promise<void> {
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
  const { validateDeeply } = await import('../../app/validate.js');
  const progress = new Progress(process.stderr, quiet);
  try {
    return await validateDeeply(files, { profile }, (what, done, total) =>
      progress.state(`${what}: building ${done + 1}/${total}`, done, total),
    );
  } finally {
    progress.clear();
  }
}

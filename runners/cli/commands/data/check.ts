// mtcp data check
import type { Command } from 'commander';
import type { Problem } from '../../../../modules/datasets/folders/check.js';
import { progressOf } from './progress.js';
import { JSON_DOCUMENT } from '../../flags.js';

export function checkCommand(data: Command): void {
  data
    .command('check')
    .summary('find everything that is wrong with a data folder')
    .description(
      'Reads every file of a folder in the layout of NYUD_MT or PASCAL_MT and lists all faults. Exit code 2 if there are any.',
    )
    .argument('<dir>', 'the folder')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Example:
  mtcp data check NYUD_MT`,
    )
    .action(check);
}

/** Problems shown; --json gives all. */
const SHOWN_PROBLEMS = 50;

async function check(directory: string, { json }: { json?: boolean }): Promise<void> {
  const { checkFolder } = await import('../../../../modules/datasets/folders/check.js');
  const progress = progressOf(false);
  const { layout, counts, problems, warnings } = await checkFolder(directory, progress.report);
  progress.end();
  if (problems.length > 0) process.exitCode = 2;
  if (json) {
    process.stdout.write(`${JSON.stringify({ layout, counts, problems, warnings }, undefined, 1)}\n`);
    return;
  }
  const lines = [
    ...problems.map((problem) => text('', problem)),
    ...warnings.map((problem) => text('warning: ', problem)),
  ];
  process.stdout.write(lines.slice(0, SHOWN_PROBLEMS).join(''));
  if (lines.length > SHOWN_PROBLEMS)
    process.stdout.write(`... and ${lines.length - SHOWN_PROBLEMS} more (--json lists all)\n`);
  const found = [
    problems.length === 0 ? 'no problems' : `${problems.length} problems`,
    ...(warnings.length > 0 ? [`${warnings.length} warning${warnings.length > 1 ? 's' : ''}`] : []),
  ];
  process.stdout.write(
    `${layout}: ${counts.train} training and ${counts.val} validation images, ${found.join(', ')}\n`,
  );
}

const text = (kind: string, { file, message, hint }: Problem): string =>
  `${file}: ${kind}${message}\n${hint === undefined ? '' : `  ${hint}\n`}`;

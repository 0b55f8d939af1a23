// mtcp report
import type { Command } from 'commander';
import { experimentCommand, RUNS } from '../flags.js';

export function report(program: Command): void {
  experimentCommand(program.command('report'))
    .summary('tables, curves and predictions of what has been trained')
    .description(
      'Reports on the trials in the folder of runs; nothing is trained. With --check every bound of report.expect in the file is compared with the results.',
    )
    .option(...RUNS)
    .option('--format <format>', 'table, md, latex, csv, json or html', 'table')
    .option('-o, --output <file>', 'file to write; - is stdout (html: report.html beside the runs)')
    .option('--check', 'exit with 3 if an expectation does not hold')
    .addHelpText(
      'after',
      `
Examples:
  mtcp report experiments/table3.yaml --format html     one page to open in a browser or to send
  mtcp report experiments/table3.yaml --format latex -o table3.tex
  mtcp report experiments/table3.yaml --check           for continuous integration`,
    )
    .action(async (file, overrides, options) =>
      (await import('../report.js')).report(file, overrides, options),
    );
}

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
    .option('--columns <names>', 'of LaTeX: columns in this order, as semseg.mIoU,depth.absRel,delta_m')
    .option('--rows <name...>', 'of LaTeX: rows in this order')
    .option('--caption <text>', 'of LaTeX')
    .option('--label <name>', 'of LaTeX')
    .option('--digits <n>', 'of LaTeX: decimals by column, as semseg.mIoU=2,depth.RMSE=4')
    .option('--best <style>', 'of LaTeX: how the best of a column is set: bold, underline or none')
    .option('--second <style>', 'of LaTeX: the same of the second best')
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

// mtcp work
import type { Command } from 'commander';

export function work(program: Command): void {
  program
    .command('work')
    .summary('train trials of a submission; what jobs of a cluster run')
    .description(
      "Takes trials of a submission that are not done and nobody else's. Started by hand, on any machine that sees the folder of runs, it helps the jobs. SIGTERM saves a checkpoint and ends with code 75.",
    )
    .argument('<submission>', 'folder of the submission, such as runs/table3/.jobs/20260101120000-1a2b')
    .option('--group <name>', 'only trials of this group')
    .option('--task <n>', 'number of the task: begins with its trials and trains no more than its share')
    .option('--time-left <time>', 'until the job is ended, as squeue writes it: [D-]HH:MM:SS')
    .option('--warning <seconds>', 'how long before that it stops', '120')
    .addHelpText(
      'after',
      `
Example:
  mtcp work runs/table3/.jobs/20260101120000-1a2b`,
    )
    .action(async (submission, options) => (await import('../work.js')).work(submission, options));
}

#!/usr/bin/env node
// The command line: a thin shell over functions that a program can call. A file in commands/ declares a command, its
// flags and its help; only the command that runs loads what it runs, so that help and validation answer at once.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { MtcpError } from '../../registry/errors.js';
import { cancel } from './commands/cancel.js';
import { completion } from './commands/completion.js';
import { config } from './commands/config.js';
import { data } from './commands/data.js';
import { describe } from './commands/describe.js';
import { doctor } from './commands/doctor.js';
import { exportCommand } from './commands/export.js';
import { forward } from './commands/forward.js';
import { grad } from './commands/grad.js';
import { list } from './commands/list.js';
import { logs } from './commands/logs.js';
import { mlflow } from './commands/mlflow.js';
import { newCommand } from './commands/new.js';
import { plan } from './commands/plan.js';
import { predict } from './commands/predict.js';
import { profile } from './commands/profile.js';
import { report } from './commands/report.js';
import { run } from './commands/run.js';
import { schema } from './commands/schema.js';
import { status } from './commands/status.js';
import { validate } from './commands/validate.js';
import { weights } from './commands/weights.js';
import { work } from './commands/work.js';
import { guardOutput, watchOutput } from '../support/output.js';
import { packageRoot } from './package.js';

guardOutput();
// Otherwise it opens Node's debugger.
process.on('SIGUSR1', () => {});

/** Commands that leave something behind: they do so whatever becomes of what they print. The others only print. */
const WORKING: ReadonlySet<string> = new Set([
  'run',
  'work',
  'predict',
  'export',
  'profile',
  'weights',
  'mlflow',
  'data',
  'new',
  'cancel',
]);
/** Commands whose result is in the folder of runs. */
const TRAINING: ReadonlySet<string> = new Set(['run', 'work']);

/** The command that runs; none while help is printed. */
let command = '';
watchOutput(({ stream, code, message }) => {
  if (stream !== 'stdout') return;
  // A reader that has left wants no more: `| head -1` is no fault.
  const fault = code !== 'EPIPE';
  if (fault && !TRAINING.has(command)) process.stderr.write(`${message}\n`);
  if (!WORKING.has(command)) process.exit(fault ? 1 : 0);
  if (fault && !TRAINING.has(command)) process.on('exit', () => (process.exitCode ||= 1));
});

/** In the order of `mtcp --help`. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  run,
  plan,
  status,
  logs,
  cancel,
  profile,
  predict,
  exportCommand,
  report,
  forward,
  grad,
  validate,
  config,
  list,
  describe,
  schema,
  newCommand,
  completion,
  doctor,
  weights,
  mlflow,
  data,
  work,
];

const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
  version: string;
};

const program = new Command('mtcp')
  .description('Experiments for multi-task dense prediction, declared in YAML, trained here.')
  .version(version)
  .showHelpAfterError('(mtcp --help lists the commands)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  mtcp run experiments/table3.yaml                      train every row that is not done yet, print the table
  mtcp run experiments/table3.yaml --row "MT-CP"       only this row
  mtcp run my.yaml train.epochs=5 scheme.spread=7.5     with values changed
  mtcp validate experiments/*.yaml                      check files without running them
  mtcp plan experiments/table3.yaml                     rows, differences, sizes, what is done
  mtcp status experiments/table3.yaml                   what became of each trial
  mtcp logs experiments/table3.yaml --follow            what happens in them
  mtcp run experiments/table3.yaml --launcher slurm     as jobs of a cluster
  mtcp report experiments/table3.yaml --format html     the results as a page
  mtcp describe scheme lps                              options of a component
  mtcp new experiment my-study --from table3            a file of your own to change

Exit codes: 0 all done, 1 a trial failed, 2 wrong usage or configuration, 3 results are not what the file expects (report --check), 75 stopped after a checkpoint.`,
  );
for (const declare of COMMANDS) declare(program);

/** The command right below `mtcp`. */
const topmost = (command: Command): Command =>
  command.parent && command.parent !== program ? topmost(command.parent) : command;
program.hook('preAction', (_, action) => void (command = topmost(action).name()));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = await tell(error);
}

/** Prints what went wrong. @returns the exit code */
async function tell(error: unknown): Promise<number> {
  // commander has printed its message already; --help and --version end here too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (MtcpError.is(error)) {
    const { formatErrors, wantsColor } = await import('../config/format.js');
    process.stderr.write(`${formatErrors([error], { color: wantsColor(process.stderr) })}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `${(error as Error).stack ?? String(error)}\nThis is a bug in mtcp; please report it with the lines above.\n`,
  );
  return 1;
}

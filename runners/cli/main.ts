#!/usr/bin/env node
// The command line: a thin shell over functions that a program can call, one file for each command in commands/.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { MtcpError } from '../../registry/errors.js';
import { systemFault } from '../../registry/support/io-error.js';
import { guardOutput, watchOutput } from '../support/output.js';
import { COMMANDS, declareCommands } from './commands/index.js';
import { TRUST } from './flags.js';
import { packageRoot } from './package.js';
import { checkValues } from './values.js';

guardOutput();
// A fault outside the command's own promise, such as the loader's when no file can be opened any more.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${systemFault(error)?.format() ?? bug(error)}\n`);
  process.exit(1);
});
// Otherwise it opens Node's debugger.
process.on('SIGUSR1', () => {});

/** The command that runs; none while help is printed. */
let command: string | undefined;
watchOutput(({ stream, code, message }) => {
  if (stream !== 'stdout') return;
  // A reader that has left wants no more: `| head -1` is no fault.
  const fault = code !== 'EPIPE';
  const leaves = command === undefined ? undefined : COMMANDS[command].leaves;
  if (fault && leaves !== 'trials') process.stderr.write(`${message}\n`);
  if (leaves === undefined) process.exit(fault ? 1 : 0);
  if (fault && leaves !== 'trials') process.on('exit', () => (process.exitCode ||= 1));
});

const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
  version: string;
};

const program = new Command('mtcp')
  .description(
    'Declares experiments in multi-task dense prediction in YAML, trains them and reports results.',
  )
  .version(version)
  .option(...TRUST)
  .hook('preAction', async (_, action) => {
    const { setTrust } = await import('../config/trust.js');
    // Jobs are part of a run that was allowed; completion must not wait for an answer.
    const standard = { work: 'all', join: 'all', complete: 'refuse' } as const;
    const chosen = program.opts<{ trust?: true }>().trust ? 'accept' : 'ask';
    const name = action.name();
    setTrust(name in standard ? standard[name as keyof typeof standard] : chosen);
  })
  .showHelpAfterError('(mtcp --help lists the commands)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  mtcp run experiments/table3.yaml                      train every row that is not done yet, print the table
  mtcp run experiments/table3.yaml --row "MT-CP"       only this row
  mtcp run my.yaml train.epochs=5 scheme.spread=7.5     with changed values
  mtcp validate experiments/*.yaml                      check files without running them
  mtcp plan experiments/table3.yaml                     rows, differences, sizes, what is done
  mtcp status experiments/table3.yaml                   the state of each trial
  mtcp logs experiments/table3.yaml --follow            their events as they happen
  mtcp run experiments/table3.yaml --launcher slurm     as jobs of a cluster
  mtcp report experiments/table3.yaml --format html     the results as a page
  mtcp describe scheme lps                              options of a component
  mtcp new experiment my-study --from table3            a file of your own to change

Exit codes: 0 all done, 1 a trial failed, 2 wrong usage or configuration, 3 an expectation of the file does not hold (report --check), 75 stopped after a checkpoint.`,
  );

/** The command right below `mtcp`. */
const topmost = (command: Command): Command =>
  command.parent && command.parent !== program ? topmost(command.parent) : command;
program.hook('preAction', (_, action) => {
  command = topmost(action).name();
  // Relative paths depend on the working directory: if it no longer exists, that is reported here, once.
  process.cwd();
  // What is completed is often empty yet.
  if (command !== 'complete') checkValues(action);
});

try {
  await declareCommands(program, process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.exitCode = await tell(error);
}

function takesOverrides(command: Command): boolean {
  return command.registeredArguments.some((argument) => argument.name() === 'overrides');
}

/** Prints what went wrong. @returns the exit code */
async function tell(error: unknown): Promise<number> {
  // commander has printed its message already; --help and --version end here too.
  if (error instanceof CommanderError) {
    const called = program.commands.find((each) => process.argv.slice(2).includes(each.name()));
    if (error.code === 'commander.unknownOption' && called && takesOverrides(called))
      process.stderr.write('(a value of the experiment has no dashes in front: train.epochs=5)\n');
    return error.exitCode === 0 ? 0 : 2;
  }
  const told = MtcpError.is(error) ? error : systemFault(error);
  if (told) {
    const { formatErrors, wantsColor } = await import('../config/format.js');
    process.stderr.write(`${formatErrors([told], { color: wantsColor(process.stderr) })}\n`);
    return told.exitCode;
  }
  process.stderr.write(`${bug(error)}\n`);
  return 1;
}

function bug(error: unknown): string {
  const stack = (error as Error).stack ?? String(error);
  return `${stack}\nThis is a bug in mtcp; please report it with the lines above.`;
}

// The commands of mtcp: one file each in this folder, loaded when the command is called. A file declares the
// arguments and runs the command. It imports slow modules only when it runs, so that help and completion answer at
// once.
import { Option, type Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean, nearestNames } from '../../../registry/support/near.js';

interface CommandFile {
  /** Adds arguments, flags, help and action, or commands below. */
  declare(command: Command): void;
}

interface CommandEntry {
  /** One line of `mtcp --help`; a command without one is not shown. */
  readonly summary?: string;
  /**
   * The lasting result of the command, which does not depend on its output being read: trials in the folder of runs, or
   * other files. Commands without it only print.
   */
  readonly leaves?: 'trials' | 'files';
  load(): Promise<CommandFile>;
}

/** In the order of `mtcp --help`. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: 'train the rows of an experiment and print its table',
    leaves: 'trials',
    load: () => import('./run.js'),
  },
  plan: {
    summary: 'show what a run would do',
    load: () => import('./plan.js'),
  },
  status: {
    summary: 'show the state of the trials of an experiment',
    load: () => import('./status.js'),
  },
  logs: {
    summary: 'show the events of the trials of an experiment',
    load: () => import('./logs.js'),
  },
  watch: {
    summary: 'serve a live page of running trials',
    load: () => import('./watch.js'),
  },
  cancel: {
    summary: "cancel an experiment's jobs on a cluster",
    leaves: 'files',
    load: () => import('./cancel.js'),
  },
  profile: {
    summary: 'measure time and memory of a row, module by module',
    leaves: 'files',
    load: () => import('./profile.js'),
  },
  images: {
    summary: 'show the worst and best images of a trial, or compare two trials image by image',
    load: () => import('./images.js'),
  },
  predict: {
    summary: 'apply a trained trial to images',
    leaves: 'files',
    load: () => import('./predict.js'),
  },
  export: {
    summary: 'write a trained trial for other programs: ONNX, or a folder of Python',
    leaves: 'files',
    load: () => import('./export.js'),
  },
  demo: {
    summary: 'write a page in which a trained trial runs in the browser',
    leaves: 'files',
    load: () => import('./demo.js'),
  },
  report: {
    summary: 'show tables, curves and predictions of trained trials',
    load: () => import('./report.js'),
  },
  forward: {
    summary: "run a row's network on tensors from a file",
    load: () => import('./forward.js'),
  },
  grad: {
    summary: "compute losses and gradients of a row's training step on tensors from a file",
    load: () => import('./grad.js'),
  },
  validate: {
    summary: 'check experiment files',
    load: () => import('./validate.js'),
  },
  config: {
    summary: 'show or compare resolved configurations',
    load: () => import('./config.js'),
  },
  list: {
    summary: 'list components',
    load: () => import('./list.js'),
  },
  describe: {
    summary: 'describe a component or a section with its options, or the network of a row',
    load: () => import('./describe/index.js'),
  },
  schema: {
    summary: 'write the JSON Schema of experiment files, for editors',
    load: () => import('./schema.js'),
  },
  new: {
    summary: 'write a component or an experiment to start from',
    leaves: 'files',
    load: () => import('./new.js'),
  },
  trust: {
    summary: 'trust plugins, so that commands run them',
    load: () => import('./trust.js'),
  },
  completion: {
    summary: 'print a script that completes mtcp in a shell',
    load: () => import('./completion.js'),
  },
  doctor: {
    summary: 'check which engines work on this machine',
    load: () => import('./doctor.js'),
  },
  engine: {
    summary: 'install plugins of the xla engine',
    leaves: 'files',
    load: () => import('./engine.js'),
  },
  weights: {
    summary: 'import public checkpoints, export trained weights',
    leaves: 'files',
    load: () => import('./weights/index.js'),
  },
  mlflow: {
    summary: 'send runs to an MLflow tracking server',
    leaves: 'files',
    load: () => import('./mlflow.js'),
  },
  data: {
    summary: 'render, build, check and draw data sets',
    leaves: 'files',
    load: () => import('./data/index.js'),
  },
  work: {
    summary: 'train trials of a submission, as jobs of a cluster do',
    leaves: 'trials',
    load: () => import('./work.js'),
  },
  join: {
    summary: 'share the steps of trials of another process, which starts it',
    load: () => import('./join.js'),
  },
  complete: { load: async () => (await import('./complete.js')).completing(declareCommands) },
};

/**
 * Declares every command by its summary, and fully the one that a command line is about.
 * @param words of the command line after `mtcp`
 */
export async function declareCommands(program: Command, words: readonly string[]): Promise<void> {
  const [first, second, third] = words.filter((word) => !word.startsWith('-'));
  const [called, below] = first === 'help' ? [second, third] : [first, second];
  const asksHelp = first === 'help' || words.some((word) => word === '--help' || word === '-h');
  if (asksHelp) requireKnown('mtcp', called, Object.keys(COMMANDS));
  for (const [name, { summary }] of Object.entries(COMMANDS)) {
    const command = program.command(name, { hidden: summary === undefined });
    if (summary !== undefined) command.summary(summary);
    if (name !== called) continue;
    (await COMMANDS[name].load()).declare(command);
    if (command.description() === '' && summary !== undefined)
      command.description(`${summary[0].toUpperCase()}${summary.slice(1)}.`);
    if (asksHelp && command.commands.length > 0)
      requireKnown(`mtcp ${name}`, below, ['help', ...command.commands.map((each) => each.name())]);
    for (const each of [command, ...command.commands]) {
      acceptOutput(each);
      const path = each === command ? name : `${name} ${each.name()}`;
      const lists = each.commands.length > 0 ? 'lists its commands' : 'lists its flags';
      each.showHelpAfterError(`(mtcp ${path} --help ${lists})`);
    }
  }
}

/** The help of an unknown command would be that of the one above it. @throws MtcpError `usage` */
function requireKnown(above: string, name: string | undefined, known: readonly string[]): void {
  if (name === undefined || known.includes(name)) return;
  const near = nearestNames(name, known);
  throw new MtcpError('usage', `there is no command "${name}"`, {
    where: above,
    hint: near.length > 0 ? didYouMean(name, near) : `${above} --help lists the commands`,
  });
}

/** `--output` is what `--out` was called in some commands, and in other programs: another name of it, not shown. */
function acceptOutput(command: Command): void {
  const out = command.options.find(({ long }) => long === '--out');
  if (out === undefined) return;
  command.addOption(new Option(out.flags.replace(/^.*--out/, '--output')).hideHelp());
  command.on('option:output', (value: string) => command.setOptionValueWithSource('out', value, 'cli'));
}

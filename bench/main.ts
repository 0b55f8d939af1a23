// npm run bench: mtcp and PyTorch side by side; every table of docs/performance.md, or the cases that are named. See
// README.md.
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { MtcpError } from '../registry/errors.js';
import { didYouMean } from '../registry/support/near.js';
import { createEngine } from '../runners/engine/index.js';
import { markdownTable, textTable } from '../runners/reporting/table.js';
import { runCommand } from './command.js';
import { CASES, GROUPS, type Group } from './cases.js';
import { COLUMNS, measure, rowOf, type Limits, type Measured } from './measure.js';
import { matmulPeak, memoryPeak } from './peak.js';
import { pythonWithTorch } from './python.js';

interface Options {
  list?: boolean;
  quick?: boolean;
  threads: string;
  rounds: string;
  turn: string;
  python?: string;
  channelsLast?: boolean;
  compile?: boolean;
  apart?: boolean;
  json?: string;
  markdown?: boolean;
}

/** Seconds after which --quick starts no case any more; the last one and the loader take the rest of two minutes. */
const QUICK_SECONDS = 85;
/** Under --quick in this order, so that each kind of work is measured if time is short. */
const QUICK = [
  'adamw',
  'conv',
  'embedded',
  'cross-stitch',
  'invpt',
  'affinity',
  'swin8',
  'cbam',
  'deformable',
];
const MEMORY = [
  'experiments/table3.yaml',
  '--profile',
  'full',
  '--row',
  'MT-CP',
  '--size',
  '192x256',
  '--steps',
  '1',
];

const say = (line: string) => void process.stderr.write(`${line}\n`);
const print = (text: string) => void process.stdout.write(`${text}\n`);

async function bench(names: string[], options: Options): Promise<void> {
  const unknown = names.find((name) => !(name in CASES));
  if (unknown)
    throw new MtcpError('usage', `there is no case "${unknown}"`, {
      hint: didYouMean(unknown, Object.keys(CASES)) ?? '--list names them',
    });
  const python = pythonWithTorch(options.python, say);
  const until = options.quick ? performance.now() + 1000 * QUICK_SECONDS : Infinity;
  const threads = Number(options.threads);
  const limits = await limitsOf(threads);
  const everything = names.length === 0;
  const chosen = everything
    ? options.quick
      ? QUICK
      : Object.keys(CASES).filter((name) => !CASES[name].large)
    : names;
  const { measured, failed, left } = await measure(
    chosen,
    {
      threads,
      rounds: options.quick ? 3 : Number(options.rounds),
      turn: options.quick ? 0.3 : Number(options.turn),
      python,
      channelsLast: options.channelsLast ?? false,
      compile: options.compile ?? false,
      apart: options.apart ?? false,
    },
    say,
    until,
  );
  const machine = `${cpus()[0].model.trim()}, ${threads} threads, matrix product ${limits.product.toFixed(0)} GFLOP/s, memory ${limits.memory.toFixed(0)} GB/s, torch ${measured[0]?.torch ?? '?'}`;
  print(machine);
  if (options.compile) print('PyTorch through torch.compile');
  if (options.apart)
    print('one side after the other, not in turns: what else the machine did may have met one of them');
  printTables(measured, limits, options.markdown ?? false);
  if (left.length > 0) print(`\nnot measured, for want of time: ${left.join(', ')}`);
  if (failed.length > 0) print(`\nfailed: ${failed.join(', ')}`);
  if (options.json)
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, limits, threads, results: measured }, null, 2)}\n`,
    );
  const others = everything ? printOthers(python, options) : true;
  process.exitCode = failed.length === 0 && others ? 0 : 1;
}

function printTables(measured: readonly Measured[], limits: Limits, markdown: boolean): void {
  for (const [group, title] of Object.entries(GROUPS) as [Group, string][]) {
    const rows = measured.filter(({ name }) => CASES[name].group === group);
    if (rows.length === 0) continue;
    const table = rows.map((row) => rowOf(row, limits));
    print(`\n${title}\n\n${(markdown ? markdownTable : textTable)(COLUMNS, table)}`);
  }
}

/** The loader beside PyTorch's and the metrics, and memory as predicted and measured: programs of their own. */
function printOthers(python: string, { quick, markdown }: Options): boolean {
  const program = (title: string, file: string, args: readonly string[]): boolean => {
    print(`\n${title}\n`);
    const path = join(import.meta.dirname, file);
    return spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' }).status === 0;
  };
  const format = markdown ? ['--markdown'] : [];
  const short = quick ? ['--images', '8', '--rounds', '1'] : [];
  const loader = program('Loading and augmenting 480x640, and metrics', 'loader.js', [
    '--python',
    python,
    ...short,
    ...format,
  ]);
  return (quick || program('Memory of a training step of the full MT-CP', 'memory.js', MEMORY)) && loader;
}

async function limitsOf(threads: number): Promise<Limits> {
  const engine = await createEngine({ type: 'onnx', provider: 'cpu' }, threads);
  try {
    return { product: await matmulPeak(engine), memory: await memoryPeak(engine) };
  } finally {
    engine.close();
  }
}

const program = new Command('npm run bench --')
  .description(
    'Times mtcp beside PyTorch eager on the same weights and inputs, in turns, and prints the ratios: all tables of docs/performance.md, or the cases that are named.',
  )
  .argument('[cases...]', 'what to run; without any, all that fit beside PyTorch, the loader and memory')
  .option('--list', 'name the cases')
  .option('--quick', 'two minutes: the cases for which there is time, in short turns, and the loader')
  .option('--threads <n>', 'threads of either side', String(Math.min(2, availableParallelism())))
  .option('--rounds <n>', 'turns of each side', '5')
  .option('--turn <seconds>', 'how long a turn lasts at least', '1')
  .option('--python <path>', 'a Python with torch; MTCP_PYTHON does the same')
  .option('--channels-last', "PyTorch's maps in channels-last memory order")
  .option('--compile', 'PyTorch through torch.compile, which wants a C++ compiler')
  .option('--apart', 'one side after the other, where both do not fit into memory together')
  .option('--json <file>', 'write everything measured')
  .option('--markdown', 'print tables as Markdown')
  .action(async (names: string[], options: Options) => {
    if (!options.list) return bench(names, options);
    const width = Math.max(...Object.keys(CASES).map((name) => name.length));
    for (const [name, { title, large, memory }] of Object.entries(CASES)) {
      const notes = [large && 'only on request', memory && `PyTorch takes ${memory} GB`].filter(Boolean);
      const note = notes.length > 0 ? ` (${notes.join(', ')})` : '';
      print(`${name.padEnd(width)}  ${title}${note}`);
    }
  });

await runCommand(program);

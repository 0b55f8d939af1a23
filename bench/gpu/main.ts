// The benchmark of a GPU: mtcp on XLA beside the same network in PyTorch, in three precisions, within some minutes. First
// doctor says whether the engine computes what the CPU computes. Then cases run in the order of what they tell, and
// none begins when the time is over. See README.md.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { MtcpError } from '../../registry/errors.js';
import { diagnose } from '../../runners/app/doctor/doctor.js';
import { markdownTable, textTable, type Column } from '../../runners/reporting/table.js';
import { CASES } from '../cases.js';
import { runCommand } from '../command.js';
import type { Precision } from '../compare.js';
import { measure, type Measured } from '../measure.js';
import { FOR_MTCP, packageFolders, pythonWithTorch } from '../python.js';
import {
  PLUGIN_VARIANTS,
  findPlugins,
  isForGpu,
  pluginFor,
  pluginsIn,
} from '../../runners/engine/xla/plugin.js';

interface Options {
  plugin: string;
  device: string;
  minutes: string;
  python?: string;
  out: string;
  cases?: string;
  precisions?: string;
}

interface Run {
  name: string;
  precision: Precision;
  /** PyTorch through torch.compile. */
  compile: boolean;
}

type Result = Measured & Run;

/** What tells most comes first. */
const RUNS: readonly Run[] = [
  { name: 'embedded', precision: 'float32', compile: false },
  { name: 'step-192x256', precision: 'float32', compile: false },
  { name: 'step-480x640-2', precision: 'tf32', compile: false },
  { name: 'step-480x640-2', precision: 'bfloat16', compile: false },
  { name: 'step-480x640-2', precision: 'float32', compile: false },
  { name: 'step-480x640-2', precision: 'bfloat16', compile: true },
  { name: 'step-480x640-2', precision: 'tf32', compile: true },
  { name: 'step-192x256', precision: 'bfloat16', compile: false },
  { name: 'embedded', precision: 'bfloat16', compile: false },
];
const PRECISIONS = ['float32', 'tf32', 'bfloat16'] as const;

const right = (title: string): Column => ({ title, align: 'right' });
const COLUMNS: Column[] = [
  { title: 'case' },
  { title: 'precision' },
  { title: 'PyTorch' },
  right('PyTorch / mtcp'),
  right('quartiles'),
  right('mtcp ms'),
  right('PyTorch ms'),
  right('mtcp GB'),
  right('PyTorch GB'),
  right('differs by'),
];

const say = (line: string) => void process.stderr.write(`${line}\n`);

const gigabytes = (bytes: number | null): string => (bytes === null ? '-' : (bytes / 1e9).toFixed(1));

function rowOf({ name, precision, compile, ours, peer, ratio, onDevice, difference }: Result): string[] {
  return [
    CASES[name].title,
    precision,
    compile ? 'torch.compile' : 'eager',
    ratio.median.toFixed(2),
    `${ratio.low.toFixed(2)}..${ratio.high.toFixed(2)}`,
    (ours * 1000).toFixed(1),
    (peer * 1000).toFixed(1),
    gigabytes(onDevice.ours),
    gigabytes(onDevice.peer),
    difference.toExponential(0),
  ];
}

function chosen({ cases, precisions }: Options): Run[] {
  const among = (flag: string, text: string | undefined, known: readonly string[]) => {
    const names = text?.split(',') ?? known;
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new MtcpError('usage', `there is no ${unknown}`, {
        where: `argument "--${flag} ${text}"`,
        hint: `there are ${known.join(', ')}`,
      });
    return names;
  };
  const names = among('cases', cases, [...new Set(RUNS.map(({ name }) => name))]);
  const wanted = among('precisions', precisions, PRECISIONS);
  return RUNS.filter(({ name, precision }) => names.includes(name) && wanted.includes(precision));
}

/**
 * The path of the plugin: one that is named, or found by mtcp, or in the Python that has PyTorch.
 * @throws MtcpError `engine` if there is none
 */
function pluginOf(wanted: string, python: string): string {
  const isAny = wanted === 'default';
  const named = isAny ? process.env.MTCP_PJRT_PLUGIN : wanted;
  if (named && !PLUGIN_VARIANTS.includes(named)) return named;
  const found = [...findPlugins(), ...pluginsIn(packageFolders(python))];
  const fitting = found.find((plugin) => (isAny ? isForGpu(plugin) : plugin.variant === wanted));
  return (fitting ?? pluginFor(isAny ? undefined : wanted)).path;
}

async function bench(options: Options): Promise<void> {
  const began = performance.now();
  const until = began + 60_000 * Number(options.minutes);
  const runs = chosen(options);
  const python = pythonWithTorch(options.python, say, FOR_MTCP);
  const threads = availableParallelism();
  // For this process and those that it starts, doctor's included.
  process.env.MTCP_PJRT_PLUGIN = pluginOf(options.plugin, python);
  // PyTorch's process needs memory at the same time.
  process.env.XLA_PYTHON_CLIENT_PREALLOCATE ??= 'false';

  say('doctor: training steps of xla beside those of the default engine');
  const { engines, versions, machine } = await diagnose(() => {}, threads, ['xla']);
  const [xla] = engines;
  say(`  ${xla.what}${xla.training ? `, losses differ by ${xla.training.difference.toExponential(1)}` : ''}`);

  const results: Result[] = [];
  const failed: string[] = [];
  const left: string[] = [];
  for (const run of runs) {
    const title = `${run.name} in ${run.precision}${run.compile ? ', torch.compile' : ''}`;
    if (performance.now() > until) {
      left.push(title);
      continue;
    }
    const how = {
      engine: { type: 'xla', plugin: null, precision: run.precision } as const,
      device: options.device,
      precision: run.precision,
      compile: run.compile,
      threads,
      rounds: 3,
      turn: 1,
      python,
      channelsLast: false,
      apart: false,
    };
    const { measured } = await measure([run.name], how, say);
    if (measured.length === 0) failed.push(title);
    results.push(...measured.map((one) => ({ ...one, ...run })));
  }

  const about = `${xla.what}; ${cpus()[0].model.trim()}, ${threads} threads; torch ${results[0]?.torch ?? '?'} on ${options.device}`;
  const rows = results.map(rowOf);
  const notes = [
    ...(left.length > 0 ? [`Not measured, for want of time: ${left.join('; ')}.`] : []),
    ...(failed.length > 0 ? [`Failed: ${failed.join('; ')}.`] : []),
  ];
  mkdirSync(options.out, { recursive: true });
  const seconds = (performance.now() - began) / 1000;
  const json = { about, versions, machine, engines, results, left, failed, commit: commit(), seconds };
  writeFileSync(join(options.out, 'gpu.json'), `${JSON.stringify(json, null, 2)}\n`);
  const markdown = [`${about}. Commit ${commit()}.`, markdownTable(COLUMNS, rows), ...notes].join('\n\n');
  writeFileSync(join(options.out, 'gpu.md'), `${markdown}\n`);
  process.stdout.write(
    `${about}\n\n${textTable(COLUMNS, rows)}\n${notes.map((note) => `\n${note}\n`).join('')}`,
  );
  say(`written: ${join(options.out, 'gpu.json')} and gpu.md`);
  process.exitCode = failed.length === 0 && xla.ok ? 0 : 1;
}

/** Of the code that ran; `unknown` without git. */
function commit(): string {
  const { stdout, status } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'unknown';
}

const program = new Command('bench/gpu/run.sh')
  .description('Times training steps on a GPU: mtcp on XLA beside PyTorch, on the same numbers, in turns.')
  .option('--plugin <name>', 'XLA plugin: cuda13, cuda12, rocm, cpu, a path, or default', 'default')
  .option('--device <name>', "PyTorch's device", 'cuda')
  .option('--minutes <n>', 'no case begins later', '4')
  .option('--cases <list>', 'only these, with commas between')
  .option('--precisions <list>', 'only float32, tf32 or bfloat16')
  .option('--python <path>', 'a Python with torch; MTCP_PYTHON does the same')
  .option('-o, --out <dir>', 'where gpu.json and gpu.md go', '.')
  .action(bench);

await runCommand(program);

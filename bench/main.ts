// npm run bench: mtcp and PyTorch side by side. See README.md.
import { availableParallelism, cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { MtcpError } from '../registry/errors.js';
import { didYouMean } from '../registry/support/near.js';
import { createEngine } from '../runners/engine/index.js';
import { markdownTable, textTable, type Column } from '../runners/reporting/table.js';
import { runCommand } from './command.js';
import { CASES } from './cases.js';
import { compare, type Comparison } from './compare.js';
import { matmulPeak } from './peak.js';
import { pythonWithTorch } from './python-with-torch.js';

interface Options {
  list?: boolean;
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

const COLUMNS: Column[] = [
  { title: 'case' },
  { title: 'PyTorch / mtcp', align: 'right' },
  { title: 'quartiles', align: 'right' },
  { title: 'mtcp ms', align: 'right' },
  { title: 'PyTorch ms', align: 'right' },
  { title: 'mtcp MB', align: 'right' },
  { title: 'PyTorch MB', align: 'right' },
  { title: 'mtcp GFLOP/s', align: 'right' },
  { title: 'operators', align: 'right' },
  { title: 'parts', align: 'right' },
  { title: 'MB written', align: 'right' },
  { title: 'differs by', align: 'right' },
];

function row(title: string, { ours, peer, ratio, memory, gflop, graph, difference }: Comparison): string[] {
  return [
    title,
    ratio.median.toFixed(2),
    `${ratio.low.toFixed(2)}..${ratio.high.toFixed(2)}`,
    (ours * 1000).toFixed(0),
    (peer * 1000).toFixed(0),
    (memory.ours / 1e6).toFixed(0),
    (memory.peer / 1e6).toFixed(0),
    gflop === 0 ? '' : (gflop / ours).toFixed(0),
    graph ? String(graph.operators) : '',
    graph ? String(graph.parts) : '',
    graph ? (graph.written / 1e6).toFixed(0) : '',
    difference.toExponential(0),
  ];
}

async function bench(names: string[], options: Options): Promise<void> {
  const unknown = names.find((name) => !(name in CASES));
  if (unknown)
    throw new MtcpError('usage', `there is no case "${unknown}"`, {
      hint: didYouMean(unknown, Object.keys(CASES)) ?? '--list names them',
    });
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const threads = Number(options.threads);
  const python = pythonWithTorch(options.python, say);
  const peak = await peakOf(threads);
  const chosen = Object.entries(CASES).filter(([name, { standard }]) =>
    names.length > 0 ? names.includes(name) : standard,
  );
  const rows: string[][] = [];
  const results: (Comparison & { name: string })[] = [];
  let failed = false;
  for (const [name, { title, piece, sizes }] of chosen) {
    say(`${name}: ${title}`);
    try {
      const result = await compare({
        piece,
        sizes: typeof sizes === 'function' ? sizes() : sizes,
        threads,
        rounds: Number(options.rounds),
        turn: Number(options.turn),
        python,
        channelsLast: options.channelsLast ?? false,
        compile: options.compile ?? false,
        apart: options.apart ?? false,
      });
      results.push({ name, ...result });
      const { median, low, high } = result.ratio;
      say(`  PyTorch / mtcp ${median.toFixed(2)} (${low.toFixed(2)}..${high.toFixed(2)})`);
      rows.push(row(title, result));
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      failed = true;
      say(error.format());
    }
  }
  const machine = `${cpus()[0].model.trim()}, ${threads} threads, matrix product ${peak.toFixed(0)} GFLOP/s, torch ${results[0]?.torch ?? '?'}`;
  const how = [
    options.compile && 'PyTorch through torch.compile',
    options.apart &&
      'one side after the other, not in turns: what else the machine did may have met one of them',
  ].filter(Boolean);
  const notes = how.map((note) => `${note}\n`).join('');
  process.stdout.write(
    `${machine}\n${notes}\n${(options.markdown ? markdownTable : textTable)(COLUMNS, rows)}\n`,
  );
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify({ machine, peak, threads, results }, null, 2)}\n`);
  process.exitCode = failed ? 1 : 0;
}

async function peakOf(threads: number): Promise<number> {
  const engine = await createEngine({ type: 'onnx', provider: 'cpu' }, threads);
  try {
    return await matmulPeak(engine);
  } finally {
    engine.close();
  }
}

const program = new Command('npm run bench --')
  .description(
    'Times mtcp beside PyTorch eager on the same weights and inputs, in turns, and prints the ratios.',
  )
  .argument('[cases...]', 'what to run; without any, the pieces and the embedded step')
  .option('--list', 'name the cases')
  .option('--threads <n>', 'threads of either side', String(Math.min(2, availableParallelism())))
  .option('--rounds <n>', 'turns of each side', '7')
  .option('--turn <seconds>', 'how long a turn lasts at least', '1')
  .option('--python <path>', 'a Python with torch; MTCP_PYTHON does the same')
  .option('--channels-last', "PyTorch's maps in channels-last memory order")
  .option('--compile', 'PyTorch through torch.compile, which wants a C++ compiler')
  .option('--apart', 'one side after the other, where both do not fit into memory together')
  .option('--json <file>', 'write everything measured')
  .option('--markdown', 'print the table as Markdown')
  .action(async (names: string[], options: Options) => {
    if (!options.list) return bench(names, options);
    const width = Math.max(...Object.keys(CASES).map((name) => name.length));
    for (const [name, { title, standard, memory }] of Object.entries(CASES)) {
      const notes = [!standard && 'only on request', memory && `PyTorch takes ${memory} GB`].filter(Boolean);
      const note = notes.length > 0 ? ` (${notes.join(', ')})` : '';
      process.stdout.write(`${name.padEnd(width)}  ${title}${note}\n`);
    }
  });

await runCommand(program);

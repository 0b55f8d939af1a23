// npm run bench:schemes: what a step costs under every scheme of experiments/schemes.yaml, relative to equal weighting
// in the same process, steps taken in turns. Made-up images and labels; loading is not part of it.
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import '../modules/index.js';
import { createTrialContainer } from '../registry/container.js';
import { kindOf } from '../registry/kinds.js';
import { randomStream } from '../registry/random.js';
import { loadExperiment, type TrialSpec } from '../runners/config/index.js';
import type { TrainBatch } from '../runners/data/batch.js';
import { createEngine } from '../runners/engine/index.js';
import type { Engine } from '../runners/engine/engine.js';
import { markdownTable, textTable } from '../runners/reporting/table.js';
import { assembled } from '../runners/model/assemble.js';
import { threadsOf } from '../runners/config/index.js';
import { TrainingStep } from '../runners/training/step/step.js';
import { disturbance } from '../test/support/conflict.js';
import { runCommand } from './command.js';

const EXPERIMENT = fileURLToPath(new URL('../../experiments/schemes.yaml', import.meta.url));

interface Options {
  profile?: string;
  row?: string[];
  conflict?: boolean;
  rounds: string;
  markdown?: boolean;
}

/** A step that can be taken again and again. */
interface Subject {
  row: string;
  nodes: number;
  compileSeconds: number;
  /** Milliseconds of the step, and of all cores together. */
  take(): Promise<{ wall: number; cpu: number }>;
  close(): void;
}

async function subjectOf(trial: TrialSpec, engine: Engine): Promise<Subject> {
  const { tasks, network, criterion, optimizer } = assembled(trial);
  const { size } = createTrialContainer(tasks).create('transform', trial.config.augment);
  const { batch: count } = trial.config.train;
  const random = randomStream('bench', 'schemes');
  const draw = (channels: number, number: () => number) =>
    Float32Array.from({ length: count * size[0] * size[1] * channels }, number);
  const labels = tasks.map((task): [string, Float32Array | Int32Array] => {
    if (task.kind === 'classes')
      return [task.name, Int32Array.from(draw(1, () => random.integer(task.channels)))];
    return [task.name, draw(kindOf(task).labelChannels(task), () => 1 + random.uniform())];
  });
  const batch: TrainBatch = {
    ids: Array.from({ length: count }, (_, i) => String(i)),
    image: draw(3, () => random.normal()),
    labels: Object.fromEntries(labels),
  };
  const began = performance.now();
  const step = await TrainingStep.compile(engine, network, criterion, optimizer, {
    batch: count,
    size,
    clip: null,
  });
  const compileSeconds = (performance.now() - began) / 1000;
  step.weights.initialize(0);
  const { scheme } = criterion;
  let done = 0;
  return {
    row: trial.row,
    compileSeconds,
    nodes: step.gradientProgram.stats.nodes + (step.backboneProgram?.stats.nodes ?? 0),
    async take() {
      // From the second epoch on: some schemes only begin there.
      const info = { epoch: 1, step: done++, random: randomStream('bench', done) };
      const start = performance.now();
      const used = process.cpuUsage();
      scheme.stepBegin?.(info);
      const result = await step.gradientsOf(batch, (name) => randomStream(name), info);
      await step.apply(done, 1e-6);
      const again = scheme.needs?.again ? await step.lossesAgain() : undefined;
      scheme.stepEnd?.({ ...info, rate: 1e-6, raw: result.raw, projected: result.projected, again });
      if (done === 1) scheme.epochEnd?.({ epoch: 0, raw: result.raw, projected: result.projected });
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(used);
      return { wall, cpu: (user + system) / 1000 };
    },
    close: () => step.close(),
  };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

/** What a loss of 100 times the size does to the other task of two that conflict (test/support/conflict.ts). */
async function conflict(table: typeof textTable): Promise<void> {
  const equal = await disturbance({ type: 'equal' });
  const { trials } = loadExperiment(EXPERIMENT);
  const rows: string[][] = [];
  for (const { row, config } of trials) {
    const slot = config.scheme;
    // Its weights are of tasks that this problem does not have.
    if (Object.keys(config.tasks).length < 2 || slot.type === 'manual') continue;
    const value = await disturbance(slot);
    rows.push([row, value.toFixed(3), `${((100 * Math.abs(value)) / equal).toFixed(0)} %`]);
  }
  const columns = [
    { title: 'scheme' },
    { title: 'mean log ratio of the other loss', align: 'right' },
    { title: 'of that under equal', align: 'right' },
  ] as const;
  process.stdout.write(`${table(columns, rows)}\n`);
}

async function bench(overrides: string[], options: Options): Promise<void> {
  if (options.conflict) return conflict(options.markdown ? markdownTable : textTable);
  const { trials } = loadExperiment(EXPERIMENT, { profile: options.profile, overrides });
  const joint = trials.filter(({ config }) => Object.keys(config.tasks).length > 1);
  const wanted = options.row ?? joint.map(({ row }) => row);
  const base = joint.find(({ config }) => config.scheme.type === 'equal')!;
  const engine = await createEngine(base.config.engine, threadsOf(base.config));
  const equal = await subjectOf(base, engine);
  await equal.take();
  const rows: string[][] = [];
  for (const trial of joint.filter(({ row }) => wanted.includes(row) && row !== base.row)) {
    const subject = await subjectOf(trial, engine);
    await subject.take();
    const [times, ratios, work]: number[][] = [[], [], []];
    for (let round = 0; round < Number(options.rounds); round++) {
      const [plain, own] = [await equal.take(), await subject.take()];
      times.push(own.wall);
      ratios.push(own.wall / plain.wall);
      work.push(own.cpu / plain.cpu);
    }
    subject.close();
    rows.push([
      subject.row,
      median(ratios).toFixed(2),
      median(work).toFixed(2),
      median(times).toFixed(0),
      String(subject.nodes),
      subject.compileSeconds.toFixed(1),
    ]);
    process.stderr.write(`${rows.at(-1)!.join('  ')}\n`);
  }
  const { size } = base.config.augment as unknown as { size: number[] };
  process.stdout.write(
    `${engine.description}; ${base.config.train.batch} images of ${size.join('x')}, ${Object.keys(base.config.tasks).length} tasks; equal weighting has ${equal.nodes} nodes\n\n`,
  );
  const columns = [
    { title: 'scheme' },
    ...['times equal weighting', 'in CPU time', 'ms', 'nodes', 'compiled in s'].map(
      (title) => ({ title, align: 'right' }) as const,
    ),
  ];
  process.stdout.write(`${(options.markdown ? markdownTable : textTable)(columns, rows)}\n`);
  equal.close();
  engine.close();
}

const program = new Command('bench:schemes')
  .description('The cost of a step under every scheme, relative to equal weighting.')
  .argument('[overrides...]', 'as in `mtcp run`: path=value')
  .option('--profile <name>', 'profile of experiments/schemes.yaml')
  .option('--row <name>', 'only this row; may be given several times', (name, all: string[] = []) => [
    ...all,
    name,
  ])
  .option('--conflict', "instead: how a task fares when another task's loss is multiplied by 100")
  .option('--rounds <n>', 'steps of each', '15')
  .option('--markdown', 'print the table as Markdown')
  .action(bench);

await runCommand(program);

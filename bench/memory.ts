// npm run bench:memory: what `mtcp plan` predicts that a process holds, and what it holds, by taking a row's network
// through real steps (or evaluations) on made-up images, at any size and batch. No data set is needed.
import { Command } from 'commander';
import '../modules/index.js';
import { inputName } from '../modules/nn/scope.js';
import { kindOf } from '../registry/kinds.js';
import { randomStream } from '../registry/random.js';
import type { TrialSpec } from '../runners/config/index.js';
import type { TrainBatch } from '../runners/data/batch.js';
import { hostTensor, type Engine } from '../runners/engine/engine.js';
import { createEngine } from '../runners/engine/index.js';
import { openExperiment } from '../runners/config/open.js';
import { tracePredictions } from '../runners/training/evaluation.js';
import { inspect } from '../runners/training/inspect.js';
import { assembled } from '../runners/model/assemble.js';
import { threadsOf } from '../runners/config/index.js';
import { TrainingStep } from '../runners/training/step/step.js';
import { runCommand } from './command.js';

interface Options {
  profile?: string;
  row?: string;
  size?: string;
  batch: string;
  steps: string;
  evaluate?: boolean;
}

const random = randomStream('bench:memory');
const say = (line: string) => process.stderr.write(`${line}\n`);
/** Linux and macOS differ in the unit, but Node's resourceUsage is in kilobytes on both. */
const peakGB = () => (process.resourceUsage().maxRSS * 1024) / 1e9;

/** @returns seconds of each step */
async function train(
  engine: Engine,
  trial: TrialSpec,
  size: [number, number],
  steps: number,
): Promise<number[]> {
  const { network, criterion, optimizer, tasks } = assembled(trial);
  const { batch, accumulate, clip } = trial.config.train;
  const step = await TrainingStep.compile(engine, network, criterion, optimizer, {
    batch,
    accumulate,
    size,
    clip,
  });
  step.weights.initialize(0);
  say(`recorded, ${peakGB().toFixed(2)} GB`);
  const positions = batch * size[0] * size[1];
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform());
  const labels: TrainBatch['labels'] = Object.fromEntries(
    tasks.map((task) => {
      const kind = kindOf(task);
      const index = () => Math.floor(random.uniform() * task.channels);
      return [
        task.name,
        kind.batch === 'indices'
          ? Int32Array.from({ length: positions }, index)
          : floats(positions * kind.labelChannels(task)),
      ];
    }),
  );
  const image = floats(positions * 3);
  const seconds: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const started = performance.now();
    const { total } = await step.gradientsOf({ ids: [], image, labels }, (name) => randomStream(name));
    await step.apply(i, optimizer.rate);
    seconds.push((performance.now() - started) / 1000);
    say(
      `step ${i}: objective ${total.toFixed(4)}, ${seconds.at(-1)!.toFixed(1)} s, ${peakGB().toFixed(2)} GB`,
    );
  }
  return seconds;
}

/** @returns seconds of each forward pass */
async function evaluate(engine: Engine, trial: TrialSpec, size: [number, number], steps: number) {
  const { network } = assembled(trial);
  const { batch } = trial.config.evaluate;
  const program = await engine.compile('evaluation', (tracer) =>
    tracePredictions(tracer, network, [batch, ...size]),
  );
  const binding = program.bind((name, spec) => {
    const tensor = hostTensor(spec);
    const buffer = name.startsWith(inputName.buffer(''));
    if (program.inputs.has(name))
      for (let i = 0; i < tensor.data.length; i++)
        tensor.data[i] = buffer ? 1 : 0.1 * (random.uniform() - 0.5);
    return tensor;
  });
  say(`recorded, ${peakGB().toFixed(2)} GB`);
  const seconds: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const started = performance.now();
    await binding.run();
    seconds.push((performance.now() - started) / 1000);
    say(`forward ${i}: ${seconds.at(-1)!.toFixed(1)} s, ${peakGB().toFixed(2)} GB`);
  }
  return seconds;
}

async function measure(file: string, overrides: string[], options: Options): Promise<void> {
  const { profile, row, size, batch, steps } = options;
  const trial = openExperiment(file, {
    profile,
    rows: row === undefined ? undefined : [row],
    overrides: [
      'weights.backbone=null',
      `train.batch=${batch}`,
      `evaluate.batch=${batch}`,
      ...(size === undefined ? [] : [`augment.size=[${size.replace('x', ', ')}]`]),
      ...overrides,
    ],
  }).trials[0];
  const [height, width] = trial.config.augment.size as [number, number];
  const { memory } = await inspect(trial);
  const engine = await createEngine(trial.config.engine, threadsOf(trial.config));
  const seconds = await (options.evaluate ? evaluate : train)(engine, trial, [height, width], Number(steps));
  process.stdout.write(
    `${JSON.stringify({
      row: trial.row,
      what: options.evaluate ? 'evaluation' : 'training step',
      size: `${height}x${width}`,
      batch: Number(batch),
      predictedGB: options.evaluate ? undefined : Number((memory / 1e9).toFixed(2)),
      measuredGB: Number(peakGB().toFixed(2)),
      seconds: seconds.map((s) => Number(s.toFixed(2))),
    })}\n`,
  );
  engine.close();
}

const program = new Command('npm run bench:memory --')
  .description('Memory of a training step or an evaluation, predicted and measured.')
  .argument('<file>', 'an experiment')
  .argument('[overrides...]', 'settings, KEY=VALUE')
  .option('--profile <name>', 'profile of the experiment')
  .option('--row <name>', 'row; the first one by default')
  .option('--size <HxW>', "images; the experiment's size by default")
  .option('--batch <n>', 'images at a time', '1')
  .option('--steps <n>', 'steps taken', '2')
  .option('--evaluate', 'the forward pass of an evaluation instead')
  .action(measure);

await runCommand(program);

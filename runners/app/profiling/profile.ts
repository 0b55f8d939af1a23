// mtcp profile: where the time and the memory of a trial go. A few real training steps and some evaluation run under
// onnxruntime's profiler; the times are summed up by modules of the network.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { randomStream } from '../../../registry/random.js';
import type { TrialSpec } from '../../config/index.js';
import { createEngine } from '../../engine/index.js';
import { Evaluation } from '../../training/evaluation.js';
import { loaderOf } from '../../model/loader.js';
import { assembled } from '../../model/assemble.js';
import { threadsOf } from '../../config/index.js';
import { TrainingStep } from '../../training/step/step.js';
import { readTrace } from './trace.js';
import { collapsed, costTree, type ModuleCost } from './tree.js';

export interface ProfileOptions {
  /** Steps that are measured, after one that is not. */
  steps?: number;
  /** Images that are evaluated. */
  images?: number;
  observe?(what: string): void;
}

export interface Profile {
  row: string;
  seed: number;
  engine: string;
  batch: number;
  size: readonly [number, number];
  steps: number;
  /** Seconds of a training step, by what they are spent on. */
  step: { total: number; data: number; network: number; update: number };
  /** Seconds for each image of an evaluation. */
  evaluation: { total: number; data: number; network: number; rest: number };
  /** Of a whole run as the trial is configured: seconds of training and of evaluation. */
  run: { training: number; evaluation: number; evaluationShare: number };
  /** Forward, losses and backward of a step. */
  gradient: ModuleCost;
  /** The forward pass of evaluation, for each image. */
  forward: ModuleCost;
  parameters: number;
  /** Largest size of the process, bytes. */
  memory: number;
  /** What the gradient program holds at a time at most, bytes. */
  peakBytes: number;
}

/** @throws MtcpError `config` if the trial's engine does not record graphs */
export async function profileTrial(
  trial: TrialSpec,
  { steps = 5, images = 8, observe = () => {} }: ProfileOptions = {},
): Promise<Profile> {
  if (trial.config.engine.type !== 'onnx')
    throw new MtcpError('config', `engine "${trial.config.engine.type}" cannot be profiled`, {
      where: 'engine',
      hint: 'use engine: { type: onnx }',
    });
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-profile-'));
  const prefix = (program: number) => join(folder, `program-${program}`);
  try {
    return await measure(trial, steps, images, prefix, observe);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  trial: TrialSpec,
  steps: number,
  images: number,
  prefix: (program: number) => string,
  observe: (what: string) => void,
): Promise<Profile> {
  const { train, evaluate } = trial.config;
  const { network, criterion, optimizer, metrics, tasks } = assembled(trial);
  const loader = loaderOf(trial, { tasks, scheme: criterion.scheme });
  const programs: string[] = [];
  const engine = await createEngine(trial.config.engine, threadsOf(trial.config), {
    profile(program) {
      programs.push(prefix(program));
      return prefix(program);
    },
  });
  try {
    observe('preparing data');
    const info = await loader.prepare(() => {});
    observe('recording');
    const { size, fit } = loader;
    const { batch, accumulate, clip } = train;
    const step = await TrainingStep.compile(engine, network, criterion, optimizer, {
      batch,
      accumulate,
      size,
      clip,
    });
    const ofStep = programs.length;
    // Where the update is a program, it is the last one of a step.
    const ofGradients = step.update.isProgram ? ofStep - 1 : ofStep;
    const evaluation = await Evaluation.compile(
      engine,
      network,
      metrics,
      evaluate,
      size,
      step.weights,
      fit,
      threadsOf(trial.config),
    );
    step.weights.initialize(trial.seed);

    observe(`${steps} steps`);
    const stepTimes = await trainSteps(trial, loader, step, optimizer.rate, steps);
    observe(`evaluating ${images} images`);
    const evaluationTimes = await evaluateImages(loader, evaluation, evaluate.batch, images);
    const memory = process.memoryUsage.rss();
    const { table, trained } = step.weights;
    const parameters = [...trained.views.keys()].reduce(
      (sum, name) => sum + table.parameters.get(name)!.shape.reduce((a, b) => a * b, 1),
      0,
    );
    const gradientStats = step.gradientProgram.stats;
    const flops = {
      gradient: step.gradientProgram.flopsByOperator?.() ?? [],
      forward: evaluation.program.flopsByOperator?.() ?? [],
    };
    step.close();
    await evaluation.close();
    const { stepsPerEpoch } = loader;
    engine.close();

    const gradient = costTree(
      'step',
      programs.slice(0, ofGradients).flatMap((path, i) =>
        readTrace(path, accumulate).map(({ index, label, seconds, bytes }) => ({
          label,
          bytes,
          seconds: seconds * accumulate,
          // Only the first stage is looked up: schemes with two stages count the network there.
          flops: i === 0 ? (flops.gradient[index] ?? 0) * accumulate : 0,
        })),
      ),
    );
    const forward = costTree(
      'forward',
      readTrace(programs[ofStep], 1).map(({ index, label, seconds, bytes }) => ({
        label,
        bytes: bytes / evaluate.batch,
        seconds: seconds / evaluate.batch,
        flops: (flops.forward[index] ?? 0) / evaluate.batch,
      })),
    );
    const training = stepTimes.total * stepsPerEpoch * train.epochs;
    const rounds = evaluate.every === null ? 1 : Math.ceil(train.epochs / evaluate.every);
    const evaluating = evaluationTimes.total * info.counts.val * rounds;
    return {
      row: trial.row,
      seed: trial.seed,
      engine: engine.description,
      batch,
      size,
      steps,
      step: stepTimes,
      evaluation: {
        ...evaluationTimes,
        network: forward.seconds,
        rest: Math.max(0, evaluationTimes.total - evaluationTimes.data - forward.seconds),
      },
      run: { training, evaluation: evaluating, evaluationShare: evaluating / (training + evaluating) },
      gradient: collapsed(gradient),
      forward: collapsed(forward),
      parameters,
      memory,
      peakBytes: gradientStats.peakBytes,
    };
  } finally {
    await loader.close();
  }
}

async function trainSteps(
  trial: TrialSpec,
  loader: ReturnType<typeof loaderOf>,
  step: TrainingStep,
  rate: number,
  steps: number,
): Promise<Profile['step']> {
  const times = { total: 0, data: 0, network: 0, update: 0 };
  const clock = () => performance.now() / 1000;
  let done = -1;
  let asked = clock();
  for (let epoch = 0; done < steps; epoch++)
    for await (const batch of loader.train(epoch)) {
      const got = clock();
      const noise = (name: string) => randomStream(trial.seed, 'noise', done + 1, name);
      await step.gradientsOf(batch, noise, { epoch, step: done + 1, random: noise('scheme') });
      const computed = clock();
      await step.apply(done + 2, rate);
      const updated = clock();
      // The first step warms up.
      if (done >= 0) {
        times.data += (got - asked) / steps;
        times.network += (computed - got) / steps;
        times.update += (updated - computed) / steps;
        times.total += (updated - asked) / steps;
      }
      asked = clock();
      if (++done === steps) break;
    }
  return times;
}

async function evaluateImages(
  loader: ReturnType<typeof loaderOf>,
  evaluation: Evaluation,
  batch: number,
  images: number,
): Promise<Pick<Profile['evaluation'], 'total' | 'data'>> {
  const clock = () => performance.now() / 1000;
  let [data, count] = [0, 0];
  const limited = async function* () {
    let asked = clock();
    for await (const part of loader.evaluate('val', batch)) {
      data += clock() - asked;
      count += part.count;
      yield part;
      asked = clock();
      if (count >= images) return;
    }
  };
  // One pass warms up, the second one is measured.
  await evaluation.run(limited());
  [data, count] = [0, 0];
  const began = clock();
  await evaluation.run(limited());
  return { total: (clock() - began) / count, data: data / count };
}

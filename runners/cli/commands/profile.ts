// mtcp profile
import type { Command } from 'commander';
import { join } from 'node:path';
import { flamePlot } from '../../app/profiling/flame.js';
import type { Profile } from '../../app/profiling/profile.js';
import { flatten, type ModuleCost } from '../../app/profiling/tree.js';
import { draw } from '../../drawing/draw.js';
import { compact, duration } from '../../reporting/numbers.js';
import { textTable, type Column } from '../../reporting/table.js';
import { slug } from '../../store/ledger/run-folder.js';
import { writeWhole } from '../../support/files.js';
import { JSON_DOCUMENT, RUNS, experimentCommand, parseCount, type RunsOptions } from '../flags.js';
import { Progress } from '../progress.js';

export function declare(command: Command): void {
  experimentCommand(command)
    .description(
      'Runs a few training steps and evaluates some images under a profiler. Shows time, floating-point operations and bytes for each module of the network, as a table and a flame graph (profile.svg, .png, .json).',
    )
    .option(...RUNS)
    .option('--steps <n>', 'training steps to measure', '5')
    .option('--images <n>', 'validation images to evaluate', '8')
    .option('--depth <n>', 'levels of modules in the table', '3')
    .option('-o, --out <dir>', 'folder for the flame graph; a folder in the folder of runs if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Example:
  mtcp profile experiments/table3.yaml --row MT-CP --depth 4`,
    )
    .action(profile);
}

async function profile(
  file: string,
  overrides: string[],
  options: RunsOptions & {
    steps: string;
    images: string;
    depth: string;
    out?: string;
  },
): Promise<void> {
  const { profileTrial } = await import('../../app/profiling/profile.js');
  const { oneTrial } = await import('../one-trial.js');
  const trial = oneTrial(file, overrides, options);
  const progress = new Progress(process.stderr, Boolean(options.json));
  const result = await profileTrial(trial, {
    steps: parseCount(options.steps, '--steps'),
    images: parseCount(options.images, '--images'),
    observe: (what) => progress.state(what),
  });
  progress.clear();
  // Rows of different names may have one slug; the hash tells them apart.
  const name = `profile-${slug(trial.row)}-${trial.hash.slice(0, 8)}`;
  const folder = options.out ?? join(options.runs, trial.experiment, name);
  writeWhole(join(folder, 'profile.json'), `${JSON.stringify(result, null, 1)}\n`);
  const title = `${trial.row}: a step of ${result.batch} images of ${result.size.join('x')}, ${duration(result.gradient.seconds)}`;
  await draw(flamePlot(title, [result.gradient]), join(folder, 'profile'));
  process.stdout.write(
    options.json
      ? `${JSON.stringify(result)}\n`
      : `${text(result, parseCount(options.depth, '--depth'))}\n${join(folder, 'profile.svg')}\n`,
  );
}

function text(result: Profile, depth: number): string {
  const { step, evaluation, run, gradient, forward, batch, size } = result;
  const right = (title: string): Column => ({ title, align: 'right' });
  const ms = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
  const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  const parts = (whole: number, pairs: [string, number][]) =>
    textTable(
      [{ title: 'part' }, right('time'), right('share')],
      pairs.map(([name, seconds]) => [name, ms(seconds), share(seconds, whole)]),
    );
  const tree = (root: ModuleCost, levels: number) =>
    textTable(
      [
        { title: 'module' },
        right('time'),
        right('share'),
        right('of it backward'),
        right('FLOPs'),
        right('GFLOP/s'),
        right('written'),
        right('operators'),
      ],
      flatten(root, levels, 0.002).map(({ module, depth: level }) => [
        `${'  '.repeat(level)}${module.name}`,
        ms(module.seconds),
        share(module.seconds, root.seconds),
        module.backward > 0 ? share(module.backward, module.seconds) : '',
        module.flops > 0 ? compact(module.flops) : '',
        module.flops > 0 ? (module.flops / module.seconds / 1e9).toFixed(1) : '',
        `${compact(module.bytes)}B`,
        String(module.operators),
      ]),
    );
  return [
    `${result.row}, seed ${result.seed}: ${result.parameters.toLocaleString('en-US')} parameters, batch ${batch}, images of ${size.join('x')}, ${result.engine}`,
    '',
    `A training step takes ${ms(step.total)} (mean of ${result.steps})`,
    '',
    parts(step.total, [
      ['waiting for data', step.data],
      ['forward, losses, backward', step.network],
      ['optimizer', step.update],
    ]),
    '',
    `Evaluation takes ${ms(evaluation.total)} an image; of the whole run it is ${share(run.evaluation, run.training + run.evaluation)} (${duration(run.evaluation)} beside ${duration(run.training)} of training)`,
    '',
    parts(evaluation.total, [
      ['waiting for data', evaluation.data],
      ['network', evaluation.network],
      ['metrics and the rest', evaluation.rest],
    ]),
    '',
    'Forward, losses and backward of a step, by module',
    '',
    tree(gradient, depth),
    '',
    'Forward pass of one image in evaluation, by module',
    '',
    tree(forward, Math.min(depth, 2)),
    '',
    `Memory: ${compact(result.peakBytes)}B of values at a time in a step, the process ${compact(result.memory)}B. Written: bytes of the operators' outputs.`,
    '',
  ].join('\n');
}

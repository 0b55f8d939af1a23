// A folder of runs as training would have left it, without training: results, events and pictures of two rows with
// three seeds, from numbers that are easy to check.
import type { Task } from '../../registry/contracts/tasks.js';
import type { LabelMap, MapData } from '../../registry/contracts/data.js';
import { randomStream } from '../../registry/random.js';
import { openExperiment } from '../../runners/config/open.js';
import { EventLog } from '../../runners/store/ledger/events.js';
import type { Measured } from '../../registry/contracts/learning.js';
import type { TrialSpec } from '../../runners/config/index.js';
import { RunFolder, type TrialResult } from '../../runners/store/ledger/run-folder.js';
import { writePredictions } from '../../runners/training/pictures.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from './rooms.js';

/** A name that must stay text wherever it is shown. */
export const HOSTILE = '<script>document.title = "broken"</script> & "co"';

export const SEEDS = [0, 1, 2];

/** By row and seed. */
export const MIOU = { 'MT-CP': [31.2, 30.1, 32.5], [HOSTILE]: [29.8, 30.3, 30.1] };
export const RMSE = {
  'MT-CP': [0.5, 0.52, 0.48],
  [HOSTILE]: [0.55, 0.54, 0.5],
  'STL depth': [0.6, 0.6, 0.6],
};

const TASKS: Task[] = [
  { name: 'semseg', kind: 'classes', channels: 3, classes: ['wall', 'floor', 'chair'] },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];

export function finishedExperiment(report = ''): { file: string; runs: string } {
  const file = experimentFile(
    [
      'title: Two rows & a half',
      `seeds: [${SEEDS.join(', ')}]`,
      'rows:',
      '  MT-CP: {}',
      `  '${HOSTILE}': { model: { interaction: null } }`,
      `  STL depth: ${DEPTH_ONLY}`,
      '  never run: {}',
      'report:',
      '  delta_m: { depth: STL depth }',
      '  printed:',
      '    source: the paper',
      '    rows:',
      '      MT-CP: { semseg.mIoU: 56.25, depth.RMSE: 0.4316, delta_m: 7.1 }',
      '      STL depth: { depth.RMSE: 0.4923 }',
      `      '${HOSTILE}': { depth.RMSE: 0.5025 }`,
      report,
      '',
    ].join('\n'),
  );
  return { file, runs: temporaryFolder() };
}

export async function writeResults(
  { file, runs }: { file: string; runs: string },
  profile = 'smoke',
): Promise<void> {
  for (const trial of openExperiment(file, { profile }).trials) {
    const { row, seed, hash } = trial;
    if (!(row in RMSE)) continue;
    const folder = new RunFolder(runs, trial);
    const rmse = RMSE[row as keyof typeof RMSE][seed];
    const miou = (MIOU as Record<string, number[]>)[row]?.[seed];
    const metrics: Record<string, number> = {
      ...(miou !== undefined && {
        'semseg.mIoU': miou,
        'semseg.IoU.wall': miou + 10,
        'semseg.IoU.chair': miou - 10,
      }),
      'depth.RMSE': rmse,
      ...(miou !== undefined && { 'normals.mErr': 20 + seed }),
    };
    const tasks = TASKS.filter(({ name }) => name in trial.config.tasks);
    const log = new EventLog(folder.events);
    for (let epoch = 1; epoch <= 4; epoch++) {
      const values = Object.fromEntries(tasks.map(({ name }, i) => [name, (i + 1) / epoch]));
      log.append({
        event: 'epoch',
        epoch,
        step: 2 * epoch,
        rate: 1,
        losses: values,
        projected: values,
        objective: 1 / epoch,
        weights: Object.fromEntries(tasks.map(({ name }, i) => [name, 1 + i / epoch])),
        cosines: {},
        seconds: 1,
        waited: 0,
      });
      log.append({
        event: 'evaluated',
        epoch,
        metrics: { ...metrics, 'depth.RMSE': rmse + 1 / epoch },
        seconds: 1,
      });
    }
    const data = { caption: 'toy rooms', digest: '0', notes: [] };
    folder.finish({
      row,
      seed,
      hash,
      metrics,
      last: metrics,
      best: null,
      selected: { rule: 'last', split: 'test', metric: 'all', epoch: 4 },
      parameters: 1_234_567,
      epochs: 4,
      steps: 8,
      seconds: 100 + seed,
      memory: 1.5e9,
      flops: 2.5e9,
      data,
      engine: 'none',
    });
    await writePredictions(
      folder.path,
      [1, 2].map((i) => ({
        sample: {
          id: `room-${i}`,
          image: image(i),
          labels: Object.fromEntries(tasks.map((task) => [task.name, map(task, i)])),
        },
        predictions: Object.fromEntries(tasks.map((task) => [task.name, map(task, i + row.length)])),
      })),
      tasks,
    );
  }
}

const [HEIGHT, WIDTH] = [12, 16];

function image(seed: number): MapData {
  const random = randomStream('image', seed);
  const data = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, () => random.integer(256));
  return { height: HEIGHT, width: WIDTH, channels: 3, data };
}

/** Stripes whose width depends on the seed. */
function map({ kind }: Task, seed: number): LabelMap {
  const channels = kind === 'normals' ? 3 : 1;
  const data = Float32Array.from({ length: HEIGHT * WIDTH * channels }, (_, i) => {
    const stripe = Math.floor((Math.floor(i / channels) % WIDTH) / (1 + (seed % 5)));
    if (kind === 'classes') return stripe % 3;
    if (kind === 'depth') return 1 + stripe;
    return stripe % 3 === i % 3 ? -1 : 0;
  });
  return { kind, height: HEIGHT, width: WIDTH, channels, data };
}

/** Leaves a trial of the experiment as done with these metrics. */
export function writeResult(
  runs: string,
  trial: TrialSpec,
  result: Measured & Partial<Pick<TrialResult, 'data' | 'selected'>>,
): void {
  const { row, seed, hash } = trial;
  new RunFolder(runs, trial).finish({
    row,
    seed,
    hash,
    last: result.metrics,
    best: null,
    selected: { rule: 'last', split: 'test', metric: 'all', epoch: 1 },
    parameters: 1000,
    epochs: 1,
    steps: 2,
    seconds: 3,
    data: { caption: 'toy rooms', digest: '0', notes: [] },
    engine: 'none',
    ...result,
  });
}

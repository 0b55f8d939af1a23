// Metrics that count nothing, from the evaluation to the result: nothing is judged by them, and everything says why.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/index.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { LabelMap } from '../../../registry/contracts/data.js';
import { IGNORE, type Task } from '../../../registry/contracts/tasks.js';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunEvent } from '../../../runners/app/run-options.js';
import { measured, scoreConstant } from '../../../runners/training/evaluation.js';
import { splitStatistics } from '../../../runners/data/statistics.js';
import type { EvaluationBatch } from '../../../runners/data/batch.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

const METRIC = `import { define } from 'mtcp/registry';
define({
  kind: 'metric',
  name: 'blind',
  summary: 'Sees nothing.',
  file: import.meta.url,
  options: { type: 'object', additionalProperties: false, properties: {} },
  create: () => ({
    values: [{ name: 'RMSE', unit: 'm', better: 'lower', primary: true }, { name: 'odd', unit: '', better: 'lower' }],
    start: () => ({ update() {}, compute: () => ({ RMSE: { absent: 'it was dark' }, odd: 0 / 0 }) }),
  }),
});
`;

const TASKS: Task[] = [
  { name: 'semseg', kind: 'classes', channels: 3 },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
  { name: 'saliency', kind: 'binary', channels: 1 },
];
const METRICS = { semseg: 'miou', depth: 'rmse', normals: 'angular_error', saliency: 'saliency' };

const metrics = Object.fromEntries(
  TASKS.map(({ name }) => [
    name,
    createTrialContainer(TASKS).create('metric', { type: METRICS[name as keyof typeof METRICS] }),
  ]),
);

function image(value: (task: Task) => number): EvaluationBatch {
  const labels: Record<string, LabelMap> = Object.fromEntries(
    TASKS.map((task) => {
      const channels = task.kind === 'normals' ? 3 : 1;
      const data = new Float32Array(4 * channels).fill(value(task));
      return [task.name, { kind: task.kind, height: 2, width: 2, channels, data }];
    }),
  );
  return { raw: [{ id: 'a', image: labels.semseg, labels }] } as unknown as EvaluationBatch;
}

async function* batches(...all: EvaluationBatch[]) {
  yield* all;
}

const unknown = image(() => IGNORE);
const known = image(({ kind }) => (kind === 'normals' ? 1 : 1));

describe('values that are absent', () => {
  it('are null with a reason, also where a metric gives a number that is none', () => {
    expect(measured([['a', { x: 1, y: { absent: 'no pixel' }, z: NaN, w: Infinity }]])).to.deep.equal({
      metrics: { 'a.x': 1, 'a.y': null, 'a.z': null, 'a.w': null },
      absent: { 'a.y': 'no pixel', 'a.z': 'it came to NaN', 'a.w': 'it came to Infinity' },
    });
    expect(measured([['a', { x: 0 }]])).to.deep.equal({ metrics: { 'a.x': 0 } });
  });

  it('are all there is of the constant predictor where validation labels are unknown', async () => {
    const constant = await splitStatistics(batches(known), TASKS);
    const scores = await scoreConstant(batches(unknown), TASKS, metrics, constant);
    const primary = ['semseg.mIoU', 'depth.RMSE', 'normals.mErr', 'saliency.maxF', 'saliency.mIoU'];
    for (const key of primary) {
      expect(scores.metrics[key], key).to.equal(null);
      expect(scores.absent![key], key).to.match(/^no pixel of the split /);
    }
    // As JSON keeps them.
    expect(JSON.parse(JSON.stringify(scores))).to.deep.equal(scores);
  });

  it('are what a constant comes to that the training split does not tell', async () => {
    const constant = await splitStatistics(batches(unknown), TASKS);
    expect(constant).to.deep.equal({ semseg: null, depth: null, normals: null, saliency: [1] });
    const scores = await scoreConstant(batches(known), TASKS, metrics, constant);
    expect(scores.metrics).to.include({ 'depth.RMSE': null, 'semseg.mIoU': null });
    expect(scores.absent!['depth.RMSE']).to.equal('no pixel of the training split has a known label');
    expect(scores.metrics['saliency.maxF']).to.be.closeTo(100, 1e-6);
  });

  it('decide nothing in a run, which says so', async function () {
    this.timeout(60_000);
    const file = experimentFile(`plugins: blind.ts
rows:
  a:
    tasks: { semseg: null, depth: { metric: { type: blind } } }
    model: { interaction: null, refinement: null }
    scheme: { type: dtp }
    train: { epochs: 2 }
    evaluate: { every: 1, selection: { rule: best, split: test } }
`);
    writeFileSync(join(dirname(file), 'blind.ts'), METRIC);
    const events: RunEvent[] = [];
    const { report, failed, folder } = await runExperiment(file, {
      profile: 'smoke',
      runs: temporaryFolder(),
      observe: (event) => events.push(event),
    });
    expect(failed).to.deep.equal([]);
    const warnings = events.flatMap((event) => (event.event === 'warning' ? [event.message] : []));
    expect(warnings).to.include.members([
      'epoch 1 cannot be the best: it has no score (depth.RMSE: it was dark)',
      'epoch 2: the scheme is told no score of depth.RMSE: it was dark',
    ]);
    const [{ folder: trial }] = report.json.rows;
    const result = JSON.parse(readFileSync(join(trial, 'result.json'), 'utf8'));
    expect(result.metrics['depth.RMSE']).to.equal(null);
    expect(result.absent).to.deep.equal({ 'depth.RMSE': 'it was dark', 'depth.odd': 'it came to NaN' });
    expect(result.metrics['normals.mErr']).to.be.above(0);
    expect(result).to.deep.include({ best: null }).and.to.have.nested.property('selected.rule', 'last');
    expect(report.text)
      .to.match(/^a +-¹ +\d/m)
      .and.to.match(/^constant predictor +-¹ +\d/m);
    expect(report.text).to.contain('¹ depth RMSE: it was dark.').and.to.contain('those of the last: a.');
    // From the cache of the constant predictor it is the same.
    const again = await runExperiment(file, { profile: 'smoke', runs: dirname(folder) });
    expect(again.report.text).to.equal(report.text);
    // Weights went by the score of normals alone.
    const epochs = readFileSync(join(trial, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; weights: Record<string, number> })
      .filter(({ event }) => event === 'epoch');
    expect(epochs.at(-1)!.weights.depth).to.equal(1);
    expect(epochs.at(-1)!.weights.normals).not.to.equal(1);
  });
});

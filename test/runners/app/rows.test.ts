// Whole experiments in which rows start from what other rows trained, or learn from them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { thisMachine } from '../../../runners/support/machine.js';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunOptions } from '../../../runners/app/run-options.js';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { readSteps } from '../../../runners/store/ledger/steps.js';
import { readSafetensors } from '../../../runners/support/safetensors.js';
import { trialIn, weightsIn } from '../../../runners/store/weights/trial-folder.js';
import { expectClose } from '../../support/oracle.js';
import { temporaryFolder } from '../../support/rooms.js';

const RESNET = '{ type: resnet, depth: 18, width: 4, blocks: [1, 1, 1, 1] }';
const VIT =
  '{ type: vit, channels: 8, depth: 2, heads: 2, taps: [1, 2], patch: 8, grid: [4, 4], drop_path: 0 }';

/** So slow that what is learnt does not show. */
const STILL = 'optimizer: { rate: 1e-20 }';

const file = (backbone: string, rows: string): string => {
  const path = join(temporaryFolder(), 'experiment.yaml');
  writeFileSync(
    path,
    `name: lean
data: { type: embedded-rooms, train: 4, val: 2, size: [32, 32] }
augment: { type: sv, size: [32, 32] }
tasks:
  semseg: { head: { type: linear }, loss: { type: cross_entropy }, metric: { type: miou } }
  depth: { head: { type: linear }, loss: { type: l1_depth }, metric: { type: rmse } }
model: { backbone: ${backbone} }
scheme: { type: equal }
optimizer: { type: sgd, rate: 1e-3 }
schedule: { type: poly }
train: { epochs: 1, batch: 2 }
rows:
${rows}`,
  );
  return path;
};

const STL = `  STL semseg: { tasks: { depth: null } }
  STL depth: { tasks: { semseg: null } }
`;
const STITCHED = `  Stitched:
    model: { backbone: { type: per_task, encoder: ${RESNET}, unit: { type: cross_stitch } } }
    weights: { rows: { semseg: STL semseg, depth: STL depth } }
    ${STILL}
`;

async function run(path: string, options: Partial<RunOptions> = {}) {
  const runs = temporaryFolder();
  const outcome = await runExperiment(path, { runs, ...options, observe() {} });
  const rows = new Map(outcome.report.json.rows.map((row) => [row.row, row]));
  const weights = (row: string) =>
    readSafetensors(join(weightsIn(rows.get(row)!.folder), 'weights.safetensors')).tensors;
  return { ...outcome, runs, rows, weights };
}

const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('nothing was refused');
    },
    (error: Error) => error,
  );

describe('a row that depends on rows', function () {
  this.timeout(180_000);

  it("starts every task's encoder and head from its single-task row, which other processes train first", async () => {
    const path = file(RESNET, STITCHED + STL);
    const { failed, weights, rows } = await run(path, { rows: ['Stitched'], jobs: 2 });
    expect(failed).to.deep.equal([]);
    const time = (row: string, which: string): number => {
      const events = readEvents(join(rows.get(row)!.folder, 'events.jsonl'));
      return Date.parse(events.find(({ event }) => event === which)!.time);
    };
    for (const row of ['STL semseg', 'STL depth'])
      expect(time('Stitched', 'started')).to.be.at.least(time(row, 'finished'));
    const started = readEvents(join(rows.get('Stitched')!.folder, 'events.jsonl')).find(
      (event) => event.event === 'started',
    );
    expect(started).to.deep.include({ machine: thisMachine() });
    expect(started!.images!.train).to.be.above(0);
    const joint = weights('Stitched');
    for (const task of ['semseg', 'depth'])
      for (const [name, { data }] of weights(`STL ${task}`)) {
        const own = name.startsWith('backbone.') ? name.replace('backbone.', `backbone.${task}.`) : name;
        expect(joint.has(own), own).to.equal(true);
        // Batch statistics go on being averaged.
        if (!name.includes('running')) expectClose(joint.get(own)!.data, data, 1e-6, own);
      }
    expect(trialIn(rows.get('Stitched')!.folder).row).to.equal('Stitched');
  });

  it('is not begun if one of them failed, and says so', async () => {
    const broken = STL.replace('semseg: null', 'semseg: null }, optimizer: { rate: 1e38');
    const { failed, rows } = await run(file(RESNET, STITCHED + broken), { overrides: ['train.epochs=3'] });
    expect(failed.map(({ row }) => row)).to.deep.equal(['STL depth, epochs=3', 'Stitched, epochs=3']);
    expect(failed[1].message).to.equal('it depends on row "STL depth, epochs=3", seed 0, which is failed');
    expect(rows.get('Stitched, epochs=3')!.state).to.equal('queued');
  });

  it('is refused before anything is trained if what they train has no place in it', async () => {
    const wide = STL.replace('semseg: null }', `semseg: null }, model: { backbone: { width: 6 } }`);
    const runs = temporaryFolder();
    const error = await errorOf(run(file(RESNET, STITCHED + wide), { runs }));
    expect(error.message).to.contain('row "STL depth" does not fit the model');
    expect(error.message).to.contain('conv1.weight is 6x3x7x7, the model wants 4x3x7x7');
    const none = await errorOf(
      run(
        file(
          RESNET,
          STITCHED + STL.replace('semseg: null }', 'semseg: null }, train: { checkpoint: { keep: none } }'),
        ),
      ),
    );
    expect(none.message).to.equal('row "STL depth" keeps no weights');
  });

  it('learns from what its teacher sees, which does not change', async () => {
    const taught = (weight: number) =>
      `auxiliary: { kd: { loss: { type: feature_distillation, features: ["backbone.shared.*"] }, weight: ${weight}, teacher: Teacher } }`;
    const path = file(
      VIT,
      `  Teacher: { tasks: { depth: null } }
  Copy: { weights: { rows: { backbone: Teacher } }, ${taught(10)}, ${STILL} }
  Taught: { ${taught(1)} }
  Alone: { ${taught(0)} }
  Deep: { auxiliary: { deep: { loss: { type: supervision, task: depth, feature: backbone.shared.0, head: { type: linear } }, weight: 0.5 } } }
`,
    );
    const { failed, rows, weights } = await run(path, { jobs: 1, overrides: ['train.epochs=6'] });
    expect(failed).to.deep.equal([]);
    const steps = (row: string) => readSteps(join(rows.get(`${row}, epochs=6`)!.folder, 'steps.jsonl'));
    const added = (row: string) => steps(row).map(({ penalties }) => Object.values(penalties!)[0]);
    // The same network on the same images sees the same.
    for (const distance of added('Copy')) expect(distance).to.be.below(1e-9);
    expect(added('Taught')[0]).to.be.above(1e-3);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(added('Taught'))).to.be.below(0.75 * mean(added('Alone')));
    for (const [row, weight] of [
      ['Taught', 1],
      ['Deep', 0.5],
    ] as const)
      steps(row).forEach(({ total, raw }, i) =>
        expect(total).to.be.closeTo(raw.semseg + raw.depth + weight * added(row)[i], 1e-4),
      );
    expect([...weights('Deep, epochs=6').keys()].some((name) => name.startsWith('auxiliary.deep.'))).to.equal(
      true,
    );
  });

  it('is refused with a teacher that has no such feature', async () => {
    const rows = `  Teacher: { model: { backbone: { taps: [2] } } }
  New: { auxiliary: { kd: { loss: { type: feature_distillation, features: ["backbone.shared.*"] }, teacher: Teacher } } }
`;
    const error = await errorOf(run(file(VIT, rows)));
    expect(error.message).to.equal('the teacher "Teacher" has no feature "backbone.shared.1"');
    const alone = await errorOf(run(file(VIT, rows.replace(', teacher: Teacher', ''))));
    expect(alone.message).to.equal('"feature_distillation" needs a teacher');
  });
});

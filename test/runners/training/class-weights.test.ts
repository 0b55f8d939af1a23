// Weights of classes by the training split, in a whole run: counted once, held-out images left out, part of the result.
import '../../../modules/index.js';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createTrialContainer } from '../../../registry/container.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { runExperiment } from '../../../runners/app/run.js';
import { loadExperiment } from '../../../runners/config/index.js';
import { countClasses } from '../../../runners/data/statistics.js';
import { assembled } from '../../../runners/model/assemble.js';
import { tasksToCount, withCounts } from '../../../runners/model/class-counts.js';
import { DataSources } from '../../../runners/training/data-sources.js';
import { loaderOf } from '../../../runners/model/loader.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

const SEMSEG_ONLY =
  'model: { interaction: null, refinement: null }\nscheme: { type: equal }\ntasks:\n  depth: null\n  normals: null';
const WEIGHTED = `${SEMSEG_ONLY}
  semseg: { loss: { type: cross_entropy, class_weights: inverse_log } }
rows:
  a: {}
  b: { evaluate: { every: 1, selection: { rule: best, split: held-out, share: 0.5 } } }
`;

describe('classes weighed by the training split', () => {
  const file = experimentFile(WEIGHTED);
  const trials = () => loadExperiment(file, { profile: 'smoke' }).trials;

  it('are counted once for each state of the data, without images that are held out', async () => {
    const folder = temporaryFolder();
    const sources = () => new DataSources(folder, () => {}, { constant: false });
    const [whole, part] = trials();
    const counting = sources();
    await counting.prepare([whole, part]);
    const counts = await counting.classCounts(whole);
    const sum = (values: readonly number[]) => values.reduce((x, y) => x + y, 0);
    // Four images of 32x32, of which half are held out in the other row; walls and floors are everywhere.
    expect(sum(counts.semseg.pixels)).to.be.within(3 * 1024, 4 * 1024);
    expect(sum((await counting.classCounts(part)).semseg.pixels)).to.be.at.most(2 * 1024);
    const [semseg] = tasksToCount(assembled(whole));
    const loader = loaderOf(whole, { tasks: [semseg] });
    await loader.prepare(() => {});
    expect(await countClasses(loader.evaluate('train', 3), [semseg])).to.deep.equal(counts);
    await loader.close();

    const stored = readdirSync(folder).filter((name) => name.startsWith('classes-'));
    expect(stored).to.have.length(2);
    // What is kept is used, if it can be read.
    const mark = { semseg: { pixels: [1, 2], inImages: [3, 3] } };
    for (const name of stored) writeFileSync(join(folder, name), JSON.stringify(mark));
    const again = sources();
    await again.prepare([whole]);
    expect(await again.classCounts(whole)).to.deep.equal(mark);
    for (const name of stored) writeFileSync(join(folder, name), '{ "semseg": 3 }');
    expect(await again.classCounts(whole)).to.deep.equal(counts);
  });

  it('weigh in training as the events, the result and the table say', async () => {
    const [whole] = trials();
    const { report, failed, folder } = await runExperiment(file, {
      profile: 'smoke',
      runs: temporaryFolder(),
      rows: ['a'],
      jobs: 1,
    });
    expect(failed).to.deep.equal([]);
    const stored = readdirSync(folder).find((name) => name.startsWith('classes-'))!;
    const { pixels } = JSON.parse(readFileSync(join(folder, stored), 'utf8')).semseg as { pixels: number[] };
    const all = pixels.reduce((x, y) => x + y, 0);
    const expected = pixels.map((count) => (count > 0 ? 1 / Math.log(1.02 + count / all) : 1));
    const trial = report.json.rows[0].folder;
    const { classWeights } = JSON.parse(readFileSync(join(trial, 'result.json'), 'utf8'));
    expect(classWeights).to.deep.equal({ semseg: expected });
    expect(readFileSync(join(trial, 'events.jsonl'), 'utf8')).to.contain(
      '"event":"class weights","task":"semseg"',
    );
    expect(report.text).to.match(
      /The loss of semseg weighs classes by the training split \(inverse_log\): \d/,
    );
    expect(whole.config.tasks.semseg.loss).to.deep.equal({
      type: 'cross_entropy',
      class_weights: 'inverse_log',
    });
  }).timeout(240_000);

  it('training is not done with other counts than its own', () => {
    const parts = assembled(trials()[0]);
    expect(() => withCounts(parts, {})).to.throw('the classes of semseg have not been counted');
    const { channels } = parts.tasks[0];
    const pixels = Array.from({ length: channels }, (_, c) => c + 1);
    const counted = withCounts(parts, { semseg: { pixels, inImages: pixels.map(() => 1000) } });
    expect(counted.criterion.tasks[0].counts!.pixels).to.equal(pixels);
  });

  it('losses that weigh nothing ask for no counts', () => {
    const plain = experimentFile(`${SEMSEG_ONLY}\nrows: { a: {} }\n`);
    const parts = assembled(loadExperiment(plain, { profile: 'smoke' }).trials[0]);
    expect(tasksToCount(parts)).to.deep.equal([]);
    const task: Task = { name: 'semseg', kind: 'classes', channels: 3 };
    const lovasz = createTrialContainer([task]).create('loss', { type: 'lovasz' });
    expect(lovasz.classWeights).to.equal(undefined);
  });
});

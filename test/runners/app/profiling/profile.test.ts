// Profiles: costs gathered by hand, and those of a real trial.
import { expect } from 'chai';
import { openExperiment } from '../../../../runners/config/open.js';
import { flamePlot } from '../../../../runners/app/profiling/flame.js';
import { profileTrial } from '../../../../runners/app/profiling/profile.js';
import { collapsed, costTree, flatten } from '../../../../runners/app/profiling/tree.js';
import { drawSvg } from '../../../../runners/drawing/draw.js';
import { inspect } from '../../../../runners/training/inspect.js';
import { DEPTH_ONLY, experimentFile } from '../../../support/rooms.js';

const cost = (label: string, seconds: number) => ({ label, seconds, bytes: 10, flops: 100 });

describe('the cost of modules', () => {
  const tree = costTree('step', [
    cost('a.x.y', 1),
    cost('gradient of a.x.y', 2),
    cost('a.x.z', 3),
    cost('b.only.child', 4),
    cost('', 5),
  ]);

  it('adds up from operators to the whole, forward and backward', () => {
    expect(tree).to.include({ seconds: 15, backward: 2, bytes: 50, flops: 500, operators: 5 });
    const shown = flatten(tree, 9).map(({ module, depth }) => `${depth} ${module.path} ${module.seconds}`);
    expect(shown).to.deep.equal([
      '0  15',
      '1 a 6',
      '2 a.x 6',
      '3 a.x.y 3',
      '3 a.x.z 3',
      '1 objective 5',
      '1 b 4',
      '2 b.only 4',
      '3 b.only.child 4',
    ]);
  });

  it('is shown without chains of single parts, to a depth, without what is small', () => {
    const lines = flatten(collapsed(tree), 1, 0.3).map(({ module }) => module.name);
    expect(lines).to.deep.equal(['step', 'a.x', 'objective']);
    expect(collapsed(tree).children.map(({ name }) => name)).to.deep.equal([
      'a.x',
      'objective',
      'b.only.child',
    ]);
  });

  it('is drawn as boxes as wide as their time', async () => {
    const plot = flamePlot('title', [tree]);
    const { values } = (
      plot.spec as unknown as {
        data: { values: { path: string; from: number; to: number; depth: number }[] };
      }
    ).data;
    expect(values.find(({ path }) => path === 'a.x.z')).to.include({ from: 3000, to: 6000, depth: 3 });
    expect(values.find(({ path }) => path === 'objective')).to.include({ from: 6000, to: 11000, depth: 1 });
    expect(await drawSvg(plot)).to.contain('objective 5.0 s');
  });
});

describe('the profile of a trial', function () {
  this.timeout(60_000);

  it('has the sections of the network, and the operations that its graph has', async () => {
    const file = experimentFile(
      `rows: { depth: ${DEPTH_ONLY.replace('model: {', 'model: { decoder: null,')} }\n`,
    );
    const [trial] = openExperiment(file, { profile: 'smoke', overrides: ['data.val=6'] }).trials;
    const profile = await profileTrial(trial, { steps: 2, images: 2 });
    const { gradient, forward, step, evaluation } = profile;
    for (const tree of [gradient, forward])
      expect(tree.children.map(({ path }) => path.split('.')[0])).to.include.members([
        'backbone',
        'fusion',
        'heads',
      ]);
    const losses = gradient.children.find(({ path }) => path === 'losses.depth')!;
    expect(losses.seconds).to.be.above(0);
    expect(losses.backward).to.be.above(0);
    expect(gradient.backward).to.be.within(0.05 * gradient.seconds, 0.95 * gradient.seconds);
    expect(forward.backward).to.equal(0);
    expect(gradient.seconds).to.be.above(0).and.below(step.network);
    expect(step.data + step.network + step.update).to.be.closeTo(step.total, 0.05 * step.total);
    expect(evaluation.network).to.equal(forward.seconds);
    // A step of two images forward and backward is about three times two forward passes.
    expect(gradient.flops / forward.flops).to.be.within(4, 8);
    expect(profile.parameters).to.equal((await inspect(trial)).parameters);
  });

  it('is not to be had of an engine that does not record', async () => {
    const file = experimentFile(`rows: { depth: ${DEPTH_ONLY} }\nengine: { type: cpu }\n`);
    const [trial] = openExperiment(file, { profile: 'smoke' }).trials;
    const error = await profileTrial(trial).catch((problem: Error) => problem);
    expect(error).to.have.property('message', 'engine "cpu" cannot be profiled');
  });
});

// Tasks that leave out their head, loss or metric have the usual ones of their kind, in the resolved configuration, too.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { MtcpErrors } from '../../../registry/errors.js';
import { formatErrors } from '../../../runners/config/format.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import { writeResolved } from '../../../runners/config/resolved.js';
import { ROOT } from '../../support/rooms.js';
import { write } from './support.js';

const BASE = `name: x
extends: ${join(ROOT, 'experiments/base/mtcp-nyud.yaml')}
`;
/** Without a base, so that nothing is known of its tasks. */
const ALONE = `name: x
data: { type: embedded-rooms }
augment: { type: sv, size: [32, 32] }
model: { backbone: { type: resnet } }
scheme: { type: equal }
optimizer: { type: adam, rate: 1e-4 }
schedule: { type: constant }
train: { epochs: 1, batch: 2 }
`;

const trialOf = (yaml: string) => {
  const folder = write({ 'x.yaml': yaml });
  return { folder, trial: loadExperiment(join(folder, 'x.yaml')).trials[0] };
};
const faults = (yaml: string) => formatErrors(validateFiles([join(write({ 'x.yaml': yaml }), 'x.yaml')]));

describe('what tasks leave out', () => {
  it('is the usual head, loss and metric of their kinds, with defaults', () => {
    const { trial } = trialOf(
      `${ALONE}tasks: { semseg: {}, depth: { loss: { type: berhu_depth } }, edge: { metric: { type: boundary_loss } } }`,
    );
    const { semseg, depth, edge } = trial.config.tasks;
    expect(semseg.head.type).to.equal('linear');
    expect(semseg.loss).to.deep.equal({ type: 'cross_entropy', class_weights: 'equal' });
    expect(semseg.metric.type).to.equal('miou');
    expect(depth.loss.type).to.equal('berhu_depth');
    expect(depth.metric.type).to.equal('rmse');
    expect(edge.loss).to.deep.include({ type: 'balanced_bce', positive_weight: 0.95 });
    expect(edge.metric.type).to.equal('boundary_loss');
  });

  it('is part of the trial as if the file had it', () => {
    const { folder, trial } = trialOf(`${ALONE}tasks: { depth: {} }`);
    const written = trialOf(
      `${ALONE}tasks: { depth: { head: { type: linear }, loss: { type: l1_depth }, metric: { type: rmse } } }`,
    );
    expect(trial.config.tasks).to.deep.equal(written.trial.config.tasks);
    expect(trial.hash).to.equal(written.trial.hash);
    const resolved = writeResolved(trial);
    expect((load(resolved) as { tasks: object }).tasks).to.deep.equal(trial.config.tasks);
    writeFileSync(join(folder, 'resolved.yaml'), resolved);
    expect(loadExperiment(join(folder, 'resolved.yaml')).trials[0].hash).to.equal(trial.hash);
  });

  it('comes after what rows, profiles and extended files say, and is a default for provenance', () => {
    const folder = write({
      'x.yaml': `${BASE}tasks: { edge: {} }
rows: { a: {}, b: { tasks: { edge: { loss: { type: focal } } } } }
`,
    });
    const { trials, provenance } = loadExperiment(join(folder, 'x.yaml'), { profile: 'smoke' });
    const [a, b] = trials.map(({ config }) => config.tasks.edge.loss.type);
    expect([a, b]).to.deep.equal(['balanced_bce', 'focal']);
    // What the base has stays: nothing usual takes its place.
    expect(trials[0].config.tasks.semseg.head.type).to.equal('mlp');
    expect(provenance(trials[0]).origin(['tasks', 'edge', 'loss'])).to.include({
      layer: 'default',
      where: null,
    });
    expect(provenance(trials[1]).origin(['tasks', 'edge', 'loss']).layer).to.equal('row "b"');
  });

  it('is missing, with the reason, where nothing is known of a task', () => {
    const said = faults(`${ALONE}tasks: { depht: {} }\n`);
    expect(said)
      .to.contain('x.yaml:9:10: missing "head" in tasks.depht')
      .and.contain('data set "embedded-rooms" has no task "depht"; did you mean "depth"?');
  });

  it('a data set of a plugin and a kind of a plugin are asked, too', () => {
    const plugin = `import { define } from 'mtcp/registry';
const none = { type: 'object', additionalProperties: false, properties: {} };
define({ kind: 'dataset', name: 'own', summary: 'Own.', options: none, create: () => ({
  tasks: [{ name: 'height', kind: 'depth', channels: 1 }],
  prepare: async () => ({}), ids: async () => [], load: async () => ({}),
}) });
define({ kind: 'dataset', name: 'shy', summary: 'Says nothing.', options: none, create: () => { throw new Error('no'); } });
`;
    const folder = write({
      'own.mjs': plugin,
      'x.yaml': `${ALONE.replace('embedded-rooms', 'own')}plugins: own.mjs\ntasks: { height: {} }\n`,
      'y.yaml': `${ALONE.replace('embedded-rooms', 'shy')}plugins: own.mjs\ntasks: { height: {} }\n`,
    });
    const [trial] = loadExperiment(join(folder, 'x.yaml')).trials;
    expect(trial.config.tasks.height.metric.type).to.equal('rmse');
    expect(() => loadExperiment(join(folder, 'y.yaml')))
      .to.throw(MtcpErrors)
      .with.nested.property('errors[0].hint')
      .that.contains('are known only once it is read');
  });
});

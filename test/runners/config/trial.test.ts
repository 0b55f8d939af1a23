// A trial is plain data: what a worker is handed is what was loaded, and nothing changes it afterwards.
import { join } from 'node:path';
import { expect } from 'chai';
import { codeOf } from '../../../runners/config/code.js';
import { loadExperiment, type TrialSpec } from '../../../runners/config/index.js';
import { digestsOfComponents } from '../../../runners/app/generate-digests.js';
import { canonicalJson, trialHash } from '../../../runners/config/trial.js';
import { ROOT, TABLE3 } from '../../support/rooms.js';
import { fakeSchemas, GOOD, write } from './support.js';

const FAIR = join(ROOT, 'experiments/beyond.yaml');

describe('a trial', () => {
  const experiment = loadExperiment(FAIR, { seeds: [0, 1] });

  it('is the same after JSON, with everything that it depends on', () => {
    expect(experiment.needed.some(({ sources }) => Object.keys(sources).length > 0)).to.equal(true);
    for (const trial of experiment.needed)
      expect(JSON.parse(JSON.stringify(trial)) as TrialSpec).to.deep.equal(trial);
  });

  it('is frozen at every depth', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    for (const trial of experiment.needed) expect(frozen(trial), trial.row).to.equal(true);
    expect(() => void ((experiment.trials[0].config.train as { epochs: number }).epochs = 9)).to.throw(
      TypeError,
    );
  });

  it('names the code of its components, and of no others', () => {
    const [trial] = loadExperiment(TABLE3, { profile: 'smoke', rows: ['MT-CP'] }).trials;
    expect(trial.code).to.include.all.keys(
      'backbone/mask2former',
      'interaction/cfm',
      'scheme/lps',
      'dataset/embedded-rooms',
    );
    expect(trial.code).not.to.include.any.keys('scheme/dwa', 'backbone/resnet');
    expect(trial.code).to.deep.equal(codeOf(trial.config, []));
  });

  it('has digests of the code that runs', () => {
    const digests = digestsOfComponents();
    for (const trial of experiment.needed)
      for (const [name, digest] of Object.entries(trial.code)) expect(digest, name).to.equal(digests[name]);
  });

  it('comes after what it depends on', () => {
    const order = experiment.needed.map(({ row, seed }) => `${row} ${seed}`);
    for (const { row, seed, sources } of experiment.needed)
      for (const source of Object.values(sources))
        expect(order.indexOf(`${source.row} ${source.seed}`)).to.be.lessThan(order.indexOf(`${row} ${seed}`));
    expect(new Set(order).size).to.equal(order.length);
  });
});

describe('the hash of a trial', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });

  const hash = (text: string, overrides: string[] = []) =>
    loadExperiment(join(write({ 'x.yaml': text }), 'x.yaml'), { schemas, overrides }).trials[0].hash;
  const good = () => hash(GOOD);

  it('does not depend on order, spelling or written-out defaults', () => {
    const reordered = GOOD.replace('{ type: dwa, temperature: 3 }', '{ temperature: 3.0, type: "dwa" }');
    const lines = reordered.trimEnd().split('\n');
    const turned = [...lines.slice(-4), ...lines.slice(0, -4)].join('\n');
    expect(hash(turned)).to.equal(good());
    expect(hash(GOOD, ['augment.flip=true', 'engine={ type: onnx }', 'train.clip=null'])).to.equal(good());
  });

  it('does not depend on presentation, threads or where data lies', () => {
    expect(hash(GOOD.replace('name: good', 'name: other\ntitle: T\ndescription: D'))).to.equal(good());
    expect(
      hash(GOOD, [
        'engine={ type: onnx, threads: 3 }',
        'train.checkpoint.keep=all',
        'train.workers=0',
        'train.cache=0',
        'memory.recompute=never',
      ]),
    ).to.equal(good());
    const nyud = (root: string) => hash(GOOD, [`data={ type: nyud-v2, root: ${root} }`]);
    expect(nyud('/a')).to.equal(nyud('b/c')).and.not.to.equal(good());
  });

  it('depends on everything else', () => {
    const changes = [
      'train.epochs=3',
      'scheme.temperature=4',
      'engine={ type: cpu }',
      'tasks.depth=null',
      'augment.size=[1, 2]',
    ];
    const hashes = changes.map((change) => hash(GOOD, [change]));
    expect(new Set([good(), ...hashes, hash(`${GOOD}seeds: [1]`)]).size).to.equal(changes.length + 2);
  });

  it('is the SHA-256 of canonical JSON', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'ü' }], a: 1.0 })).to.equal(
      '{"a":1,"b":[1,{"c":"ü","d":null}]}',
    );
    // printf '{"code":{"dataset/x":"a1"},"config":{"data":{"size":2,"type":"x"},"train":{"batch":1}},"seed":5,"version":2}' | sha256sum
    const config = { train: { workers: 8, batch: 1 }, data: { type: 'x', root: '/a', size: 2 } };
    expect(
      trialHash(config as never, {
        seed: 5,
        paths: [['data', 'root']],
        code: { 'dataset/x': 'a1' },
        sources: {},
      }),
    ).to.equal('03e378781e4b8d4122d935b73a1f9403b90e86b2330b983cb3fd8c930b71318e');
  });

  it('depends on the code of components', () => {
    const hash = (digest: string) =>
      trialHash({ data: { type: 'x' } } as never, {
        seed: 0,
        paths: [],
        code: { 'dataset/x': digest },
        sources: {},
      });
    expect(hash('a1')).not.to.equal(hash('a2'));
  });
});

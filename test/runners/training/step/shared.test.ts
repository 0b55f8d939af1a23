// Steps that several processes share, beside the same steps of one. The processes of these tests are one, which talks to
// itself through real connections; test/runners/training/processes has several.
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../../registry/container.js';
import type { Optimizer } from '../../../../registry/contracts/learning.js';
import { IGNORE } from '../../../../registry/contracts/tasks.js';
import { MtcpError } from '../../../../registry/errors.js';
import { randomStream } from '../../../../registry/random.js';
import type { TrainBatch } from '../../../../runners/data/batch.js';
import type { Engine } from '../../../../runners/engine/engine.js';
import { ALONE, type Exchange } from '../../../../runners/training/step/exchange.js';
import { TrainingStep } from '../../../../runners/training/step/step.js';
import { expectClose, recordingEngine, xlaEngines } from '../../../support/oracle.js';
import { dismiss, meet } from '../../../support/teams.js';
import { TOY_SIZE, toyBatch, toyTrial, type Toy } from '../../../support/toy-network.js';
import { requireXla } from '../../../support/xla/plugin.js';

interface Case {
  scheme?: Slot;
  accumulate?: number;
  clip?: number;
  tasks?: string[];
}

/** One sample in a micro-batch. */
const wholeBatch = ({ tasks }: Toy, i: number, accumulate: number): TrainBatch => {
  const batch = toyBatch(tasks, `batch ${i}`, accumulate);
  // The first micro-batch knows nothing of the last task, in every other step.
  const { name } = tasks.at(-1)!;
  const label = batch.labels[name];
  if (i % 2 === 1) label.fill(IGNORE, 0, label.length / accumulate);
  return batch;
};

const ownPart = ({ ids, image, labels }: TrainBatch, { index, of }: Exchange): TrainBatch => {
  const own = <T extends Float32Array | Int32Array>(whole: T): T => {
    const size = whole.length / ids.length;
    const parts = ids.flatMap((_, i) =>
      i % of === index ? [...whole.subarray(i * size, (i + 1) * size)] : [],
    );
    return (whole instanceof Int32Array ? Int32Array.from(parts) : Float32Array.from(parts)) as T;
  };
  return {
    ids: ids.filter((_, i) => i % of === index),
    image: own(image),
    labels: Object.fromEntries(Object.entries(labels).map(([name, label]) => [name, own(label)])),
  };
};

async function compile(engine: Engine, { scheme, accumulate = 2, clip, tasks }: Case, exchange = ALONE) {
  const toy = toyTrial(scheme, tasks);
  const slot = { type: 'adamw', rate: 1e-2, weight_decay: 1e-2 };
  const optimizer = createTrialContainer(toy.tasks).create('optimizer', slot) as Optimizer;
  const options = { batch: accumulate, accumulate, size: TOY_SIZE, clip: clip ?? null };
  const step = await TrainingStep.compile(engine, toy.network, toy.criterion, optimizer, options, exchange);
  step.weights.initialize(3);
  return { step, toy, accumulate };
}

/** Everything that steps leave: losses, weights, statistics, moments, the scheme's state. */
async function trained({ step, toy, accumulate }: Awaited<ReturnType<typeof compile>>, steps = 4) {
  const { scheme } = toy.criterion;
  const numbers: Record<string, ArrayLike<number>> = {};
  const states: unknown[] = [];
  for (let i = 0; i < steps; i++) {
    const info = { epoch: i, step: i, random: randomStream('scheme', i) };
    scheme.stepBegin?.(info);
    const batch = ownPart(wholeBatch(toy, i, accumulate), step.exchange);
    await step.stage(batch);
    const result = await step.gradientsOf(batch, (name) => randomStream(i, name), info);
    const norm = await step.apply(i + 1, 1e-2);
    const again = step.lossProgram ? await step.lossesAgain() : undefined;
    const { raw, projected, weights, cosines, total } = result;
    scheme.stepEnd?.({ ...info, rate: 1e-2, raw, projected, again });
    scheme.epochEnd?.({ epoch: i, raw, projected });
    states.push({ names: Object.keys(raw), state: structuredClone(scheme.state()) });
    const all = { total, norm: norm ?? 0, ...raw, ...weights, ...cosines, ...again };
    numbers[`results of step ${i}`] = Object.values(all);
  }
  await step.pull();
  for (const [name, { data }] of step.weights.entries()) numbers[name] = data.slice();
  for (const [slot, { data }] of Object.entries(step.slots)) numbers[slot] = data.slice();
  step.close();
  return { numbers, states };
}

/** Of each of the processes, and of one that has all micro-batches. */
async function both(of: number, options: Case, engines: readonly Engine[] = [recordingEngine]) {
  const one = await trained(await compile(engines[0], options));
  const teams = await meet(of);
  const several = await Promise.all(
    teams.map(async (team) => trained(await compile(engines[team.index % engines.length], options, team))),
  );
  await dismiss(teams);
  return { one, several };
}

describe('a step that processes share', function () {
  this.timeout(120_000);

  const SCHEMES: Record<string, Slot> = {
    'equal weights': { type: 'equal' },
    'loss prioritization': { type: 'lps' },
    'learnt weights': { type: 'uncertainty' },
    'a look after the step': { type: 'famo' },
    'random orders of projections': { type: 'pcgrad', shared: 'backbone' },
    'gradients of the representation': { type: 'mgda', shared: 'representation' },
    'a state that every micro-batch changes': { type: 'gradvac', granularity: 'whole', shared: 'backbone' },
    'solutions that are kept': { type: 'nash_mtl', shared: 'all', exclusive: 'weighted', every: 2 },
    'first losses, and norms of gradients': { type: 'gradnorm' },
    'one scheme in front of another': {
      type: 'compose',
      weights: { type: 'lps' },
      gradients: { type: 'cagrad' },
    },
  };
  for (const [name, scheme] of Object.entries(SCHEMES))
    it(`is the step of one to the last bit where each has a micro-batch: ${name}`, async () => {
      const { one, several } = await both(2, { scheme, clip: 0.05 });
      for (const each of several) expect(each).to.deep.equal(one);
    });

  it('is the same with three processes', async () => {
    const { one, several } = await both(3, { scheme: { type: 'pcgrad' }, accumulate: 3 });
    for (const each of several) expect(each).to.deep.equal(one);
  });

  for (const scheme of [{ type: 'lps' }, { type: 'cagrad', shared: 'backbone' }])
    it(`differs by rounding where each has several micro-batches, and not between processes: ${scheme.type}`, async () => {
      const { one, several } = await both(2, { scheme, accumulate: 4 });
      expect(several[1]).to.deep.equal(several[0]);
      for (const [name, values] of Object.entries(one.numbers))
        // BatchNorm takes its mean away from this bias, so its gradient is rounding, and AdamW makes steps of that.
        if (!/stem\.bias|running_mean/.test(name))
          expectClose(several[0].numbers[name], Array.from(values), 1e-5, name, 0.1);
    });

  it('ends in every process when a loss of one is not a number, and says whose', async () => {
    const teams = await meet(2);
    const errors = await Promise.all(
      teams.map(async (team) => {
        const { step, toy } = await compile(recordingEngine, {}, team);
        const batch = ownPart(wholeBatch(toy, 0, 2), team);
        if (team.index === 1) batch.image.fill(3e38);
        const error = await step
          .gradientsOf(batch, (name) => randomStream(name))
          .then(
            () => undefined,
            (reason: MtcpError) => reason,
          );
        step.close();
        return error!;
      }),
    );
    await dismiss(teams);
    for (const error of errors) expect(error.kind).to.equal('numeric');
    expect(errors[0].message).to.equal(errors[1].message);
    expect(errors[0].where).to.match(/^process 1 \(.*\), first in .*backbone/);
  });

  const refused = async (scheme: Slot) =>
    compile(recordingEngine, { scheme }, { ...ALONE, of: 2 }).then(
      () => undefined,
      (reason: MtcpError) => reason,
    );

  it('is refused for schemes that look at whole gradients', async () => {
    for (const type of [
      'db_mtl',
      'moco',
      'graddrop',
      'auto_lambda',
      'excess_mtl',
      'modo',
      'sdmgrad',
      'forum',
    ]) {
      const error = await refused({ type });
      expect(error, type).to.include({ kind: 'config' });
      expect(error!.message).to.contain('looks at whole gradients');
    }
  });

  it('is refused for a scheme that changes what it sets from one micro-batch to the next', async () => {
    const teams = await meet(2);
    const errors = await Promise.all(
      teams.map(async (team) => {
        const { step, toy } = await compile(recordingEngine, { scheme: { type: 'pcgrad' } }, team);
        const { scheme } = toy.criterion;
        let seen = 0;
        const { gradients } = scheme.needs!;
        const combine: NonNullable<typeof gradients>['combine'] = (...given) => {
          seen++;
          return gradients!.combine(...given);
        };
        const weights = scheme.weights();
        Object.defineProperty(scheme, 'needs', { value: { gradients: { ...gradients, combine } } });
        scheme.weights = () => Object.fromEntries(Object.keys(weights).map((task) => [task, 1 + seen]));
        const error = await step
          .gradientsOf(ownPart(wholeBatch(toy, 0, 2), team), (name) => randomStream(name))
          .then(
            () => undefined,
            (reason: MtcpError) => reason,
          );
        step.close();
        return error;
      }),
    );
    await dismiss(teams);
    for (const error of errors) expect(error?.message).to.contain('changes weight/semseg within a step');
  });
});

describe('a step on devices that processes share', function () {
  this.timeout(600_000);

  before(function () {
    requireXla(this);
  });

  const CASES: Record<string, Case> = {
    'a micro-batch each': { clip: 0.05 },
    'two micro-batches each': { accumulate: 4 },
    'products of gradients': { scheme: { type: 'pcgrad', shared: 'backbone' } },
  };
  for (const [name, options] of Object.entries(CASES))
    it(`differs from the step of one by rounding: ${name}`, async () => {
      const tasks = ['depth', 'normals'];
      const { one, several } = await both(2, { ...options, tasks }, xlaEngines());
      expect(several[1]).to.deep.equal(several[0]);
      for (const [key, values] of Object.entries(one.numbers))
        if (!/stem\.bias|running_mean/.test(key))
          expectClose(several[0].numbers[key], Array.from(values), 1e-5, key, 0.1);
    });
});

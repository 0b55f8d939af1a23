// train.freeze and train.lora: what trains, what stays to the last bit, and that a start is unchanged.
import '../../../modules/index.js';
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import { linear } from '../../../modules/nn/layers.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { createTrialContainer } from '../../../registry/container.js';
import { randomStream } from '../../../registry/random.js';
import { adaptationOf, requireAdaptation } from '../../../runners/model/adaptation.js';
import { TrainingStep } from '../../../runners/training/step/step.js';
import { mergedAdapters } from '../../../runners/store/weights/adapters.js';
import { hostTensor } from '../../../runners/engine/engine.js';
import { recordingEngine } from '../../support/oracle.js';
import { TOY_SIZE, toyTrial } from '../../support/toy-network.js';

const NONE = { freeze: [], lora: null };

async function steps(train: Parameters<typeof adaptationOf>[0], scheme?: { type: string }) {
  const { network, criterion, batch } = toyTrial(scheme, undefined, adaptationOf(train));
  const optimizer = createTrialContainer([]).create('optimizer', {
    type: 'adamw',
    rate: 0.01,
    weight_decay: 0.5,
    groups: [{ parameters: 'backbone.*', rate: 0.5 }],
  });
  const options = { batch: 2, size: TOY_SIZE, clip: null };
  const step = await TrainingStep.compile(recordingEngine, network, criterion, optimizer, options);
  step.weights.initialize(0);
  const state = () => new Map([...step.weights.entries()].map(([name, { data }]) => [name, [...data]]));
  const before = state();
  const losses: number[] = [];
  for (let i = 0; i < 2; i++) {
    const info = { epoch: 0, step: i, random: randomStream('order') } as never;
    const { total } = await step.gradientsOf(batch, (name) => randomStream(name), info);
    losses.push(total);
    await step.apply(i + 1, optimizer.rate);
  }
  const after = state();
  const slots = Object.values(step.slots).map((arena) => [...arena.views.keys()]);
  const { nodes } = step.gradientProgram.stats;
  step.close();
  return { before, after, losses, slots, nodes };
}

const changed = (before: Map<string, number[]>, after: Map<string, number[]>) =>
  [...before].filter(([name, values]) => String(values) !== String(after.get(name))).map(([name]) => name);

describe('frozen parameters', () => {
  it('stay to the last bit with weight decay, statistics too, and have no optimizer state', async () => {
    const free = await steps(NONE);
    const backbone = [...free.before.keys()].filter((name) => name.startsWith('backbone.'));
    expect(changed(free.before, free.after)).to.include.members(backbone);
    expect(backbone).to.include('backbone.norm.running_mean');

    const frozen = await steps({ ...NONE, freeze: ['backbone.*'] });
    const moved = changed(frozen.before, frozen.after);
    expect(moved.filter((name) => name.startsWith('backbone.'))).to.deep.equal([]);
    expect(moved).to.include('decoder.depth.weight').and.include('heads.depth.bias');
    for (const names of frozen.slots) {
      expect(names.filter((name) => name.startsWith('backbone.'))).to.deep.equal([]);
      expect(names).to.include('decoder.depth.weight');
    }
    // Nothing of the backward pass through the backbone is computed.
    expect(frozen.nodes).to.be.lessThan(free.nodes);
    // The norm uses its statistics instead of the batch's.
    expect(frozen.losses[0]).not.to.be.closeTo(free.losses[0], 1e-6);
  });

  it('leave statistics that are not named to the batch', async () => {
    const free = await steps(NONE);
    const frozen = await steps({ ...NONE, freeze: ['backbone.*.weight', 'backbone.*.bias'] });
    expect(frozen.losses[0]).to.be.closeTo(free.losses[0], 1e-6);
    const moved = changed(frozen.before, frozen.after).filter((name) => name.startsWith('backbone.'));
    expect(moved).to.deep.equal(['backbone.norm.running_mean', 'backbone.norm.running_var']);
  });

  for (const type of ['pcgrad', 'gradnorm', 'cagrad'])
    it(`under ${type}`, async () => {
      const frozen = await steps({ ...NONE, freeze: ['backbone.stem.*'] }, { type });
      const moved = changed(frozen.before, frozen.after);
      expect(moved.filter((name) => name.startsWith('backbone.stem.'))).to.deep.equal([]);
      expect(moved).to.include('backbone.norm.weight').and.include('decoder.depth.weight');
    });

  it('are named by patterns that name something, and leave something to train', () => {
    const parameters = ['backbone.a.weight', 'heads.b.weight'];
    const buffers = ['backbone.n.running_mean'];
    const check = (train: object) => () => requireAdaptation({ ...NONE, ...train }, parameters, buffers);
    expect(check({ freeze: ['backbone.*', '*.running_mean'] })).not.to.throw();
    expect(check({ freeze: ['backbon.*'] })).to.throw(/no parameter or statistic is called "backbon\.\*"/);
    expect(check({ freeze: ['*'] })).to.throw(/nothing is left to train/);
    const lora = { rank: 2, alpha: 2, parameters: null };
    expect(check({ lora })).to.throw(/no weights of queries, keys or values/);
    expect(check({ lora: { ...lora, parameters: ['x'] } })).to.throw(/no parameter is called "x"/);
    expect(check({ lora: { ...lora, parameters: ['backbone.a.weight'] } })).not.to.throw();
  });
});

describe('low-rank updates', () => {
  const lora = { rank: 2, alpha: 6, parameters: ['a.weight'] };

  /** b(a(x)) under an adaptation, by a table's values. */
  async function run(
    train: typeof NONE | { freeze: string[]; lora: typeof lora },
    values: Map<string, Float32Array>,
  ) {
    const table = new ParameterTable();
    const program = await recordingEngine.compile('lora', (tracer) => {
      const x = tracer.input('x', 'float32', [4, 5]) as tf.Tensor2D;
      const scope = new Pass(table, tracer, false).root.withAdaptation(adaptationOf(train));
      return { y: linear(scope.at('b'), linear(scope.at('a'), x, 3), 2) };
    });
    const results = new Map<string, Float32Array>();
    const binding = program.bind((name, spec) => {
      const tensor = hostTensor(spec);
      const data = tensor.data as Float32Array;
      if (!program.inputs.has(name)) results.set(name, data);
      else {
        const stream = randomStream(name);
        const own = values.get(name.slice(name.indexOf('/') + 1));
        data.forEach((_, i) => (data[i] = own ? own[i] : stream.normal()));
      }
      return tensor;
    });
    await binding.run();
    binding.close();
    program.close();
    return { y: [...results.get('y')!], table };
  }

  it('start as nothing, and merged into the weight give what they give apart', async () => {
    const { table } = await run({ ...NONE, lora }, new Map());
    const shapes = Object.fromEntries([...table.parameters].map(([name, { shape }]) => [name, shape]));
    expect(shapes).to.deep.equal({
      'a.weight': [3, 5],
      'a.weight.lora_a': [2, 5],
      'a.weight.lora_b': [3, 2],
      'a.bias': [3],
      'b.weight': [2, 3],
      'b.bias': [2],
    });
    const values = new Map(
      [...table.parameters].map(([name, { shape, init }]) => {
        const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
        init(data, shape, randomStream(0, 'init', name));
        return [name, data];
      }),
    );
    const plain = await run(NONE, values);
    expect((await run({ ...NONE, lora }, values)).y).to.deep.equal(plain.y);

    const stream = randomStream('b');
    values.get('a.weight.lora_b')!.forEach((_, i, all) => (all[i] = stream.normal()));
    const apart = await run({ ...NONE, lora }, values);
    expect(apart.y.some((value, i) => Math.abs(value - plain.y[i]) > 0.1)).to.equal(true);
    const file = {
      tensors: new Map([...table.parameters].map(([name, { shape }]) => [name, { shape }])),
      readInto: (name: string, target: Float32Array | Int32Array) => target.set(values.get(name)!),
    };
    const merged = mergedAdapters(file, lora);
    expect([...merged.tensors.keys()]).to.deep.equal(['a.weight', 'a.bias', 'b.weight', 'b.bias']);
    const read = new Map(
      [...merged.tensors].map(([name, { shape }]) => {
        const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
        merged.readInto(name, data);
        return [name, data];
      }),
    );
    (await run(NONE, read)).y.forEach((value, i) => expect(value).to.be.closeTo(apart.y[i], 1e-5));
  });

  it('train alone where the rest is frozen', async () => {
    const network = {
      forward(scope: import('../../../registry/index.js').Scope, x: tf.Tensor4D) {
        const own = scope.withAdaptation(adaptationOf({ freeze: ['a.*'], lora }));
        return { depth: linear(own.at('b'), linear(own.at('a'), x, 3), 1) };
      },
    };
    const task = { name: 'depth', kind: 'depth', channels: 1 };
    const factory = createTrialContainer([task]);
    const optimizer = factory.create('optimizer', { type: 'adamw', rate: 0.01 });
    const criterion = {
      tasks: [task],
      losses: { depth: factory.create('loss', { type: 'l1_depth' }) },
      scheme: factory.create('scheme', { type: 'equal' }),
      intermediate: { reduce: 'mean', scheme: true, weight: 1 },
    } as const;
    const { DEFAULT_MEMORY } = await import('../../../registry/contracts/memory.js');
    const whole = { ...network, memory: DEFAULT_MEMORY, tasks: [task] } as never;
    const options = { batch: 1, size: [2, 3] as const, clip: null };
    const step = await TrainingStep.compile(recordingEngine, whole, criterion, optimizer, options);
    expect([...step.weights.trained.views.keys()]).to.deep.equal([
      'a.weight.lora_a',
      'a.weight.lora_b',
      'b.weight',
      'b.bias',
    ]);
    expect([...step.weights.fixed.keys()]).to.deep.equal(['a.weight', 'a.bias']);
    step.close();
  });

  it('need a matrix', async () => {
    const conv = { ...lora, parameters: ['k'] };
    const table = new ParameterTable();
    await recordingEngine
      .compile('lora', (tracer) => {
        const scope = new Pass(table, tracer, true).root.withAdaptation(
          adaptationOf({ ...NONE, lora: conv }),
        );
        expect(() => scope.param('k', [3, 3, 2, 2], () => {})).to.throw(/3x3x2x2, which no low-rank product/);
        return { y: tracer.input('x', 'float32', [1]) };
      })
      .then((program) => program.close());
  });
});

// Systems without released code: what their papers state. Affinity rows sum to one, diffusion converges, binary
// values are two-valued with straight-through gradients, the bottleneck's divergence is what it should be.
import '../../modules/index.js';
import { expect } from 'chai';
import * as tf from '../../registry/tf.js';
import { regionsOf } from '../../modules/nn/context-attention.js';
import { localAffinity, localGather } from '../../modules/nn/local-affinity.js';
import { binaryActivation, binaryWeight } from '../../modules/nn/ops/binarize.js';
import { maxPool, averagePool } from '../../modules/nn/pooling.js';
import { convTranspose2d } from '../../modules/nn/ops/convolution.js';
import { inputName, ParameterTable, Pass } from '../../modules/nn/scope.js';
import { createTrialContainer } from '../../registry/container.js';
import { MtcpError } from '../../registry/errors.js';
import { NO_TAPS, type FeatureMap, type Features } from '../../registry/contracts/features.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { EagerEngine } from '../../runners/engine/eager.js';
import { record } from '../../runners/engine/recording.js';
import {
  evaluate,
  expectClose,
  expectSame,
  noise,
  recordingEngine,
  withGradients,
  type Arrays,
} from '../support/oracle.js';

const TASKS: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: 5 },
  { name: 'depth', kind: 'depth', channels: 1 },
];

/** An interaction applied to maps of both tasks, with these parameters. */
function interact(slot: { type: string; [option: string]: unknown }, inputs: Arrays) {
  const block = createTrialContainer(TASKS).create('interaction', slot);
  return evaluate(recordingEngine, inputs, (given, tracer) => {
    const source = {
      ...tracer,
      label: () => {},
      input: (name: string) => given[name.replace(inputName.parameter(''), '')],
    };
    const pass = new Pass(new ParameterTable(), source as never, false);
    const map = (name: string): FeatureMap[] => [{ data: given[name] as tf.Tensor4D, stride: 8 }];
    const tasks = { semseg: map('semseg'), depth: map('depth') };
    const features: Features = {
      image: tasks.semseg[0],
      shared: [],
      taps: NO_TAPS,
      stages: tasks,
      tasks,
    };
    const result = block.forward(pass.root, features).tasks;
    return { new_semseg: result.semseg[0].data, new_depth: result.depth[0].data };
  });
}

const constant = (shape: number[], value: number) => ({
  shape,
  data: new Float32Array(tf.util.sizeFromShape(shape)).fill(value),
});

describe('learning to branch', () => {
  const alpha = { shape: [2, 2], data: Float32Array.of(0.1, 0.4, 0.7, -0.2) };
  const maps = { semseg: noise([1, 2, 2, 3], 's'), depth: noise([1, 2, 2, 3], 'd') };
  const branch = (passes: number) =>
    interact({ type: 'ltb', warmup: 10 }, { alpha, 'buffer/passes': constant([1], passes), ...maps });

  it('adds up maps in the first passes', async () => {
    const sum = Float32Array.from(maps.semseg.data, (x, i) => x + maps.depth.data[i]);
    const result = await branch(9);
    for (const task of ['new_semseg', 'new_depth']) expectClose(result[task].data, sum, 1e-6, task);
  });

  it('then evaluates the most probable branch of each task, alone', async () => {
    const result = await branch(10);
    expectClose(result.new_semseg.data, maps.depth.data, 1e-6, 'semseg goes on with depth');
    expectClose(result.new_depth.data, maps.semseg.data, 1e-6, 'depth goes on with semseg');
  });
});

describe('mixtures of encoders', () => {
  const build = (slot: { type: string; [option: string]: unknown }) =>
    createTrialContainer(TASKS).create('backbone', slot);
  const encoder = { type: 'resnet', width: 2, blocks: [1, 1, 1, 1] };

  it('mixing after each stage takes an encoder that has some', () =>
    expect(() => build({ type: 'ple', encoder: { type: 'swin' } })).to.throw(
      MtcpError,
      '"swin" cannot stop between its stages',
    ));

  it('a grid of the gate has to divide what it sees', async () => {
    const backbone = build({ type: 'mmoe', encoder, gate_grid: 5 });
    const forward = evaluate(recordingEngine, { image: noise([1, 32, 32, 3]) }, ({ image }, tracer) => {
      const pass = new Pass(new ParameterTable(), tracer, false);
      backbone.forward(pass.root, { data: image as tf.Tensor4D, stride: 1 });
      return {};
    });
    expect(await forward.catch((error: unknown) => String(error))).to.contain(
      'a gate cannot average 32x32 to 5x5',
    );
  });

  for (const type of ['mmoe', 'cgc', 'ple', 'dselect_k'])
    it(`${type}: gates on averages have the same parameters at every size`, async () => {
      const parametersAt = async (size: number) => {
        const table = new ParameterTable();
        await record((tracer) => {
          const data = tracer.input('image', 'float32', [1, size, size, 3]) as tf.Tensor4D;
          const encoded = build({ type, encoder, gate_grid: 2 }).forward(
            new Pass(table, tracer, false).root,
            { data, stride: 1 },
          );
          return { y: (encoded as { tasks: Features['tasks'] }).tasks.semseg.at(-1)!.data };
        });
        return [...table.parameters].map(([name, { shape }]) => `${name} ${shape.join('x')}`);
      };
      expect(await parametersAt(32)).to.deep.equal(await parametersAt(64));
    });
});

describe('pattern-affinitive propagation', () => {
  const parameters = (bias: number): Arrays => ({
    'reduce.semseg.weight': noise([3, 4, 1, 1], 'a'),
    'reduce.depth.weight': noise([3, 4, 1, 1], 'b'),
    'reduce.semseg.bias': constant([3], bias),
    'reduce.depth.bias': constant([3], bias),
    'mix.semseg.weight': noise([2], 'm'),
    'mix.depth.weight': noise([2], 'n'),
  });

  it('rows sum to one: what is the same everywhere stays the same', async () => {
    const maps = { semseg: constant([1, 3, 4, 4], 0.5), depth: constant([1, 3, 4, 4], -0.7) };
    const slot = { type: 'pap', channels: 3, strength: 1, steps: 3 };
    const [once, thrice] = [
      await interact({ ...slot, steps: 1 }, { ...parameters(0.3), ...maps }),
      await interact(slot, { ...parameters(0.3), ...maps }),
    ];
    for (const task of ['new_semseg', 'new_depth']) {
      const { data } = thrice[task];
      expectClose(data, once[task].data, 1e-5, task);
      for (let i = 3; i < data.length; i++) expect(data[i]).to.be.closeTo(data[i % 3], 1e-5);
    }
  });

  it('diffusion converges', async () => {
    const inputs = { ...parameters(0), semseg: noise([1, 3, 4, 4], 'x'), depth: noise([1, 3, 4, 4], 'y') };
    const after = async (steps: number) =>
      (await interact({ type: 'pap', channels: 3, strength: 0.5, steps }, inputs)).new_semseg
        .data as Float32Array;
    const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((v, i) => v - b[i]));
    const maps = [await after(1), await after(2), await after(4), await after(8), await after(16)];
    expect(distance(maps[0], maps[1])).to.be.greaterThan(1e-3);
    expect(distance(maps[3], maps[4])).to.be.lessThan(0.02 * distance(maps[0], maps[1]));
  });

  it('beta 0 leaves the features as they are', async () => {
    const inputs: Arrays = {
      ...parameters(0),
      semseg: noise([1, 3, 4, 4], 'x'),
      depth: noise([1, 3, 4, 4], 'y'),
    };
    // What goes into the diffusion: the input, narrowed by a 1x1 convolution.
    const narrowed = (task: 'semseg' | 'depth') => {
      const [x, weight] = [inputs[task].data, inputs[`reduce.${task}.weight`].data];
      return Float32Array.from({ length: 3 * 4 * 3 }, (_, i) => {
        const [pixel, out] = [Math.floor(i / 3), i % 3];
        return [0, 1, 2, 3].reduce((sum, k) => sum + weight[4 * out + k] * x[4 * pixel + k], 0);
      });
    };
    for (const steps of [1, 5]) {
      const after = await interact({ type: 'pap', channels: 3, strength: 0, steps }, inputs);
      expectClose(after.new_semseg.data, narrowed('semseg'), 1e-6, `semseg, ${steps} steps`);
      expectClose(after.new_depth.data, narrowed('depth'), 1e-6, `depth, ${steps} steps`);
    }
    const moved = await interact({ type: 'pap', channels: 3, strength: 0.5, steps: 1 }, inputs);
    const change = narrowed('semseg').map((value, i) => Math.abs(value - moved.new_semseg.data[i]));
    expect(Math.max(...change), 'and beta 0.5 does not').to.be.above(1e-3);
  });
});

describe('local structures', () => {
  it('rows sum to one, also at the border', async () => {
    const inputs = { query: noise([2, 4, 5, 3], 'q'), key: noise([2, 4, 5, 3], 'k') };
    const { sums, gathered } = await evaluate(recordingEngine, inputs, ({ query, key }) => {
      const weights = localAffinity(query as tf.Tensor4D, key as tf.Tensor4D, 3);
      return { sums: weights.sum(3), gathered: localGather(weights, tf.ones([2, 4, 5, 2])) };
    });
    for (const value of [...sums.data, ...gathered.data]) expect(value).to.be.closeTo(1, 1e-6);
  });

  it('the gradient is the one TensorFlow.js computes eagerly', () =>
    expectSame(
      { query: noise([1, 3, 4, 2], 'q'), key: noise([1, 3, 4, 2], 'k'), x: noise([1, 3, 4, 2], 'x') },
      ({ query, key, x }) =>
        localGather(localAffinity(query as tf.Tensor4D, key as tf.Tensor4D, 3), x as tf.Tensor4D),
    ));

  it('start as nothing: the gain is zero', async () => {
    const block = createTrialContainer(TASKS).create('interaction', { type: 'psd', channels: 2 });
    const table = new ParameterTable();
    await evaluate(recordingEngine, { x: noise([1, 3, 4, 4]) }, ({ x }, tracer) => {
      const tasks = Object.fromEntries(
        TASKS.map(({ name }) => [name, [{ data: x as tf.Tensor4D, stride: 8 }]]),
      );
      const pass = new Pass(table, tracer, true);
      const features = { image: tasks.semseg[0], shared: [], taps: NO_TAPS, stages: tasks, tasks };
      return { y: block.forward(pass.root, features).tasks.semseg[0].data };
    });
    const gain = new Float32Array(1).fill(5);
    table.parameters.get('levels.0.semseg.gain')!.init(gain, [1], undefined as never);
    expect([...gain]).to.deep.equal([0]);
  });
});

describe('mixtures of sluice networks', () => {
  const start = async (
    kind: 'interaction' | 'decoder',
    slot: { type: string; [option: string]: unknown },
  ) => {
    const block = createTrialContainer(TASKS).create(kind, slot);
    const table = new ParameterTable();
    await evaluate(recordingEngine, { x: noise([1, 3, 4, 4]) }, ({ x }, tracer) => {
      const map: FeatureMap = { data: x as tf.Tensor4D, stride: 8 };
      const tasks = { semseg: [map, map], depth: [map, map] };
      const pass = new Pass(table, tracer, true);
      const features = { image: map, shared: [], taps: NO_TAPS, stages: tasks, tasks };
      return { y: block.forward(pass.root, features).tasks.semseg[0].data };
    });
    return (name: string) => {
      const { shape, init } = table.parameters.get(name)!;
      const values = new Float32Array(tf.util.sizeFromShape(shape));
      init(values, shape, undefined as never);
      return values;
    };
  };

  it('subspaces start with most of themselves; each row sums to one', async () => {
    const alpha = (await start('interaction', { type: 'subspace_stitch', own: 0.7 }))('1.alpha');
    expectClose(
      alpha,
      Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 0.7 : 0.1)),
      1e-6,
      'alpha',
    );
    const even = (await start('interaction', { type: 'subspace_stitch', own: null }))('0.alpha');
    for (const value of even) expect(value).to.equal(0.25);
  });

  it('tasks start with most of their last layer', async () => {
    const beta = (await start('decoder', { type: 'layer_mix' }))('depth.beta');
    expectClose(beta, [0.1, 0.9], 1e-6, 'beta');
  });
});

describe('relational context', () => {
  const networkOf = (interaction: object) =>
    createTrialContainer(TASKS).create('interaction', { type: 'relational_context', ...interaction });

  it('where a class is: shares of all places that sum to one', async () => {
    const { regions } = await evaluate(recordingEngine, { x: noise([2, 3, 4, 5]) }, ({ x }) => ({
      regions: regionsOf(x as tf.Tensor4D),
    }));
    for (let row = 0; row < 2 * 5; row++) {
      const places = (regions.data as Float32Array).subarray(row * 12, (row + 1) * 12);
      expect(places.reduce((sum, share) => sum + share)).to.be.closeTo(1, 1e-6);
    }
  });

  it('auxiliary predictions are over classes, each with a loss of its own', async () => {
    await evaluate(recordingEngine, { x: noise([1, 4, 4, 8]) }, ({ x }, tracer) => {
      const map: FeatureMap = { data: x as tf.Tensor4D, stride: 4 };
      const tasks = { semseg: [map], depth: [map] };
      const pass = new Pass(new ParameterTable(), tracer, true);
      const block = networkOf({
        otherwise: 'source_label',
        auxiliary: { depth: { type: 'depth_bins', bins: 7 } },
      });
      block.forward(pass.root, { image: map, shared: [map], taps: NO_TAPS, stages: tasks, tasks });
      expect(pass.predictions.map(({ task, prediction }) => [task, prediction.shape[3]])).to.deep.equal([
        ['semseg', 5],
        ['depth', 7],
      ]);
      const depth = pass.predictions[1];
      const label = tf.fill([1, 4, 4, 1], 2.5);
      return { value: depth.loss!.forward(depth.prediction, label, TASKS[1]).value };
    });
  });

  it('says which task it does not know', () => {
    expect(() => networkOf({ contexts: { semseg: { dept: 'global' } } })).to.throw(/no task "dept"/);
  });
});

describe('binary values', () => {
  it('activations are 1 and -1; the gradient is 2 - 2|x| within 1', async () => {
    const x = { shape: [7], data: [-1.5, -1, -0.25, 0, 0.25, 0.75, 2] };
    const { output0 } = await evaluate(
      recordingEngine,
      { x },
      withGradients(({ x: t }) => binaryActivation(t)),
    );
    expect([...output0.data]).to.deep.equal([-1, -1, -1, 1, 1, 1, 1]);
    const { slope } = await evaluate(recordingEngine, { x }, ({ x: t }) => ({
      slope: tf.grad((y) => binaryActivation(y).sum())(t),
    }));
    expectClose(slope.data, [0, 0, 1.5, 2, 1.5, 0.5, 0], 1e-6, 'slope');
  });

  it('weights have two values for each output channel; gradients pass where |w| < 1', async () => {
    const w = { shape: [2, 3], data: [0.5, -0.5, 0.2, 3, 1, -1] };
    const { y, slope } = await evaluate(recordingEngine, { w }, ({ w: t }) => ({
      y: binaryWeight(t),
      slope: tf.grad((v) =>
        binaryWeight(v)
          .mul(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]))
          .sum(),
      )(t),
    }));
    // Means are 1/15 and 1; mean magnitudes 0.4 and 5/3.
    expectClose(y.data, [0.4, -0.4, 0.4, 5 / 3, 5 / 3, -5 / 3], 1e-6, 'weights');
    expectClose(slope.data, [1, 2, 3, 0, 0, 0], 1e-6, 'slope');
  });
});

describe('pooling and transposed convolution', () => {
  it('max pooling gives the gradient to the first maximum', async () => {
    // Two maxima in the window: PyTorch takes the first.
    const x = { shape: [1, 2, 2, 1], data: [3, 1, 3, 2] };
    const { y, dx } = await evaluate(recordingEngine, { x }, ({ x: t }) => ({
      y: maxPool(t as tf.Tensor4D, { kernel: 2, stride: 2, padding: 0 }),
      dx: tf.grad((v) => maxPool(v as tf.Tensor4D, { kernel: 2, stride: 2, padding: 0 }).sum())(t),
    }));
    expect([...y.data]).to.deep.equal([3]);
    expect([...dx.data]).to.deep.equal([1, 0, 0, 0]);
  });

  it('average pooling counts what is there', async () => {
    const x = { shape: [1, 3, 3, 1], data: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
    const { y } = await evaluate(recordingEngine, { x }, ({ x: t }) => ({
      y: averagePool(t as tf.Tensor4D, 2),
    }));
    expectClose(y.data, [3, 4.5, 7.5, 9], 1e-6, 'means');
  });

  it('transposed convolution is the gradient of the convolution, and differentiates', async () => {
    const attributes = {
      stride: [2, 2] as [number, number],
      padding: [1, 1, 1, 1] as [number, number, number, number],
      dilation: [1, 1] as [number, number],
      groups: 1,
    };
    const inputs = { x: noise([2, 3, 4, 3]), w: noise([3, 2, 3, 3], 'w') };
    const f = ({ x, w }: Record<string, tf.Tensor>) =>
      convTranspose2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 6, 8, 2], attributes);
    const cpu = await EagerEngine.create('cpu');
    const [recorded, eager] = [
      await evaluate(recordingEngine, inputs, withGradients(f)),
      await evaluate(cpu, inputs, withGradients(f)),
    ];
    for (const [name, { data }] of Object.entries(eager)) expectClose(recorded[name].data, data, 1e-5, name);
  });
});

// What several devices of XLA's CPU plugin compute beside one: losses over batches of samples that know different numbers of
// pixels, and layers that mix samples or draw random numbers.
import { expect } from 'chai';
import '../../../../modules/index.js';
import { attention } from '../../../../modules/nn/attention.js';
import {
  batchNorm,
  conv2d,
  dropChannels,
  dropout,
  dropPath,
  layerNorm,
  linear,
} from '../../../../modules/nn/layers.js';
import { ParameterTable, Pass } from '../../../../modules/nn/scope.js';
import { catalog } from '../../../../registry/catalog.js';
import { createTrialContainer } from '../../../../registry/container.js';
import { IGNORE, kindOf, type Task } from '../../../../registry/index.js';
import { randomStream } from '../../../../registry/random.js';
import * as tf from '../../../../registry/tf.js';
import type { Tracer } from '../../../../runners/engine/engine.js';
import { isBatchedBy } from '../../../../runners/model/step-shape.js';
import { expectClose, noise, runOnce, type Arrays } from '../../../support/oracle.js';
import { deviceEngines, requireXla } from '../../../support/xla/plugin.js';

const BATCH = 4;

describe('several devices', function () {
  this.timeout(600_000);

  before(function () {
    requireXla(this);
  });

  const engineOf = deviceEngines();

  /** What `define` computes from inputs of which those of samples are divided. */
  async function computed(devices: number, inputs: Arrays, define: (tracer: Tracer) => tf.NamedTensorMap) {
    const program = await engineOf(devices).compile('test', define, { isBatched: isBatchedBy(BATCH) });
    return runOnce(program, inputs);
  }

  it('compute every loss of a batch whose samples know different numbers of pixels', async () => {
    const cases = catalog.list('loss').flatMap(({ name, tasks }) => {
      const kinds = tasks?.length ? tasks : UNLISTED[name];
      return kinds.map((kind) => lossCase(name, kind));
    });
    expect(cases).to.have.lengthOf.above(20);
    const inputs = Object.assign({}, ...cases.map((each) => each.inputs)) as Arrays;
    const define = (tracer: Tracer) => Object.assign({}, ...cases.map((each) => each.define(tracer)));
    // On four devices, the sample that knows next to nothing is alone.
    const [one, four] = [await computed(1, inputs, define), await computed(4, inputs, define)];
    for (const [key, { data }] of Object.entries(one)) {
      expect(
        data.some((x) => x !== 0),
        key,
      ).to.equal(true);
      expectClose(four[key].data, data, 1e-5, key);
    }
  });

  it('compute layers with statistics, attention and random numbers', async () => {
    const inputs: Arrays = { image: noise([BATCH, 4, 6, 3]) };
    const table = new ParameterTable();
    const define = (tracer: Tracer) => {
      const image = tracer.input('image', 'float32', [BATCH, 4, 6, 3]) as tf.Tensor4D;
      const forward = () => {
        const { root } = new Pass(table, tracer, true);
        const x = batchNorm(root.at('norm'), conv2d(root.at('stem'), image, 8, { kernel: 3, padding: 1 }));
        const kept = dropChannels(root.at('channels'), x, 0.4);
        const tokens = layerNorm(root.at('layer'), kept.reshape([BATCH, 24, 8]));
        const query = linear(root.at('query'), tokens, 8) as tf.Tensor3D;
        const attended = attention(query, tokens as tf.Tensor3D, query, 2);
        const branch = dropPath(root.at('path'), dropout(root.at('drop'), attended, 0.3), 0.5);
        return branch
          .add(tokens)
          .square()
          .mul(linear(root.at('gate'), tokens, 8))
          .mean() as tf.Scalar;
      };
      forward();
      const names = [...table.parameters.keys()];
      const parameters = names.map((name) =>
        tracer.input(`parameter/${name}`, 'float32', table.parameters.get(name)!.shape),
      );
      const { value, grads } = tf.engine().gradients(forward, parameters, undefined, true);
      const outputs: tf.NamedTensorMap = { loss: value };
      names.forEach((name, i) => (outputs[`gradient/${name}`] = grads[i]));
      return outputs;
    };
    // The noises and the parameters are known when it has been recorded once.
    await computed(1, inputs, define).catch(() => {});
    for (const [name, { shape }] of table.parameters) inputs[`parameter/${name}`] = noise(shape, name, 0.3);
    for (const [name, shape] of table.noises) inputs[`noise/${name}`] = uniform(shape, name);
    expect(table.noises.size).to.equal(3);
    const one = await computed(1, inputs, define);
    for (const devices of [2, 4]) {
      const several = await computed(devices, inputs, define);
      // The bias in front of BatchNorm has a gradient of nothing but rounding.
      for (const [key, { data }] of Object.entries(one))
        expectClose(several[key].data, data, 1e-5, key, key === 'gradient/stem.bias' ? 1 : 1e-6);
    }
  });
});

/** Kinds for the losses that do not name them. */
const UNLISTED: Readonly<Record<string, readonly string[]>> = {
  depth_bins: ['depth'],
  normal_directions: ['normals'],
  regression: ['regression'],
};

/** A loss and its gradient; the first sample knows next to nothing, the last everything. */
function lossCase(type: string, kind: string) {
  const size = [4, 6] as const;
  const own = `${type}.${kind}`;
  const channels = { classes: 5, normals: 3, regression: 2 }[kind] ?? 1;
  const task: Task = { name: own, kind, channels };
  const loss = createTrialContainer([task]).create('loss', { type });
  const { batch, labelChannels } = kindOf(task);
  const shape = [BATCH, ...size, loss.channels?.(task) ?? channels];
  const perPixel = batch === 'indices' ? 1 : labelChannels(task);
  const labelShape = batch === 'indices' ? [BATCH, ...size] : [BATCH, ...size, perPixel];
  const random = randomStream(own);
  const draw =
    batch === 'indices'
      ? () => random.integer(channels)
      : kind === 'binary' || kind === 'boundary'
        ? () => Number(random.uniform() < 0.3)
        : kind === 'depth'
          ? () => 1 + 5 * random.uniform()
          : () => random.normal();
  const pixels = size[0] * size[1];
  const label = Array.from({ length: BATCH * pixels }, (_, i) => {
    const isKnown = random.uniform() < [0.1, 0.4, 0.8, 1][Math.floor(i / pixels)];
    return Array.from({ length: perPixel }, () => (isKnown ? draw() : IGNORE));
  }).flat();
  const dtype = batch === 'indices' ? 'int32' : 'float32';
  const [predicted, labelled] = [`carried/${own}`, `label/${own}`];
  return {
    inputs: {
      [predicted]: noise(shape, own),
      [labelled]: { shape: labelShape, data: label, dtype },
    } satisfies Arrays,
    define(tracer: Tracer): tf.NamedTensorMap {
      const prediction = tracer.input(predicted, 'float32', shape) as tf.Tensor4D;
      const target = tracer.input(labelled, dtype, labelShape);
      let valid: tf.Scalar | undefined;
      const { value, grads } = tf.engine().gradients(
        () => {
          const result = loss.forward(prediction, target, task);
          valid = tf.keep(result.valid);
          return result.value;
        },
        [prediction],
        undefined,
        true,
      );
      return { [own]: value, [`valid ${own}`]: valid!, [`carried/gradient ${own}`]: grads[0] };
    },
  };
}

function uniform(shape: number[], name: string): Arrays[string] {
  const random = randomStream('uniform', name);
  return { shape, data: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform()) };
}

// Memory against time: whatever a network keeps or computes again, results and gradients are the same.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { deformableAttention } from '../../../modules/nn/deformable.js';
import { softmaxAffinity } from '../../../modules/nn/ops/affinity.js';
import { feedForward } from '../../../modules/nn/feed-forward.js';
import { inputName, ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { recomputes, type MemoryPolicy } from '../../../registry/contracts/memory.js';
import type { Scope } from '../../../registry/contracts/scope.js';
import { record } from '../../../runners/engine/recording.js';
import { peakBytesOf } from '../../../runners/engine/graph/lifetimes.js';
import { evaluate, expectClose, noise, recordingEngine, type Arrays } from '../../support/oracle.js';

type Layer = (scope: Scope, x: tf.Tensor3D) => tf.Tensor;

const POLICIES = (['never', 'always'] as const).map(
  (recompute) => ({ affinity: 'tiled', recompute }) as const,
);

/** The layer's output for x and the gradients of its sum of squares. */
async function run(layer: Layer, x: Arrays[string], memory: MemoryPolicy) {
  const table = new ParameterTable();
  const define = (inputs: Record<string, tf.Tensor>, source: ConstructorParameters<typeof Pass>[1]) => {
    const outputs: tf.NamedTensorMap = {};
    const forward = () => {
      const scope = new Pass(table, source, true).root.withMemory(memory);
      outputs.output = tf.keep(layer(scope, inputs.x as tf.Tensor3D));
      return outputs.output.square().sum() as tf.Scalar;
    };
    tf.tidy(() => void forward());
    const parameters = [...table.parameters].map(
      ([name, { shape }]) => [name, source.input(inputName.parameter(name), 'float32', shape)] as const,
    );
    const wanted = [['x', inputs.x] as const, ...parameters];
    const { grads } = tf.engine().gradients(
      forward,
      wanted.map(([, tensor]) => tensor),
      undefined,
      true,
    );
    wanted.forEach(([name], i) => (outputs[`gradient of ${name}`] = grads[i]));
    return outputs;
  };
  await record((tracer) => define({ x: tracer.input('x', 'float32', x.shape) }, tracer));
  const arrays: Arrays = { x };
  for (const [name, { shape }] of table.parameters)
    arrays[inputName.parameter(name)] = noise(shape, name, 0.3);
  const results = await evaluate(recordingEngine, arrays, define);
  const { graph, outputs } = await record((tracer) =>
    define({ x: tracer.input('x', 'float32', x.shape) }, tracer),
  );
  const values = [...outputs.values()];
  return { results, peak: peakBytesOf(graph.reachable(values), new Set(values)) };
}

const LAYERS: Record<string, { layer: Layer; shape: number[] }> = {
  'feed-forward, gelu': {
    shape: [2, 50, 6],
    layer: (scope, x) => {
      const [first, second] = [scope.at('first'), scope.at('second')];
      const options = { hidden: 24, activation: 'gelu' } as const;
      // Three in a row: what each of them keeps adds up.
      return [1, 2, 3].reduce((y, i) => feedForward(first.at(`${i}`), second.at(`${i}`), y, options), x);
    },
  },
  'feed-forward, relu': {
    shape: [2, 50, 6],
    layer: (scope, x) =>
      feedForward(scope.at('first'), scope.at('second'), x, { hidden: 24, activation: 'relu' }),
  },
  'deformable attention': {
    shape: [2, 5 * 4 + 10 * 8, 8],
    layer: (scope, x) => {
      const references = Float32Array.from({ length: 200 }, (_, i) => (i % 97) / 97);
      const levels = [[5, 4] as const, [10, 8] as const];
      const options = { heads: 2, points: 2, levels };
      return [1, 2, 3].reduce((y, i) => deformableAttention(scope.at(`${i}`), y, y, references, options), x);
    },
  },
};

describe('memory policy', () => {
  for (const [name, { layer, shape }] of Object.entries(LAYERS))
    it(`${name}: computed again, the same numbers in less memory`, async () => {
      const [kept, again] = [
        await run(layer, noise(shape), POLICIES[0]),
        await run(layer, noise(shape), POLICIES[1]),
      ];
      expect(Object.keys(again.results)).to.deep.equal(Object.keys(kept.results));
      for (const [key, { data }] of Object.entries(kept.results))
        expectClose(again.results[key].data, data, 1e-6, key);
      if (name !== 'feed-forward, relu') expect(again.peak).to.be.below(kept.peak);
    });

  it('affinity in tiles: one tile at a time, forward and backward', async () => {
    const n = 256;
    const peakOf = async (tileElements: number) => {
      const { graph, outputs } = await record((tracer) => {
        const inputs = ['q', 'k', 'v', 'dy'].map(
          (name) => tracer.input(name, 'float32', [1, n, 4]) as tf.Tensor3D,
        );
        const [q, k, v, dy] = inputs;
        const forward = () => softmaxAffinity(q, k, v, tileElements);
        const { grads } = tf.engine().gradients(forward, [q, k, v], dy, true);
        return { dq: grads[0], dk: grads[1], dv: grads[2] };
      });
      const values = [...outputs.values()];
      return peakBytesOf(graph.reachable(values), new Set(values));
    };
    // Sixteen tiles; four arrays of a tile's size are needed at a time.
    const tile = (n * n) / 16;
    expect(await peakOf(tile)).to.be.below(6 * tile * 4);
    expect(await peakOf(Infinity)).to.be.above(2 * n * n * 4);
  });

  it('auto takes the large ones', () => {
    const memory = { affinity: 'tiled', recompute: 'auto' } as const;
    expect(recomputes(memory, 1 << 20)).to.equal(false);
    expect(recomputes(memory, 2 << 20)).to.equal(true);
  });
});

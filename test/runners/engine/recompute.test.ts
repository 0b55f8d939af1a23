// Values computed a second time instead of waiting: fewer bytes at a time, the same numbers to the last bit.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { toOnnx } from '../../../runners/engine/graph/onnx.js';
import { peakBytesOf } from '../../../runners/engine/graph/lifetimes.js';
import type { Graph, Value } from '../../../runners/engine/graph/ir.js';
import { hostTensor, type Tracer } from '../../../runners/engine/engine.js';
import type { HostTensor } from '../../../runners/engine/ort/session.js';
import { createNativeSession } from '../../../runners/engine/ort/native.js';
import { record, RecordingEngine } from '../../../runners/engine/recording.js';
import { batchNormalize } from '../../../modules/nn/ops/batch-norm.js';
import { layerNorm } from '../../../modules/nn/ops/layer-norm.js';
import { noise } from '../../support/oracle.js';

const [ROWS, CHANNELS, LAYERS] = [64, 16, 5];
const INPUT = [ROWS, CHANNELS];
const bytes = ROWS * CHANNELS * 4;

/** Products between which there is plenty that can be computed again, and the gradients of their weights. */
function step(tracer: Tracer): tf.NamedTensorMap {
  const x = tracer.input('x', 'float32', INPUT) as tf.Tensor2D;
  const weights = Array.from(
    { length: LAYERS },
    (_, i) => tracer.input(`w${i}`, 'float32', [CHANNELS, CHANNELS]) as tf.Tensor2D,
  );
  const [one, zero] = [tf.ones([CHANNELS]) as tf.Tensor1D, tf.zeros([CHANNELS]) as tf.Tensor1D];
  const forward = () =>
    weights
      .reduce<tf.Tensor2D>((y, w, i) => {
        const normalized = layerNorm(tf.relu(tf.matMul(y, w)).reshape([8, ROWS / 8, CHANNELS]), one, zero);
        const turned = normalized.transpose([1, 0, 2]).reshape(INPUT) as tf.Tensor2D;
        return i % 2 === 0
          ? (tf.concat([turned.slice([8]), turned.slice([0], [8])], 0) as tf.Tensor2D)
          : batchNormalize(turned, one, zero, 1e-5).y;
      }, x)
      .square()
      .sum() as tf.Scalar;
  const { value, grads } = tf.engine().gradients(forward, weights, undefined, true);
  return { value, ...Object.fromEntries(grads.map((gradient, i) => [`gradient${i}`, gradient])) };
}

const peak = ({ graph, outputs }: { graph: Graph; outputs: Map<string, Value> }) =>
  peakBytesOf(graph.reachable([...outputs.values()]), outputs.values());

async function run(
  { graph, outputs }: { graph: Graph; outputs: Map<string, Value> },
  openShapes = false,
): Promise<Record<string, number[]>> {
  const model = toOnnx(graph, outputs, undefined, { openShapes });
  const session = await createNativeSession(model, { threads: 1, optimize: 'none' });
  const results = new Map(
    [...outputs].map(([name, { shape }]) => [name, hostTensor({ dtype: 'float32', shape })]),
  );
  const inputs = new Map(
    graph.inputs.map(({ input, shape }) => [
      input!,
      { dtype: 'float32' as const, shape, data: Float32Array.from(noise([...shape], input).data) },
    ]),
  );
  const binding = session.bind(inputs, results);
  await binding.run();
  binding.close();
  session.close();
  return Object.fromEntries([...results].map(([name, { data }]) => [name, [...data]]));
}

describe('recomputation', () => {
  it('holds fewer values at a time and changes no number', async () => {
    const [kept, again] = [await record(step), await record(step, { recomputedFrom: bytes })];
    expect(peak(again)).to.be.below(0.8 * peak(kept));
    expect(await run(again)).to.deep.equal(await run(kept));
  });

  it('leaves smaller values, and products, alone', async () => {
    const products = ({ graph }: { graph: Graph }) =>
      graph.nodes.filter(({ op }) => op === 'FusedMatMul').length;
    const kept = await record(step);
    const nothing = await record(step, { recomputedFrom: bytes + 1 });
    expect(nothing.graph.nodes.length).to.equal(kept.graph.nodes.length);
    expect(products(await record(step, { recomputedFrom: bytes }))).to.equal(products(kept));
  });

  it('computes a copy right before its reader', async () => {
    const { graph, outputs } = await record(step, { recomputedFrom: bytes });
    // Every node comes after what it reads, also in the order in which nodes are written.
    const seen = new Set<Value>();
    for (const node of graph.reachable([...outputs.values()])) {
      for (const input of node.inputs) if (input?.node) expect(seen.has(input)).to.equal(true);
      for (const output of node.outputs) seen.add(output);
    }
  });

  it('leaves less to carry from one stage to the next', async () => {
    const engine = new RecordingEngine({ threads: 1, optimize: 'none' });
    const stages = async (recomputedFrom?: number) => {
      const programs = await engine.compilePair(
        'step',
        (tracer) => {
          const { value, ...gradients } = step(tracer);
          return [{ value }, gradients];
        },
        { recomputedFrom },
      );
      const tensors = new Map<string, HostTensor>();
      for (const program of programs) {
        const binding = program.bind((name, spec) => {
          const known = tensors.get(name) ?? hostTensor(spec);
          if (program.inputs.has(name) && !tensors.has(name))
            known.data.set(Float32Array.from(noise([...spec.shape], name).data));
          tensors.set(name, known);
          return known;
        });
        await binding.run();
        binding.close();
        program.close();
      }
      const carried = [...tensors].filter(([name]) => name.startsWith('carried/'));
      const gradients = [...programs[1].outputs.keys()].map((name) => [...tensors.get(name)!.data]);
      return { carried: carried.reduce((sum, [, { data }]) => sum + data.length, 0), gradients };
    };
    const [kept, again] = [await stages(), await stages(bytes)];
    engine.close();
    expect(again.carried).to.be.below(0.8 * kept.carried);
    expect(again.gradients).to.deep.equal(kept.gradients);
  });

  it('gives the same numbers where onnxruntime is not told shapes', async () => {
    const recorded = await record(step);
    expect(await run(recorded, true)).to.deep.equal(await run(recorded));
  });
});

// Graphs of small operators on several threads: the same bits as on one.
import { readdirSync, readlinkSync } from 'node:fs';
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import { hostTensor, type Program, type Tracer } from '../../../runners/engine/engine.js';
import { createEngine } from '../../../runners/engine/index.js';
import { noise } from '../../support/oracle.js';
import { pending } from '../../support/pending.js';
import { rejection } from '../../support/reference.js';

const ROWS = 192;
const WIDTH = 64;
const DEPTH = 16;

/** Two branches with values of all types between them; its gradients; outputs that are inputs, or one value twice. */
function network(tracer: Tracer): tf.NamedTensorMap {
  const x = tracer.input('x', 'float32', [ROWS, WIDTH]) as tf.Tensor2D;
  const index = tracer.input('index', 'int32', [ROWS]) as tf.Tensor1D;
  const weights = ['a', 'b'].map((name) => tracer.input(name, 'float32', [WIDTH, WIDTH]) as tf.Tensor2D);
  const branch = (w: tf.Tensor2D): tf.Tensor2D => {
    let y = x;
    for (let i = 0; i < DEPTH; i++) y = tf.tanh(tf.matMul<tf.Tensor2D>(y, w));
    return y;
  };
  const forward = () => {
    const [a, b] = weights.map(branch);
    const both = tf.maximum(a, b).add<tf.Tensor2D>(a.reshape([WIDTH, ROWS]).transpose());
    return tf.gather(both, index).square().sum<tf.Scalar>();
  };
  const { value, grads } = tf.engine().gradients(forward, weights, undefined, true);
  const [a, b] = weights.map(branch);
  return { value, again: value, copy: x, ya: a, yb: b.reshape([WIDTH, ROWS]), da: grads[0], db: grads[1] };
}

function bound(program: Program, seed: string) {
  const tensors = new Map<string, ReturnType<typeof hostTensor>>();
  const binding = program.bind((name, spec) => {
    let tensor = tensors.get(name);
    if (tensor) return tensor;
    tensors.set(name, (tensor = hostTensor(spec)));
    if (name === 'index') tensor.data.set(Array.from({ length: ROWS }, (_, i) => (i * 7) % ROWS));
    else if (program.inputs.has(name)) tensor.data.set(noise([...spec.shape], seed + name, 0.25).data);
    return tensor;
  });
  return { binding, tensors };
}

const outputsOf = (program: Program, tensors: ReadonlyMap<string, { data: ArrayLike<number> }>) =>
  Object.fromEntries([...program.outputs.keys()].map((name) => [name, Array.from(tensors.get(name)!.data)]));

async function resultOf(threads: number, seed: string) {
  const engine = await createEngine({ type: 'onnx', provider: 'cpu' }, threads);
  try {
    const program = await engine.compile('network', network);
    const { binding, tensors } = bound(program, seed);
    await binding.run();
    const outputs = outputsOf(program, tensors);
    binding.close();
    program.close();
    return { parts: program.stats.parts, outputs };
  } finally {
    engine.close();
  }
}

describe('small graphs on several threads', () => {
  it('compute the same bits as on one', async () => {
    const one = await resultOf(1, 'seed');
    expect(one.parts).to.equal(1);
    expect(one.outputs.value[0]).to.be.above(1);
    for (const threads of [2, 3]) {
      const several = await resultOf(threads, 'seed');
      expect(several.parts).to.be.above(3);
      expect(several.outputs).to.deep.equal(one.outputs);
    }
  });

  it('run again with what the arrays hold then, and in turn with other programs', async () => {
    const engine = await createEngine({ type: 'onnx', provider: 'cpu' }, 2);
    const program = await engine.compile('network', network);
    const [first, second] = [bound(program, 'first'), bound(program, 'second')];
    await Promise.all([first.binding.run(), second.binding.run(), first.binding.run()]);
    const { outputs } = await resultOf(1, 'first');
    expect(outputsOf(program, first.tensors)).to.deep.equal(outputs);
    expect(outputsOf(program, second.tensors).value).not.to.deep.equal(outputs.value);
    first.tensors.get('x')!.data.set(second.tensors.get('x')!.data);
    await first.binding.run();
    expect(outputsOf(program, first.tensors).value).not.to.deep.equal(outputs.value);
    engine.close();
  });

  it('say what failed, and run afterwards', async () => {
    const engine = await createEngine({ type: 'onnx', provider: 'cpu' }, 2);
    const program = await engine.compile('network', network);
    expect(program.stats.parts).to.be.above(1);
    const { binding, tensors } = bound(program, 'seed');
    tensors.get('index')!.data[3] = ROWS + 1;
    const error = await rejection(binding.run());
    expect(error.message).to.match(/onnxruntime RunWithBinding.*indices/);
    tensors.get('index')!.data[3] = 0;
    await binding.run();
    expect(outputsOf(program, tensors).value[0]).to.be.above(1);
    engine.close();
  });
});

describe('onnxruntime', () => {
  it('does not report what it runs', async function () {
    if (process.platform !== 'linux') pending(this, 'needs /proc');
    await resultOf(1, 'seed');
    const files = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(files.filter((file) => file.includes('onnxruntime.db'))).to.deep.equal([]);
  });
});

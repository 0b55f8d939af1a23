// Every operator that a pass over vectors computes, beside onnxruntime, to the last bit; but zero has no sign here, which
// onnxruntime does not keep when it selects.
import { expect } from 'chai';
import * as tf from '../../../../registry/tf.js';
import { hostTensor } from '../../../../runners/engine/engine.js';
import { recordingEngine } from '../../../support/oracle.js';

const LENGTH = 64;
const SPECIAL = [0, -0, 1, -1, 0.5, 2.5, -2.5, 1.5, NaN, Infinity, -Infinity, 1e-42, -1e-42, 3e38, 1e-20];
const numbers = (shift: number) =>
  Float32Array.from({ length: LENGTH }, (_, i) => SPECIAL[(i + shift * Math.floor(i / 15)) % SPECIAL.length]);

type Operation = (x: tf.Tensor, y: tf.Tensor, s: tf.Scalar) => tf.Tensor;

const OPERATIONS: Record<string, Operation> = {
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y),
  maximum: (x, y) => x.maximum(y),
  minimum: (x, y) => x.minimum(y),
  neg: (x) => x.neg(),
  abs: (x) => x.abs(),
  sqrt: (x) => x.sqrt(),
  rsqrt: (x) => x.rsqrt(),
  ceil: (x) => x.ceil(),
  floor: (x) => x.floor(),
  round: (x) => x.round(),
  reciprocal: (x) => x.reciprocal(),
  relu: (x) => x.relu(),
  clip: (x) => x.clipByValue(-1, 1),
  sign: (x) => x.sign(),
  'greater, cast': (x, y) => x.greater(y).cast('float32'),
  'less or equal, where': (x, y) => tf.where(x.lessEqual(y), x, y),
  'logic of comparisons': (x, y) =>
    tf.where(x.equal(y).logicalOr(x.less(0).logicalNot().logicalAnd(y.greaterEqual(1))), x, y.neg()),
  isNaN: (x, y) => tf.where(tf.isNaN(x), y, x),
  'cast to bool': (x, y) => tf.where(x.cast('bool').logicalXor(y.cast('bool')), x, y),
  'scalar, before the loop': (x, _y, s) => x.mul(s.mul(2).add(1).sqrt()),
  constant: (x) => x.mul(0).add(tf.fill([LENGTH], 0.1)),
};

/** x replaced by the operation's result. */
async function inOnePass(operation: Operation): Promise<Float32Array | undefined> {
  const program = await recordingEngine.compileVectors(
    'test',
    (tracer) => ({
      x: operation(
        tracer.input('x', 'float32', [LENGTH]),
        tracer.input('y', 'float32', [LENGTH]),
        tracer.input('s', 'float32', []) as tf.Scalar,
      ),
    }),
    { length: LENGTH, vectors: ['x', 'y'], scalars: ['s'], parts: [0] },
  );
  if (!program) return undefined;
  program.vectors.get('x')!.set(numbers(0));
  program.vectors.get('y')!.set(numbers(1));
  program.run([{ s: 0.7 }]);
  program.close();
  return program.vectors.get('x');
}

async function byOnnxruntime(operation: Operation): Promise<Float32Array> {
  const program = await recordingEngine.compile('test', (tracer) => ({
    out: operation(
      tracer.input('x', 'float32', [LENGTH]),
      tracer.input('y', 'float32', [LENGTH]),
      tracer.input('s', 'float32', []) as tf.Scalar,
    ),
  }));
  const out = hostTensor(program.outputs.get('out')!);
  const inputs: Record<string, Float32Array> = { x: numbers(0), y: numbers(1), s: Float32Array.of(0.7) };
  const binding = program.bind((name, spec) =>
    name === 'out' ? out : Object.assign(hostTensor(spec), { data: inputs[name] }),
  );
  await binding.run();
  binding.close();
  program.close();
  return out.data as Float32Array;
}

describe('passes over vectors', () => {
  for (const [name, operation] of Object.entries(OPERATIONS))
    it(`computes ${name} as onnxruntime does`, async () => {
      const [ours, expected] = [await inOnePass(operation), await byOnnxruntime(operation)];
      expect(ours, 'not translated').to.not.equal(undefined);
      ours!.forEach((value, i) =>
        expect(Object.is(value + 0, expected[i] + 0), `number ${i}: ${value}, not ${expected[i]}`).to.equal(
          true,
        ),
      );
    });

  const refused: Record<string, Operation> = {
    'an operation that is not exact': (x) => x.exp(),
    'a sum over the vector': (x) => x.sub(x.mean()),
    'another constant for each number': (x) => x.add(tf.range(0, LENGTH, 1, 'float32')),
    'numbers in another order': (x) => x.reverse(),
  };
  for (const [name, operation] of Object.entries(refused))
    it(`refuses ${name}`, async () => {
      expect(await inOnePass(operation)).to.equal(undefined);
    });
});

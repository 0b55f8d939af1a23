// The recording engine as a whole: what a program reports of itself, sessions that are shared, and where a value
// that is not finite comes from.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { EagerEngine } from '../../../runners/engine/eager.js';
import { hostTensor, type Program, type Tracer } from '../../../runners/engine/engine.js';
import { createNodeSession } from '../../../runners/engine/ort/node.js';
import { createNativeSession } from '../../../runners/engine/ort/native.js';
import { RecordingEngine } from '../../../runners/engine/recording.js';
import { evaluate, expectClose, noise } from '../../support/oracle.js';
import { rejection } from '../../support/reference.js';

const square = (tracer: Tracer): tf.NamedTensorMap => {
  const x = tracer.input('x', 'float32', [3]);
  return { y: x.square().add(x) };
};

async function run(program: Program, x: number[]): Promise<number[]> {
  const given = { ...hostTensor({ dtype: 'float32', shape: [3] }) };
  given.data.set(x);
  const y = hostTensor({ dtype: 'float32', shape: [3] });
  const binding = program.bind((name) => (name === 'x' ? given : y));
  await binding.run();
  binding.close();
  return [...y.data];
}

function countingEngine() {
  let sessions = 0;
  const engine = new RecordingEngine({
    threads: 2,
    optimize: 'none',
    createSession: (model, options) => {
      sessions++;
      return createNativeSession(model, options);
    },
  });
  return { engine, sessions: () => sessions };
}

describe('the recording engine', () => {
  it('runs what it recorded, and says how large it is and how long that took', async () => {
    const { engine } = countingEngine();
    const program = await engine.compile('square', square);
    expect(await run(program, [1, -2, 3])).to.deep.equal([2, 2, 12]);
    expect(program.stats.nodes).to.equal(2);
    expect(program.stats.bytes).to.be.above(50);
    expect(program.stats.recordSeconds).to.be.above(0);
    expect(program.stats.sessionSeconds).to.be.above(0);
    engine.close();
  });

  it('computes denormal numbers alike on every thread', async () => {
    const { engine } = countingEngine();
    const length = 1 << 20;
    const program = await engine.compile('tiny', (tracer) => {
      const x = tracer.input('x', 'float32', [length]);
      return { y: x.mul(x) };
    });
    const tensors = { x: hostTensor(program.inputs.get('x')!), y: hostTensor(program.outputs.get('y')!) };
    tensors.x.data.fill(1e-20);
    const binding = program.bind((name) => tensors[name as 'x' | 'y']);
    for (let i = 0; i < 20; i++) {
      await binding.run();
      expect(tensors.y.data.every((y) => y > 0)).to.equal(true);
    }
    binding.close();
    engine.close();
  });

  it('keeps sessions: the same graph again needs no new one, even after its program was closed', async () => {
    const { engine, sessions } = countingEngine();
    const first = await engine.compile('first', square);
    const second = await engine.compile('second', square);
    expect(sessions()).to.equal(1);
    first.close();
    expect(await run(second, [0, 1, 2])).to.deep.equal([0, 2, 6]);
    second.close();
    const third = await engine.compile('third', square);
    expect(sessions()).to.equal(1);
    expect(await run(third, [1, 1, 1])).to.deep.equal([2, 2, 2]);
    engine.close();
  });

  it('computes the same through the C API and through the Node binding', async () => {
    const inputs = { x: noise([5, 7]), w: noise([7, 3], 'w') };
    const define = ({ x, w }: Record<string, tf.Tensor>) => ({ y: tf.matMul(x, w).relu() });
    const [native, node] = await Promise.all(
      [createNativeSession, createNodeSession].map((createSession) =>
        evaluate(new RecordingEngine({ threads: 2, optimize: 'none', createSession }), inputs, define),
      ),
    );
    expectClose(node.y.data, native.y.data, 1e-6, 'y');
  });

  it('names the first value that is not finite: an input, or the operator and its place in the model', async () => {
    const { engine } = countingEngine();
    const program = await engine.compile('log', (tracer) => {
      const x = tracer.input('x', 'float32', [3]);
      tracer.label('encoder.stage');
      const y = x.sub(1).log();
      tracer.label('head');
      return { y: y.mul(2).sum() };
    });
    const given = (values: number[]) => () => {
      const tensor = hostTensor({ dtype: 'float32', shape: [3] });
      tensor.data.set(values);
      return tensor;
    };
    expect(await program.firstNonFinite(given([2, 3, 4]))).to.equal(undefined);
    expect(await program.firstNonFinite(given([2, 0.5, 4]))).to.equal('Log in encoder.stage');
    expect(await program.firstNonFinite(given([2, NaN, 4]))).to.equal('input "x"');
    engine.close();
  });

  it('finds the cause also where NaN becomes an index and an operator fails', async () => {
    const { engine } = countingEngine();
    const program = await engine.compile('gather', (tracer) => {
      const x = tracer.input('x', 'float32', [3]);
      tracer.label('offsets');
      const index = x.log().abs().minimum(2).toInt();
      tracer.label('sampling');
      return { y: tf.gather(tf.tensor1d([1, 2, 3]).mul(x), index as tf.Tensor1D) };
    });
    const x = hostTensor({ dtype: 'float32', shape: [3] });
    x.data.set([-1, 1, 2]);
    expect(await program.firstNonFinite(() => x)).to.equal('Log in offsets');
    engine.close();
  });

  it('refuses to draw at random, as the engines do that record nothing, and leaves Math.random as it was', async () => {
    const { random } = Math;
    const ways: Record<string, (x: tf.Tensor) => tf.Tensor> = {
      'tf.dropout': (x) => tf.dropout(x, 0.5),
      'tf.randomUniform': (x) => x.add(tf.randomUniform([3])),
      'Math.random': (x) => x.add(Math.random()),
    };
    for (const engine of [countingEngine().engine, await EagerEngine.create('cpu')])
      for (const [name, way] of Object.entries(ways)) {
        const error = await rejection(
          engine.compile('random', (tracer) => ({ y: way(tracer.input('x', 'float32', [3])) })),
        );
        expect(error.message).to.match(new RegExp(`^${name} would be drawn once`));
        expect(error.hint).to.contain('scope.noise(name, shape)');
        expect(Math.random).to.equal(random);
        expect(tf.randomUniform([3]).shape).to.deep.equal([3]);
      }
  });

  it('refuses to look at values while recording, waited for or not', async () => {
    const { engine } = countingEngine();
    const error = await rejection(
      engine.compile('later', (tracer) => {
        const x = tracer.input('x', 'float32', [3]);
        void x.data().then(() => expect.fail('there is no value'));
        return { y: x.add(1) };
      }),
    );
    expect(error.message).to.contain('asked for while recording');
    // What is known while recording can be read.
    await engine.compile('known', (tracer) => {
      const y = tracer.input('x', 'float32', [3]).mul(tf.tensor1d([1, 2, 3]).sum().add(1).mul(0).add(2));
      expect([...tf.tensor1d([1, 2, 3]).dataSync()]).to.deep.equal([1, 2, 3]);
      return { y };
    });
  });

  it('refuses to look at values while recording, with a way out', async () => {
    const { engine } = countingEngine();
    const error = await engine
      .compile('look', (tracer) => {
        const x = tracer.input('x', 'float32', [3]);
        return { y: x.mul(x.add(1).dataSync()[0]) };
      })
      .catch((problem: Error) => problem);
    expect(error).to.have.property('message').that.contains('asked for while recording');
    expect(error).to.have.property('hint').that.contains('tf.where');
    engine.close();
  });
});

// Reshapes that wait until another one undoes them: results stay what they were, and the reshapes are gone.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import '../../../modules/nn/ops/gaps.js';
import type { Tracer } from '../../../runners/engine/engine.js';
import { axesBeforeReshape, axesLeaving, unshaped } from '../../../runners/engine/graph/views.js';
import { record } from '../../../runners/engine/recording.js';
import { evaluate, expectSame, noise, recordingEngine } from '../../support/oracle.js';

type Tensors = Record<string, tf.Tensor>;

const inputs = {
  x: noise([2, 3, 4, 6]),
  y: noise([2, 3, 4, 6], 'y'),
  v: noise([6], 'v'),
  w: noise([5, 6], 'w'),
};

/** What a layer does that sees a map as rows of channels. */
const rows = (x: tf.Tensor): tf.Tensor2D => x.reshape([-1, x.shape.at(-1)!]);

const unaffected: Record<string, (t: Tensors) => tf.Tensor> = {
  'a function of each number': ({ x }) => rows(x).exp().reshape(x.shape),
  'arithmetic with a number': ({ x }) => rows(x).mul(3).reshape(x.shape),
  'arithmetic with a vector of channels': ({ x, v }) => rows(x).add(v).reshape(x.shape),
  'arithmetic with another map seen the same way': ({ x, y }) =>
    rows(x).div(rows(y).abs().add(1)).reshape(x.shape),
  'a comparison': ({ x, y }) => rows(x).greater(rows(y)).cast('float32').reshape(x.shape),
  'a product with one matrix': ({ x, w }) =>
    tf.matMul(rows(x), w as tf.Tensor2D, false, true).reshape([2, 3, 4, 5]),
  softmax: ({ x }) => tf.softmax(rows(x)).reshape(x.shape),
  'a sum over rows': ({ x }) => rows(x).sum(0),
  'the mean of each row': ({ x }) => rows(x).mean(1).reshape([2, 3, 4]),
};

/** Each may look as if the reshape could wait, and has to be right whether it does or not. */
const others: Record<string, (t: Tensors) => tf.Tensor | tf.Tensor[]> = {
  'an outer product of two views of one vector': ({ v }) => v.reshape([6, 1]).mul(v.reshape([1, 6])),
  'a vector along an axis that a reshape split': ({ x }) =>
    x
      .reshape([24, 2, 3])
      .mul(tf.tensor([1, 2, 3]))
      .add(tf.tensor([[5], [7]]))
      .reshape(x.shape),
  'a vector that meets a map of one channel': ({ x, v }) => x.mean(3).reshape([24, 1]).add(v),
  'sums over parts of what was one axis': ({ x }) => [
    x.reshape([24, 2, 3]).sum(2),
    x.reshape([6, 8, 3]).max([0, 2]),
  ],
  'sums that keep axes': ({ x }) => [rows(x).sum(0, true), rows(x).sum(1, true), rows(x).sum()],
  'products over rows': ({ x, y }) => [
    tf.matMul(rows(x), rows(y), true, false),
    tf.matMul(x.reshape([6, 4, 6]), y.reshape([6, 4, 6]), false, true),
  ],
  'one matrix times a stack': ({ x }) =>
    tf.matMul(tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 4]), x.reshape([6, 4, 6])).reshape([2, 3, 2, 6]),
  'softmax along an axis that a reshape made': ({ x }) => tf.softmax(x.reshape([2, 12, 2, 3])),
  'a slope by channel': ({ x, v }) => tf.prelu<tf.Tensor>(rows(x), v).reshape(x.shape),
  'a choice': ({ x, y, v }) => tf.where(rows(x).greater(0), rows(y), v.mul(2)).reshape(x.shape),
};

async function operators(define: (t: Tensors) => tf.Tensor): Promise<string[]> {
  const { graph, outputs } = await record((tracer: Tracer) => {
    const tensors = Object.entries(inputs).map(
      ([name, { shape }]) => [name, tracer.input(name, 'float32', shape)] as const,
    );
    return { out: define(Object.fromEntries(tensors)) };
  });
  return graph.reachable([...outputs.values()]).map(({ op }) => op);
}

describe('reshapes that wait', () => {
  for (const [name, f] of Object.entries(unaffected))
    it(`${name}: no reshape is left, the result is the same`, async () => {
      expect(await operators(f)).to.not.include('Reshape');
      await expectSame(inputs, f);
    });

  for (const [name, f] of Object.entries(others))
    it(`${name}: the result is the same`, () => expectSame(inputs, f));

  it('an output is written without a last reshape, in the shape that was asked for', async () => {
    const define = ({ x }: Tensors) => ({ out: x.exp().reshape([6, 24]) });
    const { out } = await evaluate(recordingEngine, { x: inputs.x }, define);
    expect(out.shape).to.deep.equal([6, 24]);
    expect(out.data[7]).to.be.closeTo(Math.exp(Array.from(inputs.x.data)[7]), 1e-5);
    const { graph, outputs } = await record((tracer) =>
      define({ x: tracer.input('x', 'float32', [2, 3, 4, 6]) }),
    );
    expect(graph.reachable([...unshaped(outputs).values()]).map(({ op }) => op)).to.deep.equal(['Exp']);
  });

  it('an input that is only reshaped stays one', async () => {
    const { out } = await evaluate(recordingEngine, { x: inputs.x }, ({ x }) => ({ out: x.reshape([144]) }));
    expect([...out.data]).to.deep.equal(Array.from(inputs.x.data));
  });

  it('finds the axes that hold what axes of a view hold', () => {
    expect(axesBeforeReshape([2, 3, 4, 6], [24, 6], [0])).to.deep.equal([0, 1, 2]);
    expect(axesBeforeReshape([2, 3, 4, 6], [2, 12, 6], [1])).to.deep.equal([1, 2]);
    expect(axesBeforeReshape([24, 6], [2, 3, 4, 6], [0, 1])).to.equal(undefined);
    expect(axesBeforeReshape([8, 1, 1, 32], [8, 32], [0])).to.deep.equal([0]);
    expect(axesBeforeReshape([6], [1, 2, 3, 1], [1, 2])).to.deep.equal([0]);
    expect(axesBeforeReshape([4, 6], [6, 4], [0])).to.equal(undefined);
  });

  it('finds which axes of one element have to go as well', () => {
    expect(axesLeaving([8, 1, 1, 32], [0], [32])).to.deep.equal([0, 1, 2]);
    expect(axesLeaving([8, 1, 1, 32], [0], [1, 32])).to.deep.equal([0, 2]);
    expect(axesLeaving([24], [0], [1])).to.equal(undefined);
  });

  it('operands in either order are one operator', async () => {
    const ops = await operators(({ x, y }) => x.mul(y).sub(y.mul(x).exp()));
    expect(ops.filter((op) => op === 'Mul')).to.have.length(1);
  });
});

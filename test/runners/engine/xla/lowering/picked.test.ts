// What extrema are picked from is computed once: XLA may round a value otherwise where it computes it again.
import { expect } from 'chai';
import * as tf from '../../../../../registry/tf.js';
import { maxPool } from '../../../../../modules/nn/index.js';
import { TARGETS } from '../../../../../runners/engine/graph/target.js';
import { record } from '../../../../../runners/engine/recording.js';
import { lowerGraph } from '../../../../../runners/engine/xla/session.js';

describe('values that extrema are picked from', () => {
  /** Operations of the gradient of a function of a b + a, and where barriers stand among them. */
  const lowered = async (picked: (x: tf.Tensor4D) => tf.Tensor, withGradient = true) => {
    const { graph, outputs } = await record(
      (tracer): tf.NamedTensorMap => {
        const [a, b] = ['a', 'b'].map((name) => tracer.input(name, 'float32', [1, 6, 6, 4]) as tf.Tensor4D);
        const value = (x: tf.Tensor4D) => picked(x.mul<tf.Tensor4D>(b).add<tf.Tensor4D>(x));
        if (!withGradient) return { y: value(a) };
        return {
          gradient: tf.grad((x) =>
            value(x as tf.Tensor4D)
              .square()
              .sum(),
          )(a),
        };
      },
      { target: TARGETS.xla },
    );
    const lines = lowerGraph(graph, outputs, new Map()).text.split('\n');
    const barriers = lines.filter((line) => line.includes('optimization_barrier'));
    return { lines, barriers };
  };

  it('are computed once, whatever picks', async () => {
    const window = { kernel: 3, stride: 2, padding: 1 };
    const cases = {
      pool: await lowered((x) => maxPool(x, window)),
      max: await lowered((x) => x.max([1, 2])),
      min: await lowered((x) => x.transpose([0, 3, 1, 2]).min([2])),
      argMax: await lowered((x) => x.argMax(3).cast('float32'), false),
    };
    for (const [name, { lines, barriers }] of Object.entries(cases)) {
      expect(barriers, name).to.have.length(1);
      const [, made, operand] = /^(%v\d+) = stablehlo.optimization_barrier (%v\d+) /.exec(barriers[0])!;
      const users = lines.filter((line) => new RegExp(`${operand}\\b`).test(line.replace(/^%v\d+ = /, '')));
      expect(users, `${name}: nothing else reads what lies before the barrier`).to.deep.equal(barriers);
      expect(lines.join('\n'), name).to.match(new RegExp(`= .*${made}\\b`));
    }
  });

  it('are no operands of arithmetic alone', async () => {
    expect((await lowered((x) => x.relu())).barriers).to.deep.equal([]);
    expect((await lowered((x) => x.clipByValue(-1, 1).sigmoid())).barriers).to.deep.equal([]);
  });
});

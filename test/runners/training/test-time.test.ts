// Test-time augmentation: a network that follows flips and sizes as it should predicts the same with it, and one that
// does not is averaged, by hand.
import '../../../modules/index.js';
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { Regression } from '../../../modules/tasks/regression.js';
import { catalog } from '../../../registry/catalog.js';
import { component, type TaskKind } from '../../../registry/index.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { averageOverViews } from '../../../runners/training/test-time.js';

const TASKS: Task[] = [
  { name: 'semseg', kind: 'classes', channels: 2 },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
  { name: 'saliency', kind: 'binary', channels: 1 },
];
const [HEIGHT, WIDTH] = [32, 64];

/** Columns rise from left to right, by which a mirrored picture is told. */
const image = () => {
  const rising = tf.linspace(0, 1, WIDTH).reshape([1, 1, WIDTH, 1]);
  return rising.tile([1, HEIGHT, 1, 3]) as tf.Tensor4D;
};
const values = (tensor: tf.Tensor) => [...tensor.dataSync()];

/** Point by point; x of normals is negated in a mirrored picture, and depth is less in a larger one. */
function perfect(view: tf.Tensor4D): Record<string, tf.Tensor4D> {
  const [first, last] = [
    view.slice([0, 0, 0, 0], [1, 1, 1, 1]),
    view.slice([0, 0, view.shape[2] - 1, 0], [1, 1, 1, 1]),
  ];
  const mirrored = values(first)[0] > values(last)[0];
  const scale = view.shape[1] / HEIGHT;
  const x = view.slice([0, 0, 0, 0], [-1, -1, -1, 1]);
  return {
    semseg: tf.concat([x, x.neg()], 3) as tf.Tensor4D,
    depth: x.add(2).div(scale),
    normals: tf.concat([x.mul(mirrored ? -1 : 1), x.add(1), x.sub(2)], 3) as tf.Tensor4D,
    saliency: x.mul(3),
  };
}

describe('test-time augmentation', () => {
  before(async () => {
    await tf.setBackend('cpu');
  });

  for (const [flip, scales] of [
    [true, [1]],
    [false, [2]],
    [true, [1, 2, 3]],
  ] as const)
    it(`changes nothing for a network that follows: flip ${flip}, scales ${scales.join()}`, () => {
      const plain = perfect(image());
      const sizes: number[][] = [];
      const seen = (view: tf.Tensor4D) => {
        sizes.push(view.shape.slice(1, 3));
        return perfect(view);
      };
      const averaged = averageOverViews(image(), TASKS, seen, { flip, scales });
      expect(sizes).to.deep.equal(
        scales.flatMap((scale) => Array(flip ? 2 : 1).fill([scale * HEIGHT, scale * WIDTH])),
      );
      // Interpolation there and back moves a ramp at its two ends only.
      for (const { name } of TASKS) {
        const expected = values(name === 'semseg' ? tf.softmax(plain[name]) : plain[name]);
        values(averaged[name]).forEach((value, i) =>
          expect(value, `${name}, ${i}`).to.be.closeTo(expected[i], 0.02),
        );
      }
    });

  it('averages probabilities of classes and raw predictions of others', () => {
    let call = 0;
    const forward = (view: tf.Tensor4D) => {
      call++;
      const shape = view.shape.slice(0, 3) as [number, number, number];
      return {
        semseg: tf.concat([tf.fill([...shape, 1], call), tf.zeros([...shape, 1])], 3) as tf.Tensor4D,
        depth: tf.fill([...shape, 1], call) as tf.Tensor4D,
        normals: tf.fill([...shape, 3], call) as tf.Tensor4D,
        saliency: tf.fill([...shape, 1], call) as tf.Tensor4D,
      };
    };
    const found = averageOverViews(image(), TASKS, forward, { flip: true, scales: [1, 2] });
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const first = (name: string, channels: number) => values(found[name]).slice(0, channels);
    const p = [1, 2, 3, 4].map(sigmoid).reduce((a, b) => a + b) / 4;
    expect(first('semseg', 2)[0]).to.be.closeTo(p, 1e-6);
    // 1 and 2 at their size, 3 and 4 in a picture twice as large: depths there are halved.
    expect(first('depth', 1)[0]).to.be.closeTo((1 + 2 + 2 * (3 + 4)) / 4, 1e-6);
    // x of the second and the fourth is turned back.
    const [x, y, z] = first('normals', 3);
    expect(x).to.be.closeTo((1 - 2 + 3 - 4) / 4, 1e-6);
    expect([y, z]).to.deep.equal([2.5, 2.5]);
    expect(first('saliency', 1)[0]).to.be.closeTo(2.5, 1e-6);
  });

  it('sizes are multiples of what strides divide', () => {
    const sizes: number[][] = [];
    averageOverViews(
      image(),
      TASKS,
      (view) => {
        sizes.push(view.shape.slice(1, 3));
        return perfect(view);
      },
      { flip: false, scales: [0.1, 0.75, 1.3] },
    );
    expect(sizes).to.deep.equal([
      [32, 32],
      [32, 64],
      [32, 96],
    ]);
  });

  describe('of a kind whose channels change places in a mirrored picture', () => {
    /** Left and right, as heat maps of hands. */
    class Sides extends Regression {
      readonly move: NonNullable<TaskKind['move']> = (data, { flip }) =>
        flip ? data.map((_, i) => data[i ^ 1]) : data;
    }
    before(() => {
      component({ kind: 'task', name: 'sides', summary: 'left and right', file: import.meta.url })(Sides);
    });
    after(() => catalog.remove('task', 'sides'));

    it('puts them back', () => {
      const hands: Task[] = [{ name: 'hands', kind: 'sides', channels: 2 }];
      let mirrored = true;
      // A network that follows: what the first channel has is in the second one when it sees the mirrored picture.
      const forward = ({ shape: [, height, width] }: tf.Tensor4D) => {
        mirrored = !mirrored;
        const plane = (value: number) => tf.fill([1, height, width, 1], value);
        const channels = mirrored ? [plane(0.25), plane(4)] : [plane(4), plane(0.25)];
        return { hands: tf.concat(channels, 3) as tf.Tensor4D };
      };
      const averaged = averageOverViews(image(), hands, forward, { flip: true, scales: [1] });
      expect(values(averaged.hands).slice(0, 2)).to.deep.equal([4, 0.25]);
    });
  });
});

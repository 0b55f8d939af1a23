// The labels that auxiliary losses receive: each cell has the label of the pixel at its centre.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import '../../../modules/index.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { AuxiliaryContext } from '../../../registry/contracts/auxiliary.js';
import { IGNORE, type Task } from '../../../registry/contracts/tasks.js';
import { objective } from '../../../runners/model/objective.js';
import { evaluate, recordingEngine } from '../../support/oracle.js';

const TASKS: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: 3 },
  { name: 'normals', kind: 'normals', channels: 3 },
];
const [ROWS, COLUMNS] = [4, 6];

async function labelsAt(size: readonly [number, number]) {
  const classes = Int32Array.from({ length: ROWS * COLUMNS }, (_, i) => i % 3);
  classes[7] = IGNORE;
  const normals = Float32Array.from({ length: ROWS * COLUMNS * 3 }, (_, i) => i);
  const components = createTrialContainer(TASKS);
  const loss = {
    forward: ({ label }: AuxiliaryContext) => {
      for (const { name } of TASKS) seen[`the ${name}`] = tf.keep(label(name, size));
      return tf.scalar(0);
    },
  };
  const seen: tf.NamedTensorMap = {};
  const inputs = {
    classes: { shape: [1, ROWS, COLUMNS], data: Float32Array.from(classes) },
    normals: { shape: [1, ROWS, COLUMNS, 3], data: normals },
  };
  return evaluate(recordingEngine, inputs, (given) => {
    const source = { input: () => tf.scalar(0), label: () => {} };
    objective(
      {
        tasks: TASKS,
        losses: {
          semseg: components.create('loss', { type: 'cross_entropy' }),
          normals: components.create('loss', { type: 'normals' }),
        },
        scheme: components.create('scheme', { type: 'equal' }),
        intermediate: { reduce: 'mean', scheme: true, weight: 1 },
        auxiliary: [{ name: 'looks', loss, weight: 1 }],
      },
      new Pass(new ParameterTable(), source, true),
      { semseg: tf.zeros([1, 2, 3, 3]), normals: tf.zeros([1, 2, 3, 3]) },
      { semseg: given.classes.cast('int32'), normals: given.normals },
      { weights: { semseg: tf.scalar(1), normals: tf.scalar(1) }, scalars: {} },
    );
    return seen;
  });
}

describe('labels for auxiliary losses', () => {
  it('half the size: the pixel after the centre', async () => {
    const { 'the semseg': semseg, 'the normals': normals } = await labelsAt([2, 3]);
    const pixels = [1, 3].flatMap((row) => [1, 3, 5].map((column) => row * COLUMNS + column));
    expect([...semseg.data]).to.deep.equal(pixels.map((pixel) => (pixel === 7 ? IGNORE : pixel % 3)));
    expect([...normals.data]).to.deep.equal(pixels.flatMap((pixel) => [0, 1, 2].map((i) => 3 * pixel + i)));
  });

  it('sizes that do not divide each other', async () => {
    const { 'the normals': normals } = await labelsAt([3, 4]);
    const pixels = [0, 2, 3].flatMap((row) => [0, 2, 3, 5].map((column) => row * COLUMNS + column));
    expect([...normals.data]).to.deep.equal(pixels.flatMap((pixel) => [0, 1, 2].map((i) => 3 * pixel + i)));
  });
});

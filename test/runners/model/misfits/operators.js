// An interaction and a loss with operations that cannot be recorded, or have no gradient, by option.
import * as tf from '@tensorflow/tfjs-core';
import { define } from 'mtcp/registry';

/** Each gets a map and gives one back, changed. */
const WAYS = {
  'tf.topk': (x) => x.add(tf.topk(x, 2).values.mean()),
  'tf.conv2d': (x) => tf.conv2d(x, tf.ones([3, 3, x.shape[3], x.shape[3]]), 1, 'same'),
  'tf.maxPool': (x) => tf.maxPool(x, 3, 1, 'same'),
  'tf.einsum': (x) => x.add(tf.einsum('bijc->c', x)),
  'tf.mirrorPad': (x) => x.add(tf.mean(tf.mirrorPad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], 'reflect'))), // prettier-ignore
  'tf.image.resizeBilinear': (x) => tf.image.resizeBilinear(x, x.shape.slice(1, 3)),
  'tf.unique': (x) => x.add(tf.unique(x.reshape([-1])).values.mean()),
  'tf.norm, of others': (x) => x.div(tf.norm(x).add(1)),
  'tf.stridedSlice': (x) => x.add(tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, 2, 2, 1]).mean()),
  'tf.gatherND': (x) => x.add(tf.gatherND(x, [[0, 0, 0]]).mean()),
  'tf.stridedSlice of a constant': (x) => x.mul(tf.stridedSlice(tf.ones([4]), [0], [4], [2]).mean()),
  nothing: (x) => x,
};

const options = {
  type: 'object',
  additionalProperties: false,
  properties: { how: { type: 'string', description: 'What it does.' } },
  required: ['how'],
};

define({
  kind: 'interaction',
  name: 'operators',
  summary: 'Uses an operation.',
  options,
  create: ({ options: { how } }) => ({
    forward(scope, features) {
      const tasks = Object.entries(features.tasks).map(([name, pyramid]) => [
        name,
        pyramid.map((level) => ({ ...level, data: WAYS[how](level.data) })),
      ]);
      return { ...features, tasks: Object.fromEntries(tasks) };
    },
  }),
});

define({
  kind: 'loss',
  tasks: ['normals'],
  name: 'operators',
  summary: 'Uses an operation.',
  options,
  create: ({ options: { how } }) => ({
    forward: (prediction) => ({ value: WAYS[how](prediction).mean(), valid: tf.scalar(1) }),
  }),
});

// An interaction with whatever a recorded model cannot have, by option.
import * as tf from '@tensorflow/tfjs-core';
import { define } from 'mtcp/registry';

/** Each gets the map of a task and gives it back, changed. */
const WAYS = {
  'tf.randomUniform': (x) => x.add(tf.randomUniform(x.shape)),
  'tf.randomUniform, seeded': (x) => x.add(tf.randomUniform(x.shape, 0, 1, 'float32', 7)),
  'tf.randomNormal': (x) => x.add(tf.randomNormal(x.shape)),
  'tf.truncatedNormal': (x) => x.add(tf.truncatedNormal(x.shape)),
  'tf.randomGamma': (x) => x.add(tf.randomGamma(x.shape, 1)),
  'tf.multinomial': (x) => x.mul(tf.multinomial([0.5, 0.5], 1).sum()),
  'tf.dropout': (x) => tf.dropout(x, 0.5),
  'tf.dropout, seeded': (x) => tf.dropout(x, 0.5, undefined, 7),
  'Math.random': (x) => x.add(Math.random()),
  'tf.rand': (x) => x.add(tf.rand(x.shape, () => Math.random())),
  'a fixed table': (x) => x.add(tf.tensor(Array.from({ length: x.shape[3] }, (_, i) => i))),
  dataSync: (x) => x.mul(x.sum().dataSync()[0]),
  arraySync: (x) => x.mul(x.sum().arraySync()),
  print: (x) => (x.sum().print(), x),
  'data without waiting': (x) => (void x.data().then((values) => values.length), x),
  'array without waiting, at the end': (x) => {
    const y = x.relu();
    void y.array();
    return y;
  },
  whereAsync: (x) => (void tf.whereAsync(x.greater(0)), x),
};

const forward = (scope, features, how) => {
  const tasks = Object.entries(features.tasks).map(([name, pyramid]) => [
    name,
    pyramid.map((level) => ({ ...level, data: WAYS[how](level.data) })),
  ]);
  return { ...features, tasks: Object.fromEntries(tasks) };
};

define({
  kind: 'interaction',
  name: 'unrecordable',
  summary: 'What a recorded model cannot have.',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      how: { type: 'string', description: 'What it does.' },
      async: { type: 'boolean', default: false, description: 'Whether its forward is async.' },
    },
    required: ['how'],
  },
  create: ({ options }) => ({
    forward: options.async
      ? async (scope, features) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          return forward(scope, features, options.how);
        }
      : (scope, features) => forward(scope, features, options.how),
  }),
});

// An interaction whose layers see too little to work with, by option.
import { define } from 'mtcp/registry';
import { conv2d, groupNorm, layerNorm, maxPool } from 'mtcp/nn';

/** Each makes [batch, 1, 1, channels] of a map. */
const mean = (x) => x.mean([1, 2], true);
const WAYS = {
  groupNorm: (scope, x) => groupNorm(scope, mean(x), x.shape[3]),
  layerNorm: (scope, x) => layerNorm(scope, mean(x).mean(3, true)),
  conv2d: (scope, x) => conv2d(scope, mean(x), x.shape[3], { kernel: 3, dilation: 2, padding: 1 }),
  maxPool: (_, x) => maxPool(mean(x), { kernel: 3, stride: 1, padding: 0 }),
};

define({
  kind: 'interaction',
  name: 'degenerate',
  summary: 'Sees too little.',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: { how: { type: 'string', description: 'What it does.' } },
    required: ['how'],
  },
  create: ({ options: { how } }) => ({
    forward(scope, features) {
      const tasks = Object.entries(features.tasks).map(([name, pyramid]) => [
        name,
        pyramid.map((level, i) => ({
          ...level,
          data: level.data.add(WAYS[how](scope.at(`${name}.${i}`), level.data)),
        })),
      ]);
      return { ...features, tasks: Object.fromEntries(tasks) };
    },
  }),
});

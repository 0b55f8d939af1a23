// A constant schedule that takes its time, so that there is a moment at which to disturb a trial of a few steps.
import { define } from 'mtcp/registry';

define({
  kind: 'schedule',
  name: 'slow',
  summary: 'constant, and waits at every step',
  options: {
    type: 'object',
    properties: { ms: { description: 'Milliseconds.', type: 'integer', minimum: 0, default: 150 } },
    required: ['ms'],
    additionalProperties: false,
  },
  create: ({ options: { ms } }) => ({
    factor() {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      return 1;
    },
  }),
});

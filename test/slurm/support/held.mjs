// A constant schedule that waits at every step while a file is there: time to disturb a trial, and none to lose when it
// has been disturbed. Paths are no part of what a trial is.
import { existsSync } from 'node:fs';
import { define } from 'mtcp/registry';

const MS = 300;
const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

define({
  kind: 'schedule',
  name: 'held',
  summary: 'constant, and waits at every step while a file is there',
  options: {
    type: 'object',
    properties: { by: { description: 'The file.', type: 'string', format: 'path' } },
    required: ['by'],
    additionalProperties: false,
  },
  create: ({ options: { by } }) => ({
    factor() {
      if (existsSync(by)) wait(MS);
      return 1;
    },
  }),
});

// The learning rate as it is.
import { component } from '../../registry/component.js';
import type { Schedule } from '../../registry/contracts/learning.js';
import type { OptionsSchema } from '../../registry/options.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {},
} as const satisfies OptionsSchema;

@component({
  kind: 'schedule',
  name: 'constant',
  summary: 'A learning rate that does not change.',
  options: schema,
})
export class ConstantSchedule implements Schedule {
  factor(): number {
    return 1;
  }
}

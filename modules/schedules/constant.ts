// A constant learning rate.
import { component, type Schedule } from '../../registry/index.js';

@component({
  kind: 'schedule',
  name: 'constant',
  summary: 'A learning rate that does not change.',
  file: import.meta.url,
})
export class ConstantSchedule implements Schedule {
  factor(): number {
    return 1;
  }
}

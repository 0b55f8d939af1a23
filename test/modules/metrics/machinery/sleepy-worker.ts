// A thread for image-threads.test.ts: takes its time, and fails where it is told to.
import { setTimeout } from 'node:timers/promises';
import { serve } from '../../../../modules/support/threads.js';

serve<{ value: number }, number>(async ({ value }) => {
  await setTimeout(5);
  if (value < 0) throw new Error(`no root of ${value}`);
  return { result: Math.sqrt(value) };
});

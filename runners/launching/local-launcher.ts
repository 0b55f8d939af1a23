// The launcher `local`: trains in this process or in several processes on this machine. It is the default, and it
// overrides the launcher of a site.
import { component, options } from '../../registry/component.js';
import type { LocalLauncher } from '../../registry/contracts/launching.js';
import { MtcpError } from '../../registry/errors.js';
import { MOST_THREADS, threadsHint } from '../config/limits.js';
import { defineOptions, type OptionsOf } from '../../registry/options.js';

const OPTIONS = defineOptions({
  jobs: {
    description:
      'Trials at once, each in its own process with its share of the threads. auto: one for each core where networks are small.',
    anyOf: [{ type: 'integer', minimum: 1, maximum: 1024 }, { enum: ['auto'] }],
    default: 'auto',
  },
  processes: {
    description: 'Processes that share the steps of each trial; the number divides train.accumulate.',
    type: 'integer',
    minimum: 1,
    maximum: 1024,
    default: 1,
  },
});

@component({
  kind: 'launcher',
  name: 'local',
  summary: 'processes on this machine',
  options: OPTIONS,
  file: import.meta.url,
})
export class Local implements LocalLauncher {
  readonly jobs: number | 'auto';
  readonly processes: number;

  constructor(@options() { jobs, processes }: OptionsOf<typeof OPTIONS>) {
    if (jobs !== 'auto' && jobs > MOST_THREADS)
      throw new MtcpError('config', `${jobs} processes at once are too many`, {
        where: 'launcher.jobs',
        hint: threadsHint(),
      });
    this.jobs = jobs;
    this.processes = processes;
  }
}

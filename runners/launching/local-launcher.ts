// The component: trains in this command, or in several processes of this machine. What counts where nothing else is
// asked for, and what takes back a site's launcher.
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { LocalLauncher } from '../../registry/contracts/launching.js';

const OPTIONS = {
  type: 'object',
  properties: {
    jobs: {
      description:
        'Trials at once, each in its own process with its share of the threads. auto: one for each core where networks are small.',
      anyOf: [{ type: 'integer', minimum: 1 }, { enum: ['auto'] }],
      default: 'auto',
    },
  },
  required: ['jobs'],
  additionalProperties: false,
} as const;

@component({
  kind: 'launcher',
  name: 'local',
  summary: 'processes on this machine',
  options: OPTIONS,
})
export class Local implements LocalLauncher {
  readonly jobs: number | 'auto';

  constructor(@options() { jobs }: OptionsOf<typeof OPTIONS>) {
    this.jobs = jobs as number | 'auto';
  }
}

// my-block: shows runs elsewhere. Here it keeps a journal: a line of JSON for each trial that begins and each end.
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  component,
  defineOptions,
  options,
  type OptionsOf,
  type TrackedRun,
  type Tracker,
  type RunTracker,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  journal: {
    type: 'string',
    default: 'journal.jsonl',
    description: "Name of the file in the experiment's folder.",
  },
});

@component({
  kind: 'tracker',
  name: 'my-block',
  summary: 'A journal of what was run and how it ended.',
  options: schema,
})
export class MyBlock implements Tracker {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /** Returns at once; slow work belongs into the background. Whatever happens here, the run goes on. */
  follow({ experiment, folder, report }: TrackedRun): RunTracker {
    const file = join(folder, this.options.journal);
    const write = (entry: object) => {
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), experiment, ...entry })}\n`);
    };
    report({ tracker: 'my-block', url: null, message: `journal in ${file}` });
    return {
      trial: (trial) => write({ trial }),
      end: async (outcome) => write({ outcome }),
    };
  }
}

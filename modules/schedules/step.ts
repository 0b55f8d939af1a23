// The rate falls by a factor at given points of the run.
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  options,
  type OptionsOf,
  type Progress,
  type Schedule,
} from '../../registry/index.js';
import { warmedUp, warmupOption } from './machinery/progress.js';

const schema = defineOptions({
  at: {
    type: 'array',
    items: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    minItems: 1,
    default: [0.6, 0.8],
    description:
      'Shares of the run after which the rate falls, in rising order; it falls between two epochs.',
  },
  factor: {
    type: 'number',
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    default: 0.1,
    description: 'What the rate is multiplied by each time.',
  },
  ...warmupOption,
});

@component({
  kind: 'schedule',
  name: 'step',
  summary: 'Multiplied by a factor at given shares of the run.',
  source: 'torch MultiStepLR, with shares instead of epochs',
  options: schema,
  file: import.meta.url,
})
export class StepSchedule extends Configured<OptionsOf<typeof schema>> implements Schedule {
  constructor(@options() given: OptionsOf<typeof schema>) {
    super(given, []);
    const wrong = given.at.findIndex((share, i) => i > 0 && share <= given.at[i - 1]);
    if (wrong >= 0)
      throw new MtcpError('component', `schedule step: at[${wrong}] is not larger than the one before it`, {
        hint: 'write the shares in rising order, such as [0.6, 0.8]',
      });
  }

  factor(progress: Progress): number {
    const { at, factor, warmup } = this.options;
    const { epoch, epochs } = progress;
    // Products such as 0.8 * 100 are exact only up to rounding.
    const passed = at.filter((share) => epoch >= share * epochs - 1e-9).length;
    return factor ** passed * warmedUp(progress, warmup);
  }
}

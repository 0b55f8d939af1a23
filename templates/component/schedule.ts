// my-block: the learning rate over time. Here half a cosine.
import {
  component,
  defineOptions,
  options,
  type OptionsOf,
  type Progress,
  type Schedule,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  last: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0,
    description: 'Factor at the end of the run.',
  },
});

@component({
  kind: 'schedule',
  name: 'my-block',
  summary: 'Half a cosine from 1 to the last factor.',
  options: schema,
})
export class MyBlock implements Schedule {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /** @returns factor on the optimizer's rate for this step */
  factor({ step, epochs, stepsPerEpoch }: Progress): number {
    const done = step / (epochs * stepsPerEpoch);
    const { last } = this.options;
    return last + (1 - last) * 0.5 * (1 + Math.cos(Math.PI * done));
  }
}

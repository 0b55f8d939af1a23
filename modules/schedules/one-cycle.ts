// One cycle: the rate rises to its largest value and falls far below where it began. optimizer.rate is the largest.
import {
  component,
  Configured,
  defineOptions,
  type OptionsOf,
  type Progress,
  type Schedule,
} from '../../registry/index.js';

const schema = defineOptions({
  rise: {
    type: 'number',
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    default: 0.3,
    description: 'Share of the run over which the rate rises.',
  },
  start: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.04,
    description: 'Factor on the learning rate at the first step.',
  },
  end: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 4e-6,
    description: 'Factor at the last step.',
  },
  shape: { enum: ['cosine', 'linear'], default: 'cosine', description: 'How it rises and falls.' },
});

@component({
  kind: 'schedule',
  name: 'one_cycle',
  summary: 'From `start` to 1 and down to `end`, step by step.',
  source: 'Smith and Topin 2018 (super-convergence); torch OneCycleLR, whose defaults these are',
  options: schema,
  file: import.meta.url,
})
export class OneCycleSchedule extends Configured<OptionsOf<typeof schema>> implements Schedule {
  factor({ epochs, step, stepsPerEpoch }: Progress): number {
    const { rise, start, end } = this.options;
    const last = epochs * stepsPerEpoch - 1;
    // As in torch, the top is one step before the share of all steps is over.
    const top = rise * (last + 1) - 1;
    if (step <= top) return this.#between(start, 1, top > 0 ? step / top : 1);
    return this.#between(1, end, last > top ? (step - top) / (last - top) : 1);
  }

  #between(from: number, to: number, share: number): number {
    if (this.options.shape === 'linear') return from + (to - from) * share;
    return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  }
}

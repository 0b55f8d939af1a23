// Multi-gate mixture of experts (Ma et al. 2018): a few encoders that all tasks share, and a gate for each task, which
// looks at the image and says how much of each encoder the task takes.
import { component, defineOptions, type OptionsOf } from '../../registry/index.js';
import { expertCount, gateGrid } from '../nn/expert-encoders.js';
import { encoderOption, Mixture } from './machinery/experts.js';

const schema = defineOptions({
  encoder: encoderOption,
  experts: { ...expertCount, default: 3, description: 'Experts that all tasks share.' },
  gate_grid: gateGrid,
});

@component({
  kind: 'backbone',
  name: 'mmoe',
  summary: 'Encoders that all tasks share, mixed for each task by a gate of its own.',
  source: 'Ma et al. 2018 (MMoE); median-research-group/LibMTL LibMTL/architecture/MMoE.py',
  options: schema,
  file: import.meta.url,
})
export class Mmoe extends Mixture<OptionsOf<typeof schema>> {
  protected readonly who = 'backbone mmoe';
  protected readonly counts = () => ({ shared: this.options.experts, own: 0 });
}

// Customized gate control (Tang et al. 2020, the single level of PLE): beside the encoders that all tasks share, each
// task has encoders of its own, and its gate mixes both.
import { component, defineOptions, type OptionsOf } from '../../registry/index.js';
import { expertCount, gateGrid } from '../nn/expert-encoders.js';
import { encoderOption, Mixture } from './machinery/experts.js';

const schema = defineOptions({
  encoder: encoderOption,
  shared: { ...expertCount, default: 1, description: 'Experts that all tasks share.' },
  own: { ...expertCount, default: 1, description: 'Experts that each task has for itself.' },
  gate_grid: gateGrid,
});

@component({
  kind: 'backbone',
  name: 'cgc',
  summary: 'Shared encoders and encoders of each task, mixed for each task by a gate.',
  source: 'Tang et al. 2020 (PLE); median-research-group/LibMTL LibMTL/architecture/CGC.py',
  options: schema,
  file: import.meta.url,
})
export class Cgc extends Mixture<OptionsOf<typeof schema>> {
  protected readonly who = 'backbone cgc';
  protected readonly counts = () => this.options;
}

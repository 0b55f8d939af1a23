// Equal weighting: the plain sum.
import { component } from '../../../registry/index.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

@component({
  kind: 'scheme',
  name: 'equal',
  summary: 'The sum of the losses.',
  source: 'MT-CP section 3.5, Eq 2 with all weights 1',
  file: import.meta.url,
})
export class EqualScheme extends WeightedSum {}

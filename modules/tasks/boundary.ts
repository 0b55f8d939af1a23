// Whether a boundary runs through a pixel: edges. Metrics thin predictions themselves.
import { component } from '../../registry/index.js';
import { YesOrNo } from './machinery/yes-or-no.js';

@component({
  kind: 'task',
  name: 'boundary',
  summary: 'Whether a boundary runs through a pixel; a byte, 0 or 1, 255 where nothing is known.',
  source: 'Xie and Tu, HED; Maninis et al., Attentive Single-Tasking',
  file: import.meta.url,
})
export class Boundary extends YesOrNo {
  readonly meaning = 'probability of a boundary';
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'balanced_bce', positive_weight: 0.95 },
    metric: { type: 'odsf' },
  };

  /** Dark on white, as in the field's figures. */
  protected shade(probability: number): number {
    return 1 - probability;
  }
}

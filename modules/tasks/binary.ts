// Yes or no at every pixel: saliency.
import { component } from '../../registry/index.js';
import { YesOrNo } from './machinery/yes-or-no.js';

@component({
  kind: 'task',
  name: 'binary',
  summary: 'Yes or no at every pixel; a byte, 0 or 1, 255 where nothing is known.',
  file: import.meta.url,
})
export class Binary extends YesOrNo {
  readonly meaning = 'probability';
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'balanced_bce' },
    metric: { type: 'saliency' },
  };

  protected shade(probability: number): number {
    return probability;
  }
}

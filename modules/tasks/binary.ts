// Yes or no at every pixel: saliency. In memory a byte, 0 or 1, IGNORE where nothing is known. The prediction is a
// probability, from one logit or from two.
import { component, IGNORE, type TaskKind } from '../../registry/index.js';
import { grey, scale } from './machinery/colours.js';
import { always, divergence, greyBytes, probability, sameLabel } from './machinery/likelihood.js';

@component({
  kind: 'task',
  name: 'binary',
  summary: 'Yes or no at every pixel; a byte, 0 or 1, 255 where nothing is known.',
  file: import.meta.url,
})
export class Binary implements TaskKind {
  readonly meaning = 'probability';
  readonly batch = 'values';
  readonly labelChannels = () => 1;
  readonly smooth = false;
  readonly outside = IGNORE;
  readonly decode = probability;
  readonly resampling = 'linear';
  readonly bytes = greyBytes;
  readonly sixteen = { values: 'probability, 0..65535 for 0..1', of: (value: number) => value * 65535 };
  readonly likeness = sameLabel;
  readonly distance = divergence;
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'balanced_bce' },
    metric: { type: 'saliency' },
  };
  readonly regions = { type: 'balanced_cross_entropy' };
  readonly colour: TaskKind['colour'] = (data, at) => grey(data[at]);
  readonly legend: TaskKind['legend'] = () => scale('0', '1', grey);
  readonly tally = always;
}

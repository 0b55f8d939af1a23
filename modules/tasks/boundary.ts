// Whether a boundary runs through a pixel: edges. In memory a byte, 0 or 1, IGNORE where nothing is known. The
// prediction is a probability, from one logit or from two; metrics thin it themselves.
import { component, IGNORE, type TaskKind } from '../../registry/index.js';
import { grey, scale } from './machinery/colours.js';
import { always, divergence, greyBytes, probability, sameLabel } from './machinery/likelihood.js';

@component({
  kind: 'task',
  name: 'boundary',
  summary: 'Whether a boundary runs through a pixel; a byte, 0 or 1, 255 where nothing is known.',
  source: 'Xie and Tu, HED; Maninis et al., Attentive Single-Tasking',
  file: import.meta.url,
})
export class Boundary implements TaskKind {
  readonly meaning = 'probability of a boundary';
  readonly batch = 'values';
  readonly labelChannels = () => 1;
  /** A line of one pixel would fade. */
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
    loss: { type: 'balanced_bce', positive_weight: 0.95 },
    metric: { type: 'odsf' },
  };
  readonly regions = { type: 'balanced_cross_entropy' };
  /** Boundaries are dark on white, as in the field's figures. */
  readonly colour: TaskKind['colour'] = (data, at) => grey(1 - data[at]);
  readonly legend: TaskKind['legend'] = () => scale('0', '1', (p) => grey(1 - p));
  readonly tally = always;
}

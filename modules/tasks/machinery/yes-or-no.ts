// What kinds with a yes or a no at every pixel have in common. In memory a label is a byte, 0 or 1, IGNORE where nothing is
// known. The prediction is a probability, from one logit or from two.
import { IGNORE, type Slot, type TaskKind } from '../../../registry/index.js';
import { grey, scale } from './colours.js';
import { always, divergence, greyBytes, probability, sameLabel } from './likelihood.js';

export abstract class YesOrNo implements TaskKind {
  abstract readonly meaning: string;
  abstract readonly usual: TaskKind['usual'];
  /** The grey, 0 black to 1 white, in which a probability is drawn. */
  protected abstract shade(probability: number): number;

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
  readonly regions: Slot = { type: 'balanced_cross_entropy' };
  readonly colour: TaskKind['colour'] = (data, at) => grey(this.shade(data[at]));
  readonly legend: TaskKind['legend'] = () => scale('0', '1', (p) => grey(this.shade(p)));
  readonly tally = always;
}

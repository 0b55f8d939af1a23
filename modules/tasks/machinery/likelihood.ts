// What kinds whose predictions are logits have in common.
import { IGNORE, type LabelMap, type Tally } from '../../../registry/index.js';
import type { Tensor, Tensor4D } from '../../../registry/tf.js';

/** Divergence of softened distributions, times the square of the temperature (Hinton et al. 2015). */
export function divergence(own: Tensor4D, taught: Tensor4D, temperature: number): Tensor {
  const [s, t] = [own, taught].map((logits) => twoSided(logits).div<Tensor4D>(temperature));
  return t
    .softmax()
    .mul(t.logSoftmax().sub(s.logSoftmax()))
    .sum(3)
    .mean()
    .mul(temperature ** 2);
}

/** One logit as the two of a softmax: sigmoid(x) = softmax([0, x]). */
const twoSided = (logits: Tensor4D): Tensor4D =>
  logits.shape[3] === 1 ? logits.zerosLike<Tensor4D>().concat(logits, 3) : logits;

/** One logit, or the two sides of one choice, to the probability of the second side. */
export function probability(raw: Tensor4D): Tensor {
  return raw.shape[3] === 2 ? raw.softmax().slice([0, 0, 0, 1], [-1, -1, -1, 1]) : raw.sigmoid();
}

/** Probabilities as grey images. */
export const greyBytes = { shift: 0, scale: 255 };

/** Says "yes" everywhere, since measures of masks are 0 for an empty one. */
export const always = (): Tally => ({ add: () => {}, constant: () => [1] });

export const sameLabel = (a: Tensor, b: Tensor): Tensor => a.equal(b).cast('float32').squeeze([-1]);

/** Means over the known pixels of a split, a number for each channel. */
export function meanTally(channels: number, finish: (mean: readonly number[]) => readonly number[]): Tally {
  const sums = new Float64Array(channels);
  let pixels = 0;
  return {
    add({ data }: LabelMap) {
      for (let i = 0; i < data.length; i += channels) {
        if (data[i] === IGNORE) continue;
        pixels++;
        for (let k = 0; k < channels; k++) sums[k] += data[i + k];
      }
    },
    constant: () => (pixels === 0 ? null : finish(Array.from(sums, (sum) => sum / pixels))),
  };
}

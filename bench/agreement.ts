// Checks that both sides of a benchmark compute the same. A ratio of times of different computations would say
// nothing.
import { MtcpError } from '../registry/errors.js';
import type { Checksum } from './checksum.js';
import { median } from './quantile.js';

/** Results may differ by this much of a tensor's norm. */
const RESULTS = 2e-3;
/**
 * Gradients of whole networks jump where rounding flips a choice (a maximum, a ReLU, a mask): the median parameter's
 * norm may differ by this much,
 */
const MEDIAN = 5e-3;
/** and each by this. That they are exact where nothing is flipped is what `npm run test:full` shows. */
const EACH = 0.1;
/** How results of whole networks call the norm of a parameter's gradient. */
const GRADIENT_NORM = 'norm.';

/**
 * @param coarser how many times these limits results may differ by
 * @returns the largest relative difference
 * @throws MtcpError `engine` where the sides differ, naming what does
 */
export function agreement(
  piece: string,
  ours: Record<string, Checksum>,
  peer: Record<string, Checksum>,
  coarser = 1,
): number {
  const shared = Object.keys(peer).filter((name) => name in ours);
  if (shared.length === 0) throw new MtcpError('engine', `${piece}: the two sides share no result`);
  // Where one side alone has a parameter's gradient the networks differ; one without use is zero here, absent there.
  const isGradient = (name: string) => name.startsWith(GRADIENT_NORM);
  const alone =
    Object.keys(peer).find((name) => isGradient(name) && !(name in ours)) ??
    Object.keys(ours).find((name) => isGradient(name) && !(name in peer) && ours[name][1] !== 0);
  if (alone !== undefined) throw new MtcpError('engine', `${piece}: only one side has ${alone}`);
  // A gradient that is zero but for rounding (a bias before a normalisation) has no true value to compare with:
  // small tensors are measured against the typical one.
  const typical = median(shared.map((name) => peer[name][1]));
  const differences = new Map(
    shared.map((name) => {
      const [sum, norm] = peer[name];
      const difference = Math.abs(ours[name][1] - norm) / Math.max(norm, typical);
      return [name, Number.isFinite(sum) && !Number.isNaN(difference) ? difference : Infinity];
    }),
  );
  for (const [name, difference] of differences)
    if (difference > coarser * (isGradient(name) ? EACH : RESULTS)) differs(piece, name, difference);
  const gradients = shared.filter(isGradient).map((name) => differences.get(name)!);
  if (gradients.length > 0 && median(gradients) > coarser * MEDIAN)
    differs(piece, "the median parameter's gradient", median(gradients));
  return Math.max(...differences.values());
}

function differs(piece: string, name: string, difference: number): never {
  throw new MtcpError('engine', `${piece}: ${name} differs by ${difference.toExponential(1)}`, {
    hint: 'a benchmark of different computations says nothing',
  });
}

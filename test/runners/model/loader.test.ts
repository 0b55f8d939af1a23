// What a trial's configuration says about its loader.
import { expect } from 'chai';
import '../../../modules/transforms/sv.js';
import type { TrialSpec } from '../../../runners/config/index.js';
import { loaderOf } from '../../../runners/model/loader.js';
import { TOY_TASKS } from '../data/toy.js';

/** How often each validation sample was decoded when the split is read for the third time. */
async function decodings(cache: number): Promise<number[]> {
  const config = {
    data: { type: 'loader-toy' },
    augment: { type: 'sv', size: [6, 8] },
    train: { batch: 3, workers: 0, cache },
    evaluate: { selection: { rule: 'last', split: 'test', metric: 'all', share: 0.1 } },
  };
  const loader = loaderOf({ config, seed: 0 } as unknown as TrialSpec, { tasks: TOY_TASKS });
  await loader.prepare(() => {});
  let counts: number[] = [];
  for (let pass = 0; pass < 3; pass++)
    for await (const { raw } of loader.evaluate('val', 5))
      // The toy writes it into the second pixel.
      counts = raw.map(({ labels }) => -labels.normals.data[3]);
  await loader.close();
  return counts;
}

describe('the loader of a trial', () => {
  it('keeps decoded samples in as much memory as train.cache says', async () => {
    expect(await decodings(1)).to.deep.equal([1, 1, 1, 1, 1]);
    expect(await decodings(0)).to.deep.equal([3, 3, 3, 3, 3]);
  });
});

// ViTDet's pyramid is there so that decoders for pyramids can follow a plain transformer: here every one does.
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/index.js';
import { catalog } from '../../../registry/catalog.js';
import type { TrialConfig } from '../../../runners/config/trial.js';
import { openExperiment } from '../../../runners/config/open.js';
import { findMisfits } from '../../../runners/model/check.js';
import { inspect } from '../../../runners/training/inspect.js';
import { ROOT } from '../../support/rooms.js';

const OVERRIDES = [
  'data.size=[64, 64]',
  'augment.size=[64, 64]',
  'weights.backbone=null',
  'model.backbone={ type: simple_pyramid, channels: 8, encoder: { type: vit, channels: 16, depth: 2, heads: 2, taps: [1, 2], patch: 16, grid: [4, 4] } }',
];
const ROWS: Record<string, string[] | undefined> = {
  fair: undefined,
  table1: ['InvPT'],
  beyond: ['EMA-Net', 'MTMamba', 'MTMamba++'],
};
/** Decoders that need what a pyramid does not have, and what that is. */
const OTHERS: Record<string, string> = {
  layer_mix: 'an encoder for each task',
  mlore: 'maps of one size',
  mtan: 'the maps inside the stages of a residual network',
  prompted_maps: "a transformer's prompts",
};

describe('decoders on simple_pyramid', function () {
  this.timeout(120_000);
  const followed = new Set<string>();

  for (const [file, rows] of Object.entries(ROWS))
    it(`those of ${file}.yaml`, async () => {
      const options = { profile: 'smoke', seeds: [0], overrides: OVERRIDES, ...(rows && { rows }) };
      const experiment = openExperiment(join(ROOT, `experiments/${file}.yaml`), options);
      expect(await findMisfits(experiment, experiment.trials)).to.deep.equal([]);
      for (const { config } of experiment.trials) decodersOf(config).forEach((type) => followed.add(type));
      // One of them with its gradients.
      expect((await inspect(experiment.trials.at(-1)!)).nodes).to.be.above(100);
    });

  it('are all that there are, but for those that need something else', () => {
    const all = catalog.list('decoder').map(({ name }) => name);
    expect([...followed, ...Object.keys(OTHERS)].sort()).to.deep.equal(all.sort());
  });
});

function decodersOf({ model: { decoder } }: TrialConfig): string[] {
  if (!decoder) return [];
  const { type, blocks } = decoder as { type: string; blocks?: { type: string }[] };
  return [type, ...(blocks ?? []).map((block) => block.type)];
}

// The size of the paper's network: what the public PyTorch code trains, part by part. Shapes do not depend on the
// image, so a small one is recorded.
import { expect } from 'chai';
import { loadExperiment } from '../../../runners/config/index.js';
import { inspect } from '../../../runners/training/inspect.js';
import { TABLE3 } from '../../support/rooms.js';

/** Parameters that receive a gradient, counted on the public code. */
const PUBLISHED = {
  'backbone.model.pixel_level_module.encoder': 48_838_602,
  'backbone.model.pixel_level_module.decoder': 5_421_504,
  'backbone.model.transformer_module': 14_458_624,
  decoder: 66_969_816,
  fusion: 3_148_800,
  interaction: 1_443_792,
  'refinement.stages': 10_110_120,
  'heads and intermediate predictions': 992_324,
};

const PREDICTION = /^heads\.|^refinement\.\w+\.predict\./;

function partOf(name: string): string {
  if (PREDICTION.test(name)) return 'heads and intermediate predictions';
  if (name.startsWith('refinement.')) return 'refinement.stages';
  const depth = name.startsWith('backbone.model.pixel') ? 4 : name.startsWith('backbone.') ? 3 : 1;
  return name.split('.').slice(0, depth).join('.');
}

describe('parameters of the full NYUD model', function () {
  this.timeout(60_000);

  it('in variant code are the 151,383,582 that the public code trains, part by part', async () => {
    const [trial] = loadExperiment(TABLE3, {
      profile: 'full',
      rows: ['MT-CP'],
      overrides: [
        'model.backbone.variant=code',
        'model.interaction.variant=code',
        'augment.size=[64, 64]',
        'train.batch=1',
      ],
    }).trials;
    const { parameters, byName } = await inspect(trial);
    const counts: Record<string, number> = {};
    for (const [name, count] of byName) counts[partOf(name)] = (counts[partOf(name)] ?? 0) + count;
    expect(counts).to.deep.equal(PUBLISHED);
    expect(parameters).to.equal(151_383_582);
  });
});

// Training that is interrupted and continues from a checkpoint equals uninterrupted training bit by bit, for every
// kind of state that a scheme has: numbers, optimizer moments, running gradients. So does the mean of the weights.
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import { randomStream } from '../../../registry/random.js';
import { restoreLatest, writeCheckpoint, type RunState } from '../../../runners/store/checkpoint.js';
import { averaged, WeightAverage } from '../../../runners/training/average.js';
import { restoreScheme, schemeState } from '../../../runners/training/scheme-state.js';
import { TrainingStep } from '../../../runners/training/step/step.js';
import { readSafetensors } from '../../../runners/support/safetensors.js';
import { recordingEngine } from '../../support/oracle.js';
import { toyBatch, toyTrial, TOY_SIZE } from '../../support/toy-network.js';

const STEPS_PER_EPOCH = 2;

async function start(slot: Slot) {
  const { network, criterion, tasks } = toyTrial(slot);
  const optimizer = createTrialContainer([]).create('optimizer', { type: 'adamw', rate: 0.01 });
  const step = await TrainingStep.compile(recordingEngine, network, criterion, optimizer, {
    batch: 2,
    size: TOY_SIZE,
    clip: null,
  });
  step.weights.initialize(5);
  const average = new WeightAverage(step.weights, 0.9);
  average.start();
  const { scheme } = criterion;
  /** Steps `from` to `to`; epochs end where they end. */
  const train = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const epoch = Math.floor(i / STEPS_PER_EPOCH);
      const info = { epoch, step: i, random: randomStream('scheme', i) };
      scheme.stepBegin?.(info);
      const { raw, projected } = await step.gradientsOf(toyBatch(tasks, `batch ${i}`), randomStream, info);
      await step.apply(i + 1, optimizer.rate);
      average.update(i + 1);
      const again = scheme.needs?.again ? await step.lossesAgain() : undefined;
      scheme.stepEnd?.({ ...info, rate: optimizer.rate, raw, projected, again });
      if ((i + 1) % STEPS_PER_EPOCH === 0) scheme.epochEnd?.({ epoch, raw, projected });
    }
  };
  return { step, criterion, train, average };
}

const SCHEMES: Slot[] = [
  { type: 'lps', history: 2 },
  { type: 'uncertainty' },
  { type: 'dwa' },
  { type: 'rlw' },
  { type: 'famo' },
  { type: 'stch', warmup: 2 },
  { type: 'gradnorm' },
  { type: 'gradvac', granularity: 'layer' },
  { type: 'pcgrad' },
  { type: 'nash_mtl', every: 2 },
  { type: 'db_mtl', shared: 'backbone' },
  { type: 'excess_mtl' },
  { type: 'moco', shared: 'backbone' },
  { type: 'auto_lambda', rate: 0.1 },
  { type: 'compose', weights: { type: 'imtl_l' }, gradients: { type: 'excess_mtl', shared: 'backbone' } },
];

describe('a checkpoint holds all that a scheme remembers', () => {
  for (const slot of SCHEMES)
    it(slot.type, async () => {
      const whole = await start(slot);
      await whole.train(0, 7);

      const folder = mkdtempSync(join(tmpdir(), 'mtcp-checkpoint-'));
      const cut = await start(slot);
      await cut.train(0, 5);
      const state: RunState = {
        epoch: 2,
        stepInEpoch: 1,
        step: 5,
        scheme: schemeState(cut.criterion),
        losses: null,
        seconds: 0,
        best: null,
        last: null,
      };
      const stored = ({ step, average }: Awaited<ReturnType<typeof start>>) => ({
        weights: step.weights,
        slots: { ...step.slots, trained: average },
      });
      const path = averaged(cut.average, () => writeCheckpoint(folder, stored(cut), state));
      // The mean is what others read under the names of the weights.
      const { tensors } = readSafetensors(join(path, 'weights.safetensors'));
      for (const [name, { data }] of cut.average.views)
        expect([...tensors.get(name)!.data], name).to.deep.equal([...data]);
      const hasArrays = readdirSync(path).includes('scheme.safetensors');
      expect(hasArrays).to.equal(/db_mtl|excess_mtl|moco|auto_lambda/.test(JSON.stringify(slot)));
      cut.step.close();

      const resumed = await start(slot);
      const found = restoreLatest(folder, stored(resumed), expect.fail)!;
      resumed.average.swap();
      restoreScheme(resumed.criterion, found.state.scheme, found.path);
      await resumed.train(5, 7);
      const own = new Map(resumed.step.weights.entries());
      for (const [name, { data }] of whole.step.weights.entries())
        expect([...own.get(name)!.data], name).to.deep.equal([...data]);
      for (const [name, { data }] of whole.average.views)
        expect([...resumed.average.views.get(name)!.data], `mean of ${name}`).to.deep.equal([...data]);
      whole.step.close();
      resumed.step.close();
    });
});

// At full size, against torch and transformers themselves: Mask2Former with Swin-S at sizes that are and are not
// multiples of 7 and 32, and one training step of the paper's network. Small cases of the same run in `npm test`.
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forward } from '../../runners/compare/forward.js';
import { grad } from '../../runners/compare/grad.js';
import { openExperiment } from '../../runners/experiment.js';
import { importWeights } from '../../runners/weights/import.js';
import { readSafetensors, SafetensorsFile } from '../../runners/weights/safetensors.js';
import { runPython } from './support/python.js';
import { TABLE3 } from '../support/rooms.js';

const SIZES = ['96x128', '83x117', '224x224'];
/** Largest distance over the tensor's largest value. */
const FEATURES = 1e-4;
/** Norm of the distance over the norm of the gradient, for the heads, whose gradients pass through no ReLU of a block. */
const HEADS = 1e-3;
/**
 * The same for all gradients together. Among the network's million ReLUs some sit within float32's rounding of 0; where
 * one falls on the other side than in double precision, everything before it changes by some percent, and a small map
 * behind a BatchNorm makes it worse. The small networks of `npm test` have no such cell and are held to 1e-3 parameter
 * by parameter.
 */
const ALL = 5e-2;
/** A gradient no longer than this is rounding: the loss does not depend on the parameter. */
const NOISE = 1e-6;

const fullTrial = (overrides: string[] = []) =>
  openExperiment(TABLE3, {
    profile: 'full',
    rows: ['MT-CP'],
    overrides: ['weights.backbone=null', ...overrides],
  }).trials[0];

function distance(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  let [largest, difference, norm, squares] = [0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    largest = Math.max(largest, Math.abs(expected[i]));
    // NaN must not pass.
    difference = error <= difference ? difference : error;
    norm += expected[i] ** 2;
    squares += error ** 2;
  }
  return { ofLargest: difference / largest, error: Math.sqrt(squares), norm: Math.sqrt(norm) };
}

describe('full size against PyTorch', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-full-'))));
  after(() => rmSync(folder, { recursive: true }));

  describe("transformers' Mask2Former with Swin-S", () => {
    const own = () => join(folder, 'mask2former');
    before(() => runPython('mask2former.py', [own(), '--variant', 'swin-s', '--sizes', SIZES.join(',')]));

    it('is imported whole from its folder and from what it calls its weights in memory', async () => {
      for (const source of ['hub', 'memory.safetensors']) {
        const { variant, parameters, fit } = await importWeights(
          join(own(), source),
          join(own(), 'ours.safetensors'),
        );
        expect(variant).to.equal('Swin-S');
        expect(parameters).to.equal(48_838_602 + 5_421_504 + 14_458_624);
        expect([...fit.missing, ...fit.unexpected, ...fit.misshapen]).to.deep.equal([]);
      }
    });

    for (const size of SIZES)
      it(`gives the same encoder maps, pixel decoder, masks and R at ${size}`, async () => {
        const expected = readSafetensors(join(own(), `${size}.output.safetensors`)).tensors;
        const out = join(own(), 'out.safetensors');
        const input = join(own(), `${size}.input.safetensors`);
        const outputs = [...expected.keys()];
        await forward(fullTrial(), {
          weights: join(own(), 'hub'),
          partial: ['backbone'],
          input,
          outputs,
          out,
        });
        const { tensors } = readSafetensors(out);
        for (const [name, { data, shape }] of expected) {
          expect(tensors.get(name)!.shape, name).to.deep.equal(shape);
          expect(distance(tensors.get(name)!.data, data).ofLargest, name).to.be.below(FEATURES);
        }
      });
  });

  it('a training step of the paper network has the same losses and gradients', async () => {
    const own = join(folder, 'step');
    runPython('step.py', [own, '--size', '64x96']);
    const out = join(own, 'ours.safetensors');
    const trial = fullTrial(['model.backbone.encoder.drop_path=0', 'scheme={ type: log, epsilon: 1e-6 }']);
    const { losses } = await grad(trial, {
      weights: join(own, 'weights.safetensors'),
      input: join(own, 'batch.safetensors'),
      out,
    });
    const [expected, actual] = ['gradients.safetensors', 'ours.safetensors'].map(
      (name) => new SafetensorsFile(join(own, name)),
    );
    const faults: string[] = [];
    let [squares, errors, count] = [0, 0, 0];
    for (const name of expected.tensors.keys()) {
      const { data } = expected.read(name);
      if (name === 'loss.coherence') continue; // ours are one for each task
      if (name.startsWith('loss.')) {
        expect(losses[name], name).to.be.closeTo(data[0], 1e-5 * Math.abs(data[0]));
        continue;
      }
      const { error, norm } = distance(actual.read(name).data, data);
      count++;
      squares += norm ** 2;
      errors += error ** 2;
      if (name.startsWith('heads.') && norm > NOISE && !(error < HEADS * norm))
        faults.push(`${name}: off by ${error.toExponential(2)} of ${norm.toExponential(2)}`);
    }
    expect(faults, faults.join('\n')).to.deep.equal([]);
    expect(Math.sqrt(errors / squares), 'all gradients').to.be.below(ALL);
    expect(count).to.equal(1356);
  });
});

// mtcp forward and mtcp grad on files, against the PyTorch reference and transformers' Mask2Former in it, at 44x60:
// no multiple of the windows (4, 5) nor of 32.
import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forward, listFeatures } from '../../../../runners/app/compare/forward.js';
import { grad } from '../../../../runners/app/compare/grad.js';
import { readSafetensors, writeSafetensors } from '../../../../runners/support/safetensors.js';
import { readModel } from '../../../reference/fixtures.js';
import { expectClose } from '../../../support/oracle.js';
import { referenceTrial, writeReference } from '../../../support/reference-trial.js';
import { rejection } from '../../../support/reference.js';

const TASKS = ['semseg', 'depth', 'normals'];
/** Relative to the tensor's largest value. */
const FEATURES = 1e-4;
const GRADIENTS = 1e-3;

describe('forward and grad on files', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-compare-'))));
  after(() => rmSync(folder, { recursive: true }));

  const filesOf = (name: string) => {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    const fixture = readModel(name);
    return {
      fixture,
      trial: referenceTrial(fixture),
      ...writeReference(fixture, own),
      out: join(own, 'out.safetensors'),
    };
  };

  it('gives every feature of the paper model that transformers and the reference have', async () => {
    const { fixture, trial, weights, batch, out } = filesOf('paper');
    // Name here, name in the fixture.
    const pairs: [string, string][] = [
      ...[0, 1, 2, 3].map((i): [string, string] => [`backbone.encoder.${i}`, `backbone.features.${i}`]),
      ...[0, 1, 2].map((i): [string, string] => [`backbone.multiscale.${i}`, `backbone.multiscale.${i}`]),
      ...[0, 1, 2, 3].map((i): [string, string] => [`backbone.masks.${i}`, `backbone.masks.${i}`]),
      ['backbone.pixel_embeddings', 'backbone.pixel_embeddings'],
      ['backbone.representation', 'backbone.representation'],
      ...TASKS.flatMap((task): [string, string][] => [
        ...[0, 1, 2].map((i): [string, string] => [`decoder.${task}.${i}`, `decoder.${task}.${i}`]),
        [`fusion.${task}`, `fusion.${task}`],
        [`prediction.${task}`, `evaluation.${task}`],
      ]),
    ];
    const outputs = pairs.map(([name]) => name);
    const computed = await forward(trial, { weights, input: batch, outputs, out });
    const { tensors } = readSafetensors(out);
    expect([...tensors.keys()]).to.deep.equal(outputs);
    for (const [name, stored] of pairs) {
      const expected = fixture.tensors.get(stored)!;
      expect(tensors.get(name)!.shape, name).to.deep.equal(expected.shape);
      expectClose(tensors.get(name)!.data, expected.data, FEATURES, name);
    }
    expect(computed.features.map(({ name }) => name)).to.deep.equal(outputs);
  });

  it('lists what there is, with the shapes that forward gives', async () => {
    const { trial, weights, batch, out } = filesOf('paper');
    const listed = await listFeatures(trial, batch);
    const names = listed.map(({ name }) => name);
    expect(names).to.include.members(['interaction.depth', 'refinement.depth.0', 'refinement.depth.2']);
    const few = listed.filter(({ name }) => /^(interaction|refinement|prediction)\./.test(name));
    const { features } = await forward(trial, {
      weights,
      input: batch,
      outputs: few.map(({ name }) => name),
      out,
    });
    expect(features).to.deep.equal(few);
    const error = await rejection(
      forward(trial, { weights, input: batch, outputs: ['prediction.deth'], out }),
    );
    expect(error.format()).to.contain('no feature "prediction.deth"').and.contain('"prediction.depth"');
  });

  it('gives losses and gradients', async () => {
    const { fixture, trial, weights, batch, out } = filesOf('code');
    const { losses } = await grad(trial, { weights, input: batch, out });
    const { tensors } = readSafetensors(out);
    const [expected] = fixture.losses;
    const named = Object.entries(expected).map(([name, value]): [string, number] => [
      `loss.${name.replace(/^final\./, '')}`,
      value,
    ]);
    expect(Object.keys(losses)).to.have.members(named.map(([name]) => name));
    for (const [name, value] of named) {
      expect(losses[name], name).to.be.closeTo(value, 2e-5 * value);
      expect(tensors.get(name)!.data[0], name).to.equal(Math.fround(losses[name]));
    }
    for (const { name, shape, cells, gradient, gradientNorm } of fixture.parameters) {
      if (gradientNorm === 0) continue;
      const own = tensors.get(name)!;
      expect(own.shape, name).to.deep.equal(shape);
      const typical = gradientNorm / Math.sqrt(own.data.length);
      const tolerance = Math.max(GRADIENTS, 1.5 * fixture.float32.gradient);
      expectClose(
        cells.map((cell) => own.data[cell]),
        gradient,
        tolerance,
        name,
        typical,
      );
    }
  });

  it('takes a file of the backbone alone, and refuses one that does not fit', async () => {
    const { fixture, trial, weights, batch, out } = filesOf('paper');
    const { tensors } = readSafetensors(weights);
    const backbone = join(folder, 'backbone.safetensors');
    const part = [...tensors].filter(([name]) => name.startsWith('backbone.'));
    writeSafetensors(
      backbone,
      new Map(part.map(([name, tensor]) => [name.slice('backbone.'.length), tensor])),
    );
    const options = { input: batch, outputs: ['backbone.representation'], out };
    await forward(trial, { ...options, weights: backbone, partial: ['backbone'] });
    expectClose(
      readSafetensors(out).tensors.get('backbone.representation')!.data,
      fixture.tensors.get('backbone.representation')!.data,
      FEATURES,
      'representation',
    );
    const whole = await rejection(forward(trial, { ...options, weights: backbone }));
    expect(whole.exitCode).to.equal(2);
    expect(whole.message).to.contain('holds the backbone alone');
    expect(whole.hint).to.contain('--partial backbone');
    tensors.delete('decoder.depth.norms.0.bias');
    writeSafetensors(backbone, tensors);
    const short = await rejection(forward(trial, { ...options, weights: backbone }));
    expect(short.message).to.contain('missing in the file (1):\n    decoder.depth.norms.0.bias');
    tensors.delete('backbone.model.transformer_module.level_embed.weight');
    writeSafetensors(backbone, tensors);
    const lacking = await rejection(forward(trial, { ...options, weights: backbone, partial: ['backbone'] }));
    expect(lacking.message).to.contain('missing in the file (1):');
  });

  it('says what is wrong with an input', async () => {
    const { trial, weights, batch, out } = filesOf('code');
    const { tensors } = readSafetensors(batch);
    const input = join(folder, 'input.safetensors');
    tensors.delete('depth');
    writeSafetensors(input, tensors);
    expect((await rejection(grad(trial, { weights, input, out }))).message).to.contain('no tensor "depth"');
    tensors.set('depth', { dtype: 'float32', shape: [2, 1, 3, 4], data: new Float32Array(24) });
    writeSafetensors(input, tensors);
    expect((await rejection(grad(trial, { weights, input, out }))).message).to.contain(
      'the label of depth is 2x1x3x4, with this image it is 2x1x44x60',
    );
  });
});

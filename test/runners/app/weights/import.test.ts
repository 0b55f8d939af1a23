// Importing a Mask2Former: the fixtures' backbone written as transformers writes it, under old and new names.
import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../../../modules/index.js';
import { MtcpError } from '../../../../registry/errors.js';
import { importWeights } from '../../../../runners/app/weights/import.js';
import {
  readSafetensors,
  writeSafetensors,
  type WritableTensor,
} from '../../../../runners/support/safetensors.js';
import { readModel } from '../../../reference/fixtures.js';
import { rejection } from '../../../support/reference.js';

const PREFIX = 'backbone.';
const fixture = readModel('paper');
const own = fixture.parameters.filter(({ name }) => name.startsWith(PREFIX));

/** As a file on the hub has it: with the classifier and the loss's weights. */
function hubTensors(): Map<string, WritableTensor> {
  const tensors = own.map(({ name, shape, initial }): [string, WritableTensor] => [
    name.slice(PREFIX.length),
    { dtype: 'float32', shape, data: initial },
  ]);
  const extra = (shape: number[]): WritableTensor => ({
    dtype: 'float32',
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b)),
  });
  return new Map([
    ...tensors,
    ['class_predictor.weight', extra([8, 32])],
    ['class_predictor.bias', extra([8])],
    ['criterion.empty_weight', extra([8])],
  ]);
}

/** What transformers 5 calls the same tensor in memory. */
function newName(name: string): string {
  const encoder = 'model.pixel_level_module.encoder.';
  if (!name.startsWith(encoder)) return name;
  return (
    encoder +
    name
      .slice(encoder.length)
      .replace(/^(embeddings|encoder)\./, 'swin.$1.')
      .replace('.attention.self.query.', '.attention.q_proj.')
      .replace('.attention.self.key.', '.attention.k_proj.')
      .replace('.attention.self.value.', '.attention.v_proj.')
      .replace('.attention.output.dense.', '.attention.o_proj.')
      .replace('.attention.self.relative', '.attention.relative_position_bias.relative')
      .replace('.intermediate.dense.', '.mlp.fc1.')
      .replace('.output.dense.', '.mlp.fc2.')
  );
}

describe('weights import', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-import-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** A Hugging Face folder of these tensors. */
  function hub(name: string, tensors: Map<string, WritableTensor>): string {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    writeSafetensors(join(path, 'model.safetensors'), tensors, { format: 'pt' });
    writeFileSync(join(path, 'config.json'), JSON.stringify({ num_attention_heads: 4 }));
    return path;
  }

  it('reads the architecture from the shapes and takes every tensor', async () => {
    const out = join(folder, 'old.safetensors');
    const result = await importWeights(hub('old', hubTensors()), out);
    const { backbone: b } = fixture.config as { backbone: Record<string, unknown> };
    expect(result.backbone).to.deep.equal({
      type: 'mask2former',
      channels: b.hidden,
      heads: b.attention_heads,
      encoder: { embed: b.embed, depths: b.depths, heads: b.heads, window: b.window, mlp_ratio: 4 },
      pixel_decoder: { layers: b.pixel_layers, feedforward: b.pixel_feedforward, points: 4 },
      transformer_decoder: { layers: b.query_layers, feedforward: b.query_feedforward, queries: b.queries },
    });
    expect(result.fit.skipped.map(({ name }) => name)).to.have.members([
      'class_predictor.weight',
      'class_predictor.bias',
      'criterion.empty_weight',
    ]);
    const { tensors, metadata } = readSafetensors(out);
    expect(metadata.digest).to.equal(result.digest);
    expect(tensors.size).to.equal(own.length);
    for (const { name, initial } of own)
      expect(tensors.get(name.slice(PREFIX.length))!.data, name).to.deep.equal(initial);
  });

  it('takes the names of transformers 5, with and without the model around them', async () => {
    const changed = new Map([...hubTensors()].map(([name, tensor]) => [newName(name), tensor]));
    changed.set('model.pixel_level_module.encoder.swin.layernorm.weight', {
      dtype: 'float32',
      shape: [64],
      data: new Float32Array(64),
    });
    const bare = new Map([...changed].map(([name, tensor]) => [name.replace(/^model\./, ''), tensor]));
    for (const [name, tensors] of [
      ['new', changed],
      ['bare', bare],
    ] as const) {
      const out = join(folder, `${name}.safetensors`);
      const { fit } = await importWeights(hub(name, tensors), out);
      expect(fit.renamed.length, name).to.be.greaterThan(50);
      const { tensors: read } = readSafetensors(out);
      for (const { name: key, initial } of own)
        expect(read.get(key.slice(PREFIX.length))!.data, `${name}: ${key}`).to.deep.equal(initial);
    }
  });

  it('writes nothing unless everything fits, and says what does not', async () => {
    const tensors = hubTensors();
    const lost = 'model.pixel_level_module.decoder.adapter_1.1.bias';
    const bent = 'model.transformer_module.level_embed.weight';
    tensors.delete(lost);
    tensors.set('model.pixel_level_module.decoder.adapter_1.1.bais', {
      dtype: 'float32',
      shape: [32],
      data: new Float32Array(32),
    });
    tensors.set(bent, { dtype: 'float32', shape: [3, 31], data: new Float32Array(93) });
    const out = join(folder, 'never.safetensors');
    const error = await rejection(importWeights(hub('bad', tensors), out));
    expect(error.kind).to.equal('weights');
    expect(error.exitCode).to.equal(2);
    expect(error.message)
      .to.contain(`missing in the file (1):\n    backbone.${lost} (the file has`)
      .and.contain('unexpected in the file (1):\n    model.pixel_level_module.decoder.adapter_1.1.bais')
      .and.contain(`    ${bent} is 3x31, the model wants 3x32`);
    expect(existsSync(out)).to.equal(false);
  });

  it('knows what it cannot read', async () => {
    const out = join(folder, 'never.safetensors');
    const failure = async (path: string): Promise<MtcpError> => rejection(importWeights(path, out));
    expect((await failure(join(folder, 'nowhere'))).message).to.contain('there are no weights at');
    const other = new Map<string, WritableTensor>([
      ['layer.weight', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }],
    ]);
    expect((await failure(hub('other', other))).message).to.contain('no checkpoint that is known here');
    const pickled = join(folder, 'pickled');
    mkdirSync(pickled);
    writeFileSync(join(pickled, 'pytorch_model.bin'), '');
    const error = await failure(pickled);
    expect(error.message).to.contain('only the pickled pytorch_model.bin');
    expect(error.hint).to.contain('save_file');
  });
});

// Folders of weights as others publish them, and what is wrong with some.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { writeSafetensors } from '../../../runners/support/safetensors.js';
import { digestOf, WeightsSource } from '../../../runners/support/weights-source.js';
import { temporaryFolder } from '../../support/rooms.js';

const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';
const INDEX = 'model.safetensors.index.json';

const tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const;
const write = (path: string, ...names: string[]) =>
  writeSafetensors(path, new Map(names.map((name) => [name, tensor])));

function names(path: string): { names: string[]; stripped: readonly string[] } {
  const source = new WeightsSource(path);
  source.close();
  return { names: [...source.tensors.keys()], stripped: source.stripped };
}

describe('a source of weights', () => {
  describe('that is not what it should be is an error with the reason:', () => {
    const cases: [string, string, string, string][] = [
      ['a broken index', INDEX, '{"weight_map": {', 'is not JSON'],
      ['an index that is a pointer', INDEX, POINTER, 'pointer of Git LFS'],
      ['an index without a map', INDEX, '{}', "property 'weight_map'"],
      ['an index of nothing', INDEX, '{"weight_map": {}}', 'is not an index of shards'],
      ['an index of null', INDEX, 'null', 'is not an index of shards'],
      [
        'an index that leads elsewhere',
        INDEX,
        '{"weight_map":{"a":"../b.safetensors"}}',
        'must match pattern',
      ],
      ['an index of an absent shard', INDEX, '{"weight_map":{"a":"b.safetensors"}}', 'file not found'],
      [
        'an index of other shards',
        INDEX,
        '{"weight_map":{"b":"shard.safetensors"}}',
        'which does not have it',
      ],
      ['weights that are a pointer', 'model.safetensors', POINTER, 'pointer of Git LFS'],
      ['weights that are a page', 'model.safetensors', '<!DOCTYPE html><html>', 'does not fit a file'],
    ];
    for (const [title, name, content, reason] of cases)
      it(title, () => {
        const folder = temporaryFolder();
        write(join(folder, 'shard.safetensors'), 'a');
        writeFileSync(join(folder, name), content);
        for (const read of [names, digestOf])
          if (read === names || !title.includes('other shards'))
            expect(() => read(folder), read.name).to.throw(MtcpError, reason);
      });

    for (const [title, content] of [
      ['a list', '[]'],
      ['a pointer', POINTER],
      ['half of it', '{"num_attention_heads": '],
    ])
      it(`a config.json that is ${title}`, () => {
        const folder = temporaryFolder();
        write(join(folder, 'model.safetensors'), 'a');
        writeFileSync(join(folder, 'config.json'), content);
        expect(() => names(folder))
          .to.throw(MtcpError)
          .with.property('where', join(folder, 'config.json'));
      });

    it('a folder in the place of the file', () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'model.safetensors'));
      expect(() => names(folder)).to.throw(MtcpError, 'is a folder');
    });
  });

  it('loses the prefixes of what trained it, if all names have them', () => {
    const path = join(temporaryFolder(), 'x.safetensors');
    write(path, 'module.a', 'module.b');
    expect(names(path)).to.deep.equal({
      names: ['a', 'b'],
      stripped: ['"module." of torch\'s DataParallel'],
    });
    write(path, '_orig_mod.module.a', '_orig_mod.module.b');
    expect(names(path).names).to.deep.equal(['a', 'b']);
    write(path, 'encoder._orig_mod.a', 'b');
    expect(names(path).names).to.deep.equal(['encoder.a', 'b']);
    // A part of the model may be called module.
    write(path, 'module.a', 'b');
    expect(names(path)).to.deep.equal({ names: ['module.a', 'b'], stripped: [] });
    write(path, 'x._orig_mod.a', 'x.a');
    expect(() => names(path)).to.throw(MtcpError, 'two tensors are called "x.a"');
  });
});

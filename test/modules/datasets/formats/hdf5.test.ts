// HDF5 files: entries of the types and sizes that a benchmark has, and refusals of others.
import { join } from 'node:path';
import { expect } from 'chai';
import h5wasm from 'h5wasm/node';
import { Hdf5File } from '../../../../modules/datasets/formats/hdf5.js';
import { temporaryFolder } from '../../../support/rooms.js';

describe('HDF5 files', () => {
  let file: Hdf5File;
  before(async () => {
    await h5wasm.ready;
    const path = join(temporaryFolder(), 'x.mat');
    const written = new h5wasm.File(path, 'w');
    written.create_dataset({ name: 'bytes', data: Uint8Array.of(1, 2, 3, 4), shape: [2, 2] });
    written.create_dataset({ name: 'halves', data: Float32Array.of(0.5, 300.5), shape: [2, 1] });
    written.create_dataset({ name: 'texts', data: ['a', 'b'], shape: [2] });
    // Nothing of it is stored.
    const small = { shape: [1, 1, 1], maxshape: [1, 20_000, 20_000], chunks: [1, 100, 100] };
    written.create_dataset({ name: 'vast', data: Uint8Array.of(1), ...small }).resize(small.maxshape);
    written.close();
    file = await Hdf5File.open(path);
  });
  after(() => file.close());

  it('are read entry by entry', () => {
    expect(file.shapeOf('bytes')).to.deep.equal([2, 2]);
    expect(Array.from(file.slice('bytes', 1, [Uint8Array]))).to.deep.equal([3, 4]);
    expect(Array.from(file.slice('halves', 1, [Float32Array]))).to.deep.equal([300.5]);
  });

  it('are refused where numbers are of another type, which would be wrapped around', () => {
    expect(() => file.slice('halves', 1, [Uint8Array])).to.throw('"halves" is Float32Array, not Uint8Array');
    expect(() => file.slice('texts', 0, [Uint8Array])).to.throw('"texts" is no numbers, not Uint8Array');
  });

  it('are refused where an entry is larger than any image', () => {
    expect(() => file.slice('vast', 0, [Uint8Array])).to.throw('[20000, 20000], more than is read');
  });
});

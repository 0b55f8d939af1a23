// Small files that stand for gigabytes, and things that are no files: refused at once, with the reason.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { expect } from 'chai';
import sharp from 'sharp';
import { readBytes } from '../../../../modules/datasets/formats/file.js';
import { Hdf5File } from '../../../../modules/datasets/formats/hdf5.js';
import { readMat } from '../../../../modules/datasets/formats/mat.js';
import { readNpy } from '../../../../modules/datasets/formats/npy.js';
import { encodeLabelPng, readLabelPng, readRgbPng } from '../../../../modules/datasets/formats/png.js';
import { rejection } from '../../../support/reference.js';
import { temporaryFolder } from '../../../support/rooms.js';
import { pending } from '../../../support/pending.js';

const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n';

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function header(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = 8;
  return chunk('IHDR', data);
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const END = chunk('IEND', Buffer.alloc(0));
/** Deflated zeros: a thousandth of their size. */
const made = new Map<number, Buffer>();
const zeros = (megabytes: number): Buffer => {
  let bytes = made.get(megabytes);
  if (!bytes) made.set(megabytes, (bytes = deflateSync(Buffer.alloc(megabytes * 2 ** 20), { level: 1 })));
  return bytes;
};

describe('what a file may ask for', function () {
  this.timeout(20_000);
  const put = (name: string, content: Uint8Array | string): string => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, content);
    return path;
  };
  /** Milliseconds until the reader refused, and why. */
  async function refused(reading: () => Promise<unknown>): Promise<string> {
    const began = performance.now();
    const error = await rejection(reading());
    expect(performance.now() - began).to.be.below(5000);
    return error.format();
  }

  it('is not 50000x50000 pixels', async () => {
    const png = put(
      'x.png',
      Buffer.concat([SIGNATURE, header(50_000, 50_000), chunk('IDAT', zeros(64)), END]),
    );
    expect(await refused(() => readLabelPng(png))).to.contain('50000x50000 pixels');
    expect(await refused(() => readRgbPng(png)))
      .to.contain('x.png')
      .and.contain('50000x50000');
  });

  it('is not more data than an image has pixels', async () => {
    const bomb = put('x.png', Buffer.concat([SIGNATURE, header(8, 8), chunk('IDAT', zeros(100)), END]));
    expect(await refused(() => readLabelPng(bomb))).to.contain('more data than pixels');
    const two = Buffer.concat([
      SIGNATURE,
      header(8, 8),
      header(50_000, 50_000),
      chunk('IDAT', zeros(1)),
      END,
    ]);
    expect(await refused(() => readLabelPng(put('y.png', two)))).to.contain('does not begin with its size');
  });

  it('is not a colour profile or a text that nobody asked for', async () => {
    const plain = Buffer.from(
      encodeLabelPng(
        Uint8Array.from({ length: 64 }, (_, i) => i),
        8,
        8,
      ),
    );
    const profile = chunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), zeros(100)]));
    const texts = Array.from({ length: 5000 }, () =>
      chunk('zTXt', Buffer.concat([Buffer.from('x\0\0'), zeros(1)])),
    );
    const bomb = Buffer.concat([plain.subarray(0, 33), profile, ...texts, plain.subarray(33)]);
    const began = performance.now();
    expect([...(await readLabelPng(put('x.png', bomb))).data]).to.deep.equal(
      Array.from({ length: 64 }, (_, i) => i),
    );
    expect(performance.now() - began).to.be.below(2000);
  });

  it('is not a MAT file that inflates without end, or whose matrices are larger than it', async () => {
    const head = Buffer.alloc(128, ' ');
    head.writeUInt16LE(0x0100, 124);
    head.write('IM', 126);
    const element = (data: Buffer) => {
      const tag = Buffer.alloc(8);
      tag.writeUInt32LE(15, 0);
      tag.writeUInt32LE(data.length, 4);
      return Buffer.concat([tag, data]);
    };
    const bomb = put('x.mat', Buffer.concat([head, element(zeros(300))]));
    expect(await refused(() => readMat(bomb))).to.contain('when it is inflated');
    // Elements without a kind, or without end.
    expect(await refused(() => readMat(put('v.mat', Buffer.concat([head, element(zeros(100))]))))).to.contain(
      'unknown kind',
    );
    const empty = Buffer.alloc(100 * 2 ** 20);
    for (let at = 0; at < empty.length; at += 8) empty[at] = 1;
    const many = put('w.mat', Buffer.concat([head, element(deflateSync(empty, { level: 1 }))]));
    expect(await refused(() => readMat(many))).to.contain('elements');
    // A matrix of 2^31 x 2^31 structs without fields.
    const parts = [
      [6, [2, 0, 0, 0, 0, 0, 0, 0]],
      [5, [0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]],
      [1, []],
      [5, [1, 0, 0, 0, 0, 0, 0, 0]],
      [1, []],
    ].map(([type, bytes]) => {
      const tag = Buffer.alloc(8);
      tag.writeUInt32LE(type as number, 0);
      tag.writeUInt32LE((bytes as number[]).length, 4);
      return Buffer.concat([tag, Buffer.from(bytes as number[])]);
    });
    const body = Buffer.concat(parts);
    const matrix = Buffer.alloc(8);
    matrix.writeUInt32LE(14, 0);
    matrix.writeUInt32LE(body.length, 4);
    const huge = put('z.mat', Buffer.concat([head, matrix, body]));
    expect(await refused(() => readMat(huge))).to.contain('does not fit into');
  });

  it('is a file: no pipe, no device, no folder, no pointer', async function () {
    const folder = temporaryFolder();
    if (process.platform === 'win32') pending(this, 'not on Windows');
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const readers = [readBytes, readLabelPng, readNpy, readMat, (path: string) => Hdf5File.open(path)];
    for (const read of readers) {
      expect(await refused(() => read(pipe))).to.contain('is a pipe or a device');
      expect(await refused(() => read(folder))).to.contain('is a folder');
      expect(await refused(() => read(put('x.png', POINTER))))
        .to.contain('pointer of Git LFS')
        .and.contain('git lfs pull');
      expect(await refused(() => read(join(folder, 'nothing')))).to.contain('file not found');
      if (existsSync('/dev/zero'))
        expect(await refused(() => read('/dev/zero'))).to.contain('is a pipe or a device');
    }
    expect(await refused(() => readBytes('~/data/x.png'))).to.contain('only a shell makes a folder of it');
    expect(await refused(() => readBytes('$HOME/x.png'))).to.contain('"$HOME"');
  });

  it('leaves sound files as they are', async () => {
    const data = Uint8Array.from({ length: 60 * 40 }, (_, i) => i % 20);
    for (const options of [{}, { palette: true }, { progressive: true }, { compressionLevel: 0 }]) {
      const png = await sharp(data, { raw: { width: 60, height: 40, channels: 1 } })
        .toColourspace('b-w')
        .png(options)
        .toBuffer();
      const map = await readLabelPng(put('x.png', png)).catch((error: Error) => error.message);
      if (typeof map !== 'string') expect([map.height, map.width]).to.deep.equal([40, 60]);
      else expect(map).to.contain('interlaced');
    }
  });
});

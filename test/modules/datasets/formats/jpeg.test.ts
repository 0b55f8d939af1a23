import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { encodeJpeg, parseJpeg, readJpeg } from '../../../../modules/datasets/formats/jpeg.js';
import { readNpy } from '../../../../modules/datasets/formats/npy.js';
import { reference, rejection } from '../../../support/reference.js';

const file = (name: string) => reference(`data/jpeg/${name}`);

describe('jpeg images', () => {
  // Decoders differ by a level in the inverse cosine transform and by another in the colour conversion.
  for (const name of ['subsampled', 'full', 'progressive', 'grey', 'rotated'])
    it(`equal Pillow's RGB within two levels: ${name}`, async () => {
      const image = await readJpeg(file(`${name}.jpg`));
      const expected = await readNpy(file(`${name}.npy`));
      expect([image.height, image.width, image.channels]).to.deep.equal(expected.shape);
      expect(largestDifference(image.data, expected.data)).to.be.at.most(2);
    });

  it('come back from writing', async () => {
    const { data } = await readNpy(file('full.npy'));
    const image = await parseJpeg(await encodeJpeg(data as Uint8Array, 29, 45, 100), 'x.jpg');
    expect(image).to.include({ height: 29, width: 45 });
    expect(largestDifference(image.data, data)).to.be.at.most(6);
  });

  it('that are truncated or something else are refused, with the name of the file', async () => {
    const whole = readFileSync(file('full.jpg'));
    for (const bytes of [
      whole.subarray(0, whole.length - 200),
      whole.subarray(0, 100),
      readFileSync(reference('data/png/rgb.png')),
      readFileSync(file('cmyk.jpg')),
      Buffer.alloc(0),
    ]) {
      const error = await rejection(parseJpeg(bytes, 'images/7.jpg'));
      expect(error.kind).to.equal('data');
      expect(error.where).to.equal('images/7.jpg');
    }
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

// Expected maps are OpenCV's own (test/reference/data/make_geometry.py). Source positions are rounded as
// OpenCV rounds them, so nearest must agree exactly and cubic up to float32 sums (1e-3 of 255 levels).
import { expect } from 'chai';
import { readNpy } from '../../../modules/datasets/formats/npy.js';
import {
  invertAffine,
  resize,
  rotationMatrix,
  warpAffine,
  type Interpolation,
} from '../../../modules/support/warp.js';
import type { MapData } from '../../../registry/contracts/data.js';
import { reference } from '../../support/reference.js';

async function load(name: string): Promise<MapData> {
  const { shape, data } = await readNpy(reference(`data/geometry/${name}.npy`));
  return { height: shape[0], width: shape[1], channels: shape[2] ?? 1, data };
}

function expectClose(actual: MapData, expected: MapData, tolerance: number): void {
  expect([actual.height, actual.width, actual.channels]).to.deep.equal([
    expected.height,
    expected.width,
    expected.channels,
  ]);
  const off = Float64Array.from(expected.data, (value, i) => Math.abs(value - actual.data[i]));
  expect(Math.max(...off)).to.be.at.most(tolerance);
}

const MODES: [Interpolation, string, number][] = [
  ['cubic', 'image', 1e-3],
  ['nearest', 'classes', 0],
];

describe('warping', () => {
  for (const [mode, source, tolerance] of MODES) {
    for (const [degrees, scale] of ['0_1.2', '0_1.5', '13.7_1.0', '-19.9_0.75', '90_1.25', '7_1'].map((s) =>
      s.split('_'),
    ))
      it(`equals OpenCV: ${mode}, ${degrees} degrees, scale ${scale}`, async () => {
        const map = await load(source);
        const about = rotationMatrix(map.width / 2, map.height / 2, Number(degrees), Number(scale));
        const expected = await load(`warp_${degrees}_${scale}_${mode}`);
        expectClose(warpAffine(map, about, mode), expected, tolerance);
      });

    for (const [height, width] of [
      [23, 40],
      [46, 62],
      [11, 17],
      [37, 31],
      [7, 59],
    ])
      it(`resizes as OpenCV: ${mode}, 23x31 to ${height}x${width}`, async () => {
        const out = resize(await load(source), height, width, mode);
        expectClose(out, await load(`resize_${height}_${width}_${mode}`), tolerance);
      });
  }

  it('keeps the element type of nearest maps and the map itself at the same size', () => {
    const map: MapData = { height: 2, width: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4) };
    expect(resize(map, 2, 2, 'nearest')).to.equal(map);
    expect(resize(map, 4, 2, 'nearest').data).to.deep.equal(Uint8Array.of(1, 2, 1, 2, 3, 4, 3, 4));
    const left = warpAffine(map, [1, 0, -1, 0, 1, 0], 'nearest');
    expect(left.data).to.deep.equal(Uint8Array.of(2, 0, 4, 0));
  });

  it('inverts an affine map', () => {
    const [a, b, c, d, e, f] = rotationMatrix(4, 7, 33, 1.7);
    const inverse = invertAffine([a, b, c, d, e, f]);
    const [x, y] = [a * 2 + b * 5 + c, d * 2 + e * 5 + f];
    expect(inverse[0] * x + inverse[1] * y + inverse[2]).to.be.closeTo(2, 1e-12);
    expect(inverse[3] * x + inverse[4] * y + inverse[5]).to.be.closeTo(5, 1e-12);
  });
});

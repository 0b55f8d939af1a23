// The expected maps come from the same pipeline written with NumPy and OpenCV
// (test/reference/data/make_geometry.py); the rest is worked by hand.
import { expect } from 'chai';
import '../../../modules/transforms/sv.js';
import { readNpy } from '../../../modules/datasets/formats/npy.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { LabelMap, Sample, Transform } from '../../../registry/contracts/data.js';
import type { RandomStream } from '../../../registry/random.js';
import '../../../modules/index.js';
import { kindOf } from '../../../registry/kinds.js';
import { randomStream } from '../../../registry/random.js';
import { reference } from '../../support/reference.js';

const pipeline = (options: Record<string, unknown>): Transform =>
  createTrialContainer([]).create('transform', { type: 'sv', ...options });

/** Gives these numbers in turn and fails when asked for more. */
function scripted(...numbers: number[]): RandomStream {
  const next = () => {
    if (numbers.length === 0) throw new Error('drew more numbers than promised');
    return numbers.shift()!;
  };
  return { uniform: next, normal: next, integer: next };
}

function label(kind: string, width: number, values: number[]): LabelMap {
  const channels = kindOf({ kind }).labelChannels({ channels: 1 });
  const data = kind === 'classes' ? Uint8Array.from(values) : Float32Array.from(values);
  return { kind, height: values.length / channels / width, width, channels, data };
}

function image(height: number, width: number, fill = 0): Sample['image'] {
  return { height, width, channels: 3, data: new Uint8Array(height * width * 3).fill(fill) };
}

describe('sv pipeline', () => {
  const KINDS = { semseg: 'classes', depth: 'depth', normals: 'normals' } as const;
  const data = async (name: string) => (await readNpy(reference(`data/geometry/${name}.npy`))).data;

  async function referenceSample(): Promise<Sample> {
    const labels = Object.fromEntries(
      await Promise.all(
        Object.entries(KINDS).map(async ([name, kind]) => [
          name,
          label(kind, 31, [...(await data(`sv_${name}`))]),
        ]),
      ),
    );
    return {
      id: 'x',
      image: { height: 23, width: 31, channels: 3, data: await data('image') },
      labels,
    };
  }

  for (const [index, flip, degrees, scale, normals] of [
    [0, 0.5, 0, 1, 'nearest'],
    [1, 0.49, 0, 1.5, 'nearest'],
    [2, 0.1, 12.5, 0.8, 'cubic'],
  ] as const)
    it(`equals NumPy and OpenCV: ${degrees} degrees, scale ${scale}`, async () => {
      const transform = pipeline({
        size: [20, 26],
        scales: [scale],
        rotations: [degrees],
        normals_interpolation: normals,
        borders_as_background: true,
      });
      const out = transform.train(await referenceSample(), scripted(flip, 0.3, 0.7));
      for (const [name, tolerance] of [
        ['semseg', 0],
        ['depth', 1e-5],
        ['normals', 1e-4],
      ] as const) {
        const expected = await data(`sv${index}_${name}`);
        expect(out.labels[name].data.length).to.equal(expected.length);
        out.labels[name].data.forEach((value, i) => expect(value).to.be.closeTo(expected[i], tolerance));
      }
      // A sum that lands on another side of a whole number may change the byte by one; hardly any does.
      const expected = await data(`sv${index}_image`);
      const off = expected.map((value, i) => Math.abs(value - out.image.data[i]));
      expect(Math.max(...off)).to.be.below(1.01 / 255 / 0.224);
      expect(off.filter((difference) => difference > 1e-4).length).to.be.at.most(5);
    });

  it('chooses from lists and ranges, in the order flip, rotation, scale', () => {
    const sample: Sample = {
      id: 'x',
      image: image(4, 4),
      labels: { d: label('depth', 4, Array(16).fill(6)) },
    };
    const centre = (scales: unknown, u: number) => {
      const transform = pipeline({ size: [4, 4], scales });
      return transform.train(sample, scripted(0.9, 0.9, u)).labels.d.data[10];
    };
    expect(centre([1, 1.2, 1.5], 0.99)).to.be.closeTo(6 / 1.5, 1e-6);
    expect(centre([1, 1.2, 1.5], 0.34)).to.be.closeTo(6 / 1.2, 1e-6);
    expect(centre({ min: 1, max: 3 }, 0.5)).to.be.closeTo(3, 1e-6);
  });

  it('marks unknown labels and keeps class 0', () => {
    const labels = {
      semseg: label('classes', 2, [0, 255, 7, 39]),
      depth: label('depth', 2, [0, 2, NaN, -1]),
      normals: label('normals', 2, [0, 0, 0, 0, 0, -2, NaN, 0, 1, 0, -1, 0]),
      human_parts: label('classes', 2, [0, 0, 0, 0]),
    };
    const out = pipeline({ size: [2, 2] }).evaluate({ id: 'x', image: image(2, 2), labels }).labels;
    expect([...out.semseg.data]).to.deep.equal([0, 255, 7, 39]);
    expect([...out.depth.data]).to.deep.equal([255, 2, 255, 255]);
    expect([...out.normals.data].map(Math.round)).to.deep.equal([
      255, 255, 255, 0, 0, -1, 255, 255, 255, 0, -1, 0,
    ]);
    expect([...out.human_parts.data]).to.deep.equal([255, 255, 255, 255]);
  });

  it('normalises bytes, clipping what cubic interpolation overshoots', () => {
    const picture = image(1, 8);
    picture.data.fill(255, 12);
    const out = pipeline({ size: [1, 16] }).evaluate({ id: 'x', image: picture, labels: {} }).image.data;
    const white = [0, 1, 2].map((k) => (1 - [0.485, 0.456, 0.406][k]) / [0.229, 0.224, 0.225][k]);
    const black = [0, 1, 2].map((k) => -[0.485, 0.456, 0.406][k] / [0.229, 0.224, 0.225][k]);
    for (let x = 0; x < 16; x++)
      for (let k = 0; k < 3; k++) expect(out[3 * x + k]).to.be.within(black[k] - 1e-5, white[k] + 1e-5);
    expect(out[0]).to.be.closeTo(black[0], 1e-5);
    expect(out[47]).to.be.closeTo(white[2], 1e-5);
  });

  it('leaves the sample it was given as it was', async () => {
    const sample = await referenceSample();
    const before = structuredClone(sample);
    pipeline({ size: [20, 26], rotations: { min: -20, max: 20 } }).train(sample, randomStream(0));
    pipeline({ size: [23, 31], scales: [1] }).train(sample, scripted(0, 0, 0));
    expect(sample).to.deep.equal(before);
  });

  it('knows nothing about what comes from outside, unless the mishap is asked for', () => {
    const sample = (): Sample => ({
      id: 'x',
      image: image(8, 8, 200),
      labels: {
        semseg: label('classes', 8, new Array(64).fill(3)),
        saliency: { ...label('classes', 8, new Array(64).fill(1)), kind: 'binary' },
        depth: label('depth', 8, new Array(64).fill(2)),
      },
    });
    const corner = (options: object) => {
      const transform = pipeline({ size: [8, 8], scales: [0.5], ...options });
      const { labels } = transform.train(sample(), scripted(0.9, 0, 0));
      return ['semseg', 'saliency', 'depth'].map((name) => labels[name].data[0]);
    };
    expect(corner({})).to.deep.equal([255, 255, 255]);
    expect(corner({ borders_as_background: true })).to.deep.equal([0, 0, 255]);
  });

  it('mirrors half of the images, or none', () => {
    const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => i);
    const sample: Sample = { id: 'x', image: { height: 8, width: 8, channels: 3, data }, labels: {} };
    const image = (options: object, drawn: number) => [
      ...pipeline({ size: [8, 8], scales: [1], ...options }).train(sample, scripted(drawn, 0, 0)).image.data,
    ];
    const straight = image({}, 0.9);
    expect(image({}, 0.1)).to.not.deep.equal(straight);
    expect(image({ flip: false }, 0.1)).to.deep.equal(straight);
  });

  it('clips what cubic interpolation overshoots, or lets bytes wrap around', () => {
    // A white stripe on black overshoots on both sides of its edges.
    const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (Math.floor(i / 3) % 8 > 3 ? 255 : 0));
    const sample: Sample = { id: 'x', image: { height: 8, width: 8, channels: 3, data }, labels: {} };
    const red = (options: object) => {
      const { image } = pipeline({ size: [8, 20], ...options }).evaluate(sample);
      return Array.from({ length: 20 }, (_, x) => Math.round((image.data[3 * x] * 0.229 + 0.485) * 255));
    };
    const [clipped, wrapped] = [red({}), red({ wrap_bytes: true })];
    expect(clipped.slice(0, 8).every((value) => value < 60)).to.equal(true);
    expect(wrapped.slice(0, 8).some((value) => value > 200)).to.equal(true);
    expect(wrapped.slice(12).some((value) => value < 60)).to.equal(true);
  });
});

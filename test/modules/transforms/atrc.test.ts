// The expected maps come from the same pipeline written with NumPy and OpenCV (test/reference/data/make_atrc.py);
// what is drawn is checked by itself.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { readNpy } from '../../../modules/datasets/formats/npy.js';
import '../../../modules/transforms/atrc.js';
import type { AtrcPipeline, AtrcPlan } from '../../../modules/transforms/atrc.js';
import {
  distort,
  drawDistortion,
  type Distortion,
} from '../../../modules/transforms/machinery/photometric.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { LabelMap, MapData, Sample } from '../../../registry/contracts/data.js';
import '../../../modules/index.js';
import { kindOf } from '../../../registry/kinds.js';
import { randomStream } from '../../../registry/random.js';
import { reference } from '../../support/reference.js';

const { plans, distortions } = JSON.parse(readFileSync(reference('data/atrc/plans.json'), 'utf8')) as {
  plans: (AtrcPlan & { size: [number, number]; distortion: Distortion | null })[];
  distortions: Distortion[];
};
const KINDS = {
  semseg: 'classes',
  depth: 'depth',
  normals: 'normals',
  human_parts: 'classes',
  saliency: 'binary',
} as const satisfies Record<string, string>;

const pipeline = (options: object): AtrcPipeline =>
  createTrialContainer([]).create('transform', { type: 'atrc', ...options }) as AtrcPipeline;
const stored = async (name: string) => (await readNpy(reference(`data/${name}.npy`))).data;

function labelOf(kind: string, values: ArrayLike<number>): LabelMap {
  const channels = kindOf({ kind }).labelChannels({ channels: 1 });
  const data = kind === 'classes' || kind === 'binary' ? Uint8Array.from(values) : Float32Array.from(values);
  return { kind, height: 23, width: 31, channels, data };
}

async function referenceSample(): Promise<Sample> {
  const depth = await stored('geometry/sv_depth');
  const parts = new Uint8Array(23 * 31);
  for (let y = 15; y < 20; y++) parts.fill(y - 15, y * 31 + 20, y * 31 + 28);
  return {
    id: 'x',
    image: { height: 23, width: 31, channels: 3, data: await stored('geometry/image') },
    labels: {
      semseg: labelOf('classes', await stored('geometry/sv_semseg')),
      depth: labelOf('depth', depth),
      normals: labelOf('normals', await stored('geometry/sv_normals')),
      human_parts: labelOf('classes', parts),
      saliency: labelOf(
        'binary',
        Array.from(depth, (d) => Number(d > 4)),
      ),
    },
  };
}

describe('atrc pipeline', () => {
  for (const [index, { size, ...plan }] of plans.entries())
    it(`equals NumPy and OpenCV: scale ${plan.scale}, ${plan.flip ? 'flipped' : 'not flipped'}`, async () => {
      const out = pipeline({ size }).apply(await referenceSample(), {
        ...plan,
        distortion: plan.distortion ?? undefined,
      });
      for (const name of Object.keys(KINDS)) {
        const expected = await stored(`atrc/${index}_${name}`);
        const { data, height, width } = out.labels[name];
        expect([height, width]).to.deep.equal(size);
        expect(data.length, name).to.equal(expected.length);
        data.forEach((value, i) => expect(value, `${name} at ${i}`).to.be.closeTo(expected[i], 1e-6));
      }
      const expected = await stored(`atrc/${index}_image`);
      const off = expected.map((value, i) => Math.abs(value - out.image.data[i]));
      // A sum that lands on another side of a whole number changes a byte, which colour spaces may enlarge.
      expect(off.filter((difference) => difference > 1e-5).length).to.be.below(expected.length / 100);
    });

  it('distorts colours to the bytes of OpenCV, whole blocks of a row and what is left of it', async () => {
    const colours: MapData = { height: 48, width: 48, channels: 3, data: await stored('atrc/colours') };
    for (const [i, distortion] of distortions.entries()) {
      const expected = await stored(`atrc/colours_${i}`);
      const { data } = distort(colours, distortion);
      const off = Array.from(expected, (value, k) => value - data[k]).filter(
        (difference) => difference !== 0,
      );
      expect(off, `case ${i}`).to.deep.equal([]);
    }
  });

  it('draws distortions within their ranges, each half of the time', () => {
    const draws = Array.from({ length: 400 }, (_, i) => drawDistortion(randomStream('distort', i)));
    for (const [key, low, high] of [
      ['brightness', -32, 32],
      ['contrast', 0.5, 1.5],
      ['saturation', 0.5, 1.5],
      ['hue', -18, 17],
    ] as const) {
      const values = draws.map((draw) => draw[key]).filter((value) => value !== undefined);
      expect(values.length, key).to.be.within(160, 240);
      expect(Math.min(...values), key).to.be.within(low, low + (high - low) * 0.06);
      expect(Math.max(...values), key).to.be.within(high - (high - low) * 0.06, high);
    }
    expect(draws.every(({ hue }) => hue === undefined || Number.isInteger(hue))).to.equal(true);
  });

  it('looks for windows that show more than one class, whatever the tasks are', () => {
    // Everything is class 0 but a corner.
    const [height, width] = [40, 60];
    const classes = new Uint8Array(height * width);
    for (let y = 20; y < 40; y++) classes.fill(1, y * width + 40, y * width + 60);
    const sample: Sample = {
      id: 's',
      image: { height, width, channels: 3, data: new Uint8Array(3 * height * width) },
      labels: { semseg: { kind: 'classes', height, width, channels: 1, data: classes } },
    };
    const mixed = (max_class_share: number) => {
      const transform = pipeline({ size: [16, 16], scales: { min: 1, max: 1 }, max_class_share });
      return Array.from({ length: 100 }, (_, i) => transform.train(sample, randomStream('window', i))).filter(
        ({ labels }) => labels.semseg.data.includes(1) && labels.semseg.data.includes(0),
      ).length;
    };
    expect(mixed(0.75)).to.be.greaterThan(1.5 * mixed(1));
    expect(pipeline({}).needs).to.deep.equal(['semseg']);
    expect(pipeline({ max_class_share: 1 }).needs).to.deep.equal([]);
  });

  it('is the same for the same stream, and does not touch what it is given', async () => {
    const transform = pipeline({ size: [20, 24] });
    const sample = await referenceSample();
    const copy = structuredClone(sample);
    const first = transform.train(sample, randomStream('a'));
    expect(sample).to.deep.equal(copy);
    expect(transform.train(sample, randomStream('a'))).to.deep.equal(first);
    expect(transform.train(sample, randomStream('b'))).not.to.deep.equal(first);
  });

  it('pads for evaluation, and says what does not fit', async () => {
    const sample = await referenceSample();
    const { image, labels } = pipeline({ size: [25, 32] }).evaluate(sample);
    expect([image.height, image.width]).to.deep.equal([25, 32]);
    // One row above, one below; the odd column goes to the right.
    expect([...image.data.subarray(0, 96)]).to.deep.equal(new Array(96).fill(0));
    expect(labels.semseg.data[32]).to.equal(sample.labels.semseg.data[0]);
    expect(labels.saliency.data[63]).to.equal(255);
    expect(() => pipeline({ size: [25, 30] }).evaluate(sample)).to.throw('does not fit');
  });
});

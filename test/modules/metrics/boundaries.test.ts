// odsF, and what it is made of, against an independent implementation: test/reference/boundaries.py.
import { expect } from 'chai';
import '../../../modules/index.js';
import { pairsOf } from '../../../modules/metrics/machinery/assignment.js';
import { countPairs, pointsOf } from '../../../modules/metrics/machinery/matching.js';
import { suppress } from '../../../modules/metrics/machinery/suppression.js';
import { laplacianEdges, outline } from '../../../modules/support/outline.js';
import { thin } from '../../../modules/support/thin.js';
import { createTrialContainer } from '../../../registry/container.js';
import { IGNORE, randomStream, type LabelMap, type MapData, type Metric } from '../../../registry/index.js';
import { readJson } from '../../reference/fixtures.js';

interface Mask {
  height: number;
  width: number;
}
interface Case {
  name: string;
  hed: boolean;
  max_distance: number;
  suppressed?: boolean;
  outlined?: boolean;
  images: (Mask & { prediction: string; label: string })[];
  odsF: number;
  oisF: number;
  AP: number;
}
const {
  cases,
  matchings,
  thin: thinned,
  edges,
} = readJson('boundaries.json') as {
  cases: Case[];
  matchings: (Mask & { a: string; b: string; reach: number; outlier: number; pairs: number })[];
  thin: (Mask & { mask: string; thin: string })[];
  edges: Mask & { regions: string; laplacian: string; outline: string };
};
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

const TASK = { name: 'edge', kind: 'boundary', channels: 1 };
const metric = (type: string, options: object): Metric =>
  createTrialContainer([TASK]).create('metric', { type, ...options });
const start = (type: string, options: object) => metric(type, options).start(TASK);

/** As evaluation hands them over: probabilities of bytes, and a label. */
function imagesOf({ images }: Case): { prediction: MapData; label: LabelMap }[] {
  return images.map(({ height, width, prediction, label }) => ({
    prediction: {
      height,
      width,
      channels: 1,
      data: Float32Array.from(bytes(prediction), (value) => value / 255),
    },
    label: { kind: 'boundary', height, width, channels: 1, data: bytes(label) },
  }));
}

describe('odsF against SciPy', function () {
  this.timeout(120_000);

  for (const example of cases)
    it(example.name, async () => {
      const run = start('odsf', {
        max_distance: example.max_distance,
        thresholds: example.hed ? 'hed' : '99',
        suppress: example.suppressed ?? true,
        outline: example.outlined ?? false,
      });
      for (const { prediction, label } of imagesOf(example)) run.update(prediction, label);
      const { odsF, oisF, AP } = await run.compute();
      expect(odsF).to.be.closeTo(example.odsF, 1e-9);
      expect(oisF).to.be.closeTo(example.oisF, 1e-9);
      expect(AP).to.be.closeTo(example.AP, 1e-9);
    });

  it('does not depend on the order of the images', () => {
    const [example] = cases;
    const values = [imagesOf(example), imagesOf(example).reverse()].map((images) => {
      const run = start('odsf', { max_distance: example.max_distance });
      for (const { prediction, label } of images) run.update(prediction, label);
      return run.compute();
    });
    expect(values[0]).to.deep.equal(values[1]);
  });

  it('counts an image once for the split and for the image by itself, and again if it has changed', () => {
    const [{ prediction, label }] = imagesOf(cases[0]);
    const own = metric('odsf', {});
    const score = (of: Metric, data: MapData['data']) => {
      const before = process.cpuUsage();
      const run = of.start(TASK);
      run.update({ ...prediction, data }, label);
      const { user } = process.cpuUsage(before);
      return { values: run.compute(), user };
    };
    const [first, second] = [score(own, prediction.data), score(own, prediction.data)];
    expect(second.values).to.deep.equal(first.values);
    expect(second.user).to.be.below(first.user / 2);
    const changed = prediction.data;
    for (let i = 0; i < changed.length; i += 2) changed[i] = 0;
    const third = score(own, changed).values;
    expect(third).not.to.deep.equal(first.values);
    expect(third).to.deep.equal(score(metric('odsf', {}), changed).values);
  });

  it('is 100 where the label itself is predicted, and says where nothing is known or labelled', async () => {
    const [{ label }] = imagesOf(cases[0]);
    const exact = start('odsf', { suppress: false });
    exact.update({ ...label, data: Float32Array.from(label.data) }, label);
    expect(exact.compute()).to.include({ odsF: 100, oisF: 100 });
    const none = start('odsf', {});
    none.update(
      { ...label, data: new Float32Array(label.data.length) },
      { ...label, data: label.data.map(() => 255) },
    );
    expect((await none.compute()).odsF).to.deep.equal({
      absent: 'no pixel of the split has a known boundary',
    });
    const empty = start('odsf', {});
    empty.update(
      { ...label, data: new Float32Array(label.data.length) },
      { ...label, data: label.data.map(() => 0) },
    );
    expect((await empty.compute()).odsF).to.deep.equal({ absent: 'no pixel of the split is a boundary' });
  });
});

describe('odsF in threads', function () {
  this.timeout(60_000);
  const [height, width] = [130, 140];
  const map = { height, width, channels: 1 };

  /** Wavy lines of few probabilities, so that counting does not take long; the label is one pixel aside. */
  function wave(i: number): { prediction: Float32Array; label: Uint8Array } {
    const random = randomStream('odsF in threads', i);
    const [prediction, label] = [new Float32Array(height * width), new Uint8Array(height * width)];
    for (let line = 0; line < 8; line++)
      for (let x = 0; x < width; x++) {
        const y = Math.round(8 + 15 * line + 4 * Math.sin(x / 9 + line + i));
        prediction[y * width + x] = (1 + random.integer(4)) / 5;
        label[(y + random.integer(3)) * width + x] = 1;
      }
    label.fill(IGNORE, 0, 10 * i);
    return { prediction, label };
  }

  /** One pair of arrays for all images, as an evaluation has; each image also by itself, as mtcp images has it. */
  async function score(of: Metric, threads: number, images = 5) {
    const [prediction, data] = [new Float32Array(height * width), new Uint8Array(height * width)];
    const run = of.start(TASK, threads);
    const alone: unknown[] = [];
    let promises = 0;
    for (let i = 0; i < images; i++) {
      const drawn = wave(i);
      prediction.set(drawn.prediction);
      data.set(drawn.label);
      const maps = [
        { ...map, data: prediction },
        { ...map, kind: 'boundary', data },
      ] as const;
      const room = run.update(...maps, `image ${i}`);
      promises += Number(room instanceof Promise);
      await room;
      const own = of.start(TASK);
      await own.update(...maps, `image ${i}`);
      alone.push(own.compute());
    }
    return { split: await run.compute(), alone: await Promise.all(alone), promises };
  }

  it('is what it is without, for the split and for each image', async () => {
    const [plain, threaded] = [metric('odsf', {}), metric('odsf', {})];
    const [one, two] = [await score(plain, 1), await score(threaded, 2)];
    expect([one.promises, two.promises]).to.deep.equal([0, 5]);
    expect(two.split).to.deep.equal(one.split);
    expect(two.alone).to.deep.equal(one.alone);
    expect(one.split.odsF).to.be.within(1, 99);
    await threaded.close!();
    // Closed, it may be started again.
    expect((await score(threaded, 2, 1)).split).to.deep.equal(one.alone[0]);
    await threaded.close!();
  });

  it('counts small images in place', () => {
    const run = metric('odsf', {}).start(TASK, 2);
    const small = { height: 64, width: 96, channels: 1 };
    const data = new Float32Array(64 * 96);
    const label = { ...small, kind: 'boundary', data: new Uint8Array(64 * 96) };
    expect(run.update({ ...small, data }, label, 'a')).to.equal(undefined);
    expect(run.compute()).to.have.property('odsF').that.is.an('object');
  });

  it('stops at an image that cannot be counted, and names it', async () => {
    for (const threads of [1, 2]) {
      const own = metric('odsf', {});
      const run = own.start(TASK, threads);
      const update = async (id: string, of = map) => {
        const { prediction, label } = wave(0);
        await run.update({ ...of, data: prediction }, { ...of, kind: 'boundary', data: label }, id);
      };
      await update('fine');
      // More pixels than an array can have.
      const errors: unknown[] = [];
      const note = (error: unknown) => errors.push(error);
      await update('broken', { ...map, height: 2 ** 30, width: 2 ** 30 }).catch(note);
      // From a thread it comes a little later: with one of the next images, or at the end.
      for (let i = 0; i < 6 && errors.length === 0; i++) await update(`next ${i}`).catch(note);
      if (errors.length === 0) await Promise.resolve(run.compute()).catch(note);
      expect(errors).to.have.length(1);
      expect((errors[0] as Error).message).to.match(/^odsF of broken: .*length/);
      await own.close!();
    }
  });
});

describe('matching of boundary pixels', () => {
  it('finds as many pairs as the assignment of least cost, with dear and with cheap outliers', () => {
    for (const [i, { height, width, a, b, reach, outlier, pairs }] of matchings.entries()) {
      const [left, right] = [a, b].map((mask) => pointsOf(bytes(mask), height, width));
      expect(countPairs(left, right, reach, outlier), `case ${i}`).to.equal(pairs);
      expect(countPairs(right, left, reach, outlier), `case ${i}, the other way round`).to.equal(pairs);
    }
  });

  it('leaves pixels alone where moving a long line costs more than a pair saves', () => {
    // One line is a pixel further on: pairing all moves each of 151 by one, while one pair less costs 100.
    const line = (from: number, length: number): Uint8Array =>
      Uint8Array.from({ length: 3 * 200 }, (_, p) => Number(p >= 200 + from && p < 200 + from + length));
    const shifted = (length: number) =>
      countPairs(pointsOf(line(0, length), 3, 200), pointsOf(line(1, length), 3, 200), 1);
    expect(shifted(90)).to.equal(90);
    expect(shifted(151)).to.equal(150);
  });

  it('solves a part exactly by auction as well', () => {
    // Left 0 may take 0 or 1, left 1 only 0: two pairs for 10 + 10, or one for 1.
    const candidates = {
      left: 2,
      rights: 2,
      start: Int32Array.of(0, 2, 3),
      right: Int32Array.of(0, 1, 0),
      cost: Int32Array.of(1, 10, 10),
    };
    expect(pairsOf(Int32Array.of(0, 1), candidates, 20)).to.equal(2);
    expect(pairsOf(Int32Array.of(0, 1), candidates, 18)).to.equal(1);
  });
});

describe('lines of masks', () => {
  it('are thinned as scikit-image thins', () => {
    for (const { height, width, mask, thin: expected } of thinned) {
      const given = bytes(mask);
      const copy = given.slice();
      expect(thin(given, height, width)).to.deep.equal(bytes(expected));
      expect(given, 'the mask it was given').to.deep.equal(copy);
    }
  });

  it('are found between regions as by OpenCV and by seg2bmap', () => {
    const { height, width, regions } = edges;
    expect(laplacianEdges(bytes(regions), height, width)).to.deep.equal(bytes(edges.laplacian));
    expect(outline(bytes(regions), height, width)).to.deep.equal(bytes(edges.outline));
  });

  it('of probabilities keep what is largest across them', () => {
    const [height, width] = [24, 24];
    const ridge = Float32Array.from({ length: height * width }, (_, p) =>
      Math.exp(-(((p % width) - 12) ** 2) / 4),
    );
    const kept = suppress(ridge, height, width);
    for (let x = 5; x < 19; x++) expect(kept[12 * width + x] > 0, `column ${x}`).to.equal(x === 12);
    // Nothing at the frame, all of it five pixels away.
    expect(kept[12]).to.equal(0);
    expect(kept[5 * width + 12]).to.equal(1);
  });
});

describe('the loss as a measure of boundaries', () => {
  it('is the balanced cross entropy over all known pixels', async () => {
    const run = start('boundary_loss', { second_sigmoid: false });
    const map = { height: 1, width: 3, channels: 1 };
    run.update(
      { ...map, data: Float32Array.of(0.5, 0.25, 0.9) },
      { ...map, kind: 'boundary', data: Uint8Array.of(1, 0, 255) },
    );
    const expected = -(0.95 * Math.log(0.5) + 0.05 * Math.log(0.75)) / 2;
    expect((await run.compute()).loss).to.be.closeTo(expected, 1e-7);
  });

  it('takes probabilities for logits, as the numbers in papers do', async () => {
    const run = start('boundary_loss', {});
    const map = { height: 1, width: 1, channels: 1 };
    run.update({ ...map, data: Float32Array.of(1) }, { ...map, kind: 'boundary', data: Uint8Array.of(1) });
    expect((await run.compute()).loss).to.be.closeTo(0.95 * Math.log(1 + Math.exp(-1)), 1e-7);
  });
});

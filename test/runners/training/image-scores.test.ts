// Metrics of single images, the images kept for pictures, and where label and prediction differ.
import '../../../modules/index.js';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import sharp from 'sharp';
import { createTrialContainer } from '../../../registry/container.js';
import type { MapData } from '../../../registry/contracts/data.js';
import type { Metric } from '../../../registry/contracts/learning.js';
import { IGNORE, type Task } from '../../../registry/contracts/tasks.js';
import { errorsOf, writeFailures } from '../../../runners/training/failures.js';
import { ImageScoring } from '../../../runners/training/image-scores.js';

const DEPTH: Task = { name: 'depth', kind: 'depth', channels: 1 };
const SEMSEG: Task = { name: 'semseg', kind: 'classes', channels: 5, classes: ['a', 'b', 'c', 'd', 'e'] };
const components = createTrialContainer([]);
const METRICS = {
  depth: components.create('metric', { type: 'rmse' }),
  semseg: components.create('metric', { type: 'miou' }),
};
const map = (data: Float32Array | Uint8Array, channels = 1): MapData => ({
  height: 2,
  width: 3,
  channels,
  data,
});
const LABELS = {
  depth: map(Float32Array.of(1, 2, 3, 4, 5, IGNORE)),
  semseg: map(Uint8Array.of(0, 0, 1, 1, 1, IGNORE)),
};
const sample = (id: string) => ({ id, image: map(new Uint8Array(18).fill(90), 3), labels: LABELS }) as never;

async function scored(errors: number[], metrics: Record<string, Metric> = METRICS) {
  const scoring = new ImageScoring([DEPTH, SEMSEG], metrics, 2);
  // One array for all predictions, as programs have.
  const depth = new Float32Array(6);
  for (const [i, error] of errors.entries()) {
    LABELS.depth.data.forEach((value, at) => (depth[at] = value + error));
    const semseg = map(Uint8Array.of(0, i > 1 ? 1 : 0, 1, 1, 1, 0));
    await scoring.add({
      sample: sample(`image ${i}`),
      predictions: {},
      compared: { depth: map(depth), semseg },
    });
  }
  return scoring;
}

/** The metric of depths, done in no order, after all images have been seen; `fails` at one of them. */
function late(fails?: number): Record<string, Metric> {
  let count = 0;
  const depth: Metric = {
    values: METRICS.depth.values,
    start(task) {
      const run = METRICS.depth.start(task);
      const own = count++;
      return {
        update: async (...maps) => run.update(...maps),
        compute: async () => {
          await setTimeout([60, 20, 50, 30, 40][own % 5]);
          if (own === fails) throw new Error('lost count');
          return run.compute();
        },
      };
    },
  };
  return { ...METRICS, depth };
}

describe('metrics of single images', () => {
  it('are those of a split of one image, ranked by what occurs in it', async () => {
    const { values, images } = (await scored([0.5, 0.25])).scores(7);
    const at = (task: string, name: string) =>
      values.findIndex((value) => value.task === task && value.name === name);
    expect(images.map(({ values: numbers }) => numbers[at('depth', 'RMSE')])).to.deep.equal([0.5, 0.25]);
    expect(images[0].values[at('semseg', 'mIoU_present')]).to.equal(100);
    const ranked = values.filter(({ primary }) => primary).map(({ task, name }) => `${task}.${name}`);
    expect(ranked).to.deep.equal(['depth.RMSE', 'semseg.mIoU_present']);
  });

  it('keep the worst and the best of each task, as they were when they were seen', async () => {
    const [depth, semseg] = (await scored([0.3, 0.1, 0.5, 0.2, 0.4])).extremes();
    expect(depth.worst.map(({ id }) => id)).to.deep.equal(['image 2', 'image 4']);
    expect(depth.best.map(({ id }) => id)).to.deep.equal(['image 1', 'image 3']);
    expect(depth.worst[0].prediction.data[0]).to.be.closeTo(1.5, 1e-6);
    expect(semseg.worst.map(({ id }) => id)).to.deep.equal(['image 2', 'image 3']);
    // Of fewer images than are shown, none is shown twice.
    const [few] = (await scored([0.3])).extremes();
    expect([few.worst.length, few.best.length]).to.deep.equal([1, 0]);
  });

  it('are the same of a metric that is done later, and in another order', async () => {
    const errors = [0.3, 0.1, 0.5, 0.1, 0.5, 0.3, 0.1];
    const [now, later] = [await scored(errors), await scored(errors, late())];
    await Promise.all([now.complete(), later.complete()]);
    expect(later.scores(1)).to.deep.equal(now.scores(1));
    expect(later.extremes()).to.deep.equal(now.extremes());
    const failing = await scored(errors, late(3));
    const outcome = await failing.complete().catch((error: Error) => error.message);
    expect(outcome).to.equal('lost count');
  });

  it('errors are distances, 0 or 1 for classes, and unknown where the label is', async () => {
    const [depth, semseg] = (await scored([0.5, 0.5, 0.5])).extremes();
    const known = [...errorsOf(depth.worst[0], DEPTH)];
    known.slice(0, 5).forEach((error) => expect(error).to.be.closeTo(0.5, 1e-6));
    expect(known[5]).to.deep.equal(NaN);
    expect([...errorsOf(semseg.worst[0], SEMSEG)]).to.deep.equal([0, 1, 0, 0, 0, NaN]);
  });

  it('are drawn: a row for each image', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-failures-'));
    await writeFailures(folder, (await scored([0.5, 0.1, 0.2, 0.3, 0.4])).extremes());
    const picture = sharp(readFileSync(join(folder, 'failures.png')));
    const { width, height } = await picture.metadata();
    expect(width).to.equal(4 * 192 + 3 * 4);
    // Eight rows of 128 pixels with their captions; below them a legend for each of the two tasks.
    const rows = 24 + 8 * (18 + 128 + 4);
    expect(height).to.equal(rows + 4 + 2 * 22);
    const legend = sharp(readFileSync(join(folder, 'failures.png'))).extract({
      left: 90,
      top: rows,
      width: 300,
      height: height - rows,
    });
    const colours = await legend.removeAlpha().raw().toBuffer();
    const isColoured = (_: number, i: number) =>
      i % 3 === 0 && Math.abs(colours[i] - colours[i + 1]) + Math.abs(colours[i] - colours[i + 2]) > 60;
    expect(colours.filter(isColoured).length).to.be.above(100);
    const { channels } = await picture.stats();
    expect(channels.some(({ stdev }) => stdev > 5)).to.equal(true);
  });
});

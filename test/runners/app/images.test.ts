// Images of a trial ranked, and two trials compared image by image.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { compareImages, imagesOf, rankedImages } from '../../../runners/app/images.js';
import { writeImageScores, type ImageScores } from '../../../runners/store/images.js';

const VALUES: ImageScores['values'] = [
  { task: 'depth', name: 'RMSE', unit: 'm', better: 'lower', primary: true },
  { task: 'depth', name: 'absRel', unit: '', better: 'lower', primary: false },
  { task: 'semseg', name: 'mIoU_present', unit: '%', better: 'higher', primary: true },
];
const scores = (rows: Record<string, (number | null)[]>, values = VALUES): ImageScores => ({
  epoch: 3,
  values,
  images: Object.entries(rows).map(([id, numbers]) => ({ id, values: numbers })),
});

const BEFORE = scores({ a: [1, 9, 50], b: [2, 9, 60], c: [3, 9, null], d: [0.5, 9, 70], e: [4, 9, 10] });
const AFTER = scores({ a: [0.8, 0, 40], b: [1.5, 0, 60], c: [3.1, 0, 5], d: [0.5, 0, 80], f: [9, 9, 9] });

describe('images of trials', () => {
  it('are ranked by the primary metric, the worst first, whichever way it is better', () => {
    const [depth, semseg] = rankedImages(BEFORE);
    expect(depth.images.map(({ id }) => id)).to.deep.equal(['e', 'c', 'b', 'a', 'd']);
    expect(semseg.images.map(({ id }) => id)).to.deep.equal(['e', 'a', 'b', 'd']);
    expect(rankedImages(BEFORE, 'semseg')).to.deep.equal([semseg]);
  });

  it('are compared in pairs, over what both trials have', () => {
    const [depth, semseg] = compareImages(BEFORE, AFTER);
    expect([depth.improved, depth.worse, depth.same]).to.deep.equal([2, 1, 1]);
    expect(depth.changes.map(({ id }) => id)).to.deep.equal(['c', 'd', 'a', 'b']);
    // Gains 0.2, 0.5, -0.1, 0: mean 0.15, deviation 0.264575; t = 1.133893 with 3 degrees of freedom.
    expect(depth.mean).to.be.closeTo(0.15, 1e-12);
    expect(depth.p).to.be.closeTo(0.339245, 1e-5);
    // An image without a value in one of them is no pair.
    expect([semseg.improved, semseg.worse, semseg.same]).to.deep.equal([1, 1, 1]);
    expect(semseg.mean).to.be.closeTo(0, 1e-12);
  });

  it('are written and read, and their absence is told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-images-'));
    expect(() => imagesOf(folder))
      .to.throw(MtcpError, /has no metrics of single images/)
      .with.property('exitCode', 2);
    writeImageScores(folder, BEFORE);
    expect(imagesOf(folder)).to.deep.equal(BEFORE);
    expect(() => rankedImages(BEFORE, 'dept')).to.throw(/no task "dept"/);
    expect(() => compareImages(BEFORE, scores({ z: [1, 1, 1] }))).to.throw(/no image of a task in common/);
    expect(() => compareImages(BEFORE, scores({ a: [1] }, [{ ...VALUES[0], name: 'log' }]))).to.throw(
      /in common/,
    );
  });
});

// Predictions in overlapping windows: every pixel is covered, and predictions are averaged, not chosen, where windows overlap.
import '../../../modules/index.js';
import { expect } from 'chai';
import type { MapData } from '../../../registry/contracts/data.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { predictInWindows, windowStarts } from '../../../runners/inference/windows.js';

const DEPTH: Task = { name: 'depth', kind: 'depth', channels: 1 };
const SEMSEG: Task = { name: 'semseg', kind: 'classes', channels: 3 };
const NORMALS: Task = { name: 'normals', kind: 'normals', channels: 3 };

const map = (height: number, width: number, channels: number, f: (i: number) => number): MapData => ({
  height,
  width,
  channels,
  data: Float32Array.from({ length: height * width * channels }, (_, i) => f(i)),
});
/** An image whose first channel is the number of the pixel. */
const numbered = (height: number, width: number) => map(height, width, 3, (i) => (i % 3 === 0 ? i / 3 : 0));

describe('windows', () => {
  it('begin so that they cover a side, overlap by half or more, and end with it', () => {
    for (const [length, window] of [
      [10, 4],
      [11, 4],
      [64, 64],
      [65, 64],
      [200, 64],
      [7, 3],
      [9, 5],
      [3, 8],
    ]) {
      const starts = windowStarts(length, window);
      expect(starts[0]).to.equal(0);
      expect(starts.at(-1)! + window, `${length} by ${window}`).to.equal(Math.max(length, window));
      starts.slice(1).forEach((start, i) => {
        expect(start).to.be.above(starts[i]);
        expect(start - starts[i]).to.be.at.most(window / 2);
      });
    }
  });

  it('see their own part of the image, and give every pixel its own prediction', async () => {
    const seen: number[][] = [];
    const { depth } = await predictInWindows(numbered(5, 9), [4, 4], [DEPTH], (part) => {
      seen.push([part.height, part.width]);
      return Promise.resolve({
        depth: map(part.height, part.width, 1, (i) => 2 * part.data[3 * i] + 1),
      });
    });
    expect(seen.length).to.equal(windowStarts(5, 4).length * windowStarts(9, 4).length);
    expect(new Set(seen.flat())).to.deep.equal(new Set([4]));
    expect([depth.height, depth.width]).to.deep.equal([5, 9]);
    expect([...depth.data]).to.deep.equal(Array.from({ length: 45 }, (_, i) => 2 * i + 1));
  });

  it('average values where they overlap', async () => {
    let call = 0;
    const { depth } = await predictInWindows(numbered(2, 3), [2, 2], [DEPTH], () => {
      const value = 10 ** call++;
      return Promise.resolve({ depth: map(2, 2, 1, () => value) });
    });
    // Windows at 0 and 1; the middle column has both.
    expect([...depth.data]).to.deep.equal([1, 5.5, 10, 1, 5.5, 10]);
  });

  it('average probabilities of classes before one is chosen', async () => {
    // One window is sure of class 2, the two others slightly prefer class 1.
    const windows = [
      [0.4, 0.5, 0.1],
      [0, 0.05, 0.95],
      [0.4, 0.5, 0.1],
    ];
    let call = 0;
    const starts = windowStarts(5, 3);
    expect(starts).to.deep.equal([0, 1, 2]);
    const { semseg } = await predictInWindows(numbered(1, 5), [1, 3], [SEMSEG], () => {
      const probabilities = windows[call++];
      return Promise.resolve({ semseg: map(1, 3, 3, (i) => probabilities[i % 3]) });
    });
    // Votes would give 1 in the middle.
    expect([...semseg.data]).to.deep.equal([1, 2, 2, 2, 1]);
    expect(semseg.channels).to.equal(1);
  });

  it('leave directions of unit length', async () => {
    const windows = [
      [0, 0, -1],
      [0.6, 0, -0.8],
    ];
    let call = 0;
    const { normals } = await predictInWindows(numbered(1, 3), [1, 2], [NORMALS], () => {
      const direction = windows[call++];
      return Promise.resolve({ normals: map(1, 2, 3, (i) => direction[i % 3]) });
    });
    const middle = Array.from(normals.data.slice(3, 6));
    expect(Math.hypot(...middle)).to.be.closeTo(1, 1e-6);
    expect(middle[0] / -middle[2]).to.be.closeTo(0.3 / 0.9, 1e-6);
  });
});

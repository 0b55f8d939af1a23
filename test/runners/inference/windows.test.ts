// Large images in windows: they cover every pixel, overlap by half, and what they say is averaged.
import '../../../modules/index.js';
import { expect } from 'chai';
import type { MapData } from '../../../registry/contracts/data.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { predictInWindows, windowStarts } from '../../../runners/inference/windows.js';

const TASKS: Task[] = [
  { name: 'semseg', kind: 'classes', channels: 3 },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];
const [HEIGHT, WIDTH] = [7, 11];
/** Each pixel is its own number. */
const IMAGE: MapData = {
  height: HEIGHT,
  width: WIDTH,
  channels: 3,
  data: Float32Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => Math.floor(i / 3)),
};

/** What is asked of a window is a function of its pixels, and `call` may add to it. */
const network =
  (add: (call: number) => number, seen: number[][] = []) =>
  (part: MapData): Promise<Record<string, MapData>> => {
    const pixels = Array.from({ length: part.height * part.width }, (_, i) => part.data[3 * i]);
    seen.push([part.height, part.width, pixels[0]]);
    const plus = add(seen.length - 1);
    const map = (channels: number, of: (pixel: number) => number[]): MapData => ({
      height: part.height,
      width: part.width,
      channels,
      data: Float32Array.from(pixels.flatMap(of)),
    });
    return Promise.resolve({
      semseg: map(3, (pixel) => [0, 1, 2].map((c) => (pixel % 3 === c ? 0.8 : 0.1))),
      depth: map(1, (pixel) => [pixel + plus]),
      normals: map(3, (pixel) => [0.6, 0, pixel % 2 ? -0.8 : 0.8]),
    });
  };

describe('windows of large images', () => {
  it('begin so that every pixel is seen, and neighbours overlap by half', () => {
    for (const window of [4, 5, 32])
      for (let length = 1; length < 200; length++) {
        const starts = windowStarts(length, window);
        expect(starts[0]).to.equal(0);
        expect(starts.at(-1)).to.equal(Math.max(0, length - window));
        for (const [i, start] of starts.slice(1).entries())
          expect(start - starts[i], `${length} by ${window}`).to.be.within(1, Math.ceil(window / 2));
      }
  });

  it('put a network together that looks at pixels only', async () => {
    const seen: number[][] = [];
    const found = await predictInWindows(
      IMAGE,
      [4, 5],
      TASKS,
      network(() => 0, seen),
    );
    expect(seen.every(([height, width]) => height === 4 && width === 5)).to.equal(true);
    expect(seen.length).to.equal(windowStarts(HEIGHT, 4).length * windowStarts(WIDTH, 5).length);
    const { semseg, depth, normals } = found;
    expect([semseg, depth, normals].map(({ channels }) => channels)).to.deep.equal([1, 1, 3]);
    for (let i = 0; i < HEIGHT * WIDTH; i++) {
      expect(semseg.data[i]).to.equal(i % 3);
      expect(depth.data[i]).to.be.closeTo(i, 1e-4);
      expect(normals.data[3 * i]).to.be.closeTo(0.6, 1e-6);
      expect(normals.data[3 * i + 2]).to.be.closeTo(i % 2 ? -0.8 : 0.8, 1e-6);
    }
  });

  it('are averaged where they overlap', async () => {
    const found = await predictInWindows(
      { ...IMAGE, height: 4, data: IMAGE.data.slice(0, 4 * WIDTH * 3) },
      [4, 8],
      [TASKS[1]],
      network((call) => call * 100),
    );
    // Windows from column 0 and from column 3: 0 to 2 are of the first, 3 to 7 of both, 8 to 10 of the second.
    const first = Array.from(found.depth.data, (value, x) => Math.round(value - x)).slice(0, WIDTH);
    expect(first).to.deep.equal([0, 0, 0, 50, 50, 50, 50, 50, 100, 100, 100]);
  });
});

// Labels are judged by what they must satisfy among each other: normals against the slope of the depth, floors
// and ceilings as planes.
import { expect } from 'chai';
import { NYUD_CLASSES } from '../../../../../modules/datasets/folders/nyud.js';
import { renderRoom } from '../../../../../modules/datasets/rendered/rooms/render.js';
import type { Rendering } from '../../../../../modules/datasets/rendered/tracer/render.js';
import { randomStream } from '../../../../../registry/random.js';

const [HEIGHT, WIDTH] = [48, 64];
const SCENES = 40;
/** Slats and folds are finer than a pixel of these small pictures: their slope cannot be seen in the depth. */
const FOLDED: ReadonlySet<string> = new Set(['blinds', 'curtain', 'shower-curtain']);

describe('rendered rooms', () => {
  let scenes: Rendering[];
  before(() => {
    scenes = Array.from({ length: SCENES }, (_, i) => renderRoom(randomStream('test', i), HEIGHT, WIDTH));
  });

  /** The point seen at a pixel, in camera coordinates. */
  const point = ({ camera, depth }: Rendering, p: number) => {
    const z = depth[p];
    const x = (((p % WIDTH) + 0.5 - camera.cx) / camera.focal) * z;
    const y = ((Math.floor(p / WIDTH) + 0.5 - camera.cy) / camera.focal) * z;
    return [x, y, z];
  };
  const normal = ({ normals }: Rendering, p: number) => [...normals.subarray(3 * p, 3 * p + 3)];
  const dot = (a: number[], b: number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

  /** Pixels whose neighbourhood is one surface as far as class and depth tell: there 1/depth is smooth. */
  function* interior(scene: Rendering) {
    const { depth, semseg } = scene;
    for (let i = 1; i < HEIGHT - 1; i++)
      for (let j = 1; j < WIDTH - 1; j++) {
        const p = i * WIDTH + j;
        const around = [p - 1, p + 1, p - WIDTH, p + WIDTH];
        if (around.some((q) => semseg[q] !== semseg[p])) continue;
        const bend = (a: number, b: number) => Math.abs(depth[p] / depth[a] + depth[p] / depth[b] - 2);
        if (bend(around[0], around[1]) < 1e-3 && bend(around[2], around[3]) < 1e-3) yield p;
      }
  }

  it('have normals that agree with the depth', () => {
    let [good, all] = [0, 0];
    for (const scene of scenes)
      for (const p of interior(scene)) {
        if (FOLDED.has(NYUD_CLASSES[scene.semseg[p]])) continue;
        const [left, right, up, down] = [p - 1, p + 1, p - WIDTH, p + WIDTH].map((q) => point(scene, q));
        const across = right.map((value, k) => value - left[k]);
        const along = down.map((value, k) => value - up[k]);
        const cross = [
          along[1] * across[2] - along[2] * across[1],
          along[2] * across[0] - along[0] * across[2],
          along[0] * across[1] - along[1] * across[0],
        ];
        const cosine = dot(cross, normal(scene, p)) / Math.hypot(...cross);
        all++;
        if (cosine > Math.cos((5 * Math.PI) / 180)) good++;
      }
    expect(all).to.be.above(0.4 * SCENES * HEIGHT * WIDTH);
    expect(good / all).to.be.above(0.995);
  });

  it('have unit normals that face the camera', () => {
    let [longest, away] = [0, -Infinity];
    for (const scene of scenes)
      for (let p = 0; p < HEIGHT * WIDTH; p++) {
        const n = normal(scene, p);
        longest = Math.max(longest, Math.abs(Math.hypot(...n) - 1));
        away = Math.max(away, dot(n, point(scene, p)));
      }
    expect(longest).to.be.below(1e-5);
    expect(away).to.be.below(1e-3);
  });

  it('have flat floors and ceilings, opposite each other', () => {
    for (const name of ['floor', 'ceiling'] as const)
      for (const scene of scenes) {
        const pixels = [...scene.semseg.keys()].filter((p) => NYUD_CLASSES[scene.semseg[p]] === name);
        if (pixels.length === 0) continue;
        const first = normal(scene, pixels[0]);
        expect(first[1] * (name === 'floor' ? -1 : 1), 'up or down').to.be.above(0.7);
        const offset = dot(first, point(scene, pixels[0]));
        const turns = pixels.map((p) => 1 - dot(normal(scene, p), first));
        const steps = pixels.map((p) => Math.abs(dot(first, point(scene, p)) - offset));
        expect(Math.max(...turns)).to.be.below(1e-5);
        expect(Math.max(...steps)).to.be.below(1e-3);
      }
  });

  it('lie within the range of a depth camera', () => {
    const depths = scenes.flatMap((scene) => [...scene.depth]);
    expect(depths.reduce((a, b) => Math.min(a, b))).to.be.above(0.3);
    expect(depths.reduce((a, b) => Math.max(a, b))).to.be.below(10.2);
    const mean = depths.reduce((a, b) => a + b) / depths.length;
    expect(mean).to.be.within(2, 4.5);
  });

  it('show many classes, walls and floors most', () => {
    const counts = new Float64Array(40);
    for (const { semseg } of scenes) for (const label of semseg) counts[label]++;
    const share = (name: (typeof NYUD_CLASSES)[number]) =>
      counts[NYUD_CLASSES.indexOf(name)] / (SCENES * HEIGHT * WIDTH);
    expect(share('wall')).to.be.within(0.2, 0.4);
    expect(share('floor')).to.be.within(0.08, 0.25);
    for (const name of ['cabinet', 'bed', 'chair', 'table', 'door', 'window'] as const)
      expect(share(name), name).to.be.above(0.01);
    expect([...counts].filter((count) => count > 0.001 * SCENES * HEIGHT * WIDTH).length).to.be.at.least(24);
  });

  it('are pictures: neither dark nor burnt out, and seldom of one colour', () => {
    for (const { image } of scenes) {
      const mean = image.reduce((sum, level) => sum + level, 0) / image.length;
      const spread = Math.sqrt(image.reduce((sum, level) => sum + (level - mean) ** 2, 0) / image.length);
      expect(mean).to.be.within(50, 215);
      expect(spread).to.be.above(12);
    }
  });

  it('depend on the stream alone', () => {
    expect(renderRoom(randomStream('test', 3), HEIGHT, WIDTH)).to.deep.equal(scenes[3]);
    expect(scenes[4].image).not.to.deep.equal(scenes[3].image);
  });

  it('show the same room at another size', () => {
    const finer = renderRoom(randomStream('test', 0), 2 * HEIGHT, 2 * WIDTH);
    let same = 0;
    for (let i = 0; i < HEIGHT; i++)
      for (let j = 0; j < WIDTH; j++)
        if (finer.semseg[2 * i * 2 * WIDTH + 2 * j] === scenes[0].semseg[i * WIDTH + j]) same++;
    expect(same / (HEIGHT * WIDTH)).to.be.above(0.9);
  });
});

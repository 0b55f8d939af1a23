import { expect } from 'chai';
import type { Material } from '../../../../../modules/datasets/rendered/tracer/materials.js';
import { CEILING, FLOOR, Scene } from '../../../../../modules/datasets/rendered/tracer/scene.js';
import { invert, Model, placed, type Part } from '../../../../../modules/datasets/rendered/tracer/solids.js';
import { randomStream } from '../../../../../registry/random.js';

const GREY: Material = {
  pattern: 'plain',
  colour: [0.5, 0.5, 0.5],
  second: [0.5, 0.5, 0.5],
  scale: 1,
  gloss: 0,
  glow: 0,
  seed: 0,
};
const model = () => new Model('box', [1, 1, 1]);

/** Distance, surface and normal of a ray into a room of 4 x 4 x 3 metres with these parts. */
function trace(parts: Part[], from: [number, number, number], to: [number, number, number]) {
  const hit = new Scene(parts, [4, 4, 3]).trace(...from, to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  const { distance, surface, nx, ny, nz } = hit;
  return { distance, surface, normal: [nx, ny, nz] };
}

function expectNormal(actual: number[], expected: number[]): void {
  actual.forEach((value, k) => expect(value).to.be.closeTo(expected[k], 1e-9));
}

describe('rays', () => {
  it('see the faces of an empty room from inside', () => {
    const parts = placed(model().box([0, 0, 0], [0.1, 0.1, 0.1], GREY), [3.9, 3.9, 0], 0);
    const floor = trace(parts, [1, 1, 1], [1, 1, 0.5]);
    expect([floor.distance, floor.surface - 1]).to.deep.equal([2, FLOOR]);
    expectNormal(floor.normal, [0, 0, 1]);
    expect(trace(parts, [1, 1, 1], [1, 1, 2]).surface - 1).to.equal(CEILING);
    const wall = trace(parts, [1, 1, 1], [0, 1, 1]);
    expect([wall.distance, wall.surface - 1]).to.deep.equal([1, 0]);
    expectNormal(wall.normal, [1, 0, 0]);
    expectNormal(trace(parts, [1, 1, 1], [1, 2, 1]).normal, [0, -1, 0]);
  });

  it('meet boxes, turned ones too', () => {
    const parts = placed(model().box([0, 0, 0], [2, 1, 1], GREY), [2, 2, 0], 90);
    // Turned by 90 degrees the box reaches from 1.5 to 2.5 in x and from 1 to 3 in y.
    const hit = trace(parts, [0.5, 1.2, 0.5], [1.5, 1.2, 0.5]);
    expect(hit.surface).to.equal(0);
    expect(hit.distance).to.be.closeTo(1, 1e-12);
    expectNormal(hit.normal, [-1, 0, 0]);
    expect(trace(parts, [0.5, 0.9, 0.5], [1.5, 0.9, 0.5]).surface).not.to.equal(0);
    expectNormal(trace(parts, [2, 2, 2], [2, 2, 1]).normal, [0, 0, 1]);
  });

  it('meet ellipsoids', () => {
    const parts = placed(model().ellipsoid([0, 0, 0], [2, 1, 1], GREY), [2, 2, 1], 0);
    const hit = trace(parts, [2.5, 0.5, 1.5], [2.5, 1.5, 1.5]);
    // (x/1)^2 + (y/0.5)^2 = 1 at x = 0.5: y = -sqrt(3)/4; the gradient there is (x, 4y).
    const y = -Math.sqrt(3) / 4;
    expect(hit.distance).to.be.closeTo(1.5 + y, 1e-12);
    const length = Math.hypot(0.5, 4 * y);
    expectNormal(hit.normal, [0.5 / length, (4 * y) / length, 0]);
  });

  it('meet tapered cylinders on the side and on the caps', () => {
    const parts = placed(model().cylinder([0, 0, 0], [2, 2, 1], GREY, { taper: 0.5 }), [2, 2, 0], 0);
    // Half way up the radius is 0.75 and falls by 0.5 a metre.
    const side = trace(parts, [0.25, 2, 0.5], [1.25, 2, 0.5]);
    expect(side.distance).to.be.closeTo(1, 1e-12);
    const length = Math.hypot(1, 0.5);
    expectNormal(side.normal, [-1 / length, 0, 0.5 / length]);
    const cap = trace(parts, [2.4, 2, 2], [2.4, 2, 1]);
    expect(cap.distance).to.be.closeTo(1, 1e-12);
    expectNormal(cap.normal, [0, 0, 1]);
    const beside = trace(parts, [2.6, 2, 2], [2.6, 2, 1]);
    expect(beside.distance).to.be.closeTo(1.2, 1e-12);
  });

  it('meet cylinders that grow wider than their foot', () => {
    const parts = placed(model().cylinder([0, 0, 0], [1, 1, 1], GREY, { taper: 2 }), [2, 2, 0], 0);
    // The radius is 0.5 below and 1 above.
    expect(trace(parts, [0.2, 2, 0.9], [1.2, 2, 0.9]).distance).to.be.closeTo(2 - 0.2 - 0.95, 1e-12);
    expect(trace(parts, [2, 2.9, 2], [2, 2.9, 1]).distance).to.be.closeTo(1, 1e-12);
    expect(new Scene(parts, [4, 4, 3]).inside(2, 2.9, 0.95)).to.equal(true);
  });

  it('meet the first of two parts that share a face', () => {
    const parts = placed(
      model().box([0, 0, 0], [1, 1, 1], GREY).box([0, 0, 0], [2, 1, 1], GREY),
      [2, 2, 0],
      0,
    );
    expect(trace(parts, [2, 0.5, 0.5], [2, 1.5, 0.5])).to.include({ distance: 1, surface: 0 });
    expect(trace([...parts].reverse(), [2, 0.5, 0.5], [2, 1.5, 0.5])).to.include({ distance: 1, surface: 0 });
  });

  it('meet what lies on the way along an axis, also from a face of its box', () => {
    const parts = placed(model().box([0, 0, 0.5], [1, 1, 1], GREY), [2, 2, 0], 0);
    for (const sign of [1, -1])
      for (const z of [0.5001, 1, 1.4999]) {
        const { distance, surface } = trace(parts, [2 - sign * 1.5, 2, z], [2 - sign * 0.5, 2, z]);
        expect({ distance, surface }).to.deep.equal({ distance: 1, surface: 0 });
      }
    // -0 is a direction, too.
    const scene = new Scene(parts, [4, 4, 3]);
    expect(scene.blocked(2, 0.5, 1, -0, 1, -0, 1.1)).to.equal(true);
    expect(scene.blocked(2, 0.5, 1, -0, 1, -0, 0.9)).to.equal(false);
  });

  it('go back and forth between rooms', () => {
    const [near, far] = [1, 2.5].map(
      (y) => new Scene(placed(model().box([0, 0, 0], [4, 0.2, 3], GREY), [2, y, 0], 0), [4, 4, 3]),
    );
    for (let i = 0; i < 3; i++) {
      expect(near.trace(2, 0.1, 1, 0, 1, 0).distance).to.be.closeTo(0.8, 1e-12);
      expect(far.trace(2, 0.1, 1, 0, 1, 0).distance).to.be.closeTo(2.3, 1e-12);
    }
  });

  it('meet nothing before the nearest of many parts, and a part there', () => {
    const random = randomStream('rays');
    const between = (low: number, high: number) => low + random.uniform() * (high - low);
    const all = model();
    for (let i = 0; i < 200; i++) {
      const at = [between(0.2, 3.8), between(0.2, 3.8), between(0, 2.5)] as const;
      const size = [between(0.02, 0.5), between(0.02, 0.5), between(0.02, 0.5)] as const;
      const turn = [between(0, 360), between(0, 360), between(0, 360)] as const;
      if (i % 3 === 0) all.box(at, size, GREY, { turn });
      else if (i % 3 === 1) all.ellipsoid(at, size, GREY, { turn });
      else all.cylinder(at, size, GREY, { turn, taper: i % 2 === 0 ? 0.6 : 1.7 });
    }
    const scene = new Scene(all.parts, [4, 4, 3]);
    const inverses = all.parts.map(({ transform }) => invert(transform));
    /** Whether a point lies in a solid that is larger by `margin` of its size. */
    const isInside = (x: number, y: number, z: number, margin: number) =>
      all.parts.some(({ shape, taper }, i) => {
        const m = inverses[i];
        const [u, v, w] = [0, 4, 8].map((r) => m[r] * x + m[r + 1] * y + m[r + 2] * z + m[r + 3]);
        if (shape === 'box') return Math.max(Math.abs(u), Math.abs(v), Math.abs(w)) <= 1 + margin;
        if (shape === 'ellipsoid') return Math.hypot(u, v, w) <= 1 + margin;
        const radius = 1 + ((taper - 1) / 2) * (w + 1);
        return Math.abs(w) <= 1 + margin && Math.hypot(u, v) <= radius + margin;
      });
    const start = [2, 2, 1.5] as const;
    expect(isInside(...start, 0), 'rays start outside').to.equal(false);
    let solid = 0;
    for (let i = 0; i < 60; i++) {
      const raw = [random.normal(), random.normal(), random.normal()];
      const length = Math.hypot(...raw);
      const [dx, dy, dz] = raw.map((x) => x / length);
      const at = (t: number) => [start[0] + t * dx, start[1] + t * dy, start[2] + t * dz] as const;
      const { distance, surface } = scene.trace(...start, dx, dy, dz);
      for (let t = 0; t < distance - 1e-6; t += 5e-3)
        if (isInside(...at(t), 0)) expect.fail(`${t} m lies in a solid, before ${distance} m`);
      const isSolid = surface < all.parts.length;
      if (isSolid) solid++;
      if (isSolid) expect(isInside(...at(distance), 1e-6)).to.equal(true);
      expect(scene.blocked(...start, dx, dy, dz, 100)).to.equal(isSolid);
      expect(scene.blocked(...start, dx, dy, dz, distance * 0.999)).to.equal(false);
    }
    expect(solid).to.be.within(10, 60);
  });
});

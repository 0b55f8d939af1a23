// What is found in single precision, four boxes at a time, beside each box by itself in double precision.
import { expect } from 'chai';
import { Boxes, type Box } from '../../../../../modules/datasets/rendered/tracer/boxes.js';
import { randomStream } from '../../../../../registry/random.js';

type Vector = readonly [number, number, number];

const random = randomStream('boxes');
const between = (low: number, high: number) => low + random.uniform() * (high - low);
const draw = (of: (axis: number) => number): Vector => [of(0), of(1), of(2)];

function drawBox(reach: number): Box {
  const corner = draw(() => between(-reach, reach));
  return [...corner, ...corner.map((x) => x + between(0.001, reach / 4))];
}

/** Where on its way from o to o + d a ray is inside a box that is larger by `margin`. */
function isMet(box: Box, margin: number, o: Vector, d: Vector): boolean {
  let [enter, leave] = [0, 1];
  for (let k = 0; k < 3; k++) {
    const sides = [box[k] - margin, box[k + 3] + margin].map((side) => (side - o[k]) / d[k]);
    enter = Math.max(enter, Math.min(...sides));
    leave = Math.min(leave, Math.max(...sides));
  }
  return enter <= leave;
}

function found(boxes: Boxes, [ox, oy, oz]: Vector, [dx, dy, dz]: Vector): Set<number> {
  const groups = boxes.find(ox, oy, oz, dx, dy, dz, 1);
  return new Set(
    [...boxes.found.subarray(0, groups)].flatMap((code) =>
      [0, 1, 2, 3].filter((i) => code & (1 << i)).map((i) => 4 * (code >> 4) + i),
    ),
  );
}

describe('boxes on the way of a ray', () => {
  // 5000 boxes need more than a page of memory.
  for (const [count, reach] of [
    [1, 3],
    [7, 3],
    [300, 5],
    [5000, 200],
  ])
    it(`are found among ${count}, and hardly any others`, () => {
      const all = Array.from({ length: count }, () => drawBox(reach));
      const boxes = new Boxes(all);
      for (let ray = 0; ray < 60; ray++) {
        const o = draw(() => between(-reach, reach));
        // Through a point of one of them.
        const aim = all[random.integer(count)];
        const d = draw((k) => 1.5 * (between(aim[k], aim[k + 3]) - o[k]));
        const actual = found(boxes, o, d);
        const indices = [...all.keys()];
        const met = indices.filter((i) => isMet(all[i], 0, o, d));
        expect(met).to.include(all.indexOf(aim));
        expect(met.filter((i) => !actual.has(i))).to.deep.equal([]);
        const nearby = new Set(indices.filter((i) => isMet(all[i], 2e-3, o, d)));
        expect([...actual].filter((i) => !nearby.has(i))).to.deep.equal([]);
      }
    });

  it('are none where there are no boxes', () => {
    expect(found(new Boxes([]), [0, 0, 0], [1, 1, 1])).to.have.property('size', 0);
  });
});

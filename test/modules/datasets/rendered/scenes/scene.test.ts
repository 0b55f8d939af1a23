// Rendered scenes: what their labels must agree on, and that they hold what the benchmark holds.
import { expect } from 'chai';
import {
  CONTEXT_OF_VOC,
  PART_OF_PIECE,
  PERSON,
  VOC_CLASSES,
} from '../../../../../modules/datasets/folders/pascal-classes.js';
import { MAKERS, RIDDEN, type ObjectClass } from '../../../../../modules/datasets/rendered/scenes/cast.js';
import { person, type Posture } from '../../../../../modules/datasets/rendered/props/person.js';
import { renderScene } from '../../../../../modules/datasets/rendered/scenes/scene.js';
import { Dice } from '../../../../../modules/datasets/rendered/dice.js';
import { Style } from '../../../../../modules/datasets/rendered/props/style.js';
import { randomStream } from '../../../../../registry/random.js';

const [HEIGHT, WIDTH] = [36, 48];
const COUNT = 24;

describe('rendered scenes', () => {
  const scenes = Array.from({ length: COUNT }, (_, i) =>
    renderScene(randomStream(1, 'scene', i), HEIGHT, WIDTH),
  );

  it('are the same for the same stream', () => {
    const again = renderScene(randomStream(1, 'scene', 3), HEIGHT, WIDTH);
    expect(Buffer.from(again.image).equals(Buffer.from(scenes[3].image))).to.equal(true);
    expect(again.objects).to.deep.equal(scenes[3].objects);
  });

  it('have objects that do not overlap and are what the class map says', () => {
    for (const { objects, semseg, context } of scenes) {
      const classes = new Uint8Array(semseg.length);
      for (const { index, mask } of objects)
        mask.forEach((inside, p) => {
          if (!inside) return;
          expect(classes[p]).to.equal(0);
          classes[p] = index;
        });
      for (const [p, value] of semseg.entries())
        if (value !== 255) {
          expect(value).to.equal(classes[p]);
          if (value > 0) expect(context[p]).to.equal(CONTEXT_OF_VOC[value]);
        }
    }
  });

  it('have void borders where the map counts as one of VOC, and nowhere else', () => {
    for (const { voc, semseg, objects } of scenes)
      expect(semseg.includes(255)).to.equal(voc && objects.some(({ mask }) => mask.includes(0)));
    expect(new Set(scenes.map(({ voc }) => voc)).size).to.equal(2);
  });

  it('have people made of pieces with known names, each in its person, and all of the person', () => {
    let people = 0;
    for (const { index, mask, pieces } of scenes.flatMap(({ objects }) => objects)) {
      if (index !== PERSON) {
        expect(pieces).to.deep.equal([]);
        continue;
      }
      people++;
      const covered = new Uint8Array(mask.length);
      for (const piece of pieces) {
        expect(PART_OF_PIECE, piece.name).to.have.property(piece.name);
        piece.mask.forEach((inside, p) => (covered[p] += inside));
      }
      expect([...covered]).to.deep.equal([...mask]);
    }
    expect(people).to.be.greaterThan(5);
  });

  it('show people in some pictures only, and salient things in most', () => {
    const withPeople = scenes.filter(({ objects }) => objects.some(({ index }) => index === PERSON)).length;
    expect(withPeople).to.be.within(5, COUNT - 4);
    const salient = scenes.filter(({ saliency }) => saliency.includes(1));
    expect(salient.length).to.be.greaterThan(COUNT * 0.7);
    for (const { saliency, objects } of salient)
      saliency.forEach((value, p) => {
        if (value) expect(objects.some(({ mask }) => mask[p])).to.equal(true);
      });
  });

  it('have unit normals that face the camera', () => {
    let [longest, away] = [0, -Infinity];
    for (const { normals, camera } of scenes)
      for (let p = 0; p < HEIGHT * WIDTH; p++) {
        const [x, y, z] = normals.subarray(3 * p, 3 * p + 3);
        // From the camera to the middle of the pixel.
        const right = ((p % WIDTH) + 0.5 - camera.cx) / camera.focal;
        const down = (Math.floor(p / WIDTH) + 0.5 - camera.cy) / camera.focal;
        longest = Math.max(longest, Math.abs(Math.hypot(x, y, z) - 1));
        away = Math.max(away, (x * right + y * down + z) / Math.hypot(right, down, 1));
      }
    expect(longest).to.be.below(1e-5);
    expect(away).to.be.below(1e-3);
  });
});

describe('the cast', () => {
  const style = () => new Style(new Dice(randomStream('cast')));

  it('has every class of the VOC, whole and above the ground', () => {
    expect(Object.keys(MAKERS)).to.have.members(VOC_CLASSES.slice(1));
    for (const [name, make] of Object.entries(MAKERS)) {
      const model = make(style());
      expect(
        model.parts.every(({ voc }) => voc === name),
        name,
      ).to.equal(true);
      // Boats reach under the water.
      const lowest = Math.min(
        ...model.parts.map(({ transform: m }) => m[11] - Math.abs(m[8]) - Math.abs(m[9]) - Math.abs(m[10])),
      );
      if (name !== 'boat') expect(lowest, name).to.be.greaterThan(-0.12);
    }
  });

  it('sits on what it rides', () => {
    for (const kind of Object.keys(RIDDEN) as ObjectClass[])
      expect(RIDDEN[kind]!(style()).saddle).to.be.within(0.5, 2);
  });

  it('has people with all limbs in every posture', () => {
    for (const posture of ['stand', 'walk', 'run', 'sit', 'crouch', 'ride'] as Posture[]) {
      const names = new Set(person(style(), posture).parts.map(({ piece }) => piece));
      for (const piece of ['head', 'torso', 'neck', 'luarm', 'rlarm', 'lhand', 'ruleg', 'llleg', 'rfoot'])
        expect(names, posture).to.include(piece);
    }
  });
});

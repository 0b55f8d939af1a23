// What stands about outdoors and belongs to no class: trees, bushes, rocks, fences, houses, lamp posts.
import type { Material } from '../tracer/materials.js';
import { Model } from '../tracer/solids.js';
import { hsv, type Style } from './style.js';

function leaves(style: Style): Material {
  const { dice } = style;
  const colour = hsv(dice.range(60, 125), dice.range(0.4, 0.75), dice.range(0.25, 0.5));
  return style.make(
    'carpet',
    colour,
    [colour[0] * 0.5, colour[1] * 0.5, colour[2] * 0.5],
    dice.range(0.15, 0.4),
  );
}

export function tree(style: Style): Model {
  const { dice } = style;
  const tall = dice.range(3.5, 8);
  const green = leaves(style);
  const bark = style.make('wood', hsv(28, 0.4, 0.35), hsv(25, 0.4, 0.2), 0.2);
  const model = new Model('otherprop', [tall * 0.5, tall * 0.5, tall]);
  const trunk = tall * dice.range(0.025, 0.045);
  if (dice.chance(0.3)) {
    // A conifer: cones on top of each other.
    model.limb([0, 0, 0], [0, 0, tall * 0.3], [trunk, trunk], bark);
    for (let i = 0; i < 4; i++)
      model.limb(
        [0, 0, tall * (0.15 + 0.19 * i)],
        [0, 0, tall * (0.5 + 0.17 * i)],
        [tall * (0.2 - 0.04 * i), 0.03],
        green,
      );
    return model;
  }
  model.limb([0, 0, 0], [dice.range(-0.2, 0.2), 0, tall * 0.6], [trunk, trunk * 0.6], bark);
  for (let i = 0; i < 7; i++) {
    const angle = i * 2.4;
    const reach = i === 0 ? 0 : tall * dice.range(0.1, 0.2);
    const r = tall * dice.range(0.11, 0.19);
    model.ball([reach * Math.cos(angle), reach * Math.sin(angle), tall * dice.range(0.58, 0.84)], r, green);
  }
  return model;
}

export function bush(style: Style): Model {
  const { dice } = style;
  const s = dice.range(0.5, 1.4);
  const green = leaves(style);
  const model = new Model('otherprop', [1.6 * s, 1.6 * s, s]);
  for (let i = 0; i < 5; i++)
    model.ball(
      [dice.range(-0.45, 0.45) * s, dice.range(-0.45, 0.45) * s, dice.range(0.2, 0.5) * s],
      s * dice.range(0.3, 0.5),
      green,
    );
  return model;
}

export function rock(style: Style): Model {
  const { dice } = style;
  const s = dice.range(0.3, 1.2);
  const stone = style.make('plaster', hsv(35, 0.08, dice.range(0.35, 0.65)), [0, 0, 0], 1);
  const model = new Model('otherprop', [1.6 * s, 1.2 * s, s]);
  for (let i = 0; i < 3; i++)
    model.ellipsoid(
      [dice.range(-0.3, 0.3) * s, dice.range(-0.2, 0.2) * s, -0.25 * s],
      [dice.range(0.8, 1.3) * s, dice.range(0.7, 1.1) * s, dice.range(0.6, 1.1) * s],
      stone,
      { turn: [dice.range(-15, 15), dice.range(-15, 15), dice.range(0, 180)] },
    );
  return model;
}

export function fence(style: Style): Model {
  const { dice } = style;
  const [posts, gap] = [dice.integer(3, 6), 1.6];
  const tall = dice.range(0.9, 1.3);
  const wood = dice.chance(0.6) ? style.wood : style.paint();
  const width = (posts - 1) * gap;
  const model = new Model('otherstructure', [width + 0.12, 0.14, tall]);
  for (let i = 0; i < posts; i++) model.box([i * gap - width / 2, 0, 0], [0.1, 0.1, tall], wood);
  for (const z of [0.35, 0.75]) model.box([0, 0, z * tall], [width, 0.04, 0.1], wood);
  return model;
}

export function house(style: Style): Model {
  const { dice } = style;
  const [w, d, h] = [dice.range(5, 8), dice.range(4, 6), dice.range(3, 6.5)];
  const wall = dice.chance(0.4)
    ? style.make('brick', hsv(dice.range(5, 25), 0.5, dice.range(0.35, 0.7)), hsv(30, 0.1, 0.7), 0.3)
    : style.walls(false);
  const roof = style.make(
    'tiles',
    hsv(dice.range(0, 30), dice.range(0.1, 0.6), dice.range(0.25, 0.55)),
    [0.1, 0.1, 0.1],
    0.4,
  );
  const glass = style.make('plain', [0.05, 0.06, 0.08], [0, 0, 0], 1, 0.9);
  const model = new Model('otherstructure', [w, d, h + 1.8]);
  model.box([0, 0, 0], [w, d, h], wall);
  for (const side of [-1, 1])
    model.box([0, side * d * 0.24, h + 0.55], [w + 0.4, d * 0.66, 0.12], roof, { turn: [side * -32, 0, 0] });
  for (const y of [-1, 1])
    for (let floor = 0; floor < Math.round(h / 3); floor++)
      for (let i = 0; i < 3; i++)
        model.box([(i - 1) * w * 0.3, (y * d) / 2, 1 + floor * 2.8], [0.95, 0.06, 1.25], glass);
  model.box([w * 0.15, -d / 2, 0], [0.95, 0.08, 2.05], style.joinery);
  return model;
}

export function lampPost(style: Style): Model {
  const model = new Model('otherprop', [0.3, 0.3, 4.6]);
  const metal = style.dark();
  model.limb([0, 0, 0], [0, 0, 4.4], [0.07, 0.045], metal);
  model.limb([0, 0, 4.35], [0, -0.8, 4.5], [0.04, 0.04], metal);
  return model.box([0, -0.8, 4.4], [0.16, 0.45, 0.1], style.porcelain());
}

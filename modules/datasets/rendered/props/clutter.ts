// Things that stand, lie or lean about: lamps, books, boxes, bags, plants, people.
import { Model, type Vector } from '../tracer/solids.js';
import type { Style } from './style.js';

/** A row of upright books, now and then leaning or lying. */
export function books(style: Style, width: number, depth: number, height: number): Model {
  const { dice } = style;
  const model = new Model('books', [width, depth, height]);
  let x = -width / 2;
  while (x < width / 2 - 0.02) {
    const thick = Math.min(dice.range(0.018, 0.055), width / 2 - x);
    const tall = height * dice.range(0.68, 1);
    const cover = dice.chance(0.5) ? style.plastic() : style.fabric();
    const lean = dice.chance(0.06) ? 8 : 0;
    model.box(
      [x + thick / 2, dice.range(-0.02, 0.015), 0],
      [thick * 0.94, depth * dice.range(0.75, 0.95), tall],
      { ...cover, gloss: 0.15 },
      { turn: [0, lean, 0] },
    );
    x += thick;
  }
  return model;
}

/** A pile of lying books. */
export function pile(style: Style): Model {
  const { dice } = style;
  const model = new Model('books', [0.28, 0.22, 0.2]);
  let z = 0;
  for (let i = dice.integer(2, 6); i > 0; i--) {
    const thick = dice.range(0.02, 0.045);
    model.box([0, 0, z], [dice.range(0.18, 0.27), dice.range(0.14, 0.2), thick], style.plastic(), {
      turn: [0, 0, dice.range(-15, 15)],
    });
    z += thick;
  }
  return model;
}

/** Sheets lying on a table, or hung (`upright`) on a wall or a fridge. */
export function papers(style: Style, count: number, upright = false): Model {
  const { dice } = style;
  const model = new Model('paper', [0.3, 0.3, upright ? 0.3 : 0.02]);
  for (let i = 0; i < count; i++) {
    const paper = style.paper();
    if (upright) model.box([0, 0, 0], [0.21, 0.005, 0.29], paper, { turn: [0, dice.range(-4, 4), 0] });
    else
      model.box([dice.range(-0.08, 0.08), dice.range(-0.08, 0.08), 0.003 * i], [0.21, 0.29, 0.003], paper, {
        turn: [0, 0, dice.range(-40, 40)],
      });
  }
  return model;
}

export function box(style: Style, [width, depth, height]: Vector): Model {
  const { dice } = style;
  const card = dice.chance(0.6) ? style.cardboard() : dice.chance(0.5) ? style.plastic() : style.fabric();
  const model = new Model('box', [width, depth, height]);
  model.box([0, 0, 0], [width, depth, height], card);
  if (dice.chance(0.4)) {
    // A lid, or tape along the top.
    if (dice.chance(0.5)) model.box([0, 0, height - 0.04], [width + 0.02, depth + 0.02, 0.05], card);
    else model.box([0, 0, height - 0.08], [width * 0.14, depth + 0.004, 0.082], style.paint());
  } else if (height > 0.2)
    for (const side of [-1, 1])
      model.box([0, side * (depth / 2), height], [width, 0.01, depth * 0.45], card, {
        turn: [side * -dice.range(30, 75), 0, 0],
      });
  return model;
}

export function someBox(style: Style): Model {
  const { dice } = style;
  return box(style, [dice.range(0.25, 0.55), dice.range(0.22, 0.42), dice.range(0.15, 0.42)]);
}

/** A bottle, jar or vase. */
export function bottle(style: Style, height: number): Model {
  const { dice } = style;
  const width = Math.min(0.12, height * dice.range(0.3, 0.6));
  const glass = dice.chance(0.5) ? style.plastic() : style.porcelain();
  const model = new Model('otherprop', [width, width, height]);
  model.voc = 'bottle';
  model.cylinder([0, 0, 0], [width, width, height * 0.62], glass, { taper: dice.range(0.8, 1.15) });
  if (dice.chance(0.6))
    model.cylinder([0, 0, height * 0.62], [width * 0.8, width * 0.8, height * 0.38], glass, { taper: 0.4 });
  return model;
}

export function mug(style: Style): Model {
  return new Model('otherprop', [0.1, 0.1, 0.1]).cylinder([0, 0, 0], [0.085, 0.085, 0.1], style.porcelain(), {
    taper: 1.05,
  });
}

/** Pot and leaves. */
export function plant(style: Style, height: number): Model {
  const { dice } = style;
  const pot = height * dice.range(0.25, 0.4);
  const model = new Model('otherprop', [height * 0.5, height * 0.5, height]);
  model.voc = 'pottedplant';
  model.cylinder(
    [0, 0, 0],
    [pot * 0.75, pot * 0.75, pot],
    dice.chance(0.5) ? style.cardboard() : style.porcelain(),
    { taper: 1.3 },
  );
  const green = style.make('carpet', [0.05, dice.range(0.12, 0.25), 0.04], [0.12, 0.3, 0.06], 0.06);
  model.cylinder([0, 0, pot], [0.03, 0.03, height * 0.3], style.wood);
  for (let i = 0; i < 9; i++) {
    const angle = i * 2.4;
    const reach = height * dice.range(0.08, 0.2);
    const size = height * dice.range(0.18, 0.34);
    model.ellipsoid(
      [
        reach * Math.cos(angle),
        reach * Math.sin(angle),
        pot + dice.range(0.05, 0.9) * (height - pot - size * 0.7),
      ],
      [size, size * 0.35, size * 0.8],
      green,
      { turn: [dice.range(-50, 50), dice.range(-50, 50), angle * 57] },
    );
  }
  return model;
}

/** @returns the lamp; its light belongs `up` metres above its foot */
export function lamp(style: Style, height: number, lit: boolean): { model: Model; up: number } {
  const { dice } = style;
  const shadeHeight = height > 1 ? dice.range(0.22, 0.32) : height * dice.range(0.35, 0.5);
  const width = height > 1 ? dice.range(0.3, 0.45) : height * dice.range(0.5, 0.7);
  const model = new Model('lamp', [width, width, height]);
  const stand = dice.chance(0.5) ? style.metal : style.surface();
  model.cylinder([0, 0, 0], [width * 0.6, width * 0.6, 0.03], stand);
  if (height < 1 && dice.chance(0.5))
    model.ellipsoid([0, 0, 0.02], [width * 0.5, width * 0.5, height * 0.5], style.porcelain());
  model.cylinder([0, 0, 0.02], [0.03, 0.03, height - shadeHeight], stand);
  model.cylinder([0, 0, height - shadeHeight], [width, width, shadeHeight], lampshade(style, lit), {
    taper: dice.range(0.5, 0.95),
  });
  return { model, up: height - shadeHeight / 2 };
}

export function lampshade(style: Style, lit: boolean) {
  const { dice } = style;
  const cream = style.make('plain', [0.8, dice.range(0.6, 0.75), dice.range(0.35, 0.6)], [0.8, 0.7, 0.5], 1);
  if (lit) return { ...cream, glow: dice.range(1.2, 2.5) };
  return dice.chance(0.5) ? cream : style.fabric();
}

/** A backpack, or a tote with handles. */
export function bag(style: Style): Model {
  const { dice } = style;
  const [width, depth, height] = [dice.range(0.28, 0.42), dice.range(0.14, 0.2), dice.range(0.3, 0.46)];
  const cloth = dice.pick([() => style.leather(), () => style.dark(), () => style.fabric()])();
  const model = new Model('bag', [width, depth + 0.08, height]);
  if (dice.chance(0.5)) {
    model.box([0, 0, 0], [width, depth, height * 0.75], cloth);
    model.ellipsoid([0, 0, height * 0.5], [width, depth, height * 0.5], cloth);
    model.box([0, -depth / 2, 0.03], [width * 0.75, 0.07, height * 0.4], cloth);
    for (const x of [-0.3, 0.3])
      model.box([x * width, depth / 2, 0.05], [0.05, 0.04, height * 0.7], style.dark());
    return model;
  }
  model.cylinder([0, 0, 0], [width * 0.8, depth, height * 0.7], cloth, { taper: 1.3 });
  for (const y of [-0.3, 0.3]) {
    for (const x of [-0.25, 0.25])
      model.box([x * width, y * depth, height * 0.68], [0.025, 0.012, height * 0.3], cloth);
    model.box([0, y * depth, height * 0.96], [width * 0.5 + 0.025, 0.012, 0.025], cloth);
  }
  return model;
}

/** A heap of garments. */
export function clothes(style: Style): Model {
  const { dice } = style;
  const model = new Model('clothes', [0.5, 0.4, 0.15]);
  for (let i = dice.integer(3, 6); i > 0; i--) {
    const at: Vector = [dice.range(-0.16, 0.16), dice.range(-0.12, 0.12), dice.range(-0.03, 0.02)];
    const size: Vector = [dice.range(0.2, 0.5), dice.range(0.12, 0.26), dice.range(0.05, 0.12)];
    const turn: Vector = [dice.range(-12, 12), dice.range(-12, 12), dice.range(0, 180)];
    if (dice.chance(0.6)) model.ellipsoid(at, size, style.fabric(), { turn });
    else model.box([at[0], at[1], 0], [size[0], size[1], size[2] * 0.5], style.fabric(), { turn });
  }
  return model;
}

/** Monitor and keyboard. */
export function computer(style: Style): Model {
  const { dice } = style;
  const black = style.dark();
  const width = dice.range(0.42, 0.58);
  const model = new Model('otherprop', [width, 0.45, 0.45]);
  model.cylinder([0, 0.1, 0], [0.22, 0.18, 0.015], black);
  model.box([0, 0.12, 0.01], [0.05, 0.03, 0.15], black);
  model.box([0, 0.1, 0.1], [width, 0.035, width * 0.62], black);
  const screen = dice.chance(0.6) ? { ...style.painting(width / 2), glow: 0.6 } : style.dark();
  model.box([0, 0.08, 0.115], [width - 0.03, 0.008, width * 0.62 - 0.03], screen, { centred: true });
  return model.box([0, -0.13, 0], [0.42, 0.14, 0.02], dice.chance(0.5) ? black : style.paint());
}

export function laptop(style: Style): Model {
  const shell = style.dice.chance(0.5) ? style.metal : style.dark();
  const model = new Model('otherprop', [0.34, 0.3, 0.24]);
  model.box([0, 0, 0], [0.34, 0.24, 0.02], shell);
  model.box([0, 0.12, 0.015], [0.34, 0.012, 0.22], shell, { turn: [-18, 0, 0] });
  return model.box(
    [0, 0.113, 0.03],
    [0.31, 0.008, 0.19],
    { ...style.painting(0.15), glow: 0.5 },
    { turn: [-18, 0, 0], centred: true },
  );
}

export function person(style: Style): Model {
  if (style.people) return style.people(style);
  const { dice } = style;
  const tall = dice.range(1.55, 1.85);
  const skin = style.make(
    'plain',
    [dice.range(0.25, 0.65), dice.range(0.15, 0.38), dice.range(0.09, 0.26)],
    [0, 0, 0],
    1,
  );
  const [shirt, trousers] = [style.fabric(), dice.chance(0.5) ? style.dark() : style.fabric()];
  const hip = tall * 0.48;
  const shoulder = tall * 0.82;
  const model = new Model('person', [0.55, 0.4, tall]);
  for (const x of [-1, 1]) {
    model.cylinder([x * 0.1, 0, 0.05], [0.14, 0.15, hip], trousers, { taper: 1.25 });
    model.ellipsoid([x * 0.1, -0.05, 0], [0.11, 0.27, 0.1], style.dark());
    const swing = dice.range(-25, 10);
    model.cylinder([x * 0.25, 0, hip * 0.92], [0.08, 0.08, shoulder - hip * 0.92], shirt, {
      taper: 1.3,
      turn: [0, x * -4, 0],
    });
    model.ellipsoid([x * 0.26, swing * 0.002, hip * 0.84], [0.08, 0.09, 0.16], skin);
  }
  model.cylinder([0, 0, hip - 0.04], [0.36, 0.23, shoulder - hip + 0.04], shirt, { taper: 1.15 });
  model.ellipsoid([0, 0, shoulder - 0.08], [0.46, 0.24, 0.16], shirt);
  model.cylinder([0, 0, shoulder], [0.11, 0.12, 0.1], skin);
  model.ellipsoid([0, -0.01, tall - 0.25], [0.17, 0.2, 0.24], skin);
  const hair = style.make(
    'carpet',
    [dice.range(0.01, 0.25), dice.range(0.01, 0.14), 0.02],
    [0.03, 0.02, 0.02],
    0.05,
  );
  return model.ellipsoid([0, 0.025, tall - 0.19], [0.19, 0.2, 0.2], hair);
}

export function bin(style: Style): Model {
  const height = style.dice.range(0.28, 0.5);
  return new Model('otherprop', [0.3, 0.3, height]).cylinder(
    [0, 0, 0],
    [0.24, 0.24, height],
    style.plastic(),
    { taper: 1.2 },
  );
}

/** A rug; thin, but not flat. */
export function floorMat(style: Style, width: number, depth: number): Model {
  const { dice } = style;
  const model = new Model('floor-mat', [width, depth, 0.015]);
  const cloth = style.fabric();
  if (dice.chance(0.25)) return model.cylinder([0, 0, 0], [depth, depth, 0.015], cloth);
  model.box([0, 0, 0], [width, depth, 0.012], cloth);
  if (dice.chance(0.6)) model.box([0, 0, 0], [width - 0.24, depth - 0.24, 0.015], style.fabric());
  return model;
}

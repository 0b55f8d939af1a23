// What is let into walls or hangs on them. The back of a model is the wall, its bottom the lower edge.
import { chest } from './furniture.js';
import { papers } from './clutter.js';
import { Model, type ClassName } from '../tracer/solids.js';
import type { Material } from '../tracer/materials.js';
import type { Style } from './style.js';

/** Four bars around an opening of this size. */
function frame(
  model: Model,
  width: number,
  height: number,
  bar: number,
  deep: number,
  material: Material,
): void {
  const y = -deep / 2;
  for (const x of [-1, 1]) model.box([x * (width / 2 + bar / 2), y, 0], [bar, deep, height], material);
  model.box([0, y, height], [width + 2 * bar, deep, bar], material);
  model.box([0, y, -bar], [width + 2 * bar, deep, bar], material);
}

export function door(style: Style): Model {
  const { dice } = style;
  const [width, height] = [dice.range(0.78, 0.95), dice.range(1.98, 2.1)];
  const leaf = dice.chance(0.6) ? style.joinery : style.surface();
  const trim = dice.chance(0.5) ? leaf : style.paint();
  const model = new Model('door', [width + 0.2, 0.1, height + 0.1]);
  for (const x of [-1, 1]) model.box([x * (width / 2 + 0.045), -0.025, 0], [0.09, 0.05, height], trim);
  model.box([0, -0.025, height], [width + 0.18, 0.05, 0.09], trim);
  model.box([0, -0.01, 0], [width, 0.02, height], leaf);
  const rows = dice.pick([0, 2, 3]);
  const columns = dice.integer(1, 2);
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < rows; j++) {
      const [w, h] = [(width - 0.16) / columns, (height - 0.2) / rows];
      model.box([(i + 0.5) * w - (width - 0.16) / 2, -0.02, 0.12 + j * h], [w - 0.1, 0.025, h - 0.12], leaf);
    }
  const side = dice.chance(0.5) ? 1 : -1;
  model.ellipsoid([side * (width / 2 - 0.07), -0.08, 0.98], [0.06, 0.07, 0.06], style.metal);
  return model.box([side * (width / 2 - 0.07), -0.03, 0.92], [0.04, 0.02, 0.18], style.metal);
}

/** @param glow how bright it is outside: some 2 by day, nearly 0 at night */
export function window(style: Style, width: number, height: number, glow: number): Model {
  const { dice } = style;
  const trim = dice.chance(0.7) ? style.paint() : style.joinery;
  const model = new Model('window', [width + 0.2, 0.14, height + 0.2]);
  frame(model, width, height, 0.07, 0.05, trim);
  const blue = dice.range(0.75, 1);
  const view = style.make('outdoors', [0.75 * blue, 0.87 * blue, 1], [0.95, 0.95, 0.95], 1, 0, glow);
  model.box([0, -0.006, 0], [width, 0.012, height], view, { centred: true });
  const panes = dice.integer(1, 3);
  for (let i = 1; i < panes; i++)
    model.box([(i / panes - 0.5) * width, -0.02, 0], [0.045, 0.035, height], trim);
  if (dice.chance(0.5)) model.box([0, -0.02, height * dice.pick([0.5, 0.66])], [width, 0.035, 0.045], trim);
  return model.box([0, -0.06, -0.09], [width + 0.22, 0.12, 0.035], trim);
}

/** Folds of cloth, or a shower curtain: a row of upright half-hidden cylinders. */
export function curtain(style: Style, label: ClassName, width: number, height: number): Model {
  const { dice } = style;
  const cloth = label === 'curtain' && dice.chance(0.3) ? style.cloth : style.fabric();
  const folds = Math.max(3, Math.round(width / dice.range(0.07, 0.12)));
  const step = width / folds;
  const model = new Model(label, [width, 0.12, height]);
  for (let i = 0; i < folds; i++) {
    const x = (i + 0.5) * step - width / 2;
    model.cylinder([x, i % 2 === 0 ? 0.01 : -0.02, 0], [step * 1.35, 0.075, height], cloth, {
      taper: dice.range(0.85, 1),
    });
  }
  return model;
}

/** A pair of curtains on their rod. */
export function curtains(style: Style, width: number, height: number): Model {
  const { dice } = style;
  const model = new Model('curtain', [width + 0.4, 0.22, height]);
  const open = dice.range(0.2, 0.4) * width;
  const hang = curtain(style, 'curtain', open, height - 0.03);
  for (const x of [-1, 1]) model.add(hang, [x * (width / 2 + 0.15 - open / 2), -0.17, 0]);
  return model.cylinder([(width + 0.5) / 2, -0.17, height - 0.03], [0.03, 0.03, width + 0.5], style.metal, {
    turn: [0, -90, 0],
  });
}

/** Slats, let down all or part of the way. */
export function blinds(style: Style, width: number, height: number): Model {
  const { dice } = style;
  const model = new Model('blinds', [width, 0.08, height]);
  const slat = style.paint();
  const pitch = dice.range(0.045, 0.07);
  const down = height * dice.range(0.45, 1);
  const tilt = dice.range(58, 82);
  for (let z = height - 0.06; z > height - down; z -= pitch)
    model.box([0, -0.05, z], [width, pitch * 1.05, 0.004], slat, { turn: [tilt, 0, 0] });
  return model.box([0, -0.05, height - 0.06], [width + 0.02, 0.06, 0.06], slat);
}

export function picture(style: Style): Model {
  const { dice } = style;
  const [width, height] = [dice.range(0.3, 1.1), dice.range(0.3, 0.85)];
  const model = new Model('picture', [width, 0.05, height]);
  const border = dice.range(0.025, 0.06);
  model.box([0, -0.012, 0], [width, 0.024, height], dice.chance(0.6) ? style.surface() : style.metal);
  if (dice.chance(0.5)) {
    const [w, h] = [width - 2 * border, height - 2 * border];
    model.box([0, -0.025, border], [w, 0.012, h], style.paint());
    const canvas = style.painting(w / 3);
    return model.box([0, -0.03, border + h * 0.15], [w * 0.7, 0.01, h * 0.7], canvas, { centred: true });
  }
  const canvas = style.painting(width / 2);
  return model.box([0, -0.022, border], [width - 2 * border, 0.014, height - 2 * border], canvas, {
    centred: true,
  });
}

export function mirror(style: Style, width: number, height: number): Model {
  const { dice } = style;
  const model = new Model('mirror', [width, 0.05, height]);
  const edge = dice.chance(0.6) ? style.surface() : style.metal;
  model.box([0, -0.012, 0], [width, 0.024, height], edge);
  const glass = style.make('mirror', [0.88, 0.92, 0.9], [0, 0, 0], 1);
  return model.box([0, -0.022, 0.03], [width - 0.06, 0.012, height - 0.06], glass);
}

export function whiteboard(style: Style): Model {
  const { dice } = style;
  const [width, height] = [dice.range(1.1, 2.4), dice.range(0.8, 1.2)];
  const model = new Model('whiteboard', [width, 0.1, height]);
  const ink = style.plastic().colour;
  const board = style.make('print', [0.85, 0.86, 0.86], ink, dice.range(0.12, 0.25), 0.5);
  model.box(
    [0, -0.012, 0],
    [width, 0.024, height],
    dice.chance(0.5) ? board : { ...board, pattern: 'plain' },
  );
  frame(model, width - 0.03, height - 0.03, 0.03, 0.035, style.metal);
  return model.box([0, -0.05, -0.02], [width * 0.5, 0.08, 0.02], style.metal);
}

export function poster(style: Style): Model {
  return papers(style, 1, true);
}

/** Cabinets on the wall. */
export function wallCabinet(style: Style): Model {
  const { dice } = style;
  const columns = dice.integer(1, 3);
  return chest(style, 'cabinet', [columns * 0.42, 0.3, dice.range(0.5, 0.75)], [columns, 1], { foot: 0 });
}

/** Hooks with coats. */
export function coats(style: Style): Model {
  const { dice } = style;
  const count = dice.integer(2, 4);
  const model = new Model('clothes', [count * 0.28, 0.25, 1]);
  model.box([0, -0.01, 0.95], [count * 0.28, 0.02, 0.08], style.wood);
  for (let i = 0; i < count; i++) {
    const x = (i + 0.5 - count / 2) * 0.28;
    const long = dice.range(0.6, 0.95);
    const cloth = style.fabric();
    model.cylinder([x, -0.1, 0.95 - long], [0.3, 0.16, long], cloth, { taper: 0.55 });
    for (const side of [-1, 1])
      model.cylinder([x + side * 0.14, -0.1, 0.95 - long * 0.8], [0.09, 0.1, long * 0.72], cloth, {
        taper: 0.9,
        turn: [0, side * -7, 0],
      });
  }
  return model;
}

export function radiator(style: Style, width: number): Model {
  const model = new Model('otherstructure', [width, 0.14, 0.6]);
  const enamel = style.paint();
  for (let x = -width / 2 + 0.04; x < width / 2; x += 0.08)
    model.box([x, -0.08, 0.1], [0.055, 0.09, 0.5], enamel);
  return model.box([0, -0.07, 0.14], [width, 0.05, 0.42], enamel);
}

/** A fireplace with its mantel. */
export function fireplace(style: Style): Model {
  const model = new Model('otherstructure', [1.5, 0.4, 1.25]);
  const stone = style.dice.chance(0.5) ? style.stone() : style.walls(false);
  for (const x of [-0.55, 0.55]) model.box([x, 0, 0], [0.35, 0.34, 1.1], stone);
  model.box([0, 0, 0.72], [1.4, 0.34, 0.4], stone);
  model.box([0, 0.08, 0], [0.8, 0.14, 0.72], style.dark());
  return model.box([0, -0.02, 1.12], [1.55, 0.42, 0.06], style.surface());
}

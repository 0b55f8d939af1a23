// Furniture to sit, lie, eat and work at. Every function draws one model in the room's style.
import { Model, type ClassName, type Vector } from '../tracer/solids.js';
import type { Material } from '../tracer/materials.js';
import type { Style } from './style.js';

/** Four legs under the corners of a top, square or round, straight or tapered. */
function legs(model: Model, style: Style, [width, depth, height]: Vector, material: Material): void {
  const { dice } = style;
  const thick = dice.range(0.04, 0.07);
  const round = dice.chance(0.4);
  const inset = thick / 2 + dice.range(0, 0.04);
  for (const x of [-1, 1])
    for (const y of [-1, 1]) {
      const at: Vector = [x * (width / 2 - inset), y * (depth / 2 - inset), 0];
      if (round) model.cylinder(at, [thick * 0.7, thick * 0.7, height], material, { taper: 1.3 });
      else model.box(at, [thick, thick, height], material);
    }
}

export function pillow(width: number, material: Material): Model {
  const model = new Model('pillow', [width, width * 0.65, 0.16]);
  // An ellipsoid alone looks like a stone; a thin slab inside gives it corners.
  model.ellipsoid([0, 0, 0], [width * 1.06, width * 0.68, 0.17], material);
  return model.box([0, 0, 0.055], [width * 0.94, width * 0.58, 0.06], material);
}

export function bed(style: Style): Model {
  const { dice } = style;
  const width = dice.pick([0.95, 1.4, 1.6, 1.8]);
  const length = dice.range(1.95, 2.15);
  const frame = dice.chance(0.7) ? style.surface() : style.upholstery();
  const base = dice.range(0.22, 0.36);
  const mattress = dice.range(0.16, 0.26);
  const top = base + mattress;
  const sheet = style.paint();
  const cover = style.fabric();
  const head = top + dice.range(0.2, 0.65);
  const model = new Model('bed', [width + 0.1, length, head]);
  const y = length / 2;
  model.box([0, y - 0.03, 0], [width + 0.1, 0.06, head], frame);
  if (dice.chance(0.4))
    model.box([0, -y + 0.03, 0], [width + 0.1, 0.06, base + dice.range(0.05, 0.35)], frame);
  model.box([0, 0, base - 0.16], [width + 0.06, length - 0.06, 0.16], frame);
  for (const x of [-1, 1]) model.box([x * (width / 2 - 0.05), -y + 0.1, 0], [0.07, 0.07, base], frame);
  model.box([0, -0.02, base], [width, length - 0.12, mattress], sheet);
  // The cover hangs over the sides and leaves the pillows free.
  const covered = length * dice.range(0.6, 0.78);
  model.box([0, -y + 0.03 + covered / 2, top - 0.14], [width + 0.05, covered, 0.17], cover);
  if (dice.chance(0.6))
    model.box(
      [0, -y + covered - 0.05, top + 0.01],
      [width + 0.06, 0.28, 0.045],
      dice.chance(0.5) ? sheet : style.fabric(),
    );
  if (dice.chance(0.4)) {
    const throwLength = dice.range(0.35, 0.6);
    model.box([0, -y + throwLength / 2 + 0.1, top + 0.01], [width + 0.07, throwLength, 0.04], style.fabric());
  }
  const count = width > 1.2 ? 2 : 1;
  const linen = dice.chance(0.6) ? style.fabric() : sheet;
  for (let i = 0; i < count; i++) {
    const x = ((i + 0.5) / count - 0.5) * width;
    model.add(pillow(Math.min(0.68, (width / count) * 0.88), linen), [x, y - 0.3, top], dice.range(-8, 8));
    if (dice.chance(0.4))
      model.add(pillow(0.45, style.fabric()), [x, y - 0.55, top + 0.05], dice.range(-15, 15));
  }
  return model;
}

/** An armchair is a sofa of one seat. */
export function sofa(style: Style, seats = style.dice.integer(2, 3)): Model {
  const { dice } = style;
  const arm = dice.range(0.12, 0.24);
  const seat = dice.range(0.58, 0.72);
  const width = seats * seat + 2 * arm;
  const depth = dice.range(0.82, 0.98);
  const sitting = dice.range(0.38, 0.45);
  const height = dice.range(0.72, 0.95);
  const cloth = style.upholstery();
  const cushion = dice.chance(0.75) ? cloth : style.fabric();
  const back = dice.range(0.18, 0.26);
  const armHeight = sitting + dice.range(0.1, 0.22);
  const model = new Model(seats === 1 ? 'chair' : 'sofa', [width, depth, height]);
  model.box([0, 0, 0.07], [width - 0.06, depth - 0.04, sitting - 0.17], cloth);
  model.box([0, depth / 2 - back / 2, 0.07], [width, back, height - 0.07], cloth);
  for (const x of [-1, 1]) {
    const side = x * (width / 2 - arm / 2);
    model.box([side, -0.02, 0.07], [arm, depth - 0.04, armHeight - 0.07 - arm / 2], cloth);
    // A rounded arm rest.
    model.cylinder([side, depth / 2 - 0.04, armHeight - arm / 2], [arm, arm, depth - 0.06], cloth, {
      turn: [90, 0, 0],
    });
    for (const y of [-1, 1])
      model.box([x * (width / 2 - 0.1), y * (depth / 2 - 0.1), 0], [0.06, 0.06, 0.08], style.wood);
  }
  for (let i = 0; i < seats; i++) {
    const x = ((i + 0.5) / seats - 0.5) * seats * seat;
    const deep = depth - back;
    model.box([x, -back / 2 - 0.01, sitting - 0.11], [seat - 0.02, deep, 0.13], cushion);
    model.ellipsoid([x, -back / 2, sitting - 0.04], [seat * 0.96, deep * 0.96, 0.11], cushion);
    model.box(
      [x, depth / 2 - back - 0.05, sitting + 0.02],
      [seat - 0.03, 0.13, height - sitting - 0.04],
      cushion,
      {
        turn: [-9, 0, 0],
      },
    );
    if (dice.chance(0.35)) {
      const small = style.fabric();
      model.box(
        [x + dice.range(-0.1, 0.1), depth / 2 - back - 0.2, sitting + 0.05],
        [0.42, 0.11, 0.4],
        small,
        {
          as: 'pillow',
          turn: [-20, dice.range(-15, 15), dice.range(-20, 20)],
        },
      );
    }
  }
  return model;
}

export function chair(style: Style, material = style.surface()): Model {
  const { dice } = style;
  const [width, depth] = [dice.range(0.4, 0.5), dice.range(0.42, 0.5)];
  const [seat, height] = [dice.range(0.42, 0.48), dice.range(0.82, 1.05)];
  const padded = dice.chance(0.5) ? style.upholstery() : material;
  const model = new Model('chair', [width, depth, height]);
  legs(model, style, [width, depth, seat], material);
  model.box([0, 0, seat - 0.02], [width, depth, 0.045], padded);
  const y = depth / 2 - 0.03;
  const lean = dice.range(-12, -4);
  const rise = height - seat;
  if (dice.chance(0.4)) {
    model.box([0, y, seat], [width * 0.95, 0.04, rise], padded, { turn: [lean, 0, 0] });
    return model;
  }
  for (const x of [-1, 1])
    model.box([x * (width / 2 - 0.02), y, seat], [0.035, 0.04, rise], material, { turn: [lean, 0, 0] });
  // Rungs across or spindles upright, leaning with the posts.
  const offset = (up: number) => y + Math.tan((-lean * Math.PI) / 180) * up;
  if (dice.chance(0.5))
    for (const up of [0.3, 0.6, 0.9])
      model.box([0, offset(rise * up), seat + rise * up - 0.05], [width - 0.05, 0.03, 0.07], material, {
        turn: [lean, 0, 0],
      });
  else {
    model.box([0, offset(rise - 0.06), seat + rise - 0.09], [width, 0.04, 0.09], material, {
      turn: [lean, 0, 0],
    });
    for (const x of [-0.22, 0, 0.22])
      model.box([x * width, y, seat], [0.03, 0.02, rise - 0.05], material, { turn: [lean, 0, 0] });
  }
  return model;
}

export function officeChair(style: Style): Model {
  const { dice } = style;
  const cloth = dice.chance(0.6) ? style.dark() : style.upholstery();
  const seat = dice.range(0.44, 0.54);
  const model = new Model('chair', [0.62, 0.62, seat + 0.55]);
  for (let i = 0; i < 5; i++)
    model.box([0, 0, 0.06], [0.6, 0.05, 0.035], style.metal, { turn: [0, 0, i * 36] });
  for (let i = 0; i < 5; i++) {
    const angle = (i * 2 * Math.PI) / 5;
    model.ellipsoid([0.28 * Math.cos(angle), 0.28 * Math.sin(angle), 0], [0.07, 0.07, 0.07], style.dark());
  }
  model.cylinder([0, 0, 0.08], [0.06, 0.06, seat - 0.1], style.metal);
  model.box([0, 0, seat - 0.03], [0.5, 0.48, 0.08], cloth);
  model.box([0, 0.24, seat + 0.12], [0.46, 0.07, 0.45], cloth, { turn: [-8, 0, 0] });
  model.box([0, 0.25, seat - 0.02], [0.08, 0.04, 0.22], style.metal);
  if (dice.chance(0.6))
    for (const x of [-0.27, 0.27]) {
      model.box([x, 0.02, seat + 0.2], [0.06, 0.28, 0.035], cloth);
      model.box([x, 0.05, seat], [0.035, 0.05, 0.2], style.metal);
    }
  return model;
}

export function stool(style: Style): Model {
  const { dice } = style;
  const [width, height] = [dice.range(0.32, 0.42), dice.range(0.45, 0.72)];
  const model = new Model('chair', [width, width, height]);
  const wood = style.surface();
  legs(model, style, [width, width, height - 0.04], wood);
  return model.cylinder(
    [0, 0, height - 0.05],
    [width, width, 0.05],
    dice.chance(0.5) ? wood : style.upholstery(),
  );
}

/** A dining table, or a low one for the living room. */
export function table(style: Style, low = false): Model {
  const { dice } = style;
  const wood = style.surface();
  const round = dice.chance(0.3);
  const height = low ? dice.range(0.36, 0.48) : dice.range(0.7, 0.77);
  const width = low ? dice.range(0.8, 1.2) : dice.range(1.1, 1.8);
  const depth = round ? width * 0.75 : low ? dice.range(0.5, 0.65) : dice.range(0.75, 0.95);
  const size: Vector = round ? [depth, depth, height] : [width, depth, height];
  const model = new Model('table', size);
  const top = dice.range(0.03, 0.06);
  if (round) {
    model.cylinder([0, 0, height - top], [size[0], size[1], top], wood);
    model.cylinder([0, 0, 0], [size[0] * 0.5, size[0] * 0.5, 0.05], wood, { taper: 0.6 });
    model.cylinder([0, 0, 0.03], [0.12, 0.12, height - top - 0.03], wood, { taper: 0.7 });
    return model;
  }
  model.box([0, 0, height - top], [width, depth, top], wood);
  if (dice.chance(0.6)) model.box([0, 0, height - top - 0.08], [width - 0.16, depth - 0.14, 0.08], wood);
  legs(model, style, [width, depth, height - top], wood);
  if (low && dice.chance(0.5)) model.box([0, 0, 0.12], [width - 0.12, depth - 0.12, 0.025], wood);
  return model;
}

/** Fronts of drawers or doors with handles on the front of a body, `columns` by `rows`. */
export function fronts(
  model: Model,
  style: Style,
  { width, depth, bottom, height }: { width: number; depth: number; bottom: number; height: number },
  [columns, rows]: readonly [number, number],
  material: Material,
): void {
  const { dice } = style;
  const knobs = dice.chance(0.5);
  const upright = rows === 1;
  const [w, h] = [width / columns, height / rows];
  const raised = dice.chance(0.4) && w > 0.25 && h > 0.3;
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < rows; j++) {
      const x = (i + 0.5) * w - width / 2;
      const z = bottom + j * h;
      model.box([x, -depth / 2 - 0.008, z + 0.012], [w - 0.022, 0.018, h - 0.024], material);
      if (raised) model.box([x, -depth / 2 - 0.016, z + 0.08], [w - 0.16, 0.014, h - 0.16], material);
      const handleX = upright && columns > 1 ? x + (i % 2 === 0 ? 1 : -1) * (w / 2 - 0.05) : x;
      const at: Vector = [handleX, -depth / 2 - 0.03, upright ? z + h * 0.5 - 0.06 : z + h / 2 - 0.015];
      if (knobs) model.ellipsoid(at, [0.035, 0.035, 0.035], style.metal);
      else
        model.box(at, upright ? [0.018, 0.025, 0.15] : [Math.min(0.16, w * 0.5), 0.025, 0.018], style.metal);
    }
}

/** A body with fronts: dresser, night-stand, sideboard, wardrobe and kitchen cabinets are all of this make. */
export function chest(
  style: Style,
  label: ClassName,
  [width, depth, height]: Vector,
  grid: readonly [number, number],
  options: { material?: Material; foot?: number; top?: Material } = {},
): Model {
  const material = options.material ?? style.surface();
  const foot = options.foot ?? style.dice.pick([0.04, 0.08, 0.14]);
  const model = new Model(label, [width, depth + 0.04, height]);
  const front = style.dice.chance(0.75) ? material : style.surface();
  model.box([0, 0, foot], [width, depth, height - foot - 0.025], material);
  model.box([0, -0.01, height - 0.03], [width + 0.03, depth + 0.03, 0.03], options.top ?? material);
  if (foot > 0.1) legs(model, style, [width, depth, foot], material);
  else model.box([0, 0.02, 0], [width - 0.04, depth - 0.06, foot], style.dark());
  fronts(model, style, { width, depth, bottom: foot, height: height - foot - 0.03 }, grid, front);
  return model;
}

export function desk(style: Style): Model {
  const { dice } = style;
  const [width, depth, height] = [dice.range(1.1, 1.7), dice.range(0.6, 0.78), dice.range(0.71, 0.77)];
  const wood = style.surface();
  const model = new Model('desk', [width, depth, height]);
  model.box([0, 0, height - 0.035], [width, depth, 0.035], wood);
  const pedestal = dice.range(0.34, 0.45);
  const side = dice.chance(0.5) ? 1 : -1;
  const drawers = chest(style, 'desk', [pedestal, depth - 0.08, height - 0.04], [1, dice.integer(2, 4)], {
    material: wood,
    foot: 0.04,
  });
  model.add(drawers, [side * (width / 2 - pedestal / 2 - 0.02), 0, 0]);
  if (dice.chance(0.5))
    model.box([-side * (width / 2 - 0.02), 0, 0], [0.035, depth - 0.06, height - 0.035], wood);
  else
    for (const y of [-1, 1])
      model.box(
        [-side * (width / 2 - 0.05), y * (depth / 2 - 0.05), 0],
        [0.05, 0.05, height - 0.035],
        style.metal,
      );
  // The panel that hides the knees.
  if (dice.chance(0.6)) model.box([0, depth / 2 - 0.06, height - 0.4], [width - 0.08, 0.02, 0.36], wood);
  return model;
}

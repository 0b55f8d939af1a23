// What holds and shows things: shelves with books, wardrobes, the kitchen's row of cabinets, televisions.
import { box, bottle, books, papers } from './clutter.js';
import { chest, fronts } from './furniture.js';
import { Model, type Vector } from '../tracer/solids.js';
import type { Style } from './style.js';

/** Fills a board of this width with books, boxes, ornaments or nothing. */
function fillBoard(
  model: Model,
  style: Style,
  [x, y, z]: Vector,
  width: number,
  depth: number,
  room: number,
): void {
  const { dice } = style;
  let left = -width / 2 + 0.02;
  while (left < width / 2 - 0.12) {
    const span = Math.min(dice.range(0.15, 0.5), width / 2 - left - 0.02);
    const at: Vector = [x + left + span / 2, y, z];
    const roll = dice.range(0, 1);
    if (roll < 0.62) model.add(books(style, span, Math.min(depth, 0.22), Math.min(room * 0.92, 0.32)), at);
    else if (roll < 0.74 && span > 0.16)
      model.add(box(style, [span * 0.85, depth * 0.8, Math.min(room * 0.75, span)]), at, dice.range(-6, 6));
    else if (roll < 0.86) model.add(bottle(style, Math.min(room * 0.8, dice.range(0.12, 0.3))), at);
    left += span + dice.range(0, 0.06);
  }
}

export function bookshelf(style: Style): Model {
  const { dice } = style;
  const [width, depth, height] = [dice.range(0.7, 1.3), dice.range(0.26, 0.36), dice.range(1.1, 2.15)];
  const wood = style.surface();
  const model = new Model('bookshelf', [width, depth, height]);
  const thick = 0.028;
  for (const x of [-1, 1]) model.box([x * (width / 2 - thick / 2), 0, 0], [thick, depth, height], wood);
  model.box([0, depth / 2 - 0.008, 0], [width, 0.016, height], wood);
  const boards = Math.max(3, Math.round(height / dice.range(0.32, 0.42)));
  for (let i = 0; i <= boards; i++) {
    const z = (i / boards) * (height - thick) * 0.985 + (i === 0 ? 0.05 : 0);
    model.box([0, 0, z], [width, depth, thick], wood);
    if (i < boards)
      fillBoard(
        model,
        style,
        [0, -0.02, z + thick],
        width - 2 * thick,
        depth - 0.05,
        height / boards - thick,
      );
  }
  return model;
}

/** Boards on brackets, hung on the wall or standing on posts. */
export function shelves(style: Style, hung: boolean): Model {
  const { dice } = style;
  const [width, depth] = [dice.range(0.7, 1.4), hung ? dice.range(0.2, 0.28) : dice.range(0.35, 0.5)];
  const boards = hung ? dice.integer(1, 3) : dice.integer(4, 5);
  const gap = hung ? dice.range(0.28, 0.36) : dice.range(0.36, 0.46);
  const height = boards * gap;
  const wood = hung ? style.surface() : dice.chance(0.5) ? style.metal : style.surface();
  const model = new Model('shelves', [width, depth, height]);
  for (let i = 0; i < boards; i++) {
    const z = hung ? i * gap : 0.1 + i * gap;
    model.box([0, 0, z], [width, depth, 0.03], wood);
    if (hung)
      for (const x of [-0.4, 0.4])
        model.box([x * width, depth / 2 - 0.02, z - 0.12], [0.03, 0.04, 0.12], style.metal);
    fillBoard(model, style, [0, 0, z + 0.03], width - 0.04, depth - 0.03, gap - 0.05);
  }
  if (!hung)
    for (const x of [-1, 1])
      for (const y of [-1, 1])
        model.box([x * (width / 2 - 0.02), y * (depth / 2 - 0.02), 0], [0.035, 0.035, height], wood);
  return model;
}

export function wardrobe(style: Style): Model {
  const { dice } = style;
  const columns = dice.integer(2, 4);
  const size: Vector = [columns * dice.range(0.42, 0.52), dice.range(0.5, 0.62), dice.range(1.7, 2.25)];
  return chest(style, 'cabinet', size, [columns, 1], { foot: 0.06 });
}

export function sideboard(style: Style): Model {
  const { dice } = style;
  const columns = dice.integer(2, 4);
  const size: Vector = [columns * dice.range(0.38, 0.5), dice.range(0.38, 0.5), dice.range(0.7, 0.95)];
  return chest(style, 'cabinet', size, [columns, dice.integer(1, 2)]);
}

export function filingCabinet(style: Style): Model {
  const rows = style.dice.integer(2, 4);
  const material = style.dice.chance(0.6) ? style.metal : style.paint();
  return chest(style, 'cabinet', [0.45, 0.58, rows * 0.34 + 0.06], [1, rows], { material, foot: 0.04 });
}

export function dresser(style: Style): Model {
  const { dice } = style;
  const size: Vector = [dice.range(0.85, 1.5), dice.range(0.44, 0.52), dice.range(0.78, 1.2)];
  return chest(style, 'dresser', size, [dice.integer(1, 3), dice.integer(3, 5)]);
}

export function nightStand(style: Style): Model {
  const { dice } = style;
  const size: Vector = [dice.range(0.38, 0.52), dice.range(0.36, 0.44), dice.range(0.48, 0.64)];
  return chest(style, 'night-stand', size, [1, dice.integer(1, 3)]);
}

/** A screen on its foot. */
export function television(style: Style, width: number): Model {
  const { dice } = style;
  const height = width * 0.58;
  const black = style.dark();
  const model = new Model('television', [width, 0.24, height + 0.08]);
  model.box([0, 0, 0], [width * 0.4, 0.22, 0.02], black);
  model.box([0, 0.02, 0.01], [0.08, 0.04, 0.12], black);
  model.box([0, 0, 0.08], [width, 0.06, height], black);
  const screen = dice.chance(0.45) ? { ...style.painting(width / 2), glow: 0.5 } : style.dark();
  return model.box([0, -0.032, 0.11], [width - 0.06, 0.012, height - 0.06], screen, { centred: true });
}

export function refridgerator(style: Style): Model {
  const { dice } = style;
  const [width, depth, height] = [dice.range(0.6, 0.9), dice.range(0.62, 0.75), dice.range(1.55, 1.85)];
  const shell = dice.chance(0.7) ? style.enamel() : style.metal;
  const model = new Model('refridgerator', [width, depth + 0.08, height]);
  model.box([0, 0.02, 0], [width, depth - 0.06, height], shell);
  const split = dice.chance(0.7) ? height * dice.range(0.3, 0.68) : height * 0.05;
  for (const [from, to] of [
    [0.06, split],
    [split, height],
  ]) {
    if (to - from < 0.2) continue;
    model.box([0, -depth / 2, from + 0.008], [width - 0.01, 0.06, to - from - 0.016], shell);
    const long = Math.min(0.5, (to - from) * 0.5);
    const z = from < 0.3 ? to - long - 0.06 : from + 0.06;
    model.box([-width / 2 + 0.07, -depth / 2 - 0.055, z], [0.025, 0.04, long], style.metal);
  }
  if (dice.chance(0.4))
    for (let i = dice.integer(1, 3); i > 0; i--)
      model.add(papers(style, 1, true), [
        dice.range(-0.2, 0.2),
        -depth / 2 - 0.032,
        height * dice.range(0.5, 0.8),
      ]);
  return model;
}

/** Base cabinets under a counter, with a sink or a stove let in, and cabinets above. */
export function kitchenRow(style: Style, length: number): Model {
  const { dice } = style;
  const depth = 0.6;
  const doors = dice.chance(0.6) ? style.joinery : style.surface();
  const stone = dice.chance(0.6) ? style.stone() : style.surface();
  const model = new Model('counter', [length, depth + 0.06, 2.15]);
  const columns = Math.max(2, Math.round(length / 0.5));
  model.box([0, 0, 0.08], [length, depth - 0.04, 0.78], doors, { as: 'cabinet' });
  model.box([0, 0.03, 0], [length, depth - 0.12, 0.08], style.dark(), { as: 'cabinet' });
  const base = new Model('cabinet', [length, depth, 0.86]);
  const opening = { width: length, depth: depth - 0.04, bottom: 0.08, height: 0.6 };
  fronts(base, style, opening, [columns, 1], doors);
  fronts(base, style, { ...opening, bottom: 0.68, height: 0.18 }, [columns, 1], doors);
  model.add(base, [0, 0, 0]);
  model.box([0, -0.02, 0.86], [length, depth + 0.04, 0.04], stone);
  model.box(
    [0, depth / 2 - 0.01, 0.9],
    [length, 0.02, dice.range(0.05, 0.5)],
    dice.chance(0.5) ? stone : style.walls(true),
  );
  const step = length / columns;
  const places = Array.from({ length: columns }, (_, i) => (i + 0.5) * step - length / 2);
  const sink = places.splice(dice.integer(0, places.length - 1), 1)[0];
  model.add(basin(style), [sink, -0.02, 0.9]);
  if (places.length > 1)
    model.add(stoveTop(style), [places.splice(dice.integer(0, places.length - 1), 1)[0], 0, 0]);
  for (const x of places) {
    const roll = dice.range(0, 1);
    if (roll < 0.3) model.add(microwave(style), [x, 0.08, 0.9]);
    else if (roll < 0.7)
      for (const shift of [-0.12, 0.05])
        model.add(bottle(style, dice.range(0.12, 0.3)), [x + shift, dice.range(0, 0.18), 0.9]);
    else if (roll < 0.8) model.add(box(style, [0.2, 0.14, 0.26]), [x, 0.1, 0.9], dice.range(-20, 20));
  }
  if (dice.chance(0.8)) {
    const above = new Model('cabinet', [length, 0.34, 0.7]);
    above.box([0, 0.02, 0], [length, 0.3, 0.7], doors);
    fronts(above, style, { width: length, depth: 0.28, bottom: 0, height: 0.7 }, [columns, 1], doors);
    model.add(above, [0, depth / 2 - 0.16, 1.42]);
  }
  return model;
}

function basin(style: Style): Model {
  const steel = style.dice.chance(0.6) ? style.metal : style.porcelain();
  const model = new Model('sink', [0.5, 0.42, 0.25]);
  for (const y of [-1, 1]) model.box([0, y * 0.19, 0], [0.5, 0.04, 0.025], steel);
  for (const x of [-1, 1]) model.box([x * 0.23, 0, 0], [0.04, 0.42, 0.025], steel);
  model.box([0, 0, 0], [0.46, 0.38, 0.006], { ...style.metal, colour: [0.12, 0.12, 0.13] });
  model.cylinder([0, 0.2, 0.02], [0.03, 0.03, 0.22], style.metal);
  return model.cylinder([0, 0.2, 0.23], [0.025, 0.025, 0.18], style.metal, { turn: [100, 0, 0] });
}

/** Hob above, oven door below. */
function stoveTop(style: Style): Model {
  const shell = style.enamel();
  const black = style.dark();
  const model = new Model('otherfurniture', [0.58, 0.62, 1]);
  model.box([0, -0.02, 0.02], [0.58, 0.64, 0.885], shell);
  model.box([0, -0.345, 0.2], [0.48, 0.02, 0.42], black);
  model.box([0, -0.37, 0.66], [0.46, 0.03, 0.025], style.metal);
  for (const x of [-0.2, -0.07, 0.07, 0.2]) model.ellipsoid([x, -0.35, 0.76], [0.05, 0.05, 0.05], black);
  for (const x of [-0.14, 0.14])
    for (const y of [-0.16, 0.12]) model.cylinder([x, y, 0.905], [0.19, 0.19, 0.012], black);
  if (style.dice.chance(0.5)) {
    model.cylinder([0.14, 0.12, 0.917], [0.22, 0.22, 0.14], style.metal, { as: 'otherprop' });
    model.box([0.14, -0.06, 1.0], [0.03, 0.2, 0.02], black, { as: 'otherprop' });
  }
  return model;
}

function microwave(style: Style): Model {
  const shell = style.enamel();
  const model = new Model('otherprop', [0.48, 0.36, 0.28]);
  model.box([0, 0, 0], [0.48, 0.34, 0.28], shell);
  model.box([-0.06, -0.175, 0.04], [0.3, 0.012, 0.2], style.dark());
  return model.box([0.17, -0.175, 0.04], [0.08, 0.012, 0.2], style.dark());
}

// Vehicles of the VOC's classes, made of boxes, bars and discs. Fronts look along -y; metres.
import type { Material } from '../tracer/materials.js';
import { Model, type Vector } from '../tracer/solids.js';
import { hsv, type Style } from './style.js';

/** Paint as cars wear it: white, grey and black more often than colours. */
function paintwork(style: Style): Material {
  const { dice } = style;
  const colour = dice.chance(0.5)
    ? hsv(0, 0, dice.pick([0.06, 0.3, 0.55, 0.75, 0.92]))
    : hsv(dice.range(0, 360), dice.range(0.5, 0.95), dice.range(0.3, 0.9));
  return style.make('plain', colour, colour, 1, 0.7);
}

const glassOf = (style: Style): Material => style.make('plain', [0.03, 0.04, 0.05], [0, 0, 0], 1, 0.9);
const lampOf = (style: Style, colour: Vector, glow: number): Material =>
  style.make('plain', colour, colour, 1, 0.5, glow);

/** An upright wheel whose axle runs along x. */
function wheel(model: Model, style: Style, [x, y, z]: Vector, radius: number, width: number): void {
  const tyre = style.make('plain', [0.02, 0.02, 0.02], [0, 0, 0], 1, 0.1);
  model.limb([x - width / 2, y, z], [x + width / 2, y, z], [radius, radius], tyre);
  model.limb([x - width * 0.53, y, z], [x + width * 0.53, y, z], [radius * 0.6, radius * 0.6], style.metal);
}

export function car(style: Style): Model {
  const { dice } = style;
  const [w, l] = [dice.range(1.62, 1.85), dice.range(3.7, 4.7)];
  const [sill, belt, roof] = [0.26, dice.range(0.82, 0.95), dice.range(1.38, 1.72)];
  const paint = paintwork(style);
  const glass = glassOf(style);
  const model = new Model('otherprop', [w, l, roof]);
  model.voc = 'car';
  model.box([0, 0, sill], [w, l - 0.14, belt - sill], paint);
  model.box([0, 0, sill + 0.08], [w - 0.12, l, belt - sill - 0.28], paint);
  const estate = dice.chance(0.4);
  const [front, rear] = [-l * 0.16, estate ? l * 0.44 : l * 0.3];
  const middle = (front + rear) / 2;
  const cabin = rear - front;
  model.box([0, middle, belt], [w - 0.2, cabin - 0.55, roof - belt], paint);
  model.box([0, middle, belt + 0.07], [w - 0.18, cabin - 0.75, roof - belt - 0.16], glass);
  // Pillars between the side windows.
  for (const y of [0, dice.range(0.25, 0.32)])
    model.box([0, middle + y * cabin, belt], [w - 0.17, 0.08, roof - belt - 0.02], paint);
  for (const [y, tilt] of [
    [front + 0.12, -38],
    [rear - 0.12, estate ? 16 : 36],
  ] as const) {
    const slope = (roof - belt) / Math.cos((tilt * Math.PI) / 180);
    model.box([0, y, belt - 0.03], [w - 0.26, 0.05, slope], glass, { turn: [tilt, 0, 0] });
  }
  for (const x of [-1, 1]) {
    for (const y of [-l * 0.31, l * 0.3]) wheel(model, style, [x * (w / 2 - 0.1), y, 0.32], 0.32, 0.22);
    model.box(
      [x * (w / 2 - 0.22), -l / 2 + 0.05, belt - 0.3],
      [0.3, 0.05, 0.14],
      lampOf(style, [0.9, 0.9, 0.8], 0.9),
    );
    model.box(
      [x * (w / 2 - 0.2), l / 2 - 0.06, belt - 0.28],
      [0.26, 0.05, 0.16],
      lampOf(style, [0.6, 0.03, 0.02], 0.6),
    );
    model.box([x * (w / 2 + 0.06), front + 0.35, belt + 0.02], [0.14, 0.1, 0.12], paint);
  }
  model.box([0, -l / 2 + 0.02, sill + 0.12], [w * 0.5, 0.05, 0.16], style.dark());
  model.box([0, -l / 2, sill + 0.02], [0.5, 0.02, 0.11], style.paint());
  return model.box([0, l / 2 - 0.01, sill + 0.2], [0.5, 0.02, 0.11], style.paint());
}

export function bus(style: Style): Model {
  const { dice } = style;
  const double = dice.chance(0.25);
  const [w, l, h] = [2.5, dice.range(7, 10.5), double ? 4.2 : dice.range(2.8, 3.2)];
  const paint = paintwork(style);
  const band = paintwork(style);
  const glass = glassOf(style);
  const model = new Model('otherprop', [w, l, h]);
  model.voc = 'bus';
  model.box([0, 0, 0.3], [w, l, h - 0.3], paint);
  model.box([0, 0, 0.55], [w + 0.02, l + 0.02, 0.28], band);
  const decks = double ? [1.15, 2.75] : [1.25];
  for (const z of decks) {
    const tall = double ? 0.95 : h - 2;
    const count = Math.floor(l / 1.5);
    for (let i = 0; i < count; i++) {
      const y = (i - (count - 1) / 2) * 1.45;
      model.box([0, y, z], [w + 0.04, 1.25, tall], glass);
    }
    model.box([0, 0, z - 0.1], [w - 0.25, l + 0.05, tall + 0.2], glass);
  }
  model.box([0, -l / 2, h - 0.42], [1.5, 0.08, 0.26], lampOf(style, [0.9, 0.6, 0.1], 0.8));
  for (const x of [-1, 1]) {
    for (const y of [-l * 0.34, l * 0.28]) wheel(model, style, [x * (w / 2 - 0.13), y, 0.48], 0.48, 0.3);
    model.box([x * 0.95, -l / 2 - 0.02, 0.6], [0.35, 0.05, 0.2], lampOf(style, [0.9, 0.9, 0.8], 0.9));
    model.box([x * (w / 2 + 0.14), -l / 2 - 0.1, 1.7], [0.18, 0.12, 0.4], style.dark());
  }
  return model;
}

/** A locomotive or railcar with a coach behind it. */
export function train(style: Style): Model {
  const { dice } = style;
  const [w, h] = [2.8, dice.range(3.3, 3.9)];
  const paint = paintwork(style);
  const band = paintwork(style);
  const glass = glassOf(style);
  const coaches = dice.integer(1, 2);
  const each = dice.range(8, 11);
  const model = new Model('otherprop', [w, coaches * (each + 0.5), h]);
  model.voc = 'train';
  for (let c = 0; c < coaches; c++) {
    const y = (c - (coaches - 1) / 2) * (each + 0.4);
    model.box([0, y, 0.75], [w, each, h - 1.1], paint);
    model.box([0, y, h - 0.4], [w * 0.82, each - 0.1, 0.4], paint);
    model.box([0, y, 1.05], [w + 0.02, each + 0.01, 0.35], band);
    const windows = Math.floor((each - 1.6) / 1.4);
    for (let i = 0; i < windows; i++)
      model.box([0, y + (i - (windows - 1) / 2) * 1.35, 1.8], [w + 0.04, 0.95, 0.85], glass);
    model.box([0, y, 0.25], [w * 0.7, each * 0.9, 0.55], style.dark());
    for (const x of [-1, 1])
      for (const at of [-0.36, -0.25, 0.25, 0.36])
        wheel(model, style, [x * 0.75, y + at * each, 0.42], 0.42, 0.13);
  }
  const face = -((coaches - 1) / 2) * (each + 0.4) - each / 2;
  model.box([0, face, 1.85], [w * 0.8, 0.1, h - 2.5], glass);
  model.box([0, face - 0.02, 0.9], [w * 0.94, 0.1, 0.7], band);
  for (const x of [-1, 1])
    model.box([x * 0.95, face - 0.06, 1.1], [0.28, 0.06, 0.22], lampOf(style, [0.95, 0.95, 0.8], 1.2));
  return model;
}

export function motorbike(style: Style): Model & { saddle: number } {
  const { dice } = style;
  const paint = paintwork(style);
  const { metal } = style;
  const [base, r] = [dice.range(1.3, 1.5), dice.range(0.29, 0.33)];
  const model = new Model('otherprop', [0.75, base + 2 * r, 1.15]);
  model.voc = 'motorbike';
  const [front, rear] = [-base / 2, base / 2];
  for (const y of [front, rear]) wheel(model, style, [0, y, r], r, 0.13);
  const steer: Vector = [0, front + 0.3, 0.95];
  for (const x of [-0.1, 0.1]) {
    model.limb([x, front, r], [x, steer[1], steer[2]], [0.028, 0.028], metal);
    model.limb([x, rear, r], [x, 0.1, 0.45], [0.03, 0.03], metal);
  }
  model.limb([-0.36, steer[1] + 0.06, 1.02], [0.36, steer[1] + 0.06, 1.02], [0.022, 0.022], style.dark());
  model.box([0, 0, 0.24], [0.3, 0.5, 0.36], metal);
  model.ellipsoid([0, -0.16, 0.6], [0.34, 0.62, 0.32], paint);
  model.ellipsoid([0, 0.38, 0.68], [0.3, 0.85, 0.16], style.dark());
  model.ellipsoid([0, rear - 0.08, 0.62], [0.22, 0.5, 0.18], paint);
  model.ellipsoid([0, front, 2 * r - 0.1], [0.17, 0.5, 0.14], paint);
  model.limb([0.17, 0.1, 0.28], [0.2, rear + 0.15, 0.36], [0.05, 0.065], metal);
  model.ball([0, steer[1] - 0.14, 0.9], 0.1, lampOf(style, [0.9, 0.9, 0.8], 1));
  if (dice.chance(0.4))
    model.box([0, steer[1] - 0.16, 0.92], [0.36, 0.03, 0.34], glassOf(style), { turn: [-30, 0, 0] });
  return Object.assign(model, { saddle: 0.8 });
}

export function bicycle(style: Style): Model & { saddle: number } {
  const { dice } = style;
  const paint = paintwork(style);
  const dark = style.dark();
  const [base, r] = [dice.range(0.98, 1.1), dice.range(0.31, 0.35)];
  const model = new Model('otherprop', [0.6, base + 2 * r, 1.05]);
  model.voc = 'bicycle';
  const [front, rear]: [Vector, Vector] = [
    [0, -base / 2, r],
    [0, base / 2, r],
  ];
  for (const [, y] of [front, rear]) rim(model, style, y, r);
  const [crank, seat, stem]: Vector[] = [
    [0, 0.1, 0.28],
    [0, 0.24, 0.84],
    [0, -0.36, 0.82],
  ];
  const bar = (a: Vector, b: Vector) => model.limb(a, b, [0.022, 0.022], paint);
  bar(rear, crank);
  bar(rear, [0, 0.22, 0.74]);
  bar(crank, seat);
  bar(crank, stem);
  bar([0, 0.22, 0.76], stem);
  bar(front, [0, -0.38, 0.96]);
  model.limb([-0.28, -0.4, 0.98], [0.28, -0.4, 0.98], [0.018, 0.018], dark);
  model.ellipsoid([0, 0.25, 0.83], [0.17, 0.28, 0.09], dark);
  model.limb([-0.03, 0.1, 0.28], [0.03, 0.1, 0.28], [0.1, 0.1], style.metal);
  for (const [x, y, z] of [
    [0.1, 0.02, 0.15],
    [-0.1, 0.18, 0.41],
  ]) {
    model.limb([x, 0.1, 0.28], [x, y, z], [0.015, 0.015], style.metal);
    model.box([x * 1.5, y, z - 0.01], [0.1, 0.08, 0.025], dark);
  }
  return Object.assign(model, { saddle: 0.86 });
}

/** A ring of short bars, and spokes. */
function rim(model: Model, style: Style, y: number, r: number): void {
  const [tyre, spoke] = [style.dark(), style.metal];
  const at = (angle: number, radius: number): Vector => [
    0,
    y + radius * Math.cos(angle),
    r + radius * Math.sin(angle),
  ];
  const pieces = 14;
  for (let i = 0; i < pieces; i++) {
    const [a, b] = [(2 * Math.PI * i) / pieces, (2 * Math.PI * (i + 1)) / pieces];
    model.limb(at(a, r - 0.02), at(b, r - 0.02), [0.026, 0.026], tyre);
    if (i % 2 === 0) model.limb([0, y, r], at(a, r - 0.02), [0.006, 0.006], spoke);
  }
  model.limb([-0.05, y, r], [0.05, y, r], [0.03, 0.03], spoke);
}

/** A small propeller plane or an airliner; stands on its wheels. */
export function aeroplane(style: Style): Model {
  const { dice } = style;
  const airliner = dice.chance(0.6);
  const [l, r] = airliner
    ? [dice.range(15, 19), dice.range(0.95, 1.2)]
    : [dice.range(6, 8), dice.range(0.5, 0.65)];
  const span = l * dice.range(0.85, 1.1);
  const body = dice.chance(0.6)
    ? style.make('plain', [0.85, 0.85, 0.86], [0, 0, 0], 1, 0.6)
    : paintwork(style);
  const trim = paintwork(style);
  const axis = airliner ? r + 0.9 : r + 0.55;
  const model = new Model('otherprop', [span, l, axis + l * 0.2]);
  model.voc = 'aeroplane';
  const [nose, tail] = [-l / 2, l / 2];
  model.limb([0, nose + r * 1.2, axis], [0, tail * 0.45, axis], [r, r], body);
  model.limb([0, tail * 0.45, axis], [0, tail, axis + r * 0.5], [r, r * 0.25], body);
  model.ellipsoid([0, nose + r * 1.2, axis - r], [2 * r, 3.4 * r, 2 * r], body);
  model.box([0, nose + r * 0.65, axis + r * 0.25], [r * 1.15, r * 0.7, r * 0.4], glassOf(style), {
    turn: [-25, 0, 0],
  });
  const sweep = airliner ? 26 : 2;
  for (const x of [-1, 1]) {
    const wing: Vector = [
      x * span * 0.25,
      (airliner ? 0.06 : -0.12) * l,
      airliner ? axis - r * 0.6 : axis + r * 0.85,
    ];
    model.box(wing, [span * 0.55, l * 0.11, 0.14], body, { turn: [0, -x * 4, -x * sweep] });
    model.box([x * l * 0.1, tail - l * 0.06, axis + r * 0.4], [l * 0.2, l * 0.065, 0.09], trim, {
      turn: [0, 0, -x * sweep],
    });
    model.limb([x * r * 0.9, 0.05 * l, axis - r], [x * r * 1.1, 0.05 * l, 0.3], [0.09, 0.09], style.metal);
    wheel(model, style, [x * r * 1.1, 0.05 * l, 0.3], 0.3, 0.2);
    if (!airliner) continue;
    model.limb(
      [x * span * 0.2, -0.08 * l, axis - r * 1.05],
      [x * span * 0.2, 0.06 * l, axis - r],
      [r * 0.42, r * 0.32],
      trim,
    );
    for (let i = 0; i < 14; i++)
      model.box(
        [x * r * 0.97, nose + l * (0.2 + 0.035 * i), axis + r * 0.1],
        [0.09, 0.16, 0.2],
        glassOf(style),
      );
  }
  model.box([0, tail - l * 0.07, axis + r * 0.5], [0.12, l * 0.1, l * 0.15], trim, { turn: [-28, 0, 0] });
  wheel(model, style, [0, nose + l * 0.14, 0.25], 0.25, 0.16);
  model.limb([0, nose + l * 0.14, 0.25], [0, nose + l * 0.14, axis - r * 0.8], [0.07, 0.07], style.metal);
  if (!airliner)
    model.box([0, nose - r * 0.45, axis - r * 1.3], [0.12, 0.05, r * 2.6], style.dark(), {
      turn: [0, dice.range(0, 90), 0],
    });
  return model;
}

/** A sailing boat, a motor boat or a rowing boat in the water at z = 0. */
export function boat(style: Style): Model {
  const { dice } = style;
  const kind = dice.pick(['sail', 'motor', 'row'] as const);
  const l = kind === 'row' ? dice.range(2.8, 4) : dice.range(5, 9);
  const w = l * dice.range(0.26, 0.36);
  const side = l * 0.09;
  const hull = dice.chance(0.5)
    ? style.make('plain', [0.85, 0.85, 0.83], [0, 0, 0], 1, 0.5)
    : paintwork(style);
  const mast = kind === 'sail' ? l * dice.range(1, 1.3) : side + l * 0.25;
  const model = new Model('otherprop', [w, l, mast]);
  model.voc = 'boat';
  model.ellipsoid([0, 0, -side * 1.6], [w, l, side * 3.2], hull);
  model.box([0, l * 0.12, 0], [w * 0.84, l * 0.5, side * 1.5], hull);
  model.box([0, l * 0.12, side * 1.45], [w * 0.9, l * 0.54, 0.06], style.wood);
  if (kind === 'row') {
    for (const y of [-0.05, 0.25]) model.box([0, y * l, side * 1.5], [w * 0.8, 0.25, 0.06], style.surface());
    for (const x of [-1, 1])
      model.limb([x * w * 0.4, 0.1, side * 1.8], [x * (w * 0.5 + 1), -0.6, -0.05], [0.03, 0.05], style.wood);
    return model;
  }
  if (kind === 'motor') {
    model.box([0, l * 0.05, side * 1.5], [w * 0.66, l * 0.3, l * 0.17], hull);
    model.box([0, l * 0.05, side * 1.5 + l * 0.07], [w * 0.68, l * 0.31, l * 0.07], glassOf(style));
    return model.box([0, l * 0.05, side * 1.5 + l * 0.17], [w * 0.74, l * 0.36, 0.07], paintwork(style));
  }
  model.box([0, l * 0.08, side * 1.5], [w * 0.5, l * 0.28, l * 0.06], hull);
  model.limb([0, -l * 0.06, 0], [0, -l * 0.06, mast], [0.06, 0.04], style.metal);
  const cloth = style.make(
    'carpet',
    dice.chance(0.7) ? [0.85, 0.84, 0.8] : paintwork(style).colour,
    [0.7, 0.7, 0.7],
    1.5,
  );
  // A flat cone is a triangle.
  model.cylinder([0, l * 0.16, side * 2 + 0.4], [0.04, l * 0.44, mast * 0.78], cloth, { taper: 0.06 });
  return model.cylinder([0, -l * 0.22, side * 2], [0.04, l * 0.3, mast * 0.62], cloth, { taper: 0.06 });
}

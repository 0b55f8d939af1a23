// Animals of the VOC's classes: four legs in the proportions of a species, and birds. Fronts look along -y.
import type { Dice } from '../dice.js';
import type { Material } from '../tracer/materials.js';
import { Model, type Vector } from '../tracer/solids.js';
import { hsv, type Style } from './style.js';

/** Lengths in units of the shoulder's height. */
interface Species {
  height: readonly [number, number];
  length: number;
  girth: number;
  leg: number;
  neck: number;
  /** Degrees above the horizontal. */
  neckAngle: readonly [number, number];
  head: number;
  snout: number;
  tail: number;
  tailAngle: readonly [number, number];
  ears: number;
  horns: boolean;
  sits: boolean;
  coat(style: Style): Material;
}

const fur = (
  style: Style,
  hue: readonly number[],
  saturation: readonly number[],
  value: readonly number[],
) => {
  const { dice } = style;
  const colour = hsv(
    dice.range(hue[0], hue[1]),
    dice.range(saturation[0], saturation[1]),
    dice.range(value[0], value[1]),
  );
  const [r, g, b] = colour;
  return style.make('carpet', colour, [r * 0.6, g * 0.55, b * 0.5], dice.range(0.05, 0.2));
};

/** Dark patches on white, or the other way round. */
function pied(style: Style): Material {
  const { dice } = style;
  const dark = hsv(dice.range(10, 30), dice.range(0.2, 0.8), dice.range(0.05, 0.4));
  return style.make('patches', [0.75, 0.72, 0.68], dark, dice.range(0.25, 0.5));
}

const SPECIES = {
  horse: {
    height: [1.35, 1.65],
    length: 0.98,
    girth: 0.2,
    leg: 0.055,
    neck: 0.5,
    neckAngle: [20, 60],
    head: 0.36,
    snout: 0.62,
    tail: 0.5,
    tailAngle: [-85, -60],
    ears: 0.09,
    horns: false,
    sits: false,
    coat: (style) =>
      style.dice.chance(0.15) ? pied(style) : fur(style, [12, 32], [0.1, 0.75], [0.08, 0.75]),
  },
  cow: {
    height: [1.2, 1.45],
    length: 1.12,
    girth: 0.27,
    leg: 0.06,
    neck: 0.26,
    neckAngle: [-35, 25],
    head: 0.34,
    snout: 0.75,
    tail: 0.6,
    tailAngle: [-88, -75],
    ears: 0.1,
    horns: true,
    sits: true,
    coat: (style) => (style.dice.chance(0.6) ? pied(style) : fur(style, [12, 28], [0.2, 0.7], [0.15, 0.75])),
  },
  sheep: {
    height: [0.6, 0.8],
    length: 1.05,
    girth: 0.36,
    leg: 0.05,
    neck: 0.22,
    neckAngle: [-20, 40],
    head: 0.32,
    snout: 0.7,
    tail: 0.16,
    tailAngle: [-80, -50],
    ears: 0.1,
    horns: false,
    sits: true,
    coat: (style) => fur(style, [30, 50], [0.02, 0.2], style.dice.chance(0.1) ? [0.15, 0.3] : [0.7, 0.95]),
  },
  dog: {
    height: [0.28, 0.68],
    length: 1.05,
    girth: 0.22,
    leg: 0.06,
    neck: 0.28,
    neckAngle: [25, 60],
    head: 0.36,
    snout: 0.85,
    tail: 0.5,
    tailAngle: [-30, 70],
    ears: 0.14,
    horns: false,
    sits: true,
    coat: (style) => (style.dice.chance(0.25) ? pied(style) : fur(style, [15, 40], [0.05, 0.7], [0.06, 0.9])),
  },
  cat: {
    height: [0.24, 0.3],
    length: 1.35,
    girth: 0.24,
    leg: 0.075,
    neck: 0.2,
    neckAngle: [15, 55],
    head: 0.42,
    snout: 0.3,
    tail: 1,
    tailAngle: [-20, 80],
    ears: 0.15,
    horns: false,
    sits: true,
    coat: (style) => (style.dice.chance(0.3) ? pied(style) : fur(style, [15, 40], [0, 0.7], [0.06, 0.85])),
  },
} as const satisfies Record<string, Species>;

export type Quadruped = keyof typeof SPECIES;

type Bearing = 'stand' | 'sit' | 'lie';

/** A quadruped of random size and coat; `saddle` is the height of its back. */
export function quadruped(style: Style, kind: Quadruped): Model & { saddle: number } {
  const species: Species = SPECIES[kind];
  const { dice } = style;
  const h = dice.range(species.height[0], species.height[1]);
  const bearing: Bearing = species.sits && dice.chance(0.45) ? (dice.chance(0.5) ? 'sit' : 'lie') : 'stand';
  // Who eats from the ground does not sit up.
  const sitting = bearing === 'sit' && (kind === 'dog' || kind === 'cat');
  const coat = species.coat(style);
  const model = new Model('otherprop', [h * 0.6, h * (species.length + 0.9), h * 1.6]);
  model.voc = kind;
  const half = (species.length * h) / 2;
  const girth = species.girth * h;
  const low = bearing === 'lie' ? girth * 1.02 : h - girth * 0.8;
  const chest: Vector = [0, -half * (sitting ? 0.55 : 1) + girth * 0.6, sitting ? h * 0.85 : low];
  const rump: Vector = [0, half - girth * 0.6, sitting ? girth * 1.1 : low];
  const back = girth * (kind === 'sheep' ? 1 : 0.92);
  model.limb(chest, rump, [girth, back], coat);
  model.ball(chest, girth * 1.02, coat);
  model.ball(rump, back * 1.05, coat);
  legs(model, species, h, chest, rump, sitting ? 'sit' : bearing === 'sit' ? 'stand' : bearing, coat, dice);

  const angle = (dice.range(species.neckAngle[0], species.neckAngle[1]) * Math.PI) / 180;
  const turn = dice.range(-0.5, 0.5);
  const ahead = (length: number, rise: number): Vector => [
    Math.sin(turn) * Math.cos(rise) * length,
    -Math.cos(turn) * Math.cos(rise) * length,
    Math.sin(rise) * length,
  ];
  const nape: Vector = [0, chest[1] - girth * 0.35, chest[2] + girth * 0.45];
  const crown = add(nape, ahead(species.neck * h, angle));
  model.limb(nape, crown, [girth * 0.62, species.head * h * 0.3], coat);
  head(model, species, h, crown, ahead, coat, style);

  const droop = (dice.range(species.tailAngle[0], species.tailAngle[1]) * Math.PI) / 180;
  const root: Vector = [0, rump[1] + back * 0.8, rump[2] + back * 0.4];
  const tip = add(root, [
    dice.range(-0.2, 0.2) * h,
    Math.cos(droop) * species.tail * h,
    Math.sin(droop) * species.tail * h,
  ]);
  tip[2] = Math.max(tip[2], 0.03 * h);
  model.limb(root, tip, [0.045 * h, kind === 'horse' ? 0.07 * h : 0.025 * h], coat);
  return Object.assign(model, { saddle: chest[2] + girth * 0.85 });
}

const add = (a: Vector, b: Vector): [number, number, number] => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

function legs(
  model: Model,
  { leg, girth }: Species,
  h: number,
  chest: Vector,
  rump: Vector,
  bearing: Bearing,
  coat: Material,
  dice: Dice,
): void {
  const r = leg * h;
  for (const [end, front] of [
    [chest, true],
    [rump, false],
  ] as const)
    for (const side of [-1, 1]) {
      const x = side * girth * h * 0.55;
      const folded = bearing === 'lie' || (bearing === 'sit' && !front);
      if (folded) {
        const y = end[1] - (front ? 0.15 : 0.1) * h;
        model.ellipsoid([x * 1.5, end[1], 0], [3.4 * r, 0.42 * h, 0.3 * h], coat);
        model.limb([x * 1.5, y, r], [x * 1.5, y - 0.3 * h, r], [r, r * 0.8], coat);
        continue;
      }
      const top: Vector = [x, end[1], end[2] - girth * h * 0.3];
      const stride = dice.range(-0.14, 0.14) * h;
      const knee: Vector = [x, end[1] + stride * 0.4 + (front ? -0.03 : 0.05) * h, top[2] * 0.48];
      const hoof: Vector = [x, end[1] + stride, r * 0.9];
      model.limb(top, knee, [r * 1.7, r * 1.05], coat);
      model.ball(knee, r * 1.05, coat);
      model.limb(knee, hoof, [r, r * 0.75], coat);
      model.ellipsoid([hoof[0], hoof[1] - r * 0.4, 0], [2.2 * r, 2.9 * r, 1.7 * r], coat);
    }
}

function head(
  model: Model,
  { head: size, snout, ears, horns }: Species,
  h: number,
  at: Vector,
  ahead: (length: number, rise: number) => Vector,
  coat: Material,
  style: Style,
): void {
  const { dice } = style;
  const r = size * h * 0.34;
  const dark = style.dark();
  const muzzle = add(at, ahead(size * h * snout, -0.55));
  model.ball(at, r * 1.05, coat);
  model.limb(at, muzzle, [r * 0.86, r * 0.52], coat);
  model.ball(muzzle, r * 0.52, coat);
  model.ball(add(muzzle, ahead(r * 0.42, -0.2)), r * 0.24, dark);
  const [fx, fy] = ahead(1, 0);
  for (const side of [-1, 1]) {
    const out = (right: number, front: number, up: number): Vector => [
      at[0] + (-fy * right * side + fx * front) * r,
      at[1] + (fx * right * side + fy * front) * r,
      at[2] + up * r,
    ];
    model.ball(out(0.62, 0.62, 0.3), r * 0.17, dark);
    model.limb(out(0.55, -0.1, 0.6), out(0.85, -0.1, 0.6 + (ears * h) / r), [r * 0.34, r * 0.1], coat);
    if (horns && dice.chance(0.5))
      model.limb(out(0.4, 0, 0.8), out(1.1, 0.2, 1.6), [r * 0.16, r * 0.05], style.porcelain());
  }
}

/** On the ground, or with wings spread and `model.size[2]` high in the air. */
export function bird(style: Style, flying: boolean): Model {
  const { dice } = style;
  const s = dice.range(0.14, 0.5);
  const colour = hsv(dice.range(0, 360), dice.range(0, 0.6), dice.range(0.1, 0.95));
  const plumage = style.make('carpet', colour, hsv(dice.range(0, 360), 0.3, dice.range(0.1, 0.9)), 0.08);
  const beak = style.make('plain', hsv(dice.range(20, 50), 0.8, 0.8), [0, 0, 0], 1, 0.3);
  const model = new Model('otherprop', [flying ? 2 * s : s, 1.4 * s, s * 1.4]);
  model.voc = 'bird';
  const leg = flying ? 0.1 * s : dice.range(0.25, 0.6) * s;
  const up = flying ? 0 : dice.range(0.15, 0.5) * s;
  const body: Vector = [0, 0.1 * s, leg + 0.3 * s];
  const breast: Vector = [0, -0.3 * s, leg + 0.3 * s + up];
  model.limb(breast, body, [0.26 * s, 0.22 * s], plumage);
  model.ball(breast, 0.27 * s, plumage);
  model.ball(body, 0.22 * s, plumage);
  model.box([0, 0.55 * s, body[2] - 0.06 * s], [0.2 * s, 0.6 * s, 0.04 * s], plumage, { turn: [12, 0, 0] });
  const neck = dice.chance(0.3) ? dice.range(0.3, 0.8) * s : 0.15 * s;
  const crown: Vector = [0, breast[1] - 0.12 * s, breast[2] + 0.2 * s + neck];
  model.limb(breast, crown, [0.13 * s, 0.1 * s], plumage);
  model.ball(crown, 0.17 * s, plumage);
  model.limb(
    [0, crown[1] - 0.1 * s, crown[2]],
    [0, crown[1] - 0.4 * s, crown[2] - 0.05 * s],
    [0.07 * s, 0.01 * s],
    beak,
  );
  for (const side of [-1, 1]) {
    model.ball([side * 0.1 * s, crown[1] - 0.1 * s, crown[2] + 0.04 * s], 0.03 * s, style.dark());
    if (flying) {
      const rise = dice.range(-25, 40);
      model.ellipsoid([side * 0.65 * s, 0, body[2]], [1.25 * s, 0.5 * s, 0.07 * s], plumage, {
        turn: [0, -side * rise, side * 8],
      });
    } else {
      model.ellipsoid([side * 0.2 * s, 0.08 * s, body[2] - 0.2 * s], [0.12 * s, 0.75 * s, 0.4 * s], plumage);
      model.limb(
        [side * 0.1 * s, 0, body[2] - 0.15 * s],
        [side * 0.1 * s, -0.02 * s, 0.02 * s],
        [0.035 * s, 0.03 * s],
        beak,
      );
      model.box([side * 0.1 * s, -0.08 * s, 0], [0.12 * s, 0.22 * s, 0.03 * s], beak);
    }
  }
  return model;
}

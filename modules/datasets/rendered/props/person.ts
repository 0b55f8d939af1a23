// People with joints: a pelvis, from which legs, torso, arms and head hang at the angles of a pose. Every piece
// carries PASCAL-Part's name. A figure stands around the origin and looks along -y; metres and degrees.
import type { Dice } from '../dice.js';
import type { Material } from '../tracer/materials.js';
import { Model, type Vector } from '../tracer/solids.js';
import { hsv, type Style } from './style.js';

export type Posture = 'stand' | 'walk' | 'run' | 'sit' | 'crouch' | 'ride';

interface Limb {
  /** Forwards from hanging down, of the upper part. */
  flex: number;
  /** Away from the body. */
  spread: number;
  /** Of elbow or knee. */
  bend: number;
}

interface Pose {
  lean: number;
  twist: number;
  legs: readonly [Limb, Limb];
  arms: readonly [Limb, Limb];
}

const POSTURES: readonly Posture[] = ['stand', 'stand', 'stand', 'walk', 'walk', 'run', 'crouch'];
const SIDES = [
  { name: 'l', side: 1 },
  { name: 'r', side: -1 },
] as const;

const sin = (degrees: number) => Math.sin((degrees * Math.PI) / 180);
const cos = (degrees: number) => Math.cos((degrees * Math.PI) / 180);
const along = (at: Vector, d: Vector, length: number): Vector => [
  at[0] + d[0] * length,
  at[1] + d[1] * length,
  at[2] + d[2] * length,
];

function legsOf(posture: Posture, dice: Dice): [Limb, Limb] {
  const limb = (flex: number, bend: number): Limb => ({ flex, spread: dice.range(1, 8), bend });
  const around = (angle: number, by: number) => angle + dice.range(-by, by);
  const [front, back]: [Limb, Limb] =
    posture === 'stand'
      ? [limb(around(2, 7), dice.range(0, 14)), limb(around(0, 7), dice.range(0, 14))]
      : posture === 'walk'
        ? [limb(around(22, 8), around(8, 6)), limb(around(-16, 6), around(25, 12))]
        : posture === 'run'
          ? [limb(around(55, 12), around(60, 20)), limb(around(-20, 10), around(60, 25))]
          : posture === 'sit'
            ? [limb(around(86, 6), around(84, 14)), limb(around(86, 6), around(84, 14))]
            : posture === 'crouch'
              ? [limb(around(105, 10), around(125, 12)), limb(around(85, 15), around(125, 12))]
              : [limb(around(62, 12), around(75, 12)), limb(around(40, 12), around(55, 12))];
  return dice.chance(0.5) ? [front, back] : [back, front];
}

function armOf(posture: Posture, dice: Dice): Limb {
  const limb = (flex: readonly number[], spread: readonly number[], bend: readonly number[]): Limb => ({
    flex: dice.range(flex[0], flex[1]),
    spread: dice.range(spread[0], spread[1]),
    bend: dice.range(bend[0], bend[1]),
  });
  if (posture === 'ride') return limb([45, 65], [6, 16], [5, 35]);
  const roll = dice.range(0, 1);
  if (posture === 'run') return limb([-45, 45], [6, 18], [70, 100]);
  if (roll < 0.5) return limb([-18, 25], [4, 15], [5, 40]);
  if (roll < 0.6) return limb([-25, -5], [35, 50], [70, 95]);
  if (roll < 0.7) return limb([140, 175], [5, 35], [0, 40]);
  if (roll < 0.85) return limb([55, 95], [0, 25], [0, 45]);
  return limb([25, 50], [0, 15], [85, 135]);
}

function poseOf(posture: Posture, dice: Dice): Pose {
  const lean = { stand: 2, walk: 4, run: 14, sit: 4, crouch: 25, ride: 22 }[posture] + dice.range(-6, 8);
  return {
    lean,
    twist: dice.range(-18, 18),
    legs: legsOf(posture, dice),
    arms: [armOf(posture, dice), armOf(posture, dice)],
  };
}

/** Skin, hair and clothes. */
interface Looks {
  skin: Material;
  hair: Material;
  shirt: Material;
  sleeve: Material;
  forearm: Material;
  thigh: Material;
  shin: Material;
  shoe: Material;
}

function looksOf(style: Style): Looks {
  const { dice } = style;
  const tone = dice.range(0, 1);
  const skin = style.make(
    'plain',
    hsv(dice.range(14, 26), 0.35 + 0.3 * tone, 0.9 - 0.55 * tone),
    [0, 0, 0],
    1,
  );
  const shade = dice.chance(0.6) ? dice.range(0.06, 0.3) : dice.range(0.3, 0.85);
  const colour = hsv(dice.range(15, 45), dice.range(0.1, 0.65), shade);
  const hair = style.make('carpet', colour, hsv(20, 0.5, shade * 0.6), 0.05);
  const shirt = style.fabric();
  const trousers = dice.chance(0.5)
    ? style.fabric()
    : style.make('carpet', hsv(220, dice.range(0, 0.6), dice.range(0.1, 0.5)), [0.05, 0.05, 0.08], 0.3);
  const sleeves = dice.range(0, 1);
  const short = dice.chance(0.25);
  return {
    skin,
    hair,
    shirt,
    sleeve: sleeves < 0.85 ? shirt : skin,
    forearm: sleeves < 0.5 ? shirt : skin,
    thigh: trousers,
    shin: short ? skin : trousers,
    shoe: dice.chance(0.6) ? style.dark() : style.paint(),
  };
}

/**
 * A person of random build, looks and pose.
 * @param seat height of what is sat on, for the postures that sit
 */
export function person(style: Style, posture: Posture = style.dice.pick(POSTURES), seat = 0.45): Model {
  const { dice } = style;
  const tall = dice.chance(0.15) ? dice.range(1, 1.45) : dice.range(1.52, 1.92);
  const build = dice.range(0.88, 1.2);
  const pose = poseOf(posture, dice);
  const looks = looksOf(style);
  const model = new Model('person', [0.6, posture === 'stand' ? 0.45 : 0.8, tall]);
  model.voc = 'person';

  const hips = SIDES.map(({ side }, i) => leg([side * 0.085 * tall * 0.6, 0, 0], side, pose.legs[i], tall));
  // The lowest sole is on the ground, or the pelvis on the seat.
  const lowest = Math.min(...hips.map(({ ankle }) => ankle[2])) - 0.045 * tall;
  const pelvis = posture === 'sit' || posture === 'ride' ? seat + 0.075 * tall : -lowest;
  const up = (p: Vector): Vector => [p[0], p[1], p[2] + pelvis];
  for (const [i, { hip, knee, ankle, foot }] of hips.entries()) {
    const { name } = SIDES[i];
    const r = 0.05 * tall * build;
    model.limb(up(hip), up(knee), [r, r * 0.74], looks.thigh, `${name}uleg`);
    model.ball(up(knee), r * 0.74, looks.shin, `${name}lleg`);
    model.limb(up(knee), up(ankle), [r * 0.72, r * 0.5], looks.shin, `${name}lleg`);
    model.limb(up(ankle), up(foot), [r * 0.58, r * 0.42], looks.shoe, `${name}foot`);
    model.ball(up(foot), r * 0.42, looks.shoe, `${name}foot`);
  }
  const spine: Vector = [0, -sin(pose.lean), cos(pose.lean)];
  const neck = along([0, 0, pelvis], spine, 0.3 * tall);
  torso(model, [0, 0, pelvis], neck, pose.twist, tall, build, looks.shirt);
  for (const [i, { name, side }] of SIDES.entries()) {
    const half = 0.105 * tall * build;
    const shoulder: Vector = [
      neck[0] + side * half * cos(pose.twist),
      neck[1] + side * half * sin(pose.twist),
      neck[2] - 0.02 * tall,
    ];
    arm(model, shoulder, name, side, pose.arms[i], pose.lean, tall, build, looks);
  }
  head(model, neck, spine, pose.twist * 0.5 + dice.range(-40, 40), tall, looks, dice);
  return model;
}

function leg(hip: Vector, side: number, { flex, spread, bend }: Limb, tall: number) {
  const thigh: Vector = [side * sin(spread), -sin(flex) * cos(spread), -cos(flex) * cos(spread)];
  const knee = along(hip, thigh, 0.245 * tall);
  const shin: Vector = [side * sin(spread) * 0.4, -sin(flex - bend), -cos(flex - bend)];
  const ankle = along(knee, shin, 0.235 * tall);
  // Feet stay level unless the leg swings back.
  const pitch = Math.max(0, bend - flex - 15) * 0.8;
  const foot = along(ankle, [side * 0.2, -cos(pitch), -sin(pitch) - 0.12], 0.11 * tall);
  return { hip, knee, ankle, foot };
}

/** Wider than deep: three columns side by side. */
function torso(
  model: Model,
  pelvis: Vector,
  neck: Vector,
  twist: number,
  tall: number,
  build: number,
  shirt: Material,
): void {
  const r = 0.06 * tall * build;
  for (const x of [-1, 0, 1]) {
    const low: Vector = [pelvis[0] + x * 0.036 * tall, pelvis[1], pelvis[2] - 0.03 * tall];
    const reach = x * 0.056 * tall * build;
    const high: Vector = [neck[0] + reach * cos(twist), neck[1] + reach * sin(twist), neck[2]];
    model.limb(low, high, [r, r * 1.08], shirt, 'torso');
    model.ball([high[0], high[1], high[2] - r * 0.3], r * 1.06, shirt, 'torso');
    model.ball([low[0], low[1], low[2] + r * 0.2], r * 0.98, shirt, 'torso');
  }
}

function arm(
  model: Model,
  shoulder: Vector,
  name: string,
  side: number,
  { flex, spread, bend }: Limb,
  lean: number,
  tall: number,
  build: number,
  looks: Looks,
): void {
  const r = 0.034 * tall * build;
  const direction = (angle: number, out: number): Vector => [
    side * sin(out),
    -sin(angle + lean) * cos(out),
    -cos(angle + lean) * cos(out),
  ];
  const elbow = along(shoulder, direction(flex, spread), 0.18 * tall);
  const wrist = along(elbow, direction(flex + bend, spread * 0.3 - bend * 0.15), 0.15 * tall);
  const hand = along(wrist, direction(flex + bend * 1.05, spread * 0.2), 0.075 * tall);
  model.ball(shoulder, r * 1.25, looks.sleeve, `${name}uarm`);
  model.limb(shoulder, elbow, [r * 1.15, r * 0.92], looks.sleeve, `${name}uarm`);
  model.ball(elbow, r * 0.92, looks.forearm, `${name}larm`);
  model.limb(elbow, wrist, [r * 0.9, r * 0.66], looks.forearm, `${name}larm`);
  model.limb(wrist, hand, [r * 0.66, r * 0.55], looks.skin, `${name}hand`);
  model.ball(hand, r * 0.6, looks.skin, `${name}hand`);
}

function head(
  model: Model,
  neck: Vector,
  spine: Vector,
  yaw: number,
  tall: number,
  { skin, hair }: Looks,
  dice: Dice,
): void {
  // Children have large heads.
  const size = 0.095 + 0.035 * tall;
  const base = along(neck, spine, 0.03 * tall);
  model.limb(neck, along(base, spine, 0.04 * tall), [0.034 * tall, 0.03 * tall], skin, 'neck');
  const middle = along(base, spine, 0.02 * tall + size * 0.66);
  const place = (right: number, front: number, up: number): Vector => [
    middle[0] + (right * cos(yaw) + front * sin(yaw)) * size,
    middle[1] + (right * sin(yaw) - front * cos(yaw)) * size,
    middle[2] + up * size,
  ];
  const blob = (at: Vector, [w, d, h]: Vector, material: Material, piece: string) =>
    model.ellipsoid([at[0], at[1], at[2] - (h * size) / 2], [w * size, d * size, h * size], material, {
      piece,
      turn: [0, 0, yaw],
    });
  const dark = { ...hair, pattern: 'plain' as const, colour: [0.02, 0.02, 0.02] as const };
  blob(middle, [1, 1.2, 1.5], skin, 'head');
  blob(place(0, 0.6, -0.08), [0.2, 0.26, 0.34], skin, 'nose');
  for (const { name, side } of SIDES) {
    blob(place(side * 0.24, 0.5, 0.1), [0.17, 0.16, 0.1], dark, `${name}eye`);
    blob(place(side * 0.24, 0.49, 0.24), [0.26, 0.14, 0.06], hair, `${name}ebrow`);
    blob(place(side * 0.5, -0.05, 0), [0.12, 0.26, 0.36], skin, `${name}ear`);
  }
  const lips = {
    ...skin,
    colour: [skin.colour[0] * 0.8, skin.colour[1] * 0.4, skin.colour[2] * 0.4] as const,
  };
  blob(place(0, 0.5, -0.38), [0.34, 0.18, 0.1], lips, 'mouth');
  if (dice.chance(0.06)) return;
  blob(place(0, -0.14, 0.24), [1.1, 1.16, 1.2], hair, 'hair');
  if (dice.chance(0.4)) blob(place(0, -0.42, -0.4), [1, 0.5, dice.range(1.2, 2)], hair, 'hair');
}

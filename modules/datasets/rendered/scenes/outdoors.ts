// Scenes under the sky: a wide box whose walls show a horizon and whose lid is the sky, one sun, ground, and a
// cast that fits the place. It is a room like any other, so that rays and labels need no second kind of world.
import { finished } from '../rooms/build.js';
import type { RandomStream } from '../../../../registry/index.js';
import { Dice } from '../dice.js';
import type { Material } from '../tracer/materials.js';
import { Room, type Spot } from '../rooms/room.js';
import { Model } from '../tracer/solids.js';
import { hsv, Style } from '../props/style.js';
import { bird } from '../props/animals.js';
import type { SceneSet } from './scene-set.js';
import { MAKERS, RIDDEN, type ObjectClass } from './cast.js';
import { person } from '../props/person.js';
import { bush, fence, house, lampPost, rock, tree } from '../props/scenery.js';

type Cast = readonly (readonly [ObjectClass, share: number])[];

interface Place {
  share: number;
  ground: (style: Style) => Material;
  /** PASCAL-Context's number. */
  context: number;
  leads: Cast;
  extras: Cast;
  scenery: readonly ((style: Style) => Model)[];
  /** Metres from wall to wall. */
  width: number;
  skyline: readonly [number, number];
}

const soil = (
  style: Style,
  hue: readonly number[],
  saturation: number,
  value: readonly number[],
  scale: number,
) => {
  const { dice } = style;
  const colour = hsv(
    dice.range(hue[0], hue[1]),
    dice.range(saturation * 0.6, saturation),
    dice.range(value[0], value[1]),
  );
  const [r, g, b] = colour;
  return style.make('carpet', colour, [r * 1.25, g * 1.1, b * 0.8], scale);
};
const grass = (style: Style) => soil(style, [68, 110], 0.6, [0.35, 0.6], style.dice.range(0.4, 1.6));
const asphalt = (style: Style) => soil(style, [200, 260], 0.08, [0.3, 0.55], 2);
const sand = (style: Style) => soil(style, [34, 44], 0.4, [0.65, 0.85], 1.2);
const paving = (style: Style) =>
  style.make('tiles', hsv(30, 0.06, style.dice.range(0.5, 0.8)), [0.3, 0.3, 0.3], style.dice.range(0.3, 0.8));
const water = (style: Style) => {
  const colour = hsv(style.dice.range(185, 225), style.dice.range(0.25, 0.6), style.dice.range(0.3, 0.6));
  const [r, g, b] = colour;
  return style.make('carpet', colour, [r * 1.6 + 0.05, g * 1.4 + 0.05, b * 1.3 + 0.05], 0.5, 0.6);
};

const PLACES: readonly Place[] = [
  {
    share: 0.32,
    ground: (style) => (style.dice.chance(0.6) ? asphalt(style) : paving(style)),
    context: 324,
    leads: [
      ['person', 0.34],
      ['car', 0.24],
      ['bus', 0.1],
      ['motorbike', 0.12],
      ['bicycle', 0.14],
      ['dog', 0.06],
    ],
    extras: [
      ['person', 0.45],
      ['car', 0.3],
      ['bicycle', 0.1],
      ['motorbike', 0.08],
      ['dog', 0.07],
    ],
    scenery: [house, house, lampPost, tree, fence],
    width: 46,
    skyline: [5, 10],
  },
  {
    share: 0.26,
    ground: grass,
    context: 187,
    leads: [
      ['horse', 0.22],
      ['cow', 0.22],
      ['sheep', 0.2],
      ['person', 0.16],
      ['dog', 0.12],
      ['bird', 0.08],
    ],
    extras: [
      ['person', 0.3],
      ['cow', 0.22],
      ['sheep', 0.25],
      ['horse', 0.13],
      ['dog', 0.1],
    ],
    scenery: [tree, tree, bush, fence, rock, house],
    width: 42,
    skyline: [2, 7],
  },
  {
    share: 0.18,
    ground: (style) =>
      style.dice.chance(0.6) ? grass(style) : style.dice.chance(0.5) ? sand(style) : paving(style),
    context: 189,
    leads: [
      ['person', 0.45],
      ['dog', 0.13],
      ['bicycle', 0.12],
      ['bird', 0.16],
      ['chair', 0.05],
      ['pottedplant', 0.09],
    ],
    extras: [
      ['person', 0.6],
      ['bird', 0.15],
      ['chair', 0.08],
      ['bicycle', 0.1],
      ['dog', 0.07],
    ],
    scenery: [tree, bush, bush, rock, fence],
    width: 36,
    skyline: [2, 6],
  },
  {
    share: 0.12,
    ground: water,
    context: 445,
    leads: [['boat', 1]],
    extras: [
      ['boat', 0.8],
      ['bird', 0.2],
    ],
    scenery: [rock],
    width: 56,
    skyline: [1, 4],
  },
  {
    share: 0.07,
    ground: asphalt,
    context: 332,
    leads: [['aeroplane', 1]],
    extras: [
      ['aeroplane', 0.3],
      ['car', 0.3],
      ['person', 0.4],
    ],
    scenery: [],
    width: 70,
    skyline: [1, 3],
  },
  {
    share: 0.05,
    ground: (style) => soil(style, [20, 40], 0.2, [0.3, 0.5], 0.3),
    context: 415,
    leads: [['train', 1]],
    extras: [['person', 1]],
    scenery: [house, lampPost, tree, fence],
    width: 56,
    skyline: [3, 8],
  },
];

export function buildOutdoors(random: RandomStream): SceneSet {
  const dice = new Dice(random);
  const style = new Style(dice);
  const place = draw(
    PLACES.map((entry) => [entry, entry.share] as const),
    dice,
  );
  const overcast = dice.chance(0.3);
  const sky: Material = style.make(
    'clouds',
    overcast ? hsv(215, 0.08, 0.85) : hsv(dice.range(205, 222), dice.range(0.3, 0.6), dice.range(0.85, 1)),
    [0.92, 0.93, 0.95],
    1,
    0,
    overcast ? 1.3 : 1.1,
  );
  const around: Material = {
    ...sky,
    pattern: 'horizon',
    scale: dice.range(place.skyline[0], place.skyline[1]),
  };
  const size = [place.width, place.width, place.width * 0.8] as const;
  const room = new Room(style, size, [around, around, around, around, place.ground(style), sky]);
  const sunlight = overcast ? 0.35 : dice.range(1.3, 2.4);
  addSun(room, sunlight);
  const subjects = populate(room, place);
  for (let i = dice.integer(2, 7); i > 0 && place.scenery.length > 0; i--) {
    // Scenery stands at the back: outside the middle third.
    const angle = dice.range(0, 2 * Math.PI);
    const reach = place.width * dice.range(0.2, 0.42);
    const [x, y] = [size[0] / 2 + reach * Math.cos(angle), size[1] / 2 + reach * Math.sin(angle)];
    room.place(dice.pick(place.scenery)(style), x, y, dice.pick([0, 90, 180, 270]) + dice.range(-9, 9));
  }
  const skylight = overcast ? [0.75, 0.78, 0.82] : [0.34, 0.42, 0.55];
  return { built: { ...finished(room), ambient: skylight }, subjects, ground: place.context, outdoors: true };
}

/** One sun, far away: its power makes up for the distance. */
function addSun(room: Room, strength: number): void {
  const { dice } = room.style;
  const distance = 90;
  const azimuth = dice.range(0, 2 * Math.PI);
  const height = (dice.range(24, 68) * Math.PI) / 180;
  const warm = dice.range(0.75, 0.95);
  const power = strength * distance ** 2;
  room.lights.push({
    at: [
      room.size[0] / 2 + distance * Math.cos(height) * Math.cos(azimuth),
      room.size[1] / 2 + distance * Math.cos(height) * Math.sin(azimuth),
      distance * Math.sin(height),
    ],
    radius: 1.2,
    power: [power, power * (0.5 + 0.5 * warm), power * warm],
    clear: 0,
  });
}

/** A lead in the middle, perhaps ridden, perhaps in a group, and extras about it. */
function populate(room: Room, { leads, extras }: Place): Spot[] {
  const { style } = room;
  const { dice } = style;
  const [cx, cy] = [room.size[0] / 2, room.size[1] / 2];
  const subjects: Spot[] = [];
  const lead = draw(leads, dice);
  const yaw = dice.range(0, 360);
  const enter = (voc: ObjectClass, x: number, y: number, turn: number) => {
    const flying = voc === 'bird' && dice.chance(0.4);
    const ridden = dice.chance(0.45) ? RIDDEN[voc]?.(style) : undefined;
    const model = ridden ?? (flying ? bird(style, true) : MAKERS[voc](style));
    if (flying) {
      subjects.push(room.put(model, x, y, dice.range(0.8, 3), turn));
      return;
    }
    const spot = room.place(model, x, y, turn);
    if (!spot) return;
    if (ridden) subjects.push(room.put(person(style, 'ride', ridden.saddle), x, y, 0, turn));
    subjects.push(spot);
  };
  enter(lead, cx + dice.range(-1, 1), cy + dice.range(-1, 1), yaw);
  const reach = subjects[0] ? Math.max(1.2, subjects[0].model.size[1] * 0.8) : 2;
  // Herds and groups.
  const group = dice.chance(0.45) ? dice.integer(1, 3) : 0;
  for (let i = 0; i < group; i++)
    enter(
      lead,
      cx + dice.range(-2.2, 2.2) * reach,
      cy + dice.range(-2.2, 2.2) * reach,
      yaw + dice.range(-70, 70),
    );
  for (let i = dice.integer(0, 4); i > 0; i--) {
    const far = dice.range(1, 3.5) * reach;
    const angle = dice.range(0, 2 * Math.PI);
    enter(draw(extras, dice), cx + far * Math.cos(angle), cy + far * Math.sin(angle), dice.range(0, 360));
  }
  return subjects;
}

export function draw<T>(choices: readonly (readonly [T, number])[], dice: Dice): T {
  let roll = dice.range(
    0,
    choices.reduce((sum, [, share]) => sum + share, 0),
  );
  return (choices.find(([, share]) => (roll -= share) < 0) ?? choices[0])[0];
}

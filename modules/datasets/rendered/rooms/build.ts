// Builds a room from a seeded stream: kind, size, style, door and windows, furniture, objects on the free parts of
// the walls, and lights.
import { NYUD_CLASSES } from '../../folders/nyud.js';
import type { RandomStream } from '../../../../registry/index.js';
import { lampshade } from '../props/clutter.js';
import { Dice } from '../dice.js';
import { blinds, curtains, door, mirror, picture, poster, radiator, window } from '../props/fittings.js';
import { PLANS } from './plans.js';
import { Room } from './room.js';
import { Scene } from '../tracer/scene.js';
import type { World } from '../tracer/world.js';
import { Model, type ClassName, type Vector } from '../tracer/solids.js';
import { hsv, Style } from '../props/style.js';

export interface BuiltRoom extends World {
  room: Room;
}

const SHELL: readonly ClassName[] = ['wall', 'wall', 'wall', 'wall', 'floor', 'ceiling'];

export interface Inhabitants {
  /** Makes the people that stand about in it. */
  people?: (style: Style) => Model;
  /** Adds things when the room is furnished. */
  moveIn?: (room: Room) => void;
}

export function buildRoom(random: RandomStream, { people, moveIn }: Inhabitants = {}): BuiltRoom {
  const dice = new Dice(random);
  const { plan, wet = false } = drawPlan(dice);
  const style = new Style(dice, people);
  const walls = style.walls(wet);
  // One wall may be of another colour.
  const surfaces = [walls, walls, walls, walls, style.floor(wet), style.ceiling()];
  if (dice.chance(0.25)) surfaces[dice.integer(0, 3)] = style.walls(false);
  const large = dice.chance(0.15);
  const size = wet
    ? ([dice.range(2.4, 3.6), dice.range(2.2, 3.4), dice.range(2.4, 2.8)] as const)
    : ([dice.range(3.4, large ? 8.5 : 5.6), dice.range(3.2, 5.6), dice.range(2.4, 3.1)] as const);
  const room = new Room(style, size, surfaces);
  const day = dice.chance(0.75);
  openings(room, wet, day);
  structure(room);
  plan(room);
  moveIn?.(room);
  decorate(room);
  ceilingLight(room, day);

  return finished(room);
}

/** A room with everything in it, ready for rays. */
export function finished(room: Room): BuiltRoom {
  const scene = new Scene(room.parts, room.size);
  const shell = SHELL.map((name) => NYUD_CLASSES.indexOf(name));
  return {
    room,
    scene,
    labels: Uint8Array.from([...room.parts.map((part) => part.label), ...shell]),
    materials: [...room.parts.map((part) => part.material), ...room.surfaces],
  };
}

function drawPlan(dice: Dice): (typeof PLANS)[number] {
  let roll = dice.range(0, 1);
  return PLANS.find(({ share }) => (roll -= share) < 0) ?? PLANS[0];
}

function openings(room: Room, wet: boolean, day: boolean): void {
  const { style } = room;
  const { dice } = style;
  const entrance = room.hang(door(style), 0);
  if (entrance) room.keepFree(entrance, 0.9);
  if (!wet && dice.chance(0.35)) {
    const second = room.hang(door(style), 0);
    if (second) room.keepFree(second, 0.5);
  }
  for (let i = wet ? dice.integer(0, 1) : dice.integer(1, 2); i > 0; i--) {
    const tall = !wet && dice.chance(0.25);
    const [width, height] = [dice.range(0.7, wet ? 1 : 2.1), tall ? 1.9 : dice.range(0.8, 1.35)];
    const sill = tall ? 0.15 : dice.range(0.8, wet ? 1.3 : 1);
    const spot = room.hang(window(style, width, height, day ? dice.range(4, 14) : 0.03), sill);
    if (!spot) continue;
    const roll = dice.range(0, 1);
    const rod = Math.min(room.size[2] - 0.06, sill + height + dice.range(0.12, 0.3));
    const hem = dice.chance(0.5) ? 0.04 : sill - 0.15;
    if (roll < 0.5) room.over(spot, curtains(style, width, rod - Math.max(0.02, hem)), Math.max(0.02, hem));
    else if (roll < 0.85) room.over(spot, blinds(style, width + 0.1, height + 0.05), sill);
    else if (dice.chance(0.6) && !tall && sill > 0.7) room.over(spot, radiator(style, width * 0.9), 0.02);
    if (!day) continue;
    const power = width * height * dice.range(3, 8);
    const origin = room.pointOf(spot, [0, 0, 0]);
    const direction = (p: Vector): Vector => {
      const [x, y, z] = room.pointOf(spot, p);
      return [x - origin[0], y - origin[1], z - origin[2]];
    };
    room.lights.push({
      at: room.pointOf(spot, [0, -0.1, height / 2]),
      radius: 0,
      window: { across: direction([width / 2, 0, 0]), up: [0, 0, height / 2], along: direction([0, -1, 0]) },
      power: [power * 0.85, power * 0.95, power * 1.05],
      clear: 0.15,
    });
  }
}

/** Now and then a beam under the ceiling or a pier at a wall. */
function structure(room: Room): void {
  const { style, size } = room;
  const { dice } = style;
  if (dice.chance(0.12)) {
    const pier = new Model('wall', [dice.range(0.3, 0.9), dice.range(0.25, 0.6), size[2]]);
    pier.box([0, 0, 0], pier.size, room.surfaces[0]);
    room.stand(pier, { clearance: 0, gap: 0 });
  }
  if (dice.chance(0.1)) {
    const beam = new Model('otherstructure', [size[0], 0.25, 0.22]).box(
      [0, 0, 0],
      [size[0], 0.22, 0.22],
      dice.chance(0.5) ? style.wood : room.surfaces[5],
    );
    for (const at of dice.chance(0.5) ? [0.5] : [0.25, 0.5, 0.75])
      room.put(beam, size[0] / 2, size[1] * at, size[2] - 0.22, 0);
  }
}

function decorate(room: Room): void {
  const { style } = room;
  const { dice } = style;
  for (let i = dice.integer(1, 5); i > 0; i--) room.hang(picture(style), dice.range(1.15, 1.55));
  if (dice.chance(0.2))
    room.hang(mirror(style, dice.range(0.45, 0.8), dice.range(0.7, 1.2)), dice.range(0.6, 1.1));
  if (dice.chance(0.25))
    for (let i = dice.integer(1, 4); i > 0; i--) room.hang(poster(style), dice.range(1.1, 1.6));
}

function ceilingLight(room: Room, day: boolean): void {
  const { style, size } = room;
  const { dice } = style;
  const lit = !day || dice.chance(0.7) || room.lights.length === 0;
  const [x, y] = [size[0] * dice.range(0.35, 0.65), size[1] * dice.range(0.35, 0.65)];
  const drop = dice.chance(0.35) ? dice.range(0.35, 0.8) : 0.12;
  const width = dice.range(0.28, 0.5);
  const model = new Model('lamp', [width, width, drop]);
  const tall = drop > 0.2 ? 0.22 : 0.1;
  model.cylinder(
    [0, 0, 0],
    [width, width, tall],
    { ...lampshade(style, lit) },
    { taper: drop > 0.2 ? 0.6 : 0.9 },
  );
  if (drop > 0.2) model.cylinder([0, 0, tall], [0.02, 0.02, drop - tall], style.dark());
  room.put(model, x, y, size[2] - drop, 0);
  if (!lit) return;
  // Anything from a warm bulb to cool daylight tubes.
  const [red, green, blue] = hsv(dice.range(28, 48), dice.range(0.05, 0.4), 1);
  const power = (size[0] * size[1]) ** 0.5 * dice.range(1.2, 3.2);
  room.lights.push({
    at: [x, y, size[2] - drop - 0.05],
    radius: dice.range(0.05, 0.25),
    power: [red * power, green * power, blue * power],
    clear: 0.12,
  });
}

// The rooms of the NYUD-like set as scenes of the VOC: furniture keeps its place and gets the VOC's classes, and
// people, animals and small things move in.
import { buildRoom } from '../rooms/build.js';
import type { RandomStream } from '../../../../registry/index.js';
import type { Room, Spot } from '../rooms/room.js';
import type { Style } from '../props/style.js';
import { bottle } from '../props/clutter.js';
import { MAKERS } from './cast.js';
import type { SceneSet } from './scene-set.js';
import { person } from '../props/person.js';

export function buildIndoors(random: RandomStream): SceneSet {
  const subjects: Spot[] = [];
  const built = buildRoom(random, {
    people: (style) => person(style, style.dice.pick(['stand', 'stand', 'walk', 'crouch'] as const)),
    moveIn: (room) => subjects.push(...moveIn(room)),
  });
  return { built, subjects, ground: 158, outdoors: false };
}

function moveIn(room: Room): Spot[] {
  const { style } = room;
  const { dice } = style;
  const spots: (Spot | undefined)[] = [];
  const roll = dice.range(0, 1);
  if (roll < 0.35) spots.push(room.drop(MAKERS.person(style)));
  else if (roll < 0.6) spots.push(...seated(room, style));
  else if (roll < 0.72) spots.push(room.drop(MAKERS.cat(style)));
  else if (roll < 0.84) spots.push(room.drop(MAKERS.dog(style)));
  else spots.push(...bottles(room, style));
  if (dice.chance(0.35)) spots.push(room.drop(MAKERS.person(style)));
  if (dice.chance(0.15)) spots.push(room.drop(dice.chance(0.5) ? MAKERS.cat(style) : MAKERS.dog(style)));
  if (dice.chance(0.25)) spots.push(room.drop(MAKERS.pottedplant(style)));
  if (dice.chance(0.3)) spots.push(room.drop(MAKERS.chair(style)));
  if (dice.chance(0.15)) spots.push(room.stand(MAKERS.sofa(style)));
  return spots.filter((spot) => spot !== undefined);
}

/** Somebody on a chair that is big enough to be seen. */
function seated(room: Room, style: Style): (Spot | undefined)[] {
  const spot = room.drop(MAKERS.chair(style));
  if (!spot) return [];
  const [x, y] = room.pointOf(spot, [0, -0.02, 0]);
  return [room.put(person(style, 'sit', 0.46), x, y, 0, spot.yaw), spot];
}

/** Two to five bottles on a table. */
function bottles(room: Room, style: Style): (Spot | undefined)[] {
  const { dice } = style;
  const table = MAKERS.diningtable(style);
  const spot = room.drop(table);
  if (!spot) return [];
  const [width, depth, height] = table.size;
  const made: Spot[] = [];
  for (let i = dice.integer(2, 5); i > 0; i--) {
    const at = [dice.range(-0.3, 0.3) * width, dice.range(-0.28, 0.28) * depth, height] as const;
    const [x, y, z] = room.pointOf(spot, at);
    made.push(room.put(bottle(style, dice.range(0.2, 0.36)), x, y, z, 0));
  }
  return [...made, spot];
}
